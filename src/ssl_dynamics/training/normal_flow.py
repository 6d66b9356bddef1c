r"""Gradient flow of two-layer ReLU students at standard normal inputs, with no sample drawn.

The loss is :math:`\tfrac12\mathbb E\lVert V^{*\top}\sigma(W^*x)-V^\top\sigma(Wx)\rVert^2` with
:math:`x\sim N(0,I)` and no biases. All means are functions of the lengths and of the angles between
the rows (the arc-cosine kernel), so the gradient is exact. Rows of W [S, n, d] are the fan-in
weights of the nodes, rows of V [S, n, C] their fan-out weights; starred letters are the teacher's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, pi
from typing import NamedTuple

import torch
from torch import Tensor


class Layers(NamedTuple):
    """A network of two layers."""

    W: Tensor
    """Fan-in weights [S, n, d]."""
    V: Tensor
    """Fan-out weights [S, n, C]."""


def overlaps(W: Tensor, U: Tensor) -> Tensor:
    """Means of the products of the features of two sets of rows: [S, n, d], [S, m, d] ->
    [S, n, m]."""
    lengths, cosine, angle = _met(W, U)
    return lengths[0] * lengths[1] * (torch.sin(angle) + (pi - angle) * cosine) / (2 * pi)


def loss(student: Layers, teacher: Layers) -> Tensor:
    """Half the mean squared distance of the outputs, [S]."""
    rows = torch.cat([student.W, teacher.W], 1)
    out = torch.cat([student.V, -teacher.V], 1)
    return (out * (overlaps(rows, rows) @ out)).sum((1, 2)) / 2


def velocity(student: Layers, teacher: Layers) -> Layers:
    """Minus the gradient of :func:`loss`."""
    W, V = student
    up = overlaps(W, teacher.W) @ teacher.V - overlaps(W, W) @ V
    return Layers(_pull(W, teacher.W, V @ teacher.V.mT) - _pull(W, W, V @ V.mT), up)


def follow(
    student: Layers,
    teacher: Layers,
    times: Sequence[float],
    *,
    moving: Tensor | float = 1.0,
    first: float = 0.02,
    step: float = 0.25,
    settled: float = 10.0,
) -> Iterator[Layers]:
    """The student at each of the increasing `times`, from time 0 on.

    `moving` [S] is 1 where the features learn too and 0 where they are held. Classical Runge and
    Kutta steps of at most `first` until the time `settled`, then of at most `step`.
    """
    if list(times) != sorted(times) or not len(times) or times[0] < 0:
        raise ValueError(f"times: got {tuple(times)}; allowed: increasing, from 0 on")
    gate = torch.as_tensor(moving, dtype=student.W.dtype).reshape(-1, 1, 1)

    def rate(at: Layers) -> Layers:
        found = velocity(at, teacher)
        return Layers(gate * found.W, found.V)

    now = 0.0
    for goal in times:
        for until, largest in ((min(goal, settled), first), (goal, step)):
            if until <= now:
                continue
            count = ceil((until - now) / largest - 1e-9)
            h = (until - now) / count
            for _ in range(count):
                a = rate(student)
                b = rate(_moved(student, a, h / 2))
                c = rate(_moved(student, b, h / 2))
                d = rate(_moved(student, c, h))
                student = Layers(
                    *(
                        x + h / 6 * (p + 2 * q + 2 * r + s)
                        for x, p, q, r, s in zip(student, a, b, c, d, strict=True)
                    )
                )
            now = until
        yield student


def _moved(at: Layers, by: Layers, h: float) -> Layers:
    return Layers(at.W + h * by.W, at.V + h * by.V)


def _met(W: Tensor, U: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """Lengths [S, n, 1] and [S, 1, m], cosines and angles [S, n, m]."""
    lengths = W.norm(dim=-1).unsqueeze(-1), U.norm(dim=-1).unsqueeze(-2)
    cosine = (W @ U.mT / (lengths[0] * lengths[1])).clamp(-1, 1)
    return lengths, cosine, torch.acos(cosine)


def _pull(W: Tensor, U: Tensor, weight: Tensor) -> Tensor:
    """Sum over the rows u of U of weight times E[1(w x > 0) relu(u x) x], [S, n, d]."""
    lengths, _, angle = _met(W, U)
    along = (weight * torch.sin(angle) * lengths[1]).sum(-1, keepdim=True) / (2 * pi)
    return (weight * (pi - angle)) @ U / (2 * pi) + along * W / lengths[0]
