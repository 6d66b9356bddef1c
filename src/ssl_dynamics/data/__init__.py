"""Data and the randomness behind it; leaves that know nothing of training."""

from ssl_dynamics.data.digits import PIXELS, SHIFTS, VIEWS, Digits, PairSampler, digits
from ssl_dynamics.data.latent_tree import (
    LatentTree,
    TreeSampler,
    enumerated,
    posteriors,
    random_tree,
    sample,
)
from ssl_dynamics.data.streams import StepStream, generator, uniform

__all__ = [
    "PIXELS",
    "SHIFTS",
    "VIEWS",
    "Digits",
    "LatentTree",
    "PairSampler",
    "StepStream",
    "TreeSampler",
    "digits",
    "enumerated",
    "generator",
    "posteriors",
    "random_tree",
    "sample",
    "uniform",
]
