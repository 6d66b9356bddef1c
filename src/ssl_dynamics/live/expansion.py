"""Is the loss of a pair of views another loss than the one against their mean, or a noisier one?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_ENCODER = ("q_m", "r_aug", "F_1", "F_2")


class TwoLosses(Widget):
    """Three views, the encoder that sees them, and the law of both losses.

    Give it ``OUTPUT_UP``, ``OUTPUT_DOWN``, ``OUTPUT_STAY``, ``PAIR_VARIANCE`` and ``MEAN_LOSS`` of
    ``ssl_dynamics.theory.expansion``, in this order or by role. A view stays at the mean view with
    probability 1 - ``moved`` and moves up or down by ``size`` otherwise; the encoder has slope 1
    and the second derivative ``bend``.
    """

    TOPIC = "expansion"
    QUESTION = (
        "Is the loss of a pair of views another loss than the one against their mean, "
        "or a noisier one?"
    )
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "up": _ENCODER,
        "down": _ENCODER,
        "stay": _ENCODER,
        "pair_variance": ("V_mean", "T_A"),
        "series": ("r_aug", "F_1", "F_2", "F_3", "m_2", "m_3", "m_4"),
    }

    moved = traitlets.Float(0.5, min=0.05, max=1.0, help="probability that a view moves").tag(
        sync=True
    )
    size = traitlets.Float(1.0, min=0.1, max=1.5, help="how far it moves").tag(sync=True)
    bend = traitlets.Float(0.0, min=-1.5, max=1.5, help="second derivative of the encoder").tag(
        sync=True
    )
