"""SimCLR: find the other view of an image among all outputs of the batch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ssl_dynamics.losses import nt_xent
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import Published, cifar_lars
from ssl_dynamics.methods.settings import MethodConfig, allowed_range


@dataclass(frozen=True)
class SimCLRConfig(MethodConfig):
    """SimCLR's settings; defaults from solo-learn's file for CIFAR."""

    head_norm: str = "none"
    temperature: float = 0.2
    """T of the softmax over cosines."""

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed_range("temperature", self.temperature, 1e-3, 1e3)


class SimCLR(Method):
    r"""L = -E log( e^{cos(z_i, z_i') / T} / sum_{k != i} e^{cos(z_i, z_k) / T} ), 2 B outputs.

    Both views go through the network as one batch of 2 B, so a BatchNorm's statistics are those of
    both, as in the authors' code; every output is an anchor once and all others are candidates.

    Source: Chen and others (2020), section 2.1, equation 1 (NT-Xent) and algorithm 1. Defaults:
    solo-learn's recipe for CIFAR (a projector without norms), but the views of the paper's appendix
    B.9: half as strong in colour; `paper`: ImageNet at batch 4096.
    """

    name = "simclr"
    source = "Chen et al. (2020), section 2.1, equation 1"
    Config = SimCLRConfig
    couples = True
    joint = True
    defaults = cifar_lars(0.4, 1e-4, options={"projector": (2048, 256), "temperature": 0.2})
    paper = Published(
        source="Chen et al. (2020), section 2.2, temperature from table 5",
        optimiser="lars",
        lr=0.3,
        weight_decay=1e-6,
        batch=4096,
        epochs=100,
        exclude_bias_and_norm=True,
        options={"projector": (2048, 128), "temperature": 0.1, "head_norm": "mu+sigma"},
    )

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        one, two = outputs
        value = nt_xent(one, two, self.config.temperature)
        return value, {"cosine": alignment(one, two)}
