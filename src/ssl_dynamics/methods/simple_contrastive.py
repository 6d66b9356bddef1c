"""The simple contrastive loss: positive minus negative distances."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import normalize

from ssl_dynamics.losses import simple_contrastive
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import cifar_lars
from ssl_dynamics.methods.settings import MethodConfig


@dataclass(frozen=True)
class SimpleContrastiveConfig(MethodConfig):
    """Settings; heads as SimCLR's."""

    head_norm: str = "none"
    unit: bool = True
    """Whether outputs are scaled to length one; without it the loss has no lower bound."""


class SimpleContrastive(Method):
    r"""L = E r_ii - E_{i, j} r_ij with r_ij = |z_i - z'_j|^2 / 2, all B^2 pairs as negatives.

    Its gradient is that of the trace of the covariance of the image means, with the sign turned:
    tr Cov[z, z'] grows, and nothing else. With `unit` the outputs have length one.

    Source: Tian and others (2020), the simplest of the losses that the covariance operator is
    derived for. No image recipe of its own is published: heads, optimiser and rates are those of
    SimCLR in solo-learn's file for CIFAR.
    """

    name = "simple_contrastive"
    source = "Tian et al. (2020), simple contrastive loss"
    Config = SimpleContrastiveConfig
    couples = True
    joint = True
    defaults = cifar_lars(0.4, 1e-4, options={"projector": (2048, 256)})
    paper = defaults

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        one, two = outputs
        cosine = alignment(one, two)
        if self.config.unit:
            one, two = normalize(one, dim=-1), normalize(two, dim=-1)
        return simple_contrastive(one, two), {"cosine": cosine}
