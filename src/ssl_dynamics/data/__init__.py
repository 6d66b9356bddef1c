"""Data and the randomness behind it; leaves that know nothing of training."""

from ssl_dynamics.data.digits import PIXELS, SHIFTS, VIEWS, Digits, PairSampler, digits
from ssl_dynamics.data.latent_tree import LatentTree, random_tree
from ssl_dynamics.data.latent_tree_draws import TreeSampler, sample
from ssl_dynamics.data.latent_tree_exact import enumerated, posteriors
from ssl_dynamics.data.streams import StepStream, generator, uniform
from ssl_dynamics.data.teachers import random_teacher, two_layer_teacher

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
    "random_teacher",
    "random_tree",
    "sample",
    "two_layer_teacher",
    "uniform",
]
