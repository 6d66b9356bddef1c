"""When does one weight survive that only has to give two views one output?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class TwoViews(Widget):
    """One weight, one predictor number, two noisy views: closed form against descent.

    Give it ``PAIR_GRADIENT``, ``THRESHOLD`` and ``WEIGHT`` of ``ssl_dynamics.theory.teaser``, in
    this order or by role. The descent draws 32 pairs of views a step from a seeded generator and
    moves by ``-0.05`` times their mean gradient, for 60 steps, so up to time 3.
    """

    TOPIC = "teaser"
    QUESTION = "When does a weight survive that only has to give two views one output?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "gradient": ("w", "p", "x_1", "x_2"),
        "threshold": ("sigma_aug",),
        "weight": ("t", "w_0", "p", "sigma_aug"),
    }

    p = traitlets.Float(0.4, min=0.0, max=1.25, help="predictor").tag(sync=True)
    sigma_aug = traitlets.Float(0.7, min=0.0, max=1.5, help="strength of the augmentation").tag(
        sync=True
    )
