"""Correlations that can be trusted: float64, two passes, and 0 for a constant."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

ROUNDING = 16
"""A row whose deviation is below this many rounding errors of its largest entry is constant."""


def correlations(rows: Tensor, targets: Tensor) -> Tensor:
    """Pearson correlation of each row with its group's target: [..., k, N], [..., N] -> [..., k].

    Both are moved to float64, the mean is taken off first and the variance afterwards (one pass of
    E x^2 - (E x)^2 in float32 reports a correlation of 1 for a collapsed neuron). A row
    that varies by no more than rounding errors of its own type has correlation 0.
    """
    noise = ROUNDING * torch.finfo(rows.dtype).eps * rows.abs().amax(-1).double()
    x = rows.double()
    x = x - x.mean(-1, keepdim=True)
    z = targets.double()
    z = z - z.mean(-1, keepdim=True)
    deviation = x.square().mean(-1).sqrt()
    spread = z.square().mean(-1).sqrt().unsqueeze(-1)
    covariance = (x * z.unsqueeze(-2)).mean(-1)
    size = deviation * spread
    alive = (deviation > noise) & (spread > 0)
    return torch.where(alive, covariance / torch.where(alive, size, 1.0), 0.0)


def best_correlation(rows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(largest size of a correlation in the group, index of that row), [...] each."""
    return correlations(rows, targets).abs().max(-1)


def readout(rows: Tensor, targets: Tensor) -> Tensor:
    """Correlation of each group's target with the best linear function of the group's rows (and a
    constant): the multiple correlation, [..., k, N], [..., N] -> [...]. Taken in float64.
    """
    x = rows.double() - rows.double().mean(-1, keepdim=True)
    z = targets.double() - targets.double().mean(-1, keepdim=True)
    along = (x @ z.unsqueeze(-1)).squeeze(-1)
    inverse = torch.linalg.pinv(x @ x.mT, rtol=1e-10, hermitian=True)
    explained = torch.einsum("...i,...ij,...j->...", along, inverse, along)
    total = z.square().sum(-1)
    return torch.where(total > 0, explained / total.clamp_min(1e-300), 0.0).clamp(0, 1).sqrt()


def ceiling(posterior: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """Correlation of a latent with its posterior mean, [nodes, N], [nodes, N] -> [nodes]."""
    found = correlations(torch.from_numpy(posterior).unsqueeze(-2), torch.from_numpy(latent))
    return found.squeeze(-1).numpy()
