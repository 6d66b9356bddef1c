"""Has the representation collapsed? Three numbers per seed, each blind to something.

The spread sees a constant output but not a low-dimensional one; the effective rank sees the
dimension but not the size; so report both.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def spread(outputs: Tensor) -> Tensor:
    """sqrt(d) times the mean per-dimension deviation of the unit-length outputs: [S, N, d] -> [S].

    1 for outputs spread evenly over the sphere, 0 for a constant direction.
    """
    unit = normalize(outputs.double(), dim=-1)
    return unit.std(-2, correction=0).mean(-1) * outputs.shape[-1] ** 0.5


def output_std(outputs: Tensor) -> Tensor:
    """Mean per-dimension deviation of the outputs as they are: [S, N, d] -> [S]."""
    return outputs.double().std(-2, correction=0).mean(-1)


def covariance_spectrum(outputs: Tensor) -> Tensor:
    """Eigenvalues of the covariance over the N outputs, largest first: [S, N, d] -> [S, d].

    A seed with an output that is not finite has NaN eigenvalues.
    """
    x = outputs.double()
    finite = torch.isfinite(x).all(-1).all(-1)
    x = torch.where(finite[:, None, None], x, 0.0)
    x = x - x.mean(-2, keepdim=True)
    values = torch.linalg.eigvalsh(x.mT @ x / x.shape[-2]).flip(-1).clamp_min(0)
    return torch.where(finite[:, None], values, torch.nan)


def effective_rank(outputs: Tensor) -> Tensor:
    """exp of the entropy of the normalised covariance eigenvalues: [S, N, d] -> [S].

    d for an isotropic cloud, 1 for a line, 0 for outputs that do not vary at all.
    """
    return rank_of(covariance_spectrum(outputs))


def rank_of(values: Tensor) -> Tensor:
    """The effective rank of a spectrum: [S, d] -> [S]."""
    total = values.sum(-1)
    share = values / torch.where(total > 0, total, 1.0).unsqueeze(-1)
    rank = torch.special.entr(share).sum(-1).exp()
    return torch.where(total > 0, rank, total)  # 0 stays 0 and NaN stays NaN
