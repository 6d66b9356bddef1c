"""When does a linear encoder resolve super-classes, classes and samples?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_MODE = ("lambda_V", "lambda_I", "mu_s", "mu_v")


def _power(start: float, meaning: str) -> traitlets.Float:
    return traitlets.Float(start, min=-3.0, max=1.0, help=meaning).tag(sync=True)


class LevelClock(Widget):
    """The share of its end that each of three levels has reached, over time.

    Give it ``RATE``, ``END``, ``COURSE``, ``TIME`` and ``TIE`` of
    ``ssl_dynamics.theory.collapse_levels``, in this order or by role. Variances are controlled by
    their logarithm to base 10; the weight of the variance term is 1.
    """

    TOPIC = "collapse_levels"
    QUESTION = "Which level does a linear encoder resolve first: super-class, class or sample?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "rate": _MODE,
        "end": _MODE,
        "course": ("t", "nu_m0", *_MODE),
        "time": ("theta_r", "nu_m0", *_MODE),
        "tie": ("lambda_V1", "lambda_V3", "lambda_I3", "mu_s", "mu_v"),
    }

    invariance = traitlets.Float(1.0, min=0.5, max=3.0, help="weight of the invariance").tag(
        sync=True
    )
    kept_super = _power(-0.38, "log of the variance between images, super-class level")
    kept_class = _power(-0.78, "log of the variance between images, class level")
    kept_sample = _power(-1.08, "log of the variance between images, sample level")
    moved_super = _power(-2.0, "log of the variance of the views, super-class level")
    moved_class = _power(-2.0, "log of the variance of the views, class level")
    moved_sample = _power(-2.0, "log of the variance of the views, sample level")
