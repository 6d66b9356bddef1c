"""Networks with a leading seeds axis; leaves that know nothing of training."""

from ssl_dynamics.networks.conv_stack import ConvStack
from ssl_dynamics.networks.following import follow
from ssl_dynamics.networks.heads import PREDICTORS, mlp, predictor
from ssl_dynamics.networks.layers import Linear, ReLU
from ssl_dynamics.networks.norm import (
    VARIANTS,
    BatchNorm,
    Variant,
    averages_at,
    population_statistics,
    standardise,
    variant,
)
from ssl_dynamics.networks.receptive import ReceptiveTree
from ssl_dynamics.networks.relu_net import ReluNet, Trace, with_constant

__all__ = [
    "PREDICTORS",
    "VARIANTS",
    "BatchNorm",
    "ConvStack",
    "Linear",
    "ReLU",
    "ReceptiveTree",
    "ReluNet",
    "Trace",
    "Variant",
    "averages_at",
    "follow",
    "mlp",
    "population_statistics",
    "predictor",
    "standardise",
    "variant",
    "with_constant",
]
