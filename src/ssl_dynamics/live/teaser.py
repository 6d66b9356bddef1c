"""What is left of a weight whose only task is to agree with itself on two views?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class TwoViews(Widget):
    """One weight pulled to zero by two noisy views: closed-form decay against simulated descent.

    It expects two closed forms: ``gradient`` with the arguments ``w, x_1, x_2``, the derivative of
    the loss of one pair of views, and ``weight`` with the arguments ``t, w_0, sigma_aug``, the
    solution of the mean gradient flow. The descent draws 16 pairs a step from a seeded generator
    and moves by ``-0.05`` times the mean gradient, for 60 steps, so up to time 3.
    """

    TOPIC = "teaser"
    QUESTION = "What is left of a weight whose only task is to give two views one output?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "gradient": ("w", "x_1", "x_2"),
        "weight": ("t", "w_0", "sigma_aug"),
    }

    sigma_aug = traitlets.Float(0.6, min=0.0, max=1.5, help="strength of the augmentation").tag(
        sync=True
    )
