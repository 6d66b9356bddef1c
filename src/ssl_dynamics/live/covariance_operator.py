"""How much may positive pairs count before a direction stops growing?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class PairBalance(Widget):
    """Growth rate of one direction against the extra weight of positive pairs.

    Give it ``BETA_RATE`` and ``BETA_EDGE`` of ``ssl_dynamics.theory.covariance_operator``, in this
    order or by role.
    """

    TOPIC = "covariance_operator"
    QUESTION = "How much more may positive pairs count before a direction stops growing?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "rate": ("kappa", "beta_plus", "lambda_V", "lambda_I"),
        "edge": ("lambda_V", "lambda_I"),
    }

    beta_plus = traitlets.Float(0.3, min=-1.0, max=3.0, help="extra weight of positives").tag(
        sync=True
    )
    within = traitlets.Float(0.8, min=0.4, max=2.0, help="variance over views").tag(sync=True)
