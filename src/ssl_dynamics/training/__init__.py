"""One training loop for all two-tower experiments: seeds axis, EMA, checkpoints, shards."""

from ssl_dynamics.training.checkpoint import CheckpointError
from ssl_dynamics.training.config import TowerConfig
from ssl_dynamics.training.loop import train_towers
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.run import Measure, Run
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.towers import Tower, Towers
from ssl_dynamics.training.trees import TreeConfig, TreeRun, train_trees

__all__ = [
    "SGD",
    "CheckpointError",
    "Measure",
    "Run",
    "Tower",
    "TowerConfig",
    "Towers",
    "TreeConfig",
    "TreeRun",
    "train_towers",
    "train_trees",
    "tuned",
]
