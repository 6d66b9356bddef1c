"""Ways to train an encoder on images, from their papers; each a short file.

Every method is a `Method`: `loss(one, two, labels)` of two views, `after_step`, `represent`,
`parameter_groups`. The data, the optimiser and the loop are not theirs.
"""

from ssl_dynamics.methods.base import Method, MethodConfig
from ssl_dynamics.methods.byol import BYOL
from ssl_dynamics.methods.published import Published
from ssl_dynamics.methods.registry import METHODS, build_method, method_class
from ssl_dynamics.methods.simclr import SimCLR

__all__ = [
    "BYOL",
    "METHODS",
    "Method",
    "MethodConfig",
    "Published",
    "SimCLR",
    "build_method",
    "method_class",
]
