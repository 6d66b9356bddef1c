r"""Losses of an anchor, its positive and one negative: distances [S, B] -> one loss per seed [S].

The distances are half squared lengths, r = |u - u'|^2 / 2, of outputs scaled to length one by
`unit`. The module `contrastive` has the losses that compare all images of a batch with each other.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

EPSILON = 1e-4
"""Added to the length when outputs are scaled."""


def unit(f: Tensor, epsilon: float = EPSILON) -> Tensor:
    """f / (|f| + epsilon) column by column, [S, d, C]."""
    return f / (f.norm(dim=-2, keepdim=True) + epsilon)


def distances(u: Tensor) -> tuple[Tensor, Tensor]:
    """(r_+, r_-), [S, B] each, for anchors, positives and negatives side by side, [S, d, 3 B]."""
    anchor, positive, negative = u.chunk(3, -1)
    return (
        (anchor - positive).square().sum(-2) / 2,
        (anchor - negative).square().sum(-2) / 2,
    )


def simple(near: Tensor, far: Tensor, temperature: float = 1.0) -> Tensor:
    """L = E r_+ - E r_-. The temperature plays no part."""
    return (near - far).mean(-1)


def info_nce_one(near: Tensor, far: Tensor, temperature: float) -> Tensor:
    r"""L = -E log( e^{-r_+/T} / (e^{-r_+/T} + e^{-r_-/T}) ): InfoNCE, one negative per anchor."""
    return softplus((near - far) / temperature).mean(-1)


def soft_triplet_one(near: Tensor, far: Tensor, temperature: float, margin: float = 0.0) -> Tensor:
    r"""L = T E log(1 + exp((r_+ - r_- + margin) / T))."""
    return temperature * softplus((near - far + margin) / temperature).mean(-1)


def exact_covariance_one(near: Tensor, far: Tensor, temperature: float) -> Tensor:
    r"""L = E x (r_+ - r_-) with the detached weight x = 1 / (T (1 + e^{r_-/T})).

    It is that of InfoNCE at r_+ = 0, so it sees the negative pair alone. It still depends on the
    two views of that pair; with their image means in their place, as in
    `contrastive.exact_covariance`, the operator is exactly a covariance.
    """
    weight = torch.sigmoid(-far.detach() / temperature) / temperature
    return (weight * (near - far)).mean(-1)


def batch_averaged(near: Tensor, far: Tensor, temperature: float, width: int = 10) -> Tensor:
    r"""L = -sigmoid( (E d_- - E d_+) / T ), d = 2 r / width: mean squares of a batch compared.

    The form that the released code calls "nce": distances are averaged over the batch and over
    the `width` output coordinates before they are compared, and there is no logarithm.
    """
    return -torch.sigmoid((far - near).mean(-1) * (2 / width) / temperature)


TRIPLET_LOSSES: dict[str, Callable[..., Tensor]] = {
    "simple": simple,
    "info_nce": info_nce_one,
    "soft_triplet": soft_triplet_one,
    "exact_covariance": exact_covariance_one,
    "released": batch_averaged,
}


def output_gradient(
    f: Tensor, loss: Callable[[Tensor, Tensor], Tensor], epsilon: float = EPSILON
) -> tuple[Tensor, Tensor]:
    """(losses [S], dL/df [S, d, 3 B]) for the raw outputs f of the three towers.

    Only the loss of the distances goes through autograd; the rest is written out: with
    u = f / (n + e) and n = |f|, dL/df = (g - f (f.g) / (n (n + e))) / (n + e) for g = dL/du.
    """
    batch = f.shape[-1] // 3
    length = f.norm(dim=-2, keepdim=True)
    scale = (length + epsilon).reciprocal_()
    u = f * scale
    to_near = u[..., :batch] - u[..., batch : 2 * batch]
    to_far = u[..., :batch] - u[..., 2 * batch :]
    near = (to_near.square().sum(-2) / 2).requires_grad_()
    far = (to_far.square().sum(-2) / 2).requires_grad_()
    with torch.enable_grad():
        value = loss(near, far)
        slope_near, slope_far = torch.autograd.grad(value.sum(), (near, far))
    to_near *= slope_near.unsqueeze(-2)
    to_far *= slope_far.unsqueeze(-2)
    g = torch.cat([to_near + to_far, -to_near, -to_far], -1)
    along = (u * g).sum(-2, keepdim=True) / length.clamp_min(1e-30)
    return value.detach(), torch.addcmul(g, f, along, value=-1).mul_(scale)
