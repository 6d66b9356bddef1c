"""What does an irrelevant node do with its fan-out, and how fast does it lose it?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class FadingNode(Widget):
    """A matched and an irrelevant ReLU node at an angle, features held, normal inputs, one output.

    Give it ``UNIT_FAN_OUT`` and ``ANGLE_RATE`` of ``ssl_dynamics.theory.flat_minima`` and
    ``GATED_ALONG`` of ``ssl_dynamics.theory.gradient``, in this order or by role. The teacher's
    fan-out is 1 on the matched node.
    """

    TOPIC = "flat_minima"
    QUESTION = "What does an irrelevant node do with its fan-out, and how fast does it lose it?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "fan_out": ("t", "G_12", "e_1", "v_2"),
        "rate": ("vartheta",),
        "overlap": ("vartheta",),
    }

    turned = traitlets.Float(30.0, min=0.0, max=180.0, help="angle between the two nodes").tag(
        sync=True
    )
    matched_start = traitlets.Float(0.0, min=-1.0, max=2.0, help="matched fan-out at time 0").tag(
        sync=True
    )
    other_start = traitlets.Float(0.0, min=-1.0, max=2.0, help="other fan-out at time 0").tag(
        sync=True
    )
