r"""SimSiam on digits with and without stop-gradient and predictor, and from starts the toy names.

*Networks.* An encoder with batch normalisation, a linear projector and a small predictor, cosine
loss, both directions, no moving average. The four rules of the 2 x 2 (predictor or none,
stop-gradient or none) run with two heads: ``normed`` standardises the projector's output, as
SimSiam does, so the spread of the outputs is near 1 whatever happens and only the rank can tell;
``free`` does not, so the spread tells. With the head ``normed`` three more rules of SimSiam's
ablation run: a predictor that keeps its random weights, a predictor with ten times the learning
rate and no stop-gradient, and a loss in one direction only.

*Linear.* One linear layer, squared loss, stop-gradient, plain SGD, and a linear predictor that
starts at a multiple of the identity: the multiples are starts at which the scalar toy predicts
collapse or none. ``kept`` is the standard deviation of the outputs over that at the start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig, train_towers
from ssl_dynamics.training.settings import at_least, multiple, require, some_of

NAME = "simsiam"

HEADS = {"free": "none", "normed": "mu+sigma"}
"""Normalisation of the projector's output."""
SQUARE = {
    "predictor+stop": {},
    "predictor": {"stop_gradient": False},
    "stop": {"predictor": "none"},
    "neither": {"predictor": "none", "stop_gradient": False},
}
"""The 2 x 2, as changes to SimSiam."""
ABLATION = {
    "frozen predictor": {"predictor_lr": 0.0},
    "fast predictor, no stop": {"predictor_lr": 10.0, "stop_gradient": False},
    "one direction": {"symmetric": False},
}
"""Further rules, with the head ``normed`` only."""
METRICS = ("loss", "spread", "rank", "feature_rank", "knn", "linear")
LINEAR_METRICS = ("loss", "output_std", "rank")


@dataclass(frozen=True)
class Config:
    """Settings of both parts."""

    seeds: int = field(default=16, metadata={"help": "number of seeds, trained together"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="digits", metadata={"help": "name of the record"})
    heads: tuple[str, ...] = ("free", "normed")
    """Heads to run: free, normed."""
    starts: tuple[float, ...] = (-1.0, 0.5, 1.5)
    """Linear: multiples of the identity at which the predictor starts."""
    steps: int = 1000
    batch: int = 128
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    width: int = 128
    """Hidden width of the encoder; its features have half of it."""
    outputs: int = 32
    """Dimension of the projector's output."""
    evaluations: int = 10
    """How many times metrics are taken after the start."""
    linear_steps: int = 400
    linear_lr: float = 0.02
    linear_outputs: int = 8

    def __post_init__(self) -> None:
        if self.heads:
            some_of("heads", self.heads, HEADS)
        require(bool(self.heads or self.starts), "heads, starts", ((), ()), "not both empty")
        for name in ("steps", "linear_steps"):
            multiple(self, name, of="evaluations")
        at_least(self, 1, "seeds", "outputs", "linear_outputs")
        at_least(self, 2, "width")
        for towers in (*self.networks().values(), *self.linear().values()):
            assert towers.steps  # every TowerConfig has checked its own fields by now

    def networks(self) -> dict[str, TowerConfig]:
        """The network runs by name, ``head/rule``."""
        simsiam = {
            "encoder": (self.width, self.width // 2),
            "encoder_norm": "mu+sigma",
            "projector": (self.outputs,),
            "predictor": "mlp",
            "predictor_width": self.outputs,
            "ema": None,
            "loss": "cosine",
            "lr": self.lr,
            "momentum": self.momentum,
            "weight_decay": self.weight_decay,
            "steps": self.steps,
            "batch": self.batch,
            **self._places(self.steps),
        }
        return {
            f"{head}/{rule}": TowerConfig(**{**simsiam, "output_norm": HEADS[head], **change})
            for head in self.heads
            for rule, change in (SQUARE | (ABLATION if head == "normed" else {})).items()
        }

    def linear(self) -> dict[str, TowerConfig]:
        """The linear runs by name, ``linear/start``."""
        return {
            f"linear/{start:+g}": TowerConfig(
                encoder=(self.linear_outputs,),
                feature_relu=False,
                projector=(),
                predictor="linear",
                predictor_scale=start,
                ema=None,
                loss="squared",
                lr=self.linear_lr,
                momentum=0.0,
                weight_decay=0.0,
                steps=self.linear_steps,
                batch=self.batch,
                **self._places(self.linear_steps, probe=False),
            )
            for start in self.starts
        }

    def _places(self, steps: int, probe: bool = True) -> dict[str, tuple[int, ...]]:
        every = steps // self.evaluations
        return {
            "eval_at": tuple(range(0, steps + 1, every)),
            "probe_at": (0, steps) if probe else (),
        }


def measure(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> dict[str, np.ndarray]:
    """All metrics by ``condition/metric``: [S, T], probes [S, 2] (start and end), ``kept`` [S]."""
    found: dict[str, np.ndarray] = {}
    options = {"device": config.device, "progress": progress, "checkpoint_dir": checkpoint_dir}
    for condition, towers in config.networks().items():
        metrics = train_towers(towers, config.seeds, **options)
        found |= {f"{condition}/{name}": metrics[name] for name in METRICS}
    for condition, towers in config.linear().items():
        metrics = train_towers(towers, config.seeds, **options)
        found |= {f"{condition}/{name}": metrics[name] for name in LINEAR_METRICS}
        deviation = metrics["output_std"]
        found[f"{condition}/kept"] = deviation[:, -1] / deviation[:, 0]
    return found


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every condition for all seeds at once and return the record."""
    begin = time.perf_counter()
    metrics = measure(config, progress=progress, checkpoint_dir=checkpoint_dir)
    places = np.arange(config.evaluations + 1)
    axes = {
        "step": (places * (config.steps // config.evaluations)).tolist(),
        "linear_step": (places * (config.linear_steps // config.evaluations)).tolist(),
        "probe": [0, config.steps],
    }
    return finished(
        NAME,
        config,
        range(config.seeds),
        metrics,
        axes=axes,
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "heads": ()},
        "metrics": ["linear/-1/kept", "linear/+0.5/kept", "linear/+1.5/kept"],
    },
]
"""What the tests run again beside the committed record."""
