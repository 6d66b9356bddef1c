"""Losses of two towers: outputs [S, B, d] of the two views of B images -> one loss per seed [S].

Axes between seeds and batch are kept: [S, V, B, d] -> [S, V]. Row i of both outputs belongs to
image i. Every loss is a mean over the batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
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


def simple_contrastive(p: Tensor, z: Tensor) -> Tensor:
    """L = E r_ii - E r_ij: positive minus negative distance, all B^2 pairs as negatives.

    The pairs i = j are among the negatives, as in the population statement where the negative
    image is drawn independently of the first.
    """
    return squared(p, z) - pair_distances(p, z).mean((-2, -1))


def info_nce(p: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    """L = -E log( e^{cos_ii / T} / sum_j e^{cos_ij / T} ), the other images as negatives."""
    logits = normalize(p, dim=-1) @ normalize(z, dim=-1).mT / temperature
    positives = logits.diagonal(dim1=-2, dim2=-1)
    return (torch.logsumexp(logits, -1) - positives).mean(-1)


LOSSES: dict[str, Callable[..., Tensor]] = {
    "byol": byol,
    "cosine": cosine,
    "squared": squared,
    "simple_contrastive": simple_contrastive,
    "info_nce": info_nce,
}
