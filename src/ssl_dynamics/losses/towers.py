"""Losses of the two views of an image: outputs [S, B, d] of both -> one loss per seed [S].

Axes between seeds and batch are kept: [S, V, B, d] -> [S, V]. Row i of both outputs belongs to
image i. Every loss is a mean over the batch.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize


def cosine(p: Tensor, z: Tensor) -> Tensor:
    """L = -E cos(p, z), SimSiam's loss for one direction; between -1 and 1."""
    return -(normalize(p, dim=-1) * normalize(z, dim=-1)).sum(-1).mean(-1)


def byol(p: Tensor, z: Tensor) -> Tensor:
    """L = -2 E cos(p, z), BYOL's loss for one direction up to the constant 2."""
    return 2 * cosine(p, z)


def squared(p: Tensor, z: Tensor) -> Tensor:
    """L = E |p - z|^2 / 2."""
    return (p - z).square().sum(-1).mean(-1) / 2


def pair_distances(p: Tensor, z: Tensor) -> Tensor:
    """r_ij = |p_i - z_j|^2 / 2: [..., B, d] and [..., B, d] -> [..., B, B]."""
    squares = p.square().sum(-1).unsqueeze(-1) + z.square().sum(-1).unsqueeze(-2)
    return squares / 2 - p @ z.mT
