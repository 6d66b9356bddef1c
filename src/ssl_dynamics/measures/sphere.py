"""Alignment and uniformity: do the two views of an image agree, and do images fill the sphere?

Both look at unit-length outputs [S, N, d] and give one number per seed [S] (Wang and Isola,
"Understanding contrastive representation learning through alignment and uniformity on the
hypersphere", 2020, with exponent 2 and t = 2).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize


def alignment(one: Tensor, two: Tensor) -> Tensor:
    """E |f(x) - f(x')|^2 over pairs of views: 0 when they agree, 2 when they are unrelated."""
    return (_unit(one) - _unit(two)).square().sum(-1).mean(-1)


def uniformity(outputs: Tensor, t: float = 2.0) -> Tensor:
    """log E e^{-t |f(x) - f(y)|^2} over pairs of different images; the smaller, the more uniform.

    0 for a constant output, about -2 t = -4 for unrelated directions in many dimensions.
    """
    x = _unit(outputs)
    count = x.shape[-2]
    if count < 2:
        raise ValueError(f"outputs: got {count} images; allowed: at least 2, to have pairs")
    exponent = t * (2 * (x @ x.mT) - 2).clamp(max=0)
    itself = torch.eye(count, dtype=torch.bool, device=x.device)
    total = torch.logsumexp(exponent.masked_fill(itself, -math.inf), (-2, -1))
    return total - math.log(count * (count - 1))


def _unit(outputs: Tensor) -> Tensor:
    return normalize(outputs.double(), dim=-1)
