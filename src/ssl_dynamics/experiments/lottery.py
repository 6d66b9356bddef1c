"""Lottery tickets among students: what is it that a kept set of nodes has?

Two-layer students learn from a two-layer teacher on fresh standard normal inputs, plain SGD on half
the squared distance, float64. The teacher has normal rows of length one, biases uniform on
[-1/2, 1/2], and fan-outs of mean square length 1; students start with normal weights (fan-in and
fan-out) of deviation `scale`, biases 0. Three studies:

- `tickets`: a wide student of `multiple` times as many nodes is trained. Then networks with exactly
  as many nodes as the teacher are trained from their own start on the *same* stream of data for as
  many steps. `ticket`: for each teacher node its own best student at the end of the wide run (by
  correlation, one to one), rewound; `strong`: the strongest at the end (fan-out times activation),
  rewound. Chosen *before* training: `lucky`, one to one by the cosine of the weights; `lucky both`,
  by that cosine times the cosine of the fan-outs, both cut off at zero; `spread`, for each teacher
  node a random student among those that are nearest to it; `crowd`, those with the largest cosine
  to any teacher node; `random`. Drawn again: `fresh`. Mixed: `ticket, fresh lengths` and `fresh,
  ticket lengths` (fan-in and fan-out, node by node); `ticket fan-in` and `ticket fan-out` (the rest
  fresh).
- `map`: `ticket`, `lucky both` and `fresh` for several numbers of teacher nodes and multiples.
- `race`: one teacher node without bias, students alone with it, fan-out 1 and fixed, weights of
  equal length `start`; the time (steps times rate) until the first of `tickets` is within `goal`
  degrees, and its share of the mean that the solved flow predicts.

Figures of a network: `log error`, decimal logarithm of the test error as a share of the teacher's
variance, [S, T] along `step`; `log time`, that of the first measured step with an error below 1 %,
counted as the whole run if there is none; `covered`, share of the teacher nodes with a student of
correlation above 0.95 at the end; `cosine` and `fan-out`, mean cosines at the start between the
nodes and the teacher nodes they are matched to one to one (by the cosine of the weights). Besides:
`again`, share of the teacher nodes to which a fresh node is nearer than any node of the wide
student was; `unclaimed`, share that are nearest to no fresh node; `rank`, share of the wide
student's nodes that were less near a teacher node at the start than its ticket; `past half`, the
log error of `lucky` minus the mean of those of `ticket` and `fresh`.

Declared before the recorded runs, after a look at sixteen other seeds from 900 on (64 of the race);
the sentences are in the claims file of the chapter, the predicates here. Log error at the end,
differences seed by seed. Hard: ticket - fresh < 0, ticket - full < 0, random - fresh between -1 and
1, (ticket, fresh lengths) - fresh < 0, (fresh, ticket lengths) - fresh between -1 and 1, lucky both
- fresh < 0, lucky both - lucky < 0, ticket - lucky < 0, past half > 0. Easy: ticket - fresh < 0,
fresh < -4. Log time, ticket - fresh, both tasks: < -0.176 (a factor 1.5). Hard: again between 0.07
and 0.11, unclaimed between 0.3 and 0.42, rank > 0.9. Race, time over its prediction: between 0.97
and 1.03.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator, random_teacher
from ssl_dynamics.data.streams import StepStream
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import correlation_matrix, coverage
from ssl_dynamics.measures.overlap import one_to_one
from ssl_dynamics.records import Record
from ssl_dynamics.theory import lottery as theory
from ssl_dynamics.training import Fresh, Students, gaussian, train_students
from ssl_dynamics.training.pruning import (
    Repeated,
    at_random,
    grafted,
    highest,
    kept,
    side_by_side,
    strengths,
    with_lengths,
)
from ssl_dynamics.training.settings import Seeded, at_least, divisor, one_of, positive, some_of
from ssl_dynamics.training.students_run import in_blocks, step_cost
from ssl_dynamics.training.threads import tuned

NAME = "lottery"
STUDIES = ("tickets", "map", "race")
SOLVED = 0.01
"""Share of the teacher's variance below which a network counts as having learned."""
IN_THE_MAP = ("ticket", "lucky both", "fresh")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = field(default=64, metadata={"help": "number of seeds"})
    device: str = field(default="cpu", metadata={"help": "cpu: many small products"})
    name: str = field(default="hard", metadata={"help": "name of the record"})
    study: str = field(default="tickets", metadata={"help": "tickets, map or race"})
    nodes: tuple[int, ...] = (20,)
    """Teacher nodes; one number but for the map."""
    multiples: tuple[int, ...] = (10,)
    """Students per teacher node; one number but for the map."""
    inputs: int = 20
    outputs: int = 20
    scale: float = 0.05
    steps: int = 4000
    every: int = 50
    """Steps between two measurements."""
    batch: int = 16
    lr: float = 0.05
    probe: int = 500
    """Test inputs."""
    tickets: tuple[int, ...] = (5, 50)
    """Numbers of students in the race; the smaller groups are part of the largest."""
    start: float = 0.22
    goal: float = 5.0

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        one_of("study", self.study, STUDIES)
        some_of("nodes", self.nodes, range(1, 1001))
        some_of("multiples", self.multiples, range(1, 101))
        some_of("tickets", self.tickets, range(1, 10_001))
        positive(self, "scale", "lr", "start", "goal")
        at_least(self, 1, "seeds", "outputs", "steps", "batch")
        at_least(self, 2, "inputs", "probe")
        divisor(self, "every", of="steps")


_CHOSEN_BEFORE = [f"{name}/log error" for name in ("full", "fresh", "lucky both", "crowd")]
SLICES: list[dict[str, Any]] = [
    {
        "record": "easy",
        "config": {"seeds": 4, "steps": 500, "every": 500},
        "metrics": _CHOSEN_BEFORE,
    },
    {
        "record": "hard",
        "config": {"seeds": 3, "steps": 300, "every": 300},
        "metrics": _CHOSEN_BEFORE,
    },
    {
        "record": "map",
        "config": {"seeds": 2, "nodes": (5,), "multiples": (2,), "every": 4000},
        "metrics": [f"nodes=5/multiple=2/{name}/log error" for name in ("full", "ticket", "fresh")],
    },
    {
        "record": "race",
        "config": {"seeds": 8},
        "metrics": ["tickets=5/relative", "tickets=50/relative"],
    },
]
"""The small re-runs that the tests compare with the committed records."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train all networks; metrics are [S], or [S, T] along the axis `step`."""
    seeds, steps = config.seed_range(), list(range(0, config.steps + 1, config.every))
    if config.study == "race":
        jobs = {"": (partial(_race, config), max(config.tickets))}
    else:
        whole = config.study == "tickets"
        sizes = [(m, times) for m in config.nodes for times in config.multiples]
        jobs = {
            "" if whole else f"nodes={m}/multiple={times}/": (
                partial(_cell, config, nodes=m, multiple=times),
                m * times,
            )
            for m, times in (sizes[:1] if whole else sizes)
        }

    def measure() -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for prefix, (job, width) in tqdm(jobs.items(), disable=not progress, desc=NAME):
            cost = step_cost((config.inputs, width, config.outputs), config.batch)[1]
            here = in_blocks(seeds, cost, job)
            found |= {prefix + key: value for key, value in here.items()}
        return found

    axes = {"step": steps} if config.study == "tickets" else {}
    with tuned(0):
        return recorded(NAME, config, measure, seeds=seeds, axes=axes)


def pair(
    config: Config, seeds: Sequence[int], nodes: int, students: int, purpose: str = "student"
) -> tuple[Students, Students]:
    """Teacher and student at the start."""
    sizes = (config.inputs, nodes, config.outputs)
    teacher = Students(*random_teacher(seeds, sizes, rows="normal"))
    teacher.weights[1] *= (nodes / config.outputs) ** 0.5
    widths = (config.inputs, students, config.outputs)
    return teacher, Students.random(seeds, widths, scale=config.scale, purpose=purpose)


def cosines(one: Students, other: Students) -> tuple[Tensor, Tensor]:
    """Cosines [S, n, m] between the nodes of two networks: of the fan-ins, and of the fan-outs."""
    fan_in = [net.weights[0] / net.weights[0].norm(dim=2, keepdim=True) for net in (one, other)]
    fan_out = [net.weights[1] / net.weights[1].norm(dim=1, keepdim=True) for net in (one, other)]
    return fan_in[0] @ fan_in[1].mT, fan_out[0].mT @ fan_out[1]


def spread_out(seeds: Sequence[int], near: Tensor) -> Tensor:
    """For each teacher node a random node among those nearest to it, no node twice; one of the
    others where there is none: cosines [S, n, m] -> [S, m]."""
    chosen, (_, count, teachers) = [], near.shape
    for seed, nearest in zip(seeds, near.argmax(2).tolist(), strict=True):
        order = generator(seed, "spread").permutation(count).tolist()
        own: list[int | None] = [
            next((k for k in order if nearest[k] == node), None) for node in range(teachers)
        ]
        rest = iter([k for k in order if k not in own])
        chosen.append([next(rest) if k is None else k for k in own])
    return torch.tensor(chosen)


def choices(
    seeds: Sequence[int], teacher: Students, start: Students, end: Students, probe: Tensor
) -> dict[str, Tensor]:
    """Which nodes of the wide student each rule keeps, [S, m]."""
    count = teacher.widths[1]
    near, alike = cosines(start, teacher)
    seen = correlation_matrix(end.activations(probe)[1], teacher.activations(probe)[1])
    return {
        "ticket": one_to_one(seen),
        "strong": highest(strengths(end, probe), count),
        "lucky": one_to_one(near),
        "lucky both": one_to_one(near.clamp_min(0) * alike.clamp_min(0)),
        "spread": spread_out(seeds, near),
        "crowd": highest(near.amax(2), count),
        "random": at_random(seeds, start.widths[1], count),
    }


def _cell(config: Config, seeds: Sequence[int], nodes: int, multiple: int) -> dict[str, np.ndarray]:
    """All networks of one task, for a block of seeds."""
    teacher, start = pair(config, seeds, nodes, nodes * multiple)
    fresh = pair(config, seeds, nodes, nodes, "fresh")[1]
    probe = gaussian(seeds, config.probe, config.inputs, purpose="probe")
    end = start.clone()
    found = _trained(config, seeds, teacher, probe, {"full": end})
    chosen = choices(seeds, teacher, start, end, probe)
    near, fresh_near = (cosines(net, teacher)[0] for net in (start, fresh))
    best = near.gather(1, chosen["ticket"].unsqueeze(1)).squeeze(1)
    facts = {
        "again": (fresh_near.amax(1) > near.amax(1)).double().mean(1),
        "unclaimed": _unclaimed(fresh_near),
        "rank": (near < best.unsqueeze(1)).double().sum(1).mean(1) / (nodes * multiple - 1),
    }
    nets = {name: kept(start, places) for name, places in chosen.items()} | {"fresh": fresh}
    ticket = nets["ticket"]
    nets |= {
        "ticket, fresh lengths": with_lengths(ticket, fresh),
        "fresh, ticket lengths": with_lengths(fresh, ticket),
        "ticket fan-in": grafted(ticket, fresh),
        "ticket fan-out": grafted(fresh, ticket),
    }
    if config.study == "map":
        nets = {name: nets[name] for name in IN_THE_MAP}
    for name, net in nets.items():
        both = cosines(net, teacher)
        places = one_to_one(both[0]).unsqueeze(1)
        for key, cosine in zip(("cosine", "fan-out"), both, strict=True):
            facts[f"{name}/{key}"] = cosine.gather(1, places).mean((1, 2))
    found |= {name: value.numpy() for name, value in facts.items()}
    found |= _trained(config, seeds, teacher, probe, nets)
    if "lucky" in nets:
        lucky, ticket_, fresh_ = (found[f"{k}/log error"] for k in ("lucky", "ticket", "fresh"))
        found["past half"] = lucky - (ticket_ + fresh_) / 2
    if config.study == "map":
        found = {name: value[:, -1] if value.ndim == 2 else value for name, value in found.items()}
    return found


def _unclaimed(near: Tensor) -> Tensor:
    """Share of the teacher nodes that are nearest to no student: [S, n, m] -> [S]."""
    claimed = torch.zeros_like(near[:, 0]).scatter_(1, near.argmax(2), 1.0)
    return 1 - claimed.mean(1)


def _trained(
    config: Config,
    seeds: Sequence[int],
    teacher: Students,
    probe: Tensor,
    nets: dict[str, Students],
) -> dict[str, np.ndarray]:
    """Train networks of one size on one stream, in place if it is one; their figures by name."""
    count = len(nets)
    together = side_by_side(list(nets.values())) if count > 1 else next(iter(nets.values()))
    goal = teacher.outputs(probe)
    variance = (goal - goal.mean(1, keepdim=True)).square().mean((1, 2))
    points = probe.repeat(count, 1, 1)

    def measure(students: Students) -> dict[str, Tensor]:
        apart = students.outputs(points).unflatten(0, (count, -1)) - goal
        return {"error": (apart.square().mean((2, 3)) / variance).flatten()}

    steps = range(0, config.steps + 1, config.every)
    batches = Repeated(Fresh(seeds, teacher, config.batch), count)
    error = train_students(
        together, batches, config.steps, config.lr, eval_at=steps, measure=measure
    )["error"]
    solved = error < SOLVED
    time = np.where(solved.any(1), solved.argmax(1) * config.every, config.steps)
    time = np.maximum(time, config.every)
    wanted = teacher.activations(probe)[1]
    matrix = correlation_matrix(together.activations(points)[1], wanted.repeat(count, 1, 1))
    figures = {
        # curves in single precision: they are measured by samples, and the record stays small
        "log error": np.log10(error).astype(np.float32),
        "log time": np.log10(time),
        "covered": coverage(matrix).numpy(),
    }
    block = len(seeds)
    return {
        f"{name}/{key}": values[k * block : (k + 1) * block]
        for k, name in enumerate(nets)
        for key, values in figures.items()
    }


def _race(config: Config, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Times of the first of several students that learn one teacher node, each on its own."""
    count, goal = max(config.tickets), np.radians(config.goal)
    drawn = [generator(seed, "race").normal(size=(count + 1, config.inputs)) for seed in seeds]
    rows = torch.from_numpy(np.stack(drawn))
    rows /= rows.norm(dim=2, keepdim=True)
    w_star, w = rows[:, :1], config.start * rows[:, 1:]

    def draw(rng: np.random.Generator, steps: int) -> np.ndarray:
        return rng.standard_normal((steps, config.batch, config.inputs))

    stream, before = StepStream(seeds, "race/inputs", draw), None
    time = torch.full((len(seeds), count), torch.nan, dtype=w.dtype)
    for step in range(config.steps + 1):
        angle = _angles(w, w_star)
        if before is not None:
            part = (before - goal) / (before - angle)
            crosses = (angle <= goal) & time.isnan()
            time = torch.where(crosses, config.lr * (step - 1 + part), time)
        else:
            time = torch.where(angle <= goal, 0.0, time)
            near = angle.argmin(1)
        before = angle
        x = stream.at(step)
        h = x @ w.mT
        missing = torch.relu(x @ w_star.mT) - torch.relu(h)
        w = w + config.lr / config.batch * (missing * (h > 0)).mT @ x
    time = time.nan_to_num(nan=config.lr * config.steps)
    found = {"nearest first": (time.argmin(1) == near).double().numpy()}
    for tickets in config.tickets:
        first = time[:, :tickets].amin(1).numpy()
        predicted = theory.mean_time(config.inputs, tickets, start=config.start, goal=goal)
        found |= {
            f"tickets={tickets}/time": first,
            f"tickets={tickets}/relative": first / predicted,
        }
    return found


def _angles(w: Tensor, w_star: Tensor) -> Tensor:
    """Angles [S, n] of rows [S, n, d] to one direction of length one [S, 1, d]."""
    along = (w * w_star).sum(2)
    across = (w - along.unsqueeze(2) * w_star).norm(dim=2)
    return torch.atan2(across, along)
