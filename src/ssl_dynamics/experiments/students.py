"""Students of the public code's sizes: do loss and recovered teacher nodes come out as published?

Three protocols of the public code, each with plain SGD on a fixed pool of Gaussian inputs:

- *two_layer*: teacher with one hidden layer, 100 inputs and 50 outputs, student with `multiple`
  times as many hidden nodes, batch 16, epochs of 1000 steps, float64;
- *deep*: teacher 20-10-15-20-25-100, student ten times as wide (122,000 weights), batch 64, epochs
  of 1562 steps;
- *balanced*: teacher 20-50-75-100-125-100 whose nodes are active half of the time, student ten
  times as wide (2.5 million weights), batch 64, epochs of 3125 steps.

`experiments.students_published` holds what the public code printed; each figure belongs to one seed
of its own, or to a few. Declared before the recorded runs, after a look at the seeds 900 to 903:

1. every figure lies between our smallest and our largest seed, or in the 99.9 % prediction interval
   for one further seed of ours (of the logarithm for losses);
2. of the figures of the two-layer runs at least four in five lie between our smallest and our
   largest seed, rounded as they were printed;
3. deep: mean best correlation after 6 epochs above 0.998 in layer 1 and between 0.8 and 0.93 in
   layer 2; the documentation of the public code says 0.999 "in a few iterations" and about 0.95;
4. deep-long, 40 epochs as in that documentation: mean best correlation of layer 2 at the end
   between 0.9 and 0.98 (declared without a look at any seed);
5. large (the balanced protocol, one seed, float32 as the public code): after epochs 1 and 2 the
   loss within 20 % of the printed one and every layer's mean best correlation within 0.05 (declared
   without a look at any seed).

Outcome: the first declaration fails for three figures of "5x-m10-p1", all of one event: in the seed
that was printed, one teacher node is still missing after 6 epochs, and none of our 32 seeds is that
late. Of 96 further seeds (1000 to 1095, looked at because of it, not recorded) two missed a node
then. It was now declared that among 128 new ones ("5x-m10-p1-start", seeds 2000 to 2127) at least
one does, which held for one, and that the three figures lie in their range, which failed for the
loss and the mean correlation: that seed was less late. One of all 256 seeds, among the 96, was
later than the printed one; from epoch 21 on that one is like the others. The fourth was not run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import at_least, one_of, require
from ssl_dynamics.training.student_protocols import deep, progress_of, two_layer, wider
from ssl_dynamics.training.students_run import in_blocks, step_cost, together, train_students
from ssl_dynamics.training.threads import tuned

NAME = "students"
PROTOCOLS = ("two_layer", "deep", "balanced")
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Config:
    """Settings of one run; the values of the public code where it has them."""

    seeds: int = 16
    first_seed: int = 0
    device: str = field(default="cpu", metadata={"help": "cpu: sizes and blocks are chosen for it"})
    name: str = "5x-m10-p1"
    protocol: str = "two_layer"
    nodes: int = 10
    """Hidden nodes of the two-layer teacher."""
    multiple: int = 5
    decay: float = 1.0
    """What leaves node j of the two-layer teacher is divided by j to this power."""
    at: tuple[int, ...] = (0, 1, 6, 21, 51, 100)
    """Epochs after which everything is measured; the last is the end."""
    test: int = 0
    """Inputs on which it is measured; 0 for the protocol's own number. With 2000 it costs less than
    a tenth of a two-layer run even after every epoch (`benchmarks/README.md`)."""
    dtype: str = "float64"

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        one_of("protocol", self.protocol, PROTOCOLS)
        one_of("dtype", self.dtype, DTYPES)
        at_least(self, 1, "seeds", "nodes", "multiple")
        at_least(self, 0, "first_seed", "decay", "test")
        rising = list(self.at) == sorted(set(self.at)) and len(self.at) and self.at[0] >= 0
        require(bool(rising), "at", self.at, "epochs from 0, increasing")

    @property
    def epoch(self) -> int:
        """Steps of an epoch."""
        return {"two_layer": 1000, "deep": 100_000 // 64, "balanced": 200_000 // 64}[self.protocol]

    @property
    def student(self) -> tuple[int, ...]:
        """Widths of the student."""
        teacher = {
            "two_layer": (100, self.nodes, 50),
            "deep": (20, 10, 15, 20, 25, 100),
            "balanced": (20, *LARGE, 100),
        }[self.protocol]
        return wider(teacher, self.multiple)

    @property
    def batch(self) -> int:
        """Samples of a batch."""
        return 16 if self.protocol == "two_layer" else 64


LARGE = (50, 75, 100, 125)
"""Hidden widths of the teacher of the balanced protocol."""

SLICES = [
    {
        "record": name,
        "config": {"seeds": 2, "at": (0, 1)},
        "metrics": ["loss", "best/layer=1"],
    }
    for name in (
        "5x-m10-p1",
        "5x-m10-p1-start",
        "5x-m10-p2.5",
        "10x-m20-p1",
        "10x-m20-p2.5",
        "1x-m10-p1",
    )
] + [
    {
        "record": "deep",
        "config": {"seeds": 2, "at": (0, 1)},
        "metrics": ["loss", "best/layer=1", "best/layer=2"],
    }
]
"""Small re-runs that the tests compare with the committed records."""

ONCE = ("large",)
"""Runs of one seed, made once: too long for a small re-run."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train the students; metrics are [S, T] along the axis `epoch`."""
    begin = time.perf_counter()
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    item = torch.finfo(getattr(torch, config.dtype)).bits // 8
    products, touched = step_cost(config.student, config.batch, item)
    with tuned(products * together(config.seeds, touched)):
        metrics = in_blocks(seeds, touched, partial(_block, config, progress))
    return finished(
        NAME,
        config,
        seeds,
        metrics,
        axes={"epoch": list(config.at)},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def _block(config: Config, progress: bool, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    dtype = getattr(torch, config.dtype)
    asked = {"test": config.test} if config.test else {}
    if config.protocol == "two_layer":
        shape = {"nodes": config.nodes, "multiple": config.multiple, "decay": config.decay}
        setup = two_layer(seeds, **shape, dtype=dtype, **asked)
    elif config.protocol == "deep":
        setup = deep(seeds, multiple=config.multiple, dtype=dtype, **asked)
    else:
        own = {"hidden": LARGE, "balanced": True, "samples": 200_000, "test": 10_240, "lr": 0.2}
        setup = deep(seeds, multiple=config.multiple, dtype=dtype, **own | asked)
    history = train_students(
        setup.student,
        setup.batches,
        config.at[-1] * config.epoch,
        setup.lr,
        eval_at=[epoch * config.epoch for epoch in config.at],
        measure=progress_of(setup.teacher, setup.probe),
        progress=f"{config.name}, seeds {seeds[0]}-{seeds[-1]}" if progress else None,
    )
    return history
