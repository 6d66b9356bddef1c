"""Projector and predictor heads of one network, with every normalisation of the grid.

`head` makes the same function as `networks.heads.mlp` with one seed, from the same streams, in
torch's own layers where they exist: they work under autocast, compile, and turn into their
synchronised form when several processes train.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ssl_dynamics.networks.layers import standardised_rows
from ssl_dynamics.networks.norm import VARIANTS, BatchNorm, standardise
from ssl_dynamics.networks.vision.convolution import draw_linear, group_norm

HEAD_NORMS = (*VARIANTS, "group-ws")
"""The nine variants of BatchNorm, or GroupNorm with standardised weights."""

Gather = Callable[[Tensor], Tensor]
"""[B, d] of this process -> [B', d] of all processes, differentiable."""


def at_least_float32(x: Tensor) -> Tensor:
    """Half-precision tensors in float32; others as they are."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


class FeatureNorm(BatchNorm):
    """One of the nine variants for [B, d], with running averages for evaluation mode.

    Statistics and division are in float32 under autocast. With `gather` set, mean and deviation
    are those of the rows of all processes. Differentiated by autograd, which compiles.
    """

    def __init__(self, features: int, kind: str, *, affine: bool = True, **options: Any) -> None:
        super().__init__((0,), features, kind, affine=affine, running=True, **options)
        self.gather: Gather | None = None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(at_least_float32(x).unsqueeze(0)).squeeze(0).to(x.dtype)

    def _batch(self, x: Tensor) -> Tensor:
        among = x if self.gather is None else self.gather(x.squeeze(0)).unsqueeze(0)
        self._track(among.detach())
        return standardise(x, self.kind, self.eps, among=among)


class StandardisedLinear(nn.Linear):
    """y = W x + b with the rows of W used without their mean and at length one."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, standardised_rows(self.weight), self.bias)


def head(
    widths: Sequence[int],
    *,
    norm: str = "mu+sigma",
    output_norm: str = "none",
    affine: bool = True,
    output_affine: bool = True,
    seed: int = 0,
    purpose: str = "online/projector",
) -> nn.Sequential:
    """Linear - norm - ReLU - ... - Linear with the given widths, input first: [B, in] -> [B, out].

    `norm` stands after every linear map but the last, `output_norm` after the last; allowed are
    `HEAD_NORMS`. With one width only the head is the identity. `affine` and `output_affine` give
    gain and offset to the norms. All linear maps have biases.
    """
    for kind in (norm, output_norm):
        if kind not in HEAD_NORMS:
            raise ValueError(f"norm: got {kind!r}; allowed: {', '.join(HEAD_NORMS)}")
    layers: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last = depth == len(widths) - 2
        linear = (StandardisedLinear if norm == "group-ws" else nn.Linear)(inputs, outputs)
        draw_linear(linear, seed, f"{purpose}.{depth}")
        layers.append(linear)
        if last:
            layers += _norm(output_norm, outputs, output_affine)
        else:
            layers += [*_norm(norm, outputs, affine), nn.ReLU()]
    return nn.Sequential(*layers)


def _norm(kind: str, features: int, affine: bool) -> list[nn.Module]:
    if kind == "none":
        return []
    if kind == "group-ws":
        return [group_norm(features)]
    if kind == "mu+sigma":
        return [nn.BatchNorm1d(features, affine=affine)]
    return [FeatureNorm(features, kind, affine=affine)]
