r"""The noise of losses over enumerated views: variances, and the course of a noisy linear descent.

Linear encoder, weights :math:`W`, batches of :math:`B` independent draws. One draw of any of the
losses gives the gradient :math:`2Wc` with a random matrix :math:`c` of mean :math:`X'`, the mean
covariance of the views of an image. The mean of a quadratic function of the weights then obeys an
exact recursion, :math:`\mathbb E\operatorname{tr}(W_t X' W_t^\top)
= \operatorname{tr}(W_0 Y_t W_0^\top)` with :math:`Y_0=X'` and

.. math::

    Y_{t+1} = Y_t - 2\alpha(X'Y_t + Y_tX') + 4\alpha^2\Bigl[X'Y_tX'
    + \tfrac1B\bigl(\mathbb E[c\,Y_tc^\top] - X'Y_tX'\bigr)\Bigr].

Derived in the chapter. The last mean is a sum over all images and all views or pairs of views.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ssl_dynamics.data.digits import SHIFTS


def variances(outputs: Tensor) -> dict[str, float]:
    """Noise of the whole pair loss beside that of the mean loss, outputs [N, V, d] of all views.

    ``within``: ratio of the variances over views, mean variances over images; ``all``: the same
    over images and views together; ``directions``: E (tr A)² / E tr A² with the covariance A of the
    outputs of an image; ``uneven``: mean variance of the squared distance to the mean over
    E (tr A)². So ``within`` is 2 + 4 / (directions · uneven).
    """
    apart = outputs - outputs.mean(-2, keepdim=True)
    single = apart.square().sum(-1)  # [N, V]
    products = apart @ apart.mT  # [N, V, V]
    pairs = (single[:, :, None] + single[:, None] - 2 * products).flatten(1)
    trace, trace_square = single.mean(-1), products.square().mean((-1, -2))
    noise = [loss.var(-1, correction=0).mean() for loss in (single, pairs)]
    total = [loss.var(correction=0) for loss in (single, pairs)]
    found = {
        "within": noise[1] / noise[0],
        "all": total[1] / total[0],
        "directions": trace.square().mean() / trace_square.mean(),
        "uneven": noise[0] / trace.square().mean(),
    }
    return {name: float(value) for name, value in found.items()}


def fractional(views: Tensor, places: int = 10) -> Tensor:
    """Shifts by fractions of a pixel up to one, on a grid: [N, 9, D] -> [N, places², D].

    Bilinear between the nine whole shifts, whose order is that of ``data.digits.SHIFTS``.
    """
    at = (2 * torch.arange(places, dtype=views.dtype) + 1) / places - 1  # midpoints of [-1, 1]
    hats = {shift: (1 - (at - shift).abs()).clamp_min(0).to(views.device) for shift in (-1, 0, 1)}
    weights = torch.stack([torch.outer(hats[dy], hats[dx]).flatten() for dy, dx in SHIFTS], 1)
    return weights @ views


def _gram(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    return apart @ y @ apart.mT


def _lengths(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    return (views @ y * views).sum(-1)


def _all_views(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    return _gram(apart, views, y) / apart.shape[-2] ** 2


def _known_mean(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(_lengths(apart, views, y)) / apart.shape[-2]


def _pair(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    gram = _gram(apart, views, y)
    own = gram.diagonal(dim1=-2, dim2=-1)
    return _laplacian((own[..., :, None] + own[..., None, :] - 2 * gram) / 2) / 2


def _stopped_pair(apart: Tensor, views: Tensor, y: Tensor) -> Tensor:
    own = _lengths(apart, views, y)
    return _laplacian((own[..., :, None] + own[..., None, :]) / 2)


def _laplacian(weights: Tensor) -> Tensor:
    """Σ_ij w_ij (e_i - e_j)(e_i - e_j)ᵀ / V² for symmetric weights [N, V, V]."""
    return 2 * (torch.diag_embed(weights.sum(-1)) - weights) / weights.shape[-1] ** 2


MIDDLES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "all views": _all_views,
    "known mean": _known_mean,
    "pair": _pair,
    "stopped pair": _stopped_pair,
}
"""For each loss the matrix L [N, V, V] with E c Y cᵀ = ΞᵀLΞ for one image, Ξ its deviations."""


def expected_course(
    views: Tensor, loss: str, *, rate: float, batch: int, steps: list[int]
) -> Tensor:
    """The matrices Y_t at the given steps, views [N, V, D]: [T, D, D].

    The mean loss that a linear encoder with weights W at the start is expected to have at these
    steps is tr(W Y_t Wᵀ), for batches of `batch` images drawn with replacement.
    """
    apart = views - views.mean(-2, keepdim=True)
    flat = apart.flatten(0, 1)
    within = flat.mT @ flat / len(flat)
    y, found = within, []
    for step in range(max(steps) + 1):
        if step in steps:
            found.append(y)
        middle = MIDDLES[loss](apart, views, y)
        one = flat.mT @ (middle @ apart).flatten(0, 1) / len(views)
        calm = within @ y @ within
        y = y - 2 * rate * (within @ y + y @ within) + 4 * rate**2 * (calm + (one - calm) / batch)
    return torch.stack(found)
