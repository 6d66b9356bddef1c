"""Which student node has become which teacher node: correlations of two layers' activations.

All in float64 and in two passes: the mean comes off first. A node that is constant, up to rounding
errors of its own type, has correlation 0 with everything (one pass in float32 reports 1 for it).
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ssl_dynamics.measures.recovery import ROUNDING

UNMATCHED = -1
"""Stands for a teacher node that no student is left for."""


def correlation_matrix(student: Tensor, teacher: Tensor) -> Tensor:
    """Pearson correlation of every student with every teacher node over the samples.

    [S, N, n], [S, N, m] -> [S, n, m]; values are clipped to [-1, 1].
    """
    if student.shape[:-1] != teacher.shape[:-1]:
        raise ValueError(
            f"activations of shapes {list(student.shape)} and {list(teacher.shape)}; "
            "allowed: the same seeds and samples"
        )
    return (_standard(student).mT @ _standard(teacher)).clamp(-1, 1)


def best_students(correlation: Tensor) -> Tensor:
    """Largest correlation of any student with each teacher node: [S, n, m] -> [S, m]."""
    return correlation.amax(-2)


def one_to_one(correlation: Tensor) -> Tensor:
    """For each teacher node a student of its own, so that the correlations add up to the most.

    [S, n, m] -> index of the student [S, m]; with fewer students than teacher nodes some are
    :data:`UNMATCHED`.
    """
    seeds, _, count = correlation.shape
    found = np.full((seeds, count), UNMATCHED)
    for seed, matrix in enumerate(correlation.detach().cpu().numpy()):
        students, teachers = linear_sum_assignment(matrix, maximize=True)
        found[seed, teachers] = students
    return torch.from_numpy(found)


def matched_correlation(correlation: Tensor) -> Tensor:
    """Correlation of each teacher node with the student of its own; 0 for one without:
    [S, n, m] -> [S, m]."""
    place = one_to_one(correlation).to(correlation.device)
    value = correlation.gather(-2, place.clamp_min(0).unsqueeze(-2)).squeeze(-2)
    return torch.where(place == UNMATCHED, 0.0, value)


def coverage(correlation: Tensor, above: float = 0.95, *, alone: bool = False) -> Tensor:
    """Share of the teacher nodes with a student of correlation above a threshold: [S, n, m] -> [S].

    With `alone` every student serves one teacher node, by :func:`one_to_one`.
    """
    values = matched_correlation(correlation) if alone else best_students(correlation)
    return (values > above).double().mean(-1)


def _standard(values: Tensor) -> Tensor:
    """Each node centred and divided by the root of its sum of squares; constants become 0."""
    noise = ROUNDING * torch.finfo(values.dtype).eps * values.abs().amax(-2, keepdim=True).double()
    x = values.double()
    x = x - x.mean(-2, keepdim=True)
    deviation = x.square().mean(-2, keepdim=True).sqrt()
    size = deviation * x.shape[-2] ** 0.5
    return torch.where(deviation > noise, x / torch.where(size > 0, size, 1.0), 0.0)
