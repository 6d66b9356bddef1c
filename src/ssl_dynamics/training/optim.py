"""Stochastic gradient descent with momentum and weight decay, one fused pass over the weights."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class SGD:
    """v <- m v + (gradient + decay w);  w <- w - lr v, for every parameter of every seed.

    The same update as `torch.optim.SGD`, without its bookkeeping: at the sizes of this book
    that would cost as much as the network. `groups` are pairs (parameters, learning rate), or
    triples with a factor on the decay of the group. Make it after the network has its place and
    type.
    """

    def __init__(
        self,
        groups: Iterable[
            tuple[Iterable[nn.Parameter], float] | tuple[Iterable[nn.Parameter], float, float]
        ],
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        listed = [(list(group[0]), group[1], *group[2:]) for group in groups]
        kept = [group for group in listed if group[0] and group[1]]
        self.groups = [(group[0], group[1]) for group in kept]
        self._decays = [weight_decay * (group[2] if len(group) > 2 else 1.0) for group in kept]
        self.momentum, self.weight_decay = momentum, weight_decay
        self._values = [[w.detach() for w in group] for group, _ in self.groups]  # same memory
        self.velocity = [[torch.zeros_like(w) for w in group] for group in self._values]

    def step(self, factor: float = 1.0) -> None:
        """Update every parameter from its gradient, then forget the gradients.

        `factor` multiplies the learning rates of this step.
        """
        for (weights, lr), decay, values, velocity in zip(
            self.groups, self._decays, self._values, self.velocity, strict=True
        ):
            torch._fused_sgd_(
                values,
                [in_order(w) for w in weights],
                velocity if self.momentum else [],
                weight_decay=decay,
                momentum=self.momentum,
                lr=lr * factor,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=False,
            )
            for w in weights:
                w.grad = None

    def state(self) -> list[Tensor]:
        """The velocities, for a checkpoint."""
        return [v for group in self.velocity for v in group]

    @torch.no_grad()
    def restore(self, state: list[Tensor]) -> None:
        """Put the velocities of a checkpoint back."""
        for v, saved in zip(self.state(), state, strict=True):
            v.copy_(saved)


def in_order(weight: nn.Parameter) -> Tensor:
    """The gradient of a weight, in memory as the weight is: the fused update reads it that way.

    `backward` leaves it so; a gradient from `torch.autograd.grad` can be a transposed view.
    """
    if weight.grad is None:
        raise ValueError("gradient: got none for a weight; allowed: step() after a backward pass")
    return (
        weight.grad
        if weight.grad.stride() == weight.stride()
        else torch.empty_like(weight).copy_(weight.grad)
    )
