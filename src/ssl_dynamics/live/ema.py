"""When does a mode grow although its target only follows it, and how fast?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_GAINS = ("alpha", "a", "b", "gamma")


class PolePlane(Widget):
    """The two poles of one mode with its moving-average target, and the response beside them.

    Give it ``STEP``, ``TRACE``, ``DETERMINANT``, ``FIRST_EXIT``, ``SECOND_EXIT``,
    ``CRITICAL_GAIN`` and ``RESPONSE`` of ``ssl_dynamics.theory.ema``, in this order or by role.
    The step size is absorbed in the gains: the controls are ``alpha_a``, ``alpha_b``, ``gamma``.
    Both weights start at 1.
    """

    TOPIC = "ema"
    QUESTION = "When does a mode grow although its target only follows it, and how fast?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "step": _GAINS,
        "trace": _GAINS,
        "determinant": _GAINS,
        "first_exit": _GAINS,
        "second_exit": _GAINS,
        "critical_gain": ("alpha", "b", "gamma"),
        "response": ("alpha", "a", "b", "w_0", "w_target_0", "z_plus", "z_minus", "n"),
    }

    alpha_a = traitlets.Float(0.5, min=0.0, max=3.0, help="step size times a").tag(sync=True)
    alpha_b = traitlets.Float(0.8, min=0.0, max=3.0, help="step size times b").tag(sync=True)
    gamma = traitlets.Float(0.8, min=0.0, max=0.999, help="EMA rate").tag(sync=True)
