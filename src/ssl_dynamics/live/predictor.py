"""How large may the predictor be before the mode stops growing?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class PredictorTerms(Widget):
    """The terms of the BYOL update along one direction, against the predictor's scale.

    Give it ``INVARIANCE``, ``NEGATIVE``, ``POSITIVE``, ``GROWTH``, ``THRESHOLD`` and ``BEST_SCALE``
    of ``ssl_dynamics.theory.predictor``, in this order or by role.
    """

    TOPIC = "predictor"
    QUESTION = "How large may the predictor be before the mode stops growing?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "invariance": ("p", "lambda_I"),
        "negative": ("p", "lambda_V"),
        "positive": ("p", "lambda_V"),
        "growth": ("p", "lambda_V", "lambda_I"),
        "threshold": ("lambda_V", "lambda_I"),
        "best": ("lambda_V", "lambda_I"),
    }

    p = traitlets.Float(0.4, min=0.0, max=1.25, help="predictor scale").tag(sync=True)
    lambda_I = traitlets.Float(0.5, min=0.0, max=2.0, help="variance over views").tag(sync=True)
    lambda_V = traitlets.Float(1.0, min=0.1, max=1.0, help="variance between images").tag(sync=True)
