"""BYOL: predict the output of a slow copy of the network on the other view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ssl_dynamics.losses import byol
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import Published, cifar_lars
from ssl_dynamics.methods.settings import MethodConfig, allowed_range, allowed_widths
from ssl_dynamics.methods.target import target_of, target_rate
from ssl_dynamics.networks import follow
from ssl_dynamics.networks.vision import Encoder


@dataclass(frozen=True)
class BYOLConfig(MethodConfig):
    """BYOL's settings; defaults from solo-learn's file for CIFAR."""

    projector: tuple[int, ...] = (4096, 256)
    predictor: tuple[int, ...] | None = (4096,)
    """Hidden widths of the predictor; () is one linear map, None no predictor."""
    predictor_lr: float = 1.0
    """Learning rate of the predictor in units of the others'."""
    rate: float = 0.99
    """EMA rate at the start; 0 with `rate_end` 0 makes the target the online network itself."""
    rate_end: float = 1.0
    """EMA rate at the end, reached along a half cosine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.predictor is not None:
            allowed_widths("predictor", self.predictor, least=0)
        allowed_range("rate", self.rate, 0, 1)
        allowed_range("rate_end", self.rate_end, 0, 1)
        allowed_range("predictor_lr", self.predictor_lr, 0, 1000)


class BYOL(Method):
    r"""L = -2 E cos(q(z_1), sg z'_2) - 2 E cos(q(z_2), sg z'_1): z online, z' target, q predictor.

    Up to the constant 4 the squared distance of vectors of length one, both directions added. The
    target has the online network's weights, biases and buffers, each averaged over the steps:
    target <- gamma target + (1 - gamma) online, gamma rising to `rate_end` along a half cosine.

    Source: Grill and others (2020), section 3.1, equations 2 and 1. Defaults: solo-learn's recipe
    for CIFAR; `paper`: ImageNet.
    """

    name = "byol"
    source = "Grill et al. (2020), section 3.1"
    Config = BYOLConfig
    defaults = cifar_lars(
        1.0,
        1e-5,
        augmentations=("byol-one", "byol-two"),
        options={"projector": (4096, 256), "predictor": (4096,), "rate": 0.99},
    )
    paper = Published(
        source="Grill et al. (2020), section 3.3",
        optimiser="lars",
        lr=0.2,
        weight_decay=1.5e-6,
        batch=4096,
        epochs=1000,
        exclude_bias_and_norm=True,
        augmentations=("byol-one", "byol-two"),
        options={"projector": (4096, 256), "predictor": (4096,), "rate": 0.996},
    )

    def __init__(self, encoder: Encoder, config: MethodConfig | None = None) -> None:
        super().__init__(encoder, config)
        self.predictor: nn.Module = self.make_predictor()
        self.target = nn.ModuleDict(
            {"encoder": target_of(self.encoder), "projector": target_of(self.projector)}
        )

    def make_predictor(self) -> nn.Module:
        """The predictor of the config: an MLP, one linear map, or the identity."""
        hidden, d = self.config.predictor, self.config.projector[-1]
        if hidden is None:
            return nn.Identity()
        return self.make_head("predictor", (d, *hidden, d))

    def outputs(self, one: Tensor, two: Tensor) -> Sequence[Tensor]:
        """Predictions and targets (p_1, z'_2, p_2, z'_1), each [B, d]."""
        with torch.no_grad():
            z_one, z_two = (self.target["projector"](self.target["encoder"](x)) for x in (one, two))
        p_one, p_two = self.predict([self.project(one), self.project(two)])
        return p_one, z_two, p_two, z_one

    def predict(self, z: Sequence[Tensor]) -> list[Tensor]:
        """The predictor on the projections of each view."""
        return [self.predictor(view) for view in z]

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        p_one, z_two, p_two, z_one = outputs
        value = byol(p_one, z_two) + byol(p_two, z_one)
        return value, {"cosine": -value / 4, "targets": alignment(z_one, z_two)}

    def after_step(self, step: int, steps: int) -> None:
        """Let the target follow; `step` counts from 0."""
        rate = target_rate(step, steps, self.config.rate, self.config.rate_end)
        follow(self.target["encoder"], self.encoder, rate)
        follow(self.target["projector"], self.projector, rate)

    def trained(self) -> Iterator[tuple[str, nn.Module, float]]:
        yield from super().trained()
        yield "predictor", self.predictor, self.config.predictor_lr
