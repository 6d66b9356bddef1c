r"""The students, teachers and data of the public code, set up on the seeds axis.

`two_layer` is the protocol of its two-layer runs, `deep` that of its runs with four hidden layers.
The deep code minimises the mean of the squared distance over batch and C outputs; its learning rate
is therefore multiplied by 2 / C for the step used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ssl_dynamics.data.teachers import random_teacher, two_layer_teacher
from ssl_dynamics.measures.overlap import best_students, correlation_matrix, coverage
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import Batches, Pool, gaussian

COVERED = 0.95
"""Correlation from which a teacher node counts as found."""


class Setup(NamedTuple):
    """Everything that `train_students` needs, for a block of seeds."""

    teacher: Students
    student: Students
    batches: Batches
    probe: Tensor
    """Test inputs, [S, N, d]."""
    lr: float


def wider(teacher: Sequence[int], multiple: int) -> tuple[int, ...]:
    """The widths of a student with `multiple` times as many nodes in every hidden layer."""
    inputs, *hidden, outputs = teacher
    return (inputs, *(multiple * n for n in hidden), outputs)


def two_layer(
    seeds: Sequence[int],
    *,
    nodes: int = 10,
    multiple: int = 5,
    decay: float = 1.0,
    inputs: int = 100,
    outputs: int = 50,
    scale: float = 0.005,
    spread: float = 1.5,
    samples: int = 10_000,
    test: int = 10_000,
    batch: int = 16,
    lr: float = 0.01,
    dtype: torch.dtype = torch.float64,
) -> Setup:
    """One hidden layer; `two_layer_teacher`, a student that starts near zero, a fixed pool of
    Gaussian samples drawn from with replacement."""
    teacher = Students(
        *two_layer_teacher(seeds, nodes, inputs=inputs, outputs=outputs, decay=decay, dtype=dtype)
    )
    student = Students.random(seeds, wider(teacher.widths, multiple), scale=scale, dtype=dtype)
    pool, probe = (
        gaussian(seeds, count, inputs, spread=spread, purpose=purpose, dtype=dtype)
        for count, purpose in ((samples, "pool"), (test, "probe"))
    )
    return Setup(teacher, student, Pool(seeds, teacher, pool, batch), probe, lr)


def deep(
    seeds: Sequence[int],
    *,
    hidden: Sequence[int] = (10, 15, 20, 25),
    multiple: int = 10,
    inputs: int = 20,
    outputs: int = 100,
    balanced: bool = False,
    spread: float = 10.0,
    samples: int = 100_000,
    test: int = 192,
    batch: int = 64,
    lr: float = 0.05,
    dtype: torch.dtype = torch.float64,
) -> Setup:
    """Several hidden layers; a teacher with rows from the grid, a student that starts as PyTorch's
    linear layers do, epochs through a fixed pool in a new order each time.

    With `balanced` the teacher is that of the later version of the code: rows from the fine grid,
    then :func:`balance` on 10,240 samples. The code tests on 192 samples (the balanced version on
    10,240); fewer samples make the largest of many correlations larger by chance.
    """
    widths = (inputs, *hidden, outputs)
    rows = "fine" if balanced else "grid"
    drawn = random_teacher(seeds, widths, rows=rows, bias_with_row=True, dtype=dtype)
    teacher = Students(*drawn)
    if balanced:
        tuning = gaussian(seeds, 10_240, inputs, spread=spread, purpose="tuning", dtype=dtype)
        balance(teacher, tuning)
    student = Students.random(seeds, wider(widths, multiple), dtype=dtype)
    pool, probe = (
        gaussian(seeds, count, inputs, spread=spread, purpose=purpose, dtype=dtype)
        for count, purpose in ((samples, "pool"), (test, "probe"))
    )
    batches = Pool(seeds, teacher, pool, batch, sampling="epochs")
    return Setup(teacher, student, batches, probe, lr * 2 / outputs)


def balance(teacher: Students, x: Tensor) -> None:
    """Change biases and top weights in place: every hidden node is active on half of the samples
    x [S, N, d], and every output has mean 0 and variance 1 on them."""
    f = x
    for layer, (W, b) in enumerate(zip(teacher.weights, teacher.biases, strict=True)):
        before = torch.baddbmm(b.unsqueeze(1), f, W.mT)
        if layer < teacher.depth - 1:
            middle = before.median(1).values
            b -= middle
            f = (before - middle.unsqueeze(1)).relu_()
        else:
            spread = before.std(1)
            W /= spread.unsqueeze(-1)
            b.sub_(before.mean(1)).div_(spread)


def progress_of(teacher: Students, probe: Tensor) -> Callable[[Students], dict[str, Tensor]]:
    """A measure for `train_students`, on test inputs [S, N, d]; values are [S].

    *loss*: mean squared distance over samples and outputs; *best/layer=l*: mean over the teacher
    nodes of hidden layer l (from 1) of the largest correlation of any student node;
    *covered/layer=l*: share of them for which it is above :data:`COVERED`.
    """
    *wanted, target = teacher.activations(probe)[1:]

    def one(student: Students, seed: int) -> dict[str, Tensor]:
        here = slice(seed, seed + 1)
        *seen, output = student.activations(probe[here])[1:]
        found = {"loss": (target[here] - output).square().mean((1, 2))}
        for layer, (f, f_star) in enumerate(zip(seen, wanted, strict=True), 1):
            correlation = correlation_matrix(f, f_star[here])
            found[f"best/layer={layer}"] = best_students(correlation).mean(-1)
            found[f"covered/layer={layer}"] = coverage(correlation, COVERED)
        return found

    def measure(students: Students) -> dict[str, Tensor]:
        # seed by seed: many activations at once would not stay in the cache
        rows = [one(students.view(k), k) for k in range(len(students))]
        return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}

    return measure
