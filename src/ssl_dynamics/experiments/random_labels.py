"""The same student fits structured and random labels: is a random label a large teacher?

Two-layer students, always of the same width, learn a fixed pool of training inputs by plain SGD on
half the squared distance, float64; test inputs are new. Two studies:

- `teachers`: standard normal inputs. The teachers have 5, 20, 100, 400 nodes (`nodes=5/...`),
  normal rows of length one, biases uniform on [-1/2, 1/2], outputs standardised. `permuted`: the
  outputs of the smallest teacher, dealt out to the training inputs at random, output vectors as
  wholes.
- `digits`: the first `pool` training images of scikit-learn's digits, targets one-hot. `real` and
  `permuted` labels. Then tickets: `kept` nodes of the network that has learned the real labels, the
  strongest (`ticket`, rewound), or as many drawn again (`fresh`), and both mixed (`ticket, fresh
  lengths`, `fresh, ticket lengths`); trained on the real labels, on the same batches.

Figures, [S, T] along `step`: `train` and `test`, squared error as a share of the variance of the
targets (of permuted labels, of those that the inputs had before); `used`, the effective number of
nodes, (sum s)^2 / sum s^2 with s_j the squared length of the fan-out times the variance of the
activation; for teachers `matched`, teacher nodes with a student of correlation above 0.9, and
`linear`, [S], share of the variance of the test targets that the best linear function of the inputs
explains there; for digits `fitted` and `accuracy`, shares of the training and of the test images
whose largest output is that of their label.

Declared before the recorded runs, after a look at eight (digits: three) other seeds from 900 on,
values at the end. Teachers: train < 0.01 with 5 and with 400 nodes, permuted train < 0.2;
used(400) - used(5) > 50; test < 0.02 with 5 nodes, < 0.2 with 400, permuted > 1.5;
test(400) - test(100) between -0.03 and 0.03; linear with 400 between 0.7 and 0.8. Digits: fitted
> 0.95 with either labels; accuracy > 0.9 with real ones; used(permuted) - used(real) > 10;
test > 1.5 with permuted ones; test error of ticket - fresh between -0.1 and 0.1.
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
from torch.nn.functional import one_hot
from tqdm import tqdm

from ssl_dynamics.data import digits, generator, random_teacher
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import best_students, correlation_matrix
from ssl_dynamics.records import Record
from ssl_dynamics.training import Pool, Students, gaussian, train_students
from ssl_dynamics.training.pruning import (
    Repeated,
    highest,
    kept,
    side_by_side,
    strengths,
    with_lengths,
)
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive, some_of
from ssl_dynamics.training.students_run import in_blocks, step_cost
from ssl_dynamics.training.threads import tuned

NAME = "random_labels"
STUDIES = ("teachers", "digits")
MATCHED = 0.9
"""Correlation of activations above which a teacher node counts as matched."""
TEST = 2000
"""Test inputs of the teachers."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = field(default=32, metadata={"help": "number of seeds"})
    device: str = field(default="cpu", metadata={"help": "cpu: many small products"})
    name: str = field(default="teachers", metadata={"help": "name of the record"})
    study: str = field(default="teachers", metadata={"help": "teachers or digits"})
    nodes: tuple[int, ...] = (5, 20, 100, 400)
    """Nodes of the teachers."""
    students: int = 200
    inputs: int = 20
    outputs: int = 5
    pool: int = 500
    """Training inputs."""
    scale: float = 0.05
    steps: int = 10000
    at: tuple[int, ...] = (0, 30, 100, 300, 1000, 3000, 10000)
    """Steps at which everything is measured, as far as the run goes; and at its end."""
    batch: int = 32
    lr: float = 0.05
    kept: int = 20
    """Nodes of a ticket on digits."""

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        one_of("study", self.study, STUDIES)
        some_of("nodes", self.nodes, range(1, 10_001))
        positive(self, "scale", "lr")
        at_least(self, 1, "seeds", "inputs", "outputs", "steps", "batch", "students", "kept")
        at_least(self, self.batch, "pool")

    def places(self) -> list[int]:
        """The steps that are measured."""
        return sorted({step for step in self.at if step <= self.steps} | {self.steps})


SLICES: list[dict[str, Any]] = [
    {
        "record": "teachers",
        "config": {"seeds": 3, "nodes": (5,), "steps": 1000},
        "metrics": ["nodes=5/linear", "nodes=5/test", "nodes=5/used", "permuted/test"],
    },
    {
        "record": "digits",
        "config": {"seeds": 2, "steps": 300},
        "metrics": ["real/test", "real/accuracy", "permuted/train", "fresh/test"],
    },
]
"""The small re-runs that the tests compare with the committed records."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train the students; metrics are [S, T] along the axis `step`, or [S]."""
    seeds = config.seed_range()
    if config.study == "teachers":
        jobs = [partial(_teachers, config, count) for count in config.nodes]
        widths = (config.inputs, config.students, config.outputs)
    else:
        jobs, widths = [partial(_digits, config)], (64, config.students, 10)

    def measure() -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for job in tqdm(jobs, disable=not progress, desc=NAME):
            found |= in_blocks(seeds, step_cost(widths, config.batch)[1], job)
        return found

    with tuned(0):
        return recorded(NAME, config, measure, seeds=seeds, axes={"step": config.places()})


def effective_number(shares: Tensor) -> Tensor:
    """(sum s)^2 / sum s^2 of numbers that are not negative, 0 if all are: [S, n] -> [S]."""
    return shares.sum(1).square() / shares.square().sum(1).clamp_min(1e-300)


def relative_error(net: Students, x: Tensor, target: Tensor) -> Tensor:
    """Squared error over the variance of the targets: [S, B, d], [S, B, C] -> [S]."""
    variance = (target - target.mean(1, keepdim=True)).square().mean((1, 2))
    return (net.outputs(x) - target).square().mean((1, 2)) / variance


def used(net: Students, x: Tensor) -> Tensor:
    """Effective number of hidden nodes over inputs x [S, B, d]: [S]."""
    variance = net.activations(x)[1].var(1, unbiased=False)
    return effective_number(net.weights[1].square().sum(1) * variance)


def linear_share(x: Tensor, target: Tensor) -> Tensor:
    """Share of the variance of the targets that the best linear function of x explains: [S]."""
    apart = [values - values.mean(1, keepdim=True) for values in (x, target)]
    rest = apart[1] - apart[0] @ torch.linalg.lstsq(*apart).solution
    return 1 - rest.square().sum((1, 2)) / apart[1].square().sum((1, 2))


def dealt(seeds: Sequence[int], targets: Tensor) -> Tensor:
    """The targets [S, N, C] in a random order, one stream per seed."""
    count = targets.shape[1]
    orders = [generator(seed, "permuted").permutation(count) for seed in seeds]
    places = torch.from_numpy(np.stack(orders)).unsqueeze(-1)
    return targets.gather(1, places.expand_as(targets))


def standard_teacher(config: Config, seeds: Sequence[int], nodes: int, x: Tensor) -> Students:
    """A teacher whose outputs have mean 0 and, all together, variance 1 over x."""
    sizes = (config.inputs, nodes, config.outputs)
    teacher = Students(*random_teacher(seeds, sizes, rows="normal"))
    y = teacher.outputs(x)
    mean = y.mean(1)
    size = (y - mean.unsqueeze(1)).square().mean((1, 2)).sqrt()
    teacher.biases[1].sub_(mean).div_(size[:, None])
    teacher.weights[1].div_(size[:, None, None])
    return teacher


def _teachers(config: Config, nodes: int, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The student on one teacher; on the smallest also with permuted labels."""
    x, test = (
        gaussian(seeds, count, config.inputs, purpose=purpose)
        for purpose, count in (("train", config.pool), ("test", TEST))
    )
    teacher = standard_teacher(config, seeds, nodes, test)
    target, wanted = teacher.outputs(x), teacher.outputs(test)
    found = {f"nodes={nodes}/linear": linear_share(test, wanted).numpy()}
    labels = {f"nodes={nodes}": target}
    if nodes == min(config.nodes):
        labels["permuted"] = dealt(seeds, target)
    activations = teacher.activations(test)[1]
    for name, given in labels.items():
        student = _student(config, seeds, (config.inputs, config.students, config.outputs))

        def measure(net: Students, given: Tensor = given) -> dict[str, Tensor]:
            matrix = correlation_matrix(net.activations(test)[1], activations)
            return {
                "train": relative_error(net, x, given),
                "test": relative_error(net, test, wanted),
                "used": used(net, test),
                "matched": (best_students(matrix) > MATCHED).double().sum(1),
            }

        pool = _pool(config, seeds, student, x, given)
        figures = train_students(
            student, pool, config.steps, config.lr, eval_at=config.places(), measure=measure
        )
        found |= {f"{name}/{key}": values for key, values in figures.items()}
    return found


def _digits(config: Config, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Real and permuted labels of the digits, and tickets of the network with real ones."""
    data, count = digits(), len(seeds)
    x, test = (images.expand(count, -1, -1) for images in (data.train[: config.pool], data.test))
    target, wanted = (
        one_hot(labels, 10).double().expand(count, -1, -1)
        for labels in (data.train_labels[: config.pool], data.test_labels)
    )

    def figures_of(
        nets: dict[str, Students], given: Tensor
    ) -> tuple[Students, dict[str, np.ndarray]]:
        times = len(nets)
        points, tests = x.repeat(times, 1, 1), test.repeat(times, 1, 1)
        goals, wishes = given.repeat(times, 1, 1), wanted.repeat(times, 1, 1)

        def measure(net: Students) -> dict[str, Tensor]:
            fitted, said = (
                (net.outputs(z).argmax(2) == y.argmax(2)).double().mean(1)
                for z, y in ((points, goals), (tests, wishes))
            )
            return {
                "train": relative_error(net, points, goals),
                "test": relative_error(net, tests, wishes),
                "fitted": fitted,
                "accuracy": said,
                "used": used(net, tests),
            }

        together = side_by_side(list(nets.values()))
        pool = _pool(config, seeds, next(iter(nets.values())), x, given)
        history = train_students(
            together,
            Repeated(pool, times),
            config.steps,
            config.lr,
            eval_at=config.places(),
            measure=measure,
        )
        figures = {
            f"{name}/{key}": values[k * count : (k + 1) * count]
            for k, name in enumerate(nets)
            for key, values in history.items()
        }
        return together, figures

    start = _student(config, seeds, (64, config.students, 10))
    end, found = figures_of({"real": start}, target)
    found |= figures_of({"permuted": start}, dealt(seeds, target))[1]
    ticket = kept(start, highest(strengths(end, x), config.kept))
    fresh = _student(config, seeds, (64, config.kept, 10), "fresh")
    nets = {
        "ticket": ticket,
        "fresh": fresh,
        "ticket, fresh lengths": with_lengths(ticket, fresh),
        "fresh, ticket lengths": with_lengths(fresh, ticket),
    }
    return found | figures_of(nets, target)[1]


def _student(
    config: Config, seeds: Sequence[int], widths: Sequence[int], purpose: str = "student"
) -> Students:
    return Students.random(seeds, widths, scale=config.scale, purpose=purpose)


def _pool(
    config: Config, seeds: Sequence[int], student: Students, x: Tensor, target: Tensor
) -> Pool:
    """Batches of the pool with these targets; which samples come when is a matter of the seed."""
    pool = Pool(seeds, student, x, config.batch)
    pool.target = target.flatten(0, 1)
    return pool
