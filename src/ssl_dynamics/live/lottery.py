"""How lucky is a second draw, and how much time does luck buy?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class SecondDraw(Widget):
    """The luckiest of many student nodes against the luckiest of some fresh ones.

    Give it ``SINE_STEP`` and ``AGAIN`` of ``ssl_dynamics.theory.lottery``, ``AT_LEAST_ONE`` of
    ``ssl_dynamics.theory.luck`` and ``TIME`` of ``ssl_dynamics.theory.recovery``, in this order or
    by role. One node learns one teacher node of length 1; it starts with length 0.22, and the clock
    stops at an angle of five degrees.
    """

    TOPIC = "lottery"
    QUESTION = "How lucky is a second draw, and how much time does luck buy?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "sine": ("k_sin", "J_below", "vartheta"),
        "again": ("n_r", "n_s"),
        "one": ("p_cap", "n_s"),
        "time": ("vartheta_1", "vartheta_0", "w_norm_0", "w_star_norm"),
    }

    tickets = traitlets.Float(50.0, min=1.0, max=200.0, help="student nodes").tag(sync=True)
    fresh = traitlets.Float(5.0, min=1.0, max=50.0, help="fresh nodes").tag(sync=True)
    inputs = traitlets.Float(20.0, min=2.0, max=60.0, help="number of inputs").tag(sync=True)
