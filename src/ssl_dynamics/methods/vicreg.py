"""VICReg: equal views, spread coordinates, uncorrelated coordinates."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ssl_dynamics.losses import vicreg_terms
from ssl_dynamics.methods.base import Compared, Method, alignment
from ssl_dynamics.methods.published import Published, cifar_lars
from ssl_dynamics.methods.settings import MethodConfig, allowed_range


@dataclass(frozen=True)
class VICRegConfig(MethodConfig):
    """VICReg's settings; weights as in the paper, projector from solo-learn's file for CIFAR."""

    projector: tuple[int, ...] = (2048, 2048, 2048)
    invariance: float = 25.0
    """Weight of the mean squared distance of the two views."""
    variance: float = 25.0
    """Weight of the hinge on the standard deviations."""
    covariance: float = 1.0
    """Weight of the squared covariances off the diagonal."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("invariance", "variance", "covariance"):
            allowed_range(name, getattr(self, name), 0, 1e6)


class VICReg(Method):
    r"""L = invariance s(Z, Z') + variance [v(Z) + v(Z')] / 2 + covariance [c(Z) + c(Z')].

    s: mean squared distance over batch and coordinates; v = mean_j max(0, 1 - sqrt(Var_j + 1e-4));
    c = sum_{i != j} C_ij^2 / d. The averages are those of the authors' code: the paper prints
    v(Z) + v(Z') without the half, and so does solo-learn, whose weight of 25 is 50 here.

    Source: Bardes, Ponce and LeCun (2022), section 4.1, equations 1 to 6. Defaults: solo-learn's
    optimiser, projector and views for CIFAR with the authors' weights; `paper`: ImageNet, views
    from the authors' code.
    """

    name = "vicreg"
    source = "Bardes et al. (2022), section 4.1"
    Config = VICRegConfig
    couples = True
    defaults = cifar_lars(
        0.3,
        1e-4,
        augmentations=("vicreg", "vicreg"),
        options={"projector": (2048, 2048, 2048)},
    )
    paper = Published(
        source="Bardes et al. (2022), section 4.2",
        optimiser="lars",
        lr=0.2,
        weight_decay=1e-6,
        batch=2048,
        epochs=1000,
        exclude_bias_and_norm=True,
        augmentations=("byol-one", "byol-two"),
        options={"projector": (8192, 8192, 8192)},
    )

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        terms = vicreg_terms(*outputs)
        value = sum(getattr(self.config, name) * term for name, term in terms.items())
        return value, {**terms, "cosine": alignment(*outputs)}
