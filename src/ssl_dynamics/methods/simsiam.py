"""SimSiam: BYOL without the slow copy; the other view's output is held fixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ssl_dynamics.losses import cosine
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import Published
from ssl_dynamics.methods.settings import MethodConfig, allowed_widths
from ssl_dynamics.networks.vision import Encoder


@dataclass(frozen=True)
class SimSiamConfig(MethodConfig):
    """SimSiam's settings; defaults from solo-learn's file for CIFAR, which follow the paper."""

    projector: tuple[int, ...] = (2048, 2048, 2048)
    output_norm: str = "mu+sigma"
    output_affine: bool = False
    predictor: tuple[int, ...] | None = (512,)
    """Hidden widths of the predictor; () is one linear map, None no predictor."""
    stop_gradient: bool = True
    """Whether the other view's output sends no gradient; without it the method collapses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.predictor is not None:
            allowed_widths("predictor", self.predictor, least=0)


class SimSiam(Method):
    r"""L = D(p_1, sg z_2) / 2 + D(p_2, sg z_1) / 2 with D = -E cos, p = h(z), h the predictor.

    The projector ends in a BatchNorm without gain and offset; the predictor's learning rate stays
    constant while the others' falls.

    Source: Chen and He (2021), section 3, equations 1 and 4. Defaults: solo-learn's recipe
    for CIFAR (the paper's heads, SGD), but the paper's views: crops of a fifth of the area or more,
    not of 0.08; `paper`: appendix D of the paper, CIFAR-10.
    """

    name = "simsiam"
    source = "Chen and He (2021), section 3, equation 4"
    Config = SimSiamConfig
    defaults = Published(
        source="solo-learn (da Costa et al. 2022), scripts/pretrain/cifar",
        optimiser="sgd",
        lr=0.5,
        weight_decay=1e-5,
        batch=256,
        epochs=1000,
        augmentations=("simsiam", "simsiam"),
        options={"projector": (2048, 2048, 2048), "predictor": (512,)},
    )
    paper = Published(
        source="Chen and He (2021), appendix D, CIFAR-10",
        optimiser="sgd",
        lr=0.03,
        weight_decay=5e-4,
        batch=512,
        epochs=800,
        warmup_epochs=0,
        augmentations=("simsiam", "simsiam"),
        options={"projector": (2048, 2048), "predictor": (512,)},
    )

    def __init__(self, encoder: Encoder, config: MethodConfig | None = None) -> None:
        super().__init__(encoder, config)
        hidden, d = self.config.predictor, self.config.projector[-1]
        self.predictor: nn.Module = (
            nn.Identity() if hidden is None else self.make_head("predictor", (d, *hidden, d))
        )

    def outputs(self, one: Tensor, two: Tensor) -> Sequence[Tensor]:
        """Predictions and projections (p_1, z_2, p_2, z_1), each [B, d]."""
        z_one, z_two = self.project(one), self.project(two)
        p_one, p_two = self.predictor(z_one), self.predictor(z_two)
        if self.config.stop_gradient:
            z_one, z_two = z_one.detach(), z_two.detach()
        return p_one, z_two, p_two, z_one

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        p_one, z_two, p_two, z_one = outputs
        value = (cosine(p_one, z_two) + cosine(p_two, z_one)) / 2
        return value, {"cosine": -value, "targets": alignment(z_one, z_two)}

    def trained(self) -> Iterator[tuple[str, nn.Module, float]]:
        yield from super().trained()
        yield "predictor", self.predictor, 1.0

    def parameter_groups(self) -> list[dict[str, Any]]:
        """As for every method; `constant` is True for the predictor."""
        groups = super().parameter_groups()
        for group in groups:
            group["constant"] = group["name"].startswith("predictor/")
        return groups
