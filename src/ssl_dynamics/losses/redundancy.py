r"""Losses that keep the coordinates of the output apart: [S, B, d] of two views -> [S].

Row i of both outputs belongs to image i. Axes between seeds and batch are kept: [S, V, B, d] ->
[S, V]. `vicreg_terms` and `barlow_terms` give the named parts without their weights; the losses are
weighted sums of them. All moments are those of the batch, its means taken off.

Sources: Bardes, Ponce, LeCun (2022) and Zbontar and others (2021), with the averages of the
authors' released code.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-4
"""Added to a variance before the square root in VICReg."""


def vicreg(
    p: Tensor,
    z: Tensor,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    *,
    target: float = 1.0,
    epsilon: float = EPSILON,
    ddof: int = 1,
) -> Tensor:
    """L = invariance * s + variance * v + covariance * c, the terms of `vicreg_terms`."""
    terms = vicreg_terms(p, z, target=target, epsilon=epsilon, ddof=ddof)
    return (
        invariance * terms["invariance"]
        + variance * terms["variance"]
        + covariance * terms["covariance"]
    )


def vicreg_terms(
    p: Tensor, z: Tensor, *, target: float = 1.0, epsilon: float = EPSILON, ddof: int = 1
) -> dict[str, Tensor]:
    """The three terms of VICReg without their weights.

    `invariance`: squared distance of the two views, averaged over batch and coordinates.
    `variance`: hinge max(0, target - sqrt(Var_j + epsilon)), averaged over coordinates and over the
    two views. `covariance`: squared off-diagonal covariances, summed, divided by d, summed over
    the two views. `ddof` is taken from the batch size in variances and covariances: 1 as in the
    released code, 0 for a population.
    """
    _same(p, z)
    centred = [_centred(x) for x in (p, z)]
    count = p.shape[-2] - ddof
    hinges = [
        (target - (x.square().sum(-2) / count + epsilon).sqrt()).clamp_min(0).mean(-1)
        for x in centred
    ]
    off = [_off_diagonal(x, x, ddof) for x in centred]
    return {
        "invariance": (p - z).square().mean((-2, -1)),
        "variance": (hinges[0] + hinges[1]) / 2,
        "covariance": (off[0] + off[1]) / p.shape[-1],
    }


def barlow_twins(
    p: Tensor, z: Tensor, redundancy: float = 0.0051, *, epsilon: float = 0.0
) -> Tensor:
    """L = sum_i (1 - C_ii)^2 + redundancy * sum_{i != j} C_ij^2, C from `cross_correlation`."""
    terms = barlow_terms(p, z, epsilon=epsilon)
    return terms["invariance"] + redundancy * terms["redundancy"]


def barlow_terms(p: Tensor, z: Tensor, *, epsilon: float = 0.0) -> dict[str, Tensor]:
    """`invariance`: sum_i (1 - C_ii)^2; `redundancy`: sum_{i != j} C_ij^2; without weights."""
    _same(p, z)
    u, v = (_standardised(x, epsilon) for x in (p, z))
    return {
        "invariance": (1 - (u * v).mean(-2)).square().sum(-1),
        "redundancy": _off_diagonal(u, v, 0),
    }


def cross_correlation(p: Tensor, z: Tensor, *, epsilon: float = 0.0) -> Tensor:
    """C_ij: correlation of coordinate i of one view with j of the other, [S, d, d].

    Undefined for a constant coordinate; `epsilon` is added to the variances.
    """
    _same(p, z)
    return _covariance(_standardised(p, epsilon), _standardised(z, epsilon), 0)


def _standardised(x: Tensor, epsilon: float) -> Tensor:
    centred = _centred(x)
    return centred * (centred.square().mean(-2, keepdim=True) + epsilon).rsqrt()


def _centred(x: Tensor) -> Tensor:
    return x - x.mean(-2, keepdim=True)


def _covariance(x: Tensor, y: Tensor, ddof: int) -> Tensor:
    """[..., B, d] and [..., B, d], centred -> [..., d, d]."""
    return x.mT @ y / (x.shape[-2] - ddof)


def _off_diagonal(x: Tensor, y: Tensor, ddof: int) -> Tensor:
    """Sum of C_ij^2 off the diagonal, C = x^T y / (B - ddof), for centred x and y [..., B, d].

    Where d is at least 2 B the sum over all i, j is taken as that of the products of x x^T and
    y y^T, which are B x B and so d / B times cheaper, and the diagonal is subtracted. Rounding is
    then relative to the whole sum. With x = y and equal variances the diagonal is at most
    (B - 1) / d of it, by the rank of C, and no more than one bit is lost.
    """
    batch, d = x.shape[-2:]
    if d >= 2 * batch:
        of_x = x @ x.mT
        of_y = of_x if y is x else y @ y.mT
        own = (x * y).sum(-2).square().sum(-1)
        return ((of_x * of_y).sum((-2, -1)) - own) / (batch - ddof) ** 2
    c = _covariance(x, y, ddof)
    itself = torch.eye(d, dtype=torch.bool, device=c.device)
    return c.masked_fill(itself, 0).square().sum((-2, -1))


def _same(p: Tensor, z: Tensor) -> None:
    if p.shape != z.shape:
        raise ValueError(f"outputs: got {tuple(p.shape)} and {tuple(z.shape)}; allowed: equal")
    if p.shape[-2] < 2:
        raise ValueError(f"batch: got {p.shape[-2]}; allowed: at least 2 images")
