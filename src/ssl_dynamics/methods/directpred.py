"""DirectPred: BYOL with a linear predictor that is computed instead of trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from ssl_dynamics.methods.base import Method
from ssl_dynamics.methods.byol import BYOL, BYOLConfig
from ssl_dynamics.methods.published import STL10_SGD
from ssl_dynamics.methods.settings import allowed_range
from ssl_dynamics.networks.vision.heads import Gather, at_least_float32


@dataclass(frozen=True)
class DirectPredConfig(BYOLConfig):
    """DirectPred's settings; defaults from the paper's runs on STL-10 and CIFAR-10."""

    projector: tuple[int, ...] = (512, 128)
    affine: bool = False
    predictor: tuple[int, ...] | None = ()
    """Fixed: the predictor is linear and has no bias."""
    rate: float = 0.996
    rate_end: float = 0.996
    decay: float = 0.3
    """rho of the running correlation."""
    epsilon: float = 0.1
    """Added to the roots of the eigenvalues."""
    every: int = 1
    """Steps between two computations of the predictor."""
    relative: bool = True
    """Whether eigenvalues are divided by the largest before the root, as in the released code."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.predictor != ():
            raise ValueError(f"predictor: got {self.predictor!r}; allowed: () (it is computed)")
        allowed_range("decay", self.decay, 0, 1)
        allowed_range("epsilon", self.epsilon, 0, 1e6)
        if self.every < 1:
            raise ValueError(f"every: got {self.every}; allowed: a positive integer")


class SpectralPredictor(nn.Module):
    """y = W_p x with W_p a function of the running correlation of x: [B, d] -> [B, d].

    Buffers `weight`, `correlation` and `seen` (the last batch's), [d, d], float32; W_p starts as
    the identity, the correlation as zero. Eigenvalues and vectors are found in float64.
    """

    weight: Tensor
    correlation: Tensor
    seen: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.eye(features))
        self.register_buffer("correlation", torch.zeros(features, features))
        self.register_buffer("seen", torch.zeros(features, features))

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight)

    @torch.no_grad()
    def observe(self, x: Tensor, gather: Gather | None = None) -> None:
        """Keep E[x x^T] over the rows of x [B, d], of all processes where there is a `gather`."""
        with torch.autocast(x.device.type, enabled=False):
            rows = at_least_float32(x)
            rows = rows if gather is None else gather(rows)
            self.seen.copy_(rows.mT @ rows / len(rows))

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """F <- decay F + (1 - decay) E[x x^T] of the last batch."""
        self.correlation.lerp_(self.seen, 1 - decay)

    @torch.no_grad()
    def compute(self, epsilon: float, *, relative: bool) -> None:
        """W_p = U diag(sqrt(s_j) + epsilon max s) U^T for F = U diag(s) U^T."""
        f = self.correlation if self.correlation.device.type == "mps" else self.correlation.double()
        s, u = torch.linalg.eigh(f)
        s = s.clamp_min(0)
        if relative:
            s = s / s[-1].clamp_min(torch.finfo(s.dtype).tiny)
        p = s.sqrt() + epsilon * s[-1]
        self.weight.copy_(u * p @ u.mT)


class DirectPred(BYOL):
    r"""BYOL's loss with p = W_p z, and W_p = U diag(p_j) U^T, p_j = sqrt(s_j) + epsilon max_j s_j.

    F <- rho F + (1 - rho) E[z z^T] follows the uncentred correlation of the predictor's input after
    every step, F = U diag(s_j) U^T. With `relative` the s_j are first divided by the
    largest, as in the released code that made the published tables. W_p has no bias and takes no
    gradient.

    Source: Tian, Chen and Ganguli (2021), section 4, algorithm DirectPred. Defaults: its runs on
    STL-10, rho 0.3 and epsilon 0.1.
    """

    name = "directpred"
    source = "Tian et al. (2021), section 4"
    Config = DirectPredConfig
    defaults = replace(
        STL10_SGD,
        options={"projector": (512, 128), "affine": False, "decay": 0.3, "epsilon": 0.1},
    )
    paper = defaults
    predictor: SpectralPredictor

    def make_predictor(self) -> nn.Module:
        """The predictor that is computed from the correlation of its input."""
        return SpectralPredictor(self.config.projector[-1])

    def predict(self, z: Sequence[Tensor]) -> list[Tensor]:
        """Predictions of both views' projections; their correlation is kept while training."""
        if self.training:
            self.predictor.observe(torch.cat(list(z)).detach(), self.gather)
        return super().predict(z)

    def after_step(self, step: int, steps: int) -> None:
        """Let the target, the correlation and, every `every` steps, the predictor follow."""
        super().after_step(step, steps)
        c = self.config
        self.predictor.follow(c.decay)
        if (step + 1) % c.every == 0:
            self.predictor.compute(c.epsilon, relative=c.relative)

    def trained(self) -> Iterator[tuple[str, nn.Module, float]]:
        """Encoder and projector: the predictor takes no gradient."""
        yield from Method.trained(self)
