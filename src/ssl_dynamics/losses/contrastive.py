r"""Contrastive losses of a batch: outputs [S, B, d] of two views -> one loss per seed [S].

Row i of both outputs belongs to image i; r_ij is half the squared distance of anchor p_i and z_j,
r_ii that of the positive pair. Axes between seeds and batch are kept: [S, V, B, d] -> [S, V].
Losses of distances take the outputs as they come; scale them to length one beforehand if wanted
(`info_nce` does so itself, as is usual).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus

from ssl_dynamics.losses.towers import pair_distances, squared


def simple_contrastive(p: Tensor, z: Tensor) -> Tensor:
    """L = E r_ii - E r_ij: positive minus negative distance, all B^2 pairs as negatives.

    The pairs i = j are among the negatives, as in the population statement where the negative
    image is drawn independently of the first.
    """
    return squared(p, z) - pair_distances(p, z).mean((-2, -1))


def beta_simple(p: Tensor, z: Tensor, beta: float = 0.0) -> Tensor:
    """L = (1 + beta) E r_ii - E r_ij: positive pairs count 1 + beta times, B^2 negatives."""
    return (1 + beta) * squared(p, z) - pair_distances(p, z).mean((-2, -1))


def soft_triplet(p: Tensor, z: Tensor, temperature: float = 0.5, margin: float = 0.0) -> Tensor:
    """L = T E log(1 + exp((r_ii - r_ij + margin) / T)), i != j: one negative at a time."""
    r = pair_distances(p, z)
    gaps = _positives(r) - r + margin
    return temperature * _other_images(softplus(gaps / _allowed(temperature)))


def pair_nce(p: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    """L = -E log( e^{-r_ii / T} / (e^{-r_ii / T} + e^{-r_ij / T}) ), i != j: InfoNCE with one
    negative at a time, the other images in turn."""
    return soft_triplet(p, z, temperature) / temperature


def info_nce(p: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    """L = -E log( e^{cos_ii / T} / sum_j e^{cos_ij / T} ), the other images as negatives."""
    logits = normalize(p, dim=-1) @ normalize(z, dim=-1).mT / temperature
    positives = logits.diagonal(dim1=-2, dim2=-1)
    return (torch.logsumexp(logits, -1) - positives).mean(-1)


def negatives_only(p: Tensor, z: Tensor, labels: Tensor, temperature: float = 0.5) -> Tensor:
    """`info_nce` without the negatives that carry the anchor's label; labels [S, B] or [B].

    The positive is still the other view of the same image, so that the labels serve to leave
    negatives out and nothing else.
    """
    logits = normalize(p, dim=-1) @ normalize(z, dim=-1).mT / _allowed(temperature)
    positives = logits.diagonal(dim1=-2, dim2=-1)
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    same = same & ~torch.eye(labels.shape[-1], dtype=torch.bool, device=labels.device)
    return (torch.logsumexp(logits.masked_fill(same, -math.inf), -1) - positives).mean(-1)


def nt_xent(p: Tensor, z: Tensor, temperature: float = 0.5) -> Tensor:
    """L = -E log( e^{cos / T of the pair} / sum over the 2 B - 1 other outputs of e^{cos / T} ).

    SimCLR's loss: each of the 2 B outputs is an anchor once, its partner is the positive, and all
    outputs but itself are candidates, those of its own view too. Symmetric in p and z.
    """
    count = p.shape[-2]
    if count < 2:
        raise ValueError(f"batch: got {count}; allowed: at least 2 images, to have negatives")
    every = torch.cat([normalize(p, dim=-1), normalize(z, dim=-1)], -2)
    logits = every @ every.mT / _allowed(temperature)
    itself = torch.eye(2 * count, dtype=torch.bool, device=logits.device)
    candidates = torch.logsumexp(logits.masked_fill(itself, -math.inf), -1).mean(-1)
    return candidates - logits.diagonal(count, dim1=-2, dim2=-1).mean(-1)


def exact_covariance(
    p: Tensor,
    z: Tensor,
    temperature: float = 0.5,
    *,
    means: Tensor | None = None,
    negatives: str = "one",
) -> Tensor:
    """L = E_{i != j} x_ij (r_ii - r_ij) with detached, symmetric weights x_ij of image pairs.

    The weights are those that InfoNCE gives when every view is replaced by the mean output of
    its image: x_ij = 1 / (T (1 + e^{m_ij / T})) with `negatives = "one"`, half squared distances
    m_ij of the means. With `negatives = "all"` the other images compete, x_ij = (B - 1) / T times
    e^{-m_ij / T} / (1 + sum_k e^{-m_ik / T}), averaged over the two orders of the pair, which keeps
    the operator a covariance. `means` [S, B, d] are the mean outputs; without them the mean of
    the two views stands in, and the statement about the operator holds approximately.
    The value is no bound of InfoNCE; the gradient is what it is made for.
    """
    if negatives not in ("one", "all"):
        raise ValueError(f"negatives: got {negatives!r}; allowed: 'one' or 'all'")
    centre = ((p + z) / 2 if means is None else means).detach()
    weights = _image_weights(centre, _allowed(temperature), negatives)
    r = pair_distances(p, z)
    return _other_images(weights * (_positives(r) - r))


def _image_weights(means: Tensor, temperature: float, negatives: str) -> Tensor:
    """Symmetric weights [..., B, B] of pairs of images; the diagonal is left to the caller."""
    logits = -pair_distances(means, means) / temperature
    if negatives == "one":
        return torch.sigmoid(logits) / temperature
    count = logits.shape[-1]
    itself = torch.eye(count, dtype=torch.bool, device=logits.device)
    others = torch.logsumexp(logits.masked_fill(itself, -math.inf), -1, keepdim=True)
    share = torch.exp(logits - softplus(others))
    return (share + share.mT) / 2 * ((count - 1) / temperature)


def _positives(r: Tensor) -> Tensor:
    return r.diagonal(dim1=-2, dim2=-1).unsqueeze(-1)


def _other_images(values: Tensor) -> Tensor:
    """Mean over the pairs i != j of [..., B, B]."""
    count = values.shape[-1]
    if count < 2:
        raise ValueError(f"batch: got {count}; allowed: at least 2 images, to have negatives")
    own = values.diagonal(dim1=-2, dim2=-1).sum(-1)
    return (values.sum((-2, -1)) - own) / (count * (count - 1))


def _allowed(temperature: float) -> float:
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature: got {temperature}; allowed: a positive number")
    return temperature
