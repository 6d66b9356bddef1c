"""Which part of batch normalisation keeps BYOL from collapsing: nine variants on the digits.

BYOL with both directions of the cosine loss on one-pixel shifts of 8x8 digits. The normalisation
after the first linear layer of the projector and of the predictor uses the batch mean, uses it
without gradient, or leaves it out, and does the same with the batch deviation. Nothing else
changes between the nine runs, not even the initial weights and the order of the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.networks import VARIANTS
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig, shard, train_towers
from ssl_dynamics.training.settings import at_least, some_of

NAME = "batchnorm"


@dataclass(frozen=True)
class Config:
    """Settings shared by all variants of a record."""

    seeds: int = field(default=16, metadata={"help": "number of seeds, trained together"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="byol-digits", metadata={"help": "name of the record"})
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Which of the nine normalisations of the heads to run."""
    first_seed: int = 0
    """The first of the seeds: another one gives fresh data and weights."""
    weight_standardisation: bool = False
    """Whether all linear layers use rows without mean and of length one, instead of batches."""
    steps: int = 1000
    eval_at: tuple[int, ...] = (0, 25, 50, 100, 200, 400, 700, 1000)
    """Steps at which loss, spread and ranks are taken, and always at 0 and the end."""
    batch: int = 128
    lr: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 4e-4
    ema: float = 0.996

    def __post_init__(self) -> None:
        some_of("variants", self.variants, VARIANTS)
        at_least(self, 1, "seeds", "steps")
        at_least(self, 0, "first_seed")
        for variant in self.variants:
            self.tower(variant)

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    @property
    def eval_steps(self) -> tuple[int, ...]:
        """The steps of `eval_at` within the run, with 0 and the last step."""
        inside = {step for step in self.eval_at if 0 <= step <= self.steps}
        return tuple(sorted(inside | {0, self.steps}))

    @property
    def probe_steps(self) -> tuple[int, int]:
        """The steps at which kNN and linear probes are fitted: before and after training."""
        return (0, self.steps)

    def tower(self, variant: str) -> TowerConfig:
        """The two-tower run of one variant; everything else is equal."""
        return TowerConfig(
            encoder=(256, 128),
            projector=(256, 64),
            predictor="mlp",
            predictor_width=256,
            norm=variant,
            weight_standardisation=self.weight_standardisation,
            ema=self.ema,
            loss="byol",
            symmetric=True,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            steps=self.steps,
            batch=self.batch,
            eval_at=self.eval_steps,
            probe_at=self.probe_steps,
        )


SLICES = [
    {
        "record": "byol-digits",
        "config": {"seeds": 3, "variants": ("mu+sigma", "none"), "steps": 25},
        "metrics": ["mu+sigma/spread", "mu+sigma/rank", "none/spread", "none/rank"],
    },
    {
        "record": "byol-digits-fresh",
        "config": {"seeds": 3, "variants": ("mu(det)+sigma",), "steps": 25},
        "metrics": ["mu(det)+sigma/spread", "mu(det)+sigma/feature_rank"],
    },
    {
        "record": "weight-standardisation",
        "config": {"seeds": 3, "steps": 25},
        "metrics": ["none/spread", "none/rank"],
    },
]
"""Small re-runs that the tests hold against the committed record, at step 25."""


def measure(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> dict[str, np.ndarray]:
    """Metrics "<variant>/<metric>": loss, spread, rank, ... [S, steps]; knn, linear [S, 2]."""
    found: dict[str, np.ndarray] = {}
    with shard.process_group():  # one group for the sweep when started by torchrun
        for variant in config.variants:
            history = train_towers(
                config.tower(variant),
                config.seed_list,
                device=config.device,
                progress=progress,
                checkpoint_dir=checkpoint_dir,
            )
            found |= {f"{variant}/{metric}": values for metric, values in history.items()}
    return found


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every variant for every seed and record the collapse measures along training."""
    return recorded(
        NAME,
        config,
        partial(measure, config, progress=progress, checkpoint_dir=checkpoint_dir),
        seeds=config.seed_list,
        axes={"step": config.eval_steps, "probe_step": config.probe_steps},
    )
