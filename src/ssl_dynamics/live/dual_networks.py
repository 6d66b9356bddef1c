"""How far may a layer move before its connection stops being exact?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class GateFlip(Widget):
    """One leaky ReLU while its layer moves, beside what the gate of the start predicts.

    Give it ``OUTPUT``, ``FROZEN``, ``GAP`` and ``FLIP`` of ``ssl_dynamics.theory.dual_networks``,
    in this order or by role.
    """

    TOPIC = "dual_networks"
    QUESTION = "How far may a layer move before its connection stops being exact?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "output": ("h", "h_rate", "delta", "leak"),
        "frozen": ("h", "h_rate", "delta", "leak"),
        "gap": ("h", "h_rate", "delta", "leak"),
        "flip": ("h", "h_rate"),
    }

    delta = traitlets.Float(-1.4, min=-2.0, max=2.0, help="step of the layer").tag(sync=True)
    h = traitlets.Float(0.6, min=-1.0, max=1.0, help="pre-activation at the start").tag(sync=True)
    leak = traitlets.Float(0.1, min=0.0, max=1.0, help="slope below zero").tag(sync=True)
