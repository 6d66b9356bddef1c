"""How often are two nodes open, alone and together?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class OpenQuadrant(Widget):
    """Two standard normal inputs with a correlation, and the quadrant in which both gates are open.

    Give it ``OPEN_RATE``, ``BOTH_TURN`` and ``FLOOR`` of ``ssl_dynamics.theory.negative_bias``, in
    this order or by role. The probabilities are integrals of the first two, taken by Gauss's rule.
    """

    TOPIC = "negative_bias"
    QUESTION = "How often are two nodes of a layer open, alone and together?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "open_rate": ("b_j",),
        "both_turn": ("b_j", "b_k", "vartheta"),
        "floor": ("P_bar", "n_l"),
    }

    bias_j = traitlets.Float(-0.5, min=-2.5, max=2.5, help="relative bias of this node").tag(
        sync=True
    )
    bias_k = traitlets.Float(-0.5, min=-2.5, max=2.5, help="relative bias of the other node").tag(
        sync=True
    )
    rho = traitlets.Float(0.3, min=-0.95, max=0.95, help="correlation").tag(sync=True)
