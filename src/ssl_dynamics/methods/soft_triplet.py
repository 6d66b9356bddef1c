"""The soft triplet loss: one negative at a time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import normalize

from ssl_dynamics.losses import soft_triplet
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import cifar_lars
from ssl_dynamics.methods.simclr import SimCLRConfig


@dataclass(frozen=True)
class SoftTripletConfig(SimCLRConfig):
    """Settings; heads and temperature as SimCLR's."""

    margin: float = 0.0
    """By how much the negative should be further away."""
    unit: bool = True
    """Whether outputs are scaled to length one."""


class SoftTriplet(Method):
    r"""L = T E_{i != j} log(1 + e^{(r_ii - r_ij + margin) / T}), r_ij = |z_i - z'_j|^2 / 2.

    Averaged over both orders of the views. With margin 0 it is T times InfoNCE with one
    negative at a time. With `unit` the outputs have length one.

    Source: Tian and others (2020), soft triplet loss. No image recipe of its own is published:
    heads, optimiser, rates and temperature are those of SimCLR in solo-learn's file for CIFAR.
    """

    name = "soft_triplet"
    source = "Tian et al. (2020), soft triplet loss"
    Config = SoftTripletConfig
    couples = True
    joint = True
    defaults = cifar_lars(0.4, 1e-4, options={"projector": (2048, 256), "temperature": 0.2})
    paper = defaults

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        one, two = outputs
        cosine = alignment(one, two)
        c = self.config
        if c.unit:
            one, two = normalize(one, dim=-1), normalize(two, dim=-1)
        forth = soft_triplet(one, two, c.temperature, c.margin)
        back = soft_triplet(two, one, c.temperature, c.margin)
        return (forth + back) / 2, {"cosine": cosine}
