"""Barlow Twins: the correlation of the two views' coordinates should be the identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ssl_dynamics.losses import barlow_terms
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import Published, cifar_lars
from ssl_dynamics.methods.settings import MethodConfig, allowed_range

EPSILON = 1e-5
"""Added to the variances before they divide, as BatchNorm does in the authors' code."""


@dataclass(frozen=True)
class BarlowTwinsConfig(MethodConfig):
    """Barlow Twins' settings; defaults from solo-learn's file for CIFAR."""

    projector: tuple[int, ...] = (2048, 2048, 2048)
    redundancy: float = 0.0051
    """Weight of the squared correlations off the diagonal."""
    scale: float = 0.1
    """The whole loss is multiplied by this; it matters where weight decay or a plain SGD does."""
    rest_lr: float = 1.0
    """Learning rate of biases, gains and offsets in units of the weights'."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("redundancy", "scale", "rest_lr"):
            allowed_range(name, getattr(self, name), 0, 1e6)


class BarlowTwins(Method):
    r"""L = scale ( sum_i (1 - C_ii)^2 + redundancy sum_{i != j} C_ij^2 ).

    C [d, d] is the correlation over the batch between coordinate i of one view and coordinate j of
    the other.

    Source: Zbontar and others (2021), section 2.1, equations 1 and 2. Defaults: solo-learn's
    recipe for CIFAR; `paper`: ImageNet. The weight 0.0051 and `EPSILON` are those of the authors'
    code, which also decays weights by 1e-6 where the paper prints 1.5e-6.
    """

    name = "barlow_twins"
    source = "Zbontar et al. (2021), section 2.1"
    Config = BarlowTwinsConfig
    couples = True
    defaults = cifar_lars(
        0.3,
        1e-4,
        augmentations=("byol-one", "byol-two"),
        options={"projector": (2048, 2048, 2048), "scale": 0.1},
    )
    paper = Published(
        source="Zbontar et al. (2021), section 2.2",
        optimiser="lars",
        lr=0.2,
        weight_decay=1.5e-6,
        batch=2048,
        epochs=1000,
        exclude_bias_and_norm=True,
        augmentations=("byol-one", "byol-two"),
        options={"projector": (8192, 8192, 8192), "scale": 1.0, "rest_lr": 0.024},
    )

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        terms = barlow_terms(*outputs, epsilon=EPSILON)
        c = self.config
        value = c.scale * (terms["invariance"] + c.redundancy * terms["redundancy"])
        return value, {**terms, "cosine": alignment(*outputs)}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """As for every method, with `rest_lr` for biases, gains and offsets."""
        groups = super().parameter_groups()
        for group in groups:
            if group["name"].endswith("/rest"):
                group["lr"] *= self.config.rest_lr
        return groups
