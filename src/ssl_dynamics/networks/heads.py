"""Networks made of the layers: encoder, projector, predictor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from ssl_dynamics.networks.layers import Linear, ReLU
from ssl_dynamics.networks.norm import BatchNorm

PREDICTORS = ("none", "linear", "mlp")


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
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Linear - norm - ReLU - ... - Linear with the given widths, input first.

    `norm` stands after every linear layer but the last, `output_norm` after the last. With one
    width only the network is the identity.
    """
    layers: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last = depth == len(widths) - 2
        layers.append(
            Linear(seeds, inputs, outputs, purpose=f"{purpose}.{depth}", bias=bias, dtype=dtype)
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
    return nn.Sequential(*layers)


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
    **options,
) -> nn.Sequential:
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
