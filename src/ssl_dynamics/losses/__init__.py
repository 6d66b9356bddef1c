"""Losses: [S, ...] in, one loss per seed [S] out; each family a module.

`towers` compares the two views of an image; `contrastive` compares all images of a batch with each
other; `triplets` compares an anchor with its positive and one negative; `redundancy` keeps the
coordinates of the output spread and apart.
"""

from collections.abc import Callable

from torch import Tensor

from ssl_dynamics.losses.contrastive import (
    beta_simple,
    exact_covariance,
    info_nce,
    negatives_only,
    nt_xent,
    pair_nce,
    simple_contrastive,
    soft_triplet,
)
from ssl_dynamics.losses.redundancy import (
    barlow_terms,
    barlow_twins,
    cross_correlation,
    vicreg,
    vicreg_terms,
)
from ssl_dynamics.losses.towers import byol, cosine, pair_distances, squared

LOSSES: dict[str, Callable[..., Tensor]] = {
    "byol": byol,
    "cosine": cosine,
    "squared": squared,
    "simple_contrastive": simple_contrastive,
    "info_nce": info_nce,
    "vicreg": vicreg,
    "barlow_twins": barlow_twins,
}
"""The losses that two towers can be trained on, by name: outputs [S, B, d] of both -> [S]."""

__all__ = [
    "LOSSES",
    "barlow_terms",
    "barlow_twins",
    "beta_simple",
    "byol",
    "cosine",
    "cross_correlation",
    "exact_covariance",
    "info_nce",
    "negatives_only",
    "nt_xent",
    "pair_distances",
    "pair_nce",
    "simple_contrastive",
    "soft_triplet",
    "squared",
    "vicreg",
    "vicreg_terms",
]
