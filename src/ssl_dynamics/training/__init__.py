"""Training loops on the seeds axis: two towers, latent trees, students and teachers."""

from ssl_dynamics.training.checkpoint import CheckpointError
from ssl_dynamics.training.config import TowerConfig
from ssl_dynamics.training.loop import train_towers
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.run import Measure, Run
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import Fresh, Pool, gaussian, train_students
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.towers import Tower, Towers
from ssl_dynamics.training.trees import TreeConfig, TreeRun, train_trees

__all__ = [
    "SGD",
    "CheckpointError",
    "Fresh",
    "Measure",
    "Pool",
    "Run",
    "Students",
    "Tower",
    "TowerConfig",
    "Towers",
    "TreeConfig",
    "TreeRun",
    "gaussian",
    "train_students",
    "train_towers",
    "train_trees",
    "tuned",
]
