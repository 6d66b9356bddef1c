"""Networks with a leading seeds axis; leaves that know nothing of training."""

from ssl_dynamics.networks.heads import PREDICTORS, mlp, predictor
from ssl_dynamics.networks.layers import Linear, ReLU
from ssl_dynamics.networks.norm import (
    VARIANTS,
    BatchNorm,
    Variant,
    population_statistics,
    standardise,
    variant,
)

__all__ = [
    "PREDICTORS",
    "VARIANTS",
    "BatchNorm",
    "Linear",
    "ReLU",
    "Variant",
    "mlp",
    "population_statistics",
    "predictor",
    "standardise",
    "variant",
]
