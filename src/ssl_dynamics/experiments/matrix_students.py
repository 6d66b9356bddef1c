"""The public code's simulation with matrices: which rows of the top weights does it empty?

The factorised step of the paper's public code, in which means of products are products of means,
with every row rescaled to length 1 after each step (the code stores the transposes, so there it is
columns). Widths 10-20-30 with normal inputs, a student with twice as many hidden nodes, which
begins at the teacher plus normal noise of deviation 0.1, rows rescaled; batches of 64, step 0.05,
20,000 steps. A constant coordinate stands for the biases; the teacher has none.

Recorded: the length of the fan-out of every hidden node, 20 matched ones, 20 others and the
constant: smallest, mean and largest of the matched, mean and largest of the others, the constant's.
One difference from the public code is kept on purpose: there the constant's row and column are cut
out of the coefficients, here it takes part like any other node.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import StepStream, generator, random_teacher
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures import factorised_steps
from ssl_dynamics.networks import ReluNet, with_constant
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive
from ssl_dynamics.training.threads import tuned

NAME = "matrix_students"


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run; the defaults are the published ones."""

    device: str = field(default="cpu", metadata={"help": "cpu: the matrices are tiny"})
    name: str = "published"
    widths: tuple[int, int, int] = (10, 20, 30)
    students: int = 40
    noise: float = 0.1
    steps: int = 20_000
    at: tuple[int, ...] = (0, 20, 100, 500, 2000, 6000, 10_000, 20_000)
    batch: int = 64
    lr: float = 0.05

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "steps", "batch")
        positive(self, "noise", "lr")
        if len(self.widths) != 3 or self.students < self.widths[1]:
            raise ValueError(
                f"students: got {self.students} and widths {self.widths}; allowed: three widths, "
                "and students at least the middle one"
            )


SLICE = {
    "record": "published",
    "config": {"seeds": 3, "steps": 500},
    "metrics": ["matched/mean", "others/mean", "constant"],
}
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Take the steps; metrics are [S, T] along the axis `step`."""
    begin, seeds, rows = time.perf_counter(), config.seed_range(), []
    steps = [step for step in config.at if step <= config.steps]
    with tuned(0), torch.no_grad():
        student, teacher = pair(config, seeds)

        def draw(rng: np.random.Generator, count: int) -> np.ndarray:
            x = rng.normal(size=(count, config.batch, config.widths[0]))
            return np.concatenate([x, np.ones((*x.shape[:2], 1))], -1)

        batches = StepStream(seeds, "batch", draw)
        for step in trange(config.steps + 1, disable=not progress, desc=NAME):
            if step in steps:
                rows.append(lengths(student.weights[1], config.widths[1]))
            if step < config.steps:
                take(student, factorised_steps(student, teacher, batches.at(step)), config.lr)
    metrics = {name: np.stack([row[name].numpy() for row in rows], 1) for name in rows[0]}
    return finished(
        NAME,
        config,
        seeds,
        metrics,
        axes={"step": steps},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def pair(config: Config, seeds: Sequence[int]) -> tuple[ReluNet, ReluNet]:
    """Student and teacher with a constant coordinate."""
    weights, _ = random_teacher(seeds, config.widths)
    sizes = (config.widths[0], config.students, config.widths[2])
    mine = []
    for layer, W in enumerate(weights):
        shape = (sizes[layer + 1], sizes[layer] + 1)
        drawn = [generator(s, f"student/{layer}").normal(size=shape) for s in seeds]
        start = config.noise * torch.from_numpy(np.stack(drawn))
        start[:, : W.shape[1], : W.shape[2]] += W
        mine.append(start / start.norm(dim=-1, keepdim=True))
    none = [torch.zeros(W.shape[:2], dtype=W.dtype) for W in weights]
    return (
        ReluNet.of(with_constant([W[..., :-1] for W in mine], [W[..., -1] for W in mine])),
        ReluNet.of(with_constant(weights, none)),
    )


@torch.no_grad()
def take(student: ReluNet, steps: Sequence[Tensor], lr: float) -> None:
    """Add the steps and rescale the rows; the row that carries the constant stays."""
    for layer, (weight, step) in enumerate(zip(student.weights, steps, strict=True)):
        rows = weight[:, : weight.shape[1] - (layer < student.depth - 1)]
        rows += lr * step[:, : rows.shape[1]]
        rows /= rows.norm(dim=-1, keepdim=True)


def lengths(top: Tensor, matched: int) -> dict[str, Tensor]:
    """Fan-out lengths from the top weights [S, out, hidden + 1], the constant last: [S] each."""
    fan_out = top.norm(dim=1)
    first, rest = fan_out[:, :matched], fan_out[:, matched:-1]
    return {
        "matched/smallest": first.amin(1),
        "matched/mean": first.mean(1),
        "matched/largest": first.amax(1),
        "others/smallest": rest.amin(1),
        "others/mean": rest.mean(1),
        "others/largest": rest.amax(1),
        "constant": fan_out[:, -1],
    }
