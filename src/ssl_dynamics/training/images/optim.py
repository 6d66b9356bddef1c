r"""SGD and LARS on groups of parameters that decay, adapt and learn differently.

LARS (You, Gitman and Ginsburg 2017) gives each weight matrix its own step length,

.. math:: g \leftarrow \eta\,\frac{\|w\|}{\|g + \lambda w\|}\,(g + \lambda w),

and is SGD with momentum from there on. The denominator is that of the released code of Barlow Twins
and VICReg; You and others, and solo-learn, divide by :math:`\|g\| + \lambda\|w\|`, which is never
smaller. As in the recipes that use it, the parameters of a group with `lars` False (biases, gains)
do not adapt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ssl_dynamics.training.optim import SGD

OPTIMISERS = ("sgd", "lars")
TRUST = 1e-3
"""The trust coefficient eta of LARS."""


class Optimiser:
    """One step for all groups: v <- m v + g;  w <- w - lr v, g with decay and, for LARS, scaled.

    `groups` are those of `Method.parameter_groups`: params, weight_decay (whether they decay), lr
    (a multiplier), lars (whether they adapt under LARS), constant (whether their rate stays while
    the others' falls; False unless given). With `clip` the factor of LARS is at most the learning
    rate, so that nothing moves further than under SGD.
    """

    def __init__(
        self,
        groups: Iterable[Mapping[str, Any]],
        *,
        kind: str = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust: float = TRUST,
        clip: bool = False,
    ) -> None:
        if kind not in OPTIMISERS:
            raise ValueError(f"optimiser: got {kind!r}; allowed: {', '.join(OPTIMISERS)}")
        self.trust, self.clip = trust, clip
        self._parts: list[tuple[SGD, float | None]] = []  # with LARS' own decay where it adapts
        self._constant: list[bool] = []
        for group in groups:
            params = [w for w in group["params"] if w.requires_grad]
            if not params or not group["lr"]:
                continue
            decay = weight_decay if group["weight_decay"] else 0.0
            adapts = kind == "lars" and group["lars"]
            sgd = SGD(
                [(params, group["lr"])], momentum=momentum, weight_decay=0.0 if adapts else decay
            )
            self._parts.append((sgd, decay if adapts else None))
            self._constant.append(bool(group.get("constant", False)))

    def step(self, lr: float, constant: float | None = None) -> None:
        """Update every parameter from its gradient, then forget the gradients.

        Groups marked `constant` learn at the rate `constant`, where one is given.
        """
        steady = lr if constant is None else constant
        for (sgd, decay), stays in zip(self._parts, self._constant, strict=True):
            rate = steady if stays else lr
            ((weights, multiplier),) = sgd.groups
            for w in weights:
                if w.grad is None:  # outside this step's loss
                    w.grad = torch.zeros_like(w)
            if decay is not None:
                limit = rate * multiplier if self.clip else None
                scale_gradients(weights, decay, self.trust, limit)
            sgd.step(rate)

    def state(self) -> list[Tensor]:
        """The velocities, for a checkpoint."""
        return [v for sgd, _ in self._parts for v in sgd.state()]

    def restore(self, state: list[Tensor]) -> None:
        """Put the velocities of a checkpoint back."""
        sizes = [len(sgd.state()) for sgd, _ in self._parts]
        for (sgd, _), part in zip(self._parts, _split(state, sizes), strict=True):
            sgd.restore(part)


@torch.no_grad()
def scale_gradients(
    weights: list[nn.Parameter], decay: float, trust: float = TRUST, clip: float | None = None
) -> None:
    """LARS: each gradient becomes trust |w| / |g + decay w| (g + decay w), in place.

    Where either length is 0 the factor is 1. With `clip`, the learning rate, the factor is
    min(factor / clip, 1).
    """
    gradients = [w.grad for w in weights if w.grad is not None]
    values = [w.detach() for w in weights if w.grad is not None]
    torch._foreach_add_(gradients, values, alpha=decay)
    long, steep = torch._foreach_norm(values), torch._foreach_norm(gradients)
    for g, size, slope in zip(gradients, long, steep, strict=True):
        factor = trust * size / torch.where(slope > 0, slope, 1.0)
        if clip is not None:
            factor = (factor / clip).clamp(max=1.0) if clip else torch.ones_like(factor)
        g.mul_(torch.where((size > 0) & (slope > 0), factor, 1.0))


def _split(values: list[Tensor], sizes: list[int]) -> list[list[Tensor]]:
    """The list in consecutive parts; ValueError when it has another length."""
    if len(values) != sum(sizes):
        raise ValueError(f"velocities: got {len(values)}; allowed: {sum(sizes)}")
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]
