"""Convolutions with their normalisation: BatchNorm, or GroupNorm with standardised weights.

The second looks at one image at a time. It replaces batch statistics in Richemond and others
(2020), after Wu and He (2018) and Qiao and others (2019).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ssl_dynamics.data.streams import generator, uniform
from ssl_dynamics.networks.layers import standardised_rows

ENCODER_NORMS = ("batch", "group-ws", "none")
GROUPS = 16
"""Groups of a GroupNorm, or the largest divisor of the channels that divides this number too."""


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose filters are used without their mean and at length one.

    Under autocast the filters are standardised in their own type, float32, before they are cast.
    """

    def forward(self, x: Tensor) -> Tensor:
        filters = standardised_rows(self.weight.flatten(1)).view_as(self.weight)
        return self._conv_forward(x, filters, self.bias)


def convolution(
    inputs: int, outputs: int, size: int, *, norm: str, stride: int = 1, padding: int | None = None
) -> nn.Sequential:
    """A convolution and its normalisation: [B, inputs, H, W] -> [B, outputs, H', W'].

    Padding keeps the size at stride 1 unless given. A bias is there only without normalisation
    (each normalisation brings its own offset).
    """
    if norm not in ENCODER_NORMS:
        raise ValueError(f"norm: got {norm!r}; allowed: {', '.join(ENCODER_NORMS)}")
    kind = StandardisedConv2d if norm == "group-ws" else nn.Conv2d
    around = size // 2 if padding is None else padding
    layers: list[nn.Module] = [
        kind(inputs, outputs, size, stride=stride, padding=around, bias=norm == "none")
    ]
    if norm == "batch":
        layers.append(nn.BatchNorm2d(outputs))
    elif norm == "group-ws":
        layers.append(group_norm(outputs))
    return nn.Sequential(*layers)


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm with `GROUPS` groups, fewer where the channels do not divide."""
    return nn.GroupNorm(math.gcd(GROUPS, channels), channels)


@torch.no_grad()
def draw_weights(network: nn.Module, seed: int, purpose: str) -> None:
    """Start every convolution and linear map of `network` from the streams of `seed`.

    Convolutions: normal with variance 2 / (outputs x area), He and others (2015), fan-out; linear
    maps: uniform as `torch.nn.Linear`; biases of convolutions zero. The draw depends on the seed
    and the layer's name only, not on torch's generator nor on the device.
    """
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            outputs, _, *area = layer.weight.shape
            rng = generator(seed, f"{purpose}.{name}/weight")
            drawn = rng.standard_normal(layer.weight.shape, dtype="float32")
            layer.weight.copy_(torch.from_numpy(drawn) * (2 / (outputs * math.prod(area))) ** 0.5)
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.Linear):
            draw_linear(layer, seed, f"{purpose}.{name}")


@torch.no_grad()
def draw_linear(layer: nn.Linear, seed: int, purpose: str) -> None:
    """Weight and bias uniform on [-1/sqrt(in), 1/sqrt(in)], as `networks.layers.Linear` starts."""
    bound = layer.in_features**-0.5
    shape = (layer.out_features, layer.in_features)
    layer.weight.copy_(uniform((seed,), f"{purpose}/weight", shape, bound)[0])
    if layer.bias is not None:
        layer.bias.copy_(uniform((seed,), f"{purpose}/bias", shape[:1], bound)[0])
