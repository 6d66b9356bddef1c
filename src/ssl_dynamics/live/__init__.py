"""Widgets that live with and without a kernel; one question each, drawn from closed forms."""

from ssl_dynamics.live.ablation import AblationGrid
from ssl_dynamics.live.alternating import Alternation
from ssl_dynamics.live.base import Widget
from ssl_dynamics.live.batchnorm import BatchNormGradients
from ssl_dynamics.live.collapse_levels import LevelClock
from ssl_dynamics.live.compression import InformationEstimates
from ssl_dynamics.live.covariance_operator import PairBalance
from ssl_dynamics.live.directpred import ModePlane
from ssl_dynamics.live.dual_networks import GateFlip
from ssl_dynamics.live.ema import PolePlane
from ssl_dynamics.live.expansion import TwoLosses
from ssl_dynamics.live.flat_minima import FadingNode
from ssl_dynamics.live.gradient import NodePull
from ssl_dynamics.live.info_nce import ResidualBalance
from ssl_dynamics.live.latent_tree import TreeWalk
from ssl_dynamics.live.layers import LayerCourses
from ssl_dynamics.live.lottery import SecondDraw
from ssl_dynamics.live.luck import LuckyNode
from ssl_dynamics.live.mean_view import TargetTable
from ssl_dynamics.live.measures import TwoClusters
from ssl_dynamics.live.negative_bias import OpenQuadrant
from ssl_dynamics.live.one_neuron import WakingNeuron
from ssl_dynamics.live.one_picture import EightMethods
from ssl_dynamics.live.predictor import PredictorTerms
from ssl_dynamics.live.random_targets import TargetAngle
from ssl_dynamics.live.recovery import TwoStudents
from ssl_dynamics.live.simsiam import PhasePortrait
from ssl_dynamics.live.supervised import SampledCentres
from ssl_dynamics.live.teaser import TwoViews
from ssl_dynamics.live.top_down import BlindLayer
from ssl_dynamics.live.translation import RingWalk
from ssl_dynamics.live.two_layers import TwoLayers
from ssl_dynamics.live.two_terms import InvarianceAndHinge

__all__ = [
    "AblationGrid",
    "Alternation",
    "BatchNormGradients",
    "BlindLayer",
    "EightMethods",
    "FadingNode",
    "GateFlip",
    "InformationEstimates",
    "InvarianceAndHinge",
    "LayerCourses",
    "LevelClock",
    "LuckyNode",
    "ModePlane",
    "NodePull",
    "OpenQuadrant",
    "PairBalance",
    "PhasePortrait",
    "PolePlane",
    "PredictorTerms",
    "ResidualBalance",
    "RingWalk",
    "SampledCentres",
    "SecondDraw",
    "TargetAngle",
    "TargetTable",
    "TreeWalk",
    "TwoClusters",
    "TwoLayers",
    "TwoLosses",
    "TwoStudents",
    "TwoViews",
    "WakingNeuron",
    "Widget",
]
