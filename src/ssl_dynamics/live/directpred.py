"""Does a mode of the linear model grow or collapse, and does it align on the way?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_MODE = ("p_j", "s_j", "tau", "sigma_aug", "alpha_p", "decay")


class ModePlane(Widget):
    """The plane of predictor and strength of one mode, its parabola, and one orbit to drag.

    Give it ``MODE_FLOW``, ``P_PLUS``, ``P_MINUS``, ``CRITICAL_DECAY``, ``ALIGN_ALL``,
    ``GROW_AT_ALL``, ``ALIGNMENT_RATE`` and ``END_STRENGTH`` of ``ssl_dynamics.theory.directpred``,
    in this order or by role. Views differ with deviation 1, and predictor and encoder have equal
    learning rates.
    """

    TOPIC = "directpred"
    QUESTION = "Does a mode grow or collapse, and does it align on the way?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "flow": _MODE,
        "plus": ("tau", "sigma_aug", "decay"),
        "minus": ("tau", "sigma_aug", "decay"),
        "critical": ("tau", "sigma_aug"),
        "align": ("sigma_aug", "decay"),
        "grow": ("sigma_aug", "decay"),
        "rate": _MODE,
        "end": ("p_j0", "s_j0", "tau", "sigma_aug", "alpha_p"),
    }

    p = traitlets.Float(0.1, min=-0.4, max=0.9, help="predictor at the start").tag(sync=True)
    s = traitlets.Float(0.04, min=0.0, max=0.5, help="strength at the start").tag(sync=True)
    decay = traitlets.Float(0.05, min=0.0, max=0.2, help="weight decay").tag(sync=True)
    tau = traitlets.Float(1.0, min=0.1, max=1.2, help="size of the target").tag(sync=True)
