"""What becomes of the fan-out of nodes that the teacher does not need, features held or moving?

Two layers without biases, standard normal inputs, the exact gradient flow of the population loss
(no sample is drawn). Teacher: unit rows, fan-out of length 1. In every arm but one the first m
students begin with the teacher's own directions; all fan-in weights have length 1 and all fan-out
weights one length, in random directions:

- *frozen*: fan-out 0.1, features held;
- *out=r*: fan-out r, features move;
- *small*: no student begins at a teacher's direction; fan-in and fan-out 0.1, features move.

At recorded times: loss; mean fan-out of the matched nodes; of the others the largest, mean and
smallest fan-out, the smallest fan-in and the share that has come within 5 degrees of a teacher's
direction (*copies*); the largest change of any node's squared fan-in less squared fan-out
(*drift*). At the end: how many eigenvalues of the Hessian on a sample are below 1e-6 of the
largest, less the count of the theory (*flat*), and the rate at which the largest fan-out of the
others fell over the last interval but one, divided by the smallest eigenvalue of G (*rate*).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures import Hessian
from ssl_dynamics.records import Record
from ssl_dynamics.training.normal_flow import Layers, follow, loss, overlaps
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive, require
from ssl_dynamics.training.threads import tuned

NAME = "flat_minima"
NEAR = cos(radians(5))
"""Cosine with a teacher's direction from which a node counts as its copy."""
FLAT = 1e-6
"""Share of the largest eigenvalue below which one counts as flat."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = 32
    device: str = field(default="cpu", metadata={"help": "cpu: the systems are tiny"})
    name: str = "flow"
    inputs: int = 8
    teacher: int = 4
    """Teacher nodes."""
    students: int = 12
    outputs: int = 6
    fan_outs: tuple[float, ...] = (0.1, 0.3, 0.6, 1.0, 1.5)
    """Lengths of the fan-out weights at the start, where features move; the fan-in is 1."""
    times: tuple[float, ...] = (0, 1, 3, 10, 30, 100, 300, 1000)
    until: float = 1000.0
    """End of the flow; later times are left out."""
    sample: int = 400
    """Inputs of the Hessian at the end."""

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "inputs", "teacher", "outputs", "sample")
        positive(self, "until")
        require(self.students > self.teacher, "students", self.students, "more than teacher")
        require(min(self.fan_outs) > 0, "fan_outs", self.fan_outs, "numbers above 0")


SLICE = {
    "record": "flow",
    "config": {"seeds": 3, "until": 10.0, "fan_outs": (0.1, 1.5)},
    "metrics": [
        "frozen/others/mean",
        "out=0.1/others/mean",
        "out=1.5/others/smallest",
        "out=1.5/others/fan-in",
        "small/matched",
    ],
}
"""The small re-run that the tests compare with the committed record."""


def arms(config: Config) -> dict[str, tuple[float, float, bool, bool]]:
    """Fan-in and fan-out at the start, whether the first nodes are lucky, whether features move."""
    moving = {f"out={r:g}": (1.0, r, True, True) for r in config.fan_outs}
    return {"frozen": (1.0, 0.1, True, False), **moving, "small": (0.1, 0.1, False, True)}


def starts(config: Config, seeds: Sequence[int]) -> tuple[Layers, Layers, Tensor]:
    """Students and teachers of all arms one after another, [A * S, ...], and who moves, [A * S]."""
    students, teachers, moving = [], [], []
    for fan_in, fan_out, lucky, moves in arms(config).values():
        for seed in seeds:
            rows = {
                name: unit(generator(seed, name).normal(size=shape))
                for name, shape in (
                    ("teacher/in", (config.teacher, config.inputs)),
                    ("teacher/out", (config.teacher, config.outputs)),
                    ("student/in", (config.students, config.inputs)),
                    ("student/out", (config.students, config.outputs)),
                )
            }
            if lucky:
                rows["student/in"][: config.teacher] = rows["teacher/in"]
            students.append((fan_in * rows["student/in"], fan_out * rows["student/out"]))
            teachers.append((rows["teacher/in"], rows["teacher/out"]))
            moving.append(float(moves))
    return stacked(students), stacked(teachers), torch.tensor(moving, dtype=torch.float64)


def stacked(nets: Sequence[tuple[np.ndarray, np.ndarray]]) -> Layers:
    """Single networks as one on the seeds axis."""
    W, V = (torch.from_numpy(np.stack(side)) for side in zip(*nets, strict=True))
    return Layers(W, V)


def unit(rows: np.ndarray) -> np.ndarray:
    """Each row at length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Follow all arms at once; metrics are [S, T] along the axis `time`, [S] at the end."""
    begin, seeds = time.perf_counter(), config.seed_range()
    times = [t for t in config.times if t <= config.until]
    with tuned(0), torch.no_grad():
        student, teacher, moving = starts(config, seeds)
        flow = follow(student, teacher, times, moving=moving)
        path = list(tqdm(flow, total=len(times), disable=not progress, desc=NAME))
        rows = [measured(at, student, teacher, config.teacher) for at in path]
    columns = {name: np.stack([row[name].numpy() for row in rows], 1) for name in rows[0]}
    metrics: dict[str, np.ndarray] = {}
    for k, arm in enumerate(arms(config)):
        mine = slice(k * len(seeds), (k + 1) * len(seeds))
        metrics |= {f"{arm}/{name}": column[mine] for name, column in columns.items()}
        if arm in ("frozen", f"out={config.fan_outs[0]:g}"):
            ends = zip(*(part[mine] for part in (*path[-1], *teacher)), strict=True)
            metrics[f"{arm}/flat"] = np.array(
                [surplus(config, seed, *end) for seed, end in zip(seeds, ends, strict=True)]
            )
    if len(times) > 2:
        largest = metrics["frozen/others/largest"]
        fell = -np.log(largest[:, -2] / largest[:, -3]) / (times[-2] - times[-3])
        G = overlaps(student.W, student.W)[: len(seeds)]
        metrics["frozen/rate"] = fell / np.linalg.eigvalsh(G.numpy())[:, 0]
    return finished(
        NAME,
        config,
        seeds,
        metrics,
        axes={"time": times},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def measured(now: Layers, start: Layers, teacher: Layers, matched: int) -> dict[str, Tensor]:
    """Everything at one time, [A * S] each."""
    fan_in, fan_out = now.W.norm(dim=-1), now.V.norm(dim=-1)
    others, rows = fan_out[:, matched:], now.W[:, matched:] / fan_in[:, matched:, None]
    cosine = (rows @ teacher.W.mT).amax(-1)
    was, is_ = (n.W.square().sum(-1) - n.V.square().sum(-1) for n in (start, now))
    return {
        "loss": loss(now, teacher),
        "matched": fan_out[:, :matched].mean(-1),
        "others/largest": others.amax(-1),
        "others/mean": others.mean(-1),
        "others/smallest": others.amin(-1),
        "others/fan-in": fan_in[:, matched:].amin(-1),
        "others/copies": (cosine > NEAR).double().mean(-1),
        "drift": (is_ - was).abs().amax(-1),
    }


def surplus(
    config: Config, seed: int, W: Tensor, V: Tensor, W_star: Tensor, V_star: Tensor
) -> float:
    """Flat directions of the loss on a sample, less d for each node that is not needed and 1 for
    each that is."""
    x = torch.from_numpy(generator(seed, "sample").normal(size=(config.sample, config.inputs)))
    goal = torch.relu(x @ W_star.T) @ V_star

    def distance(W: Tensor, V: Tensor) -> Tensor:
        return (torch.relu(x @ W.T) @ V - goal).square().sum(-1).mean() / 2

    values = np.linalg.eigvalsh(Hessian(distance, (W, V)).dense())
    predicted = (config.students - config.teacher) * config.inputs + config.teacher
    return float((values < FLAT * values[-1]).sum() - predicted)
