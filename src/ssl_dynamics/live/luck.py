"""Which student node wins which teacher node, and how much of it?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class LuckyNode(Widget):
    """Five student nodes flow to three teacher nodes in the plane; the start of one is dragged.

    Give it ``GATED_ALONG`` and ``GATED_ACROSS`` of ``ssl_dynamics.theory.gradient``, in this order
    or by role: the pull between two nodes for standard normal inputs, so that the flow is that of
    the whole population. The teacher's weights have length 1 and point at 20, 140 and 260 degrees;
    each has an output of its own. Students 2 to 5 start at 100, 165, 235 and 330 degrees. At the
    start all weights are equally long, every fan-out is as long as the weights and the same for
    the three outputs. The flow is followed for 60 units of time, by Runge and Kutta's method.
    """

    TOPIC = "luck"
    QUESTION = "Which student node wins which teacher node, and how much of it?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "along": ("vartheta",),
        "across": ("vartheta",),
    }

    start_angle = traitlets.Float(
        50.0, min=0.0, max=360.0, help="direction of the first student at the start"
    ).tag(sync=True)
    log_start = traitlets.Float(
        -3.0, min=-6.0, max=0.0, help="decimal logarithm of the strengths at the start"
    ).tag(sync=True)
