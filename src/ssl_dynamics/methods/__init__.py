"""Ways to train an encoder on images, from their papers; each a short file.

Every method is a `Method`: `loss(one, two, labels)` of two views, `after_step`, `represent`,
`parameter_groups`. The data, the optimiser and the loop are not theirs.
"""

from ssl_dynamics.methods.barlow_twins import BarlowTwins
from ssl_dynamics.methods.base import Method
from ssl_dynamics.methods.byol import BYOL
from ssl_dynamics.methods.directpred import DirectPred
from ssl_dynamics.methods.mean_view import MeanView
from ssl_dynamics.methods.published import STL10_SGD, Published
from ssl_dynamics.methods.registry import METHODS, build_method, method_class
from ssl_dynamics.methods.settings import MethodConfig
from ssl_dynamics.methods.simclr import SimCLR
from ssl_dynamics.methods.simple_contrastive import SimpleContrastive
from ssl_dynamics.methods.simsiam import SimSiam
from ssl_dynamics.methods.soft_triplet import SoftTriplet
from ssl_dynamics.methods.supervised import Supervised
from ssl_dynamics.methods.vicreg import VICReg

__all__ = [
    "BYOL",
    "METHODS",
    "STL10_SGD",
    "BarlowTwins",
    "DirectPred",
    "MeanView",
    "Method",
    "MethodConfig",
    "Published",
    "SimCLR",
    "SimSiam",
    "SimpleContrastive",
    "SoftTriplet",
    "Supervised",
    "VICReg",
    "build_method",
    "method_class",
]
