"""Networks made of the layers: encoder, projector, predictor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ssl_dynamics.networks.by_hand import ColumnPasses, RowPasses
from ssl_dynamics.networks.kernels import Run, chain
from ssl_dynamics.networks.layers import Linear, ReLU
from ssl_dynamics.networks.norm import BatchNorm

PREDICTORS = ("none", "linear", "mlp")


class Network(nn.Sequential):
    """Layers one after the other: [S, ..., B, in] -> [S, ..., B, out].

    The same function as `nn.Sequential`. Runs of `Linear` and `ReLU` go through one hand-written
    kernel, so their hooks are not called; iterate over the layers where you need them.
    """

    def forward(self, x: Tensor) -> Tensor:
        for part in self._parts():
            x = chain(x, part) if isinstance(part, list) else part(x)
        return x

    def _parts(self) -> list[nn.Module | Run]:
        """The layers, with runs of linear maps and their ReLUs joined into lists."""
        parts: list[nn.Module | Run] = []
        for layer in self:
            run = parts[-1] if parts and isinstance(parts[-1], list) else None
            if isinstance(layer, Linear):
                if run is None:
                    parts.append(run := [])
                run.append((layer.used_weight, layer.bias, False))
            elif isinstance(layer, ReLU) and run is not None:
                run[-1] = (*run[-1][:2], True)
            else:
                parts.append(layer)
        return parts

    def by_hand(self, *, columns: bool = False) -> ColumnPasses:
        """Forward and backward without autograd, for networks of `Linear` and `ReLU` alone.

        At toy sizes autograd costs more than the products. With `columns` the batch stands in
        columns, [S, d, B], which saves a little more.
        """
        parts = self._parts()
        if len(parts) != 1 or not isinstance(parts[0], list):
            raise TypeError("by_hand needs a network of Linear and ReLU layers alone")
        if any(isinstance(layer, Linear) and layer.standardised for layer in self):
            raise TypeError("by_hand does not differentiate standardised weights; use backward()")
        return ColumnPasses(parts[0]) if columns else RowPasses(parts[0])


def mlp(
    seeds: Sequence[int],
    widths: Sequence[int],
    *,
    purpose: str,
    norm: str = "none",
    output_norm: str = "none",
    output_relu: bool = False,
    bias: bool = True,
    affine: bool = False,
    eps: float = 1e-5,
    running: bool = False,
    standardised: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Network:
    """Linear - norm - ReLU - ... - Linear with the given widths, input first.

    `norm` stands after every linear layer but the last, `output_norm` after the last. With one
    width only the network is the identity. `standardised` turns on weight standardisation.
    """
    layers: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last = depth == len(widths) - 2
        layers.append(
            Linear(
                seeds,
                inputs,
                outputs,
                purpose=f"{purpose}.{depth}",
                bias=bias,
                standardised=standardised,
                dtype=dtype,
            )
        )
        kind = output_norm if last else norm
        if kind != "none":
            layers.append(
                BatchNorm(
                    seeds, outputs, kind, affine=affine, eps=eps, running=running, dtype=dtype
                )
            )
        if not last or output_relu:
            layers.append(ReLU())
    return Network(*layers)


def predictor(
    seeds: Sequence[int],
    features: int,
    kind: str,
    *,
    width: int = 256,
    norm: str = "none",
    scale: float | None = None,
    purpose: str = "online/predictor",
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> Network:
    """The head on the online tower that guesses the other tower's output: [S, B, d] -> same.

    kind: "none" (identity), "linear" (W_p, with bias), or "mlp" (one hidden layer of `width`).
    A linear predictor with `scale=e` starts at W_p = e I with zero bias.
    """
    if kind not in PREDICTORS:
        raise ValueError(f"unknown predictor {kind!r}; allowed: {', '.join(PREDICTORS)}")
    if scale is not None and kind != "linear":
        raise ValueError(f"a starting scale needs a linear predictor, not {kind!r}")
    widths = {"none": (), "linear": (features,), "mlp": (width, features)}[kind]
    head = mlp(seeds, (features, *widths), purpose=purpose, norm=norm, dtype=dtype, **options)
    if scale is not None:
        with torch.no_grad():
            head[0].weight.copy_(scale * torch.eye(features, dtype=dtype))
            head[0].bias.zero_()
    return head
