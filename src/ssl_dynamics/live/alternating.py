"""Held, averaged or followed targets: which modes live, at which predictor scale?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class Alternation(Widget):
    """Two modes over 200 steps under one rule for the target and one scale of the predictor.

    Give it ``ROUND`` and ``FOLLOWED_STEP`` of ``ssl_dynamics.theory.alternating`` and ``STEP`` of
    ``ssl_dynamics.theory.ema``, in the order round, average, followed, or by role. Both modes have
    unit variance between images; over views mode A has 0.25, mode B 1. The learning rate is 0.1.
    """

    TOPIC = "alternating"
    QUESTION = "Which targets and which predictor keep a mode alive?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "round": ("alpha", "p", "lambda_V", "lambda_I", "K_eta"),
        "average": ("alpha", "a", "b", "gamma"),
        "followed": ("alpha", "p", "lambda_V", "lambda_I"),
    }

    target = traitlets.Enum(
        ("held", "average", "followed"), "held", help="where the target comes from"
    ).tag(sync=True)
    memory = traitlets.Float(
        1.0, min=1.0, max=50.0, help="steps the target is held, or memory of the average"
    ).tag(sync=True)
    scale = traitlets.Float(1.0, min=0.05, max=1.25, help="predictor scale").tag(sync=True)
