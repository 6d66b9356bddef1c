"""Which of VICReg's two terms falls, and does the loss leave collapse?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class InvarianceAndHinge(Widget):
    """One output that reads one noisy feature: its two terms over time, and its loss.

    Give it ``COLLAPSE_RATE``, ``CRITICAL_WEIGHT``, ``CRITICAL_SHARE`` and ``DEVIATION_FLOW`` of
    ``ssl_dynamics.theory.two_terms`` and ``VICREG_END`` of ``ssl_dynamics.theory.one_picture``, in
    this order or by role. The feature has variance 1, there is one output, and 0.01 is added to its
    variance; the deviation starts at 0.01 and at 1.5.
    """

    TOPIC = "two_terms"
    QUESTION = "Which of the two terms falls, and does the output leave collapse?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "rate": ("t_f", "q_n", "mu_s", "mu_v", "eps_v", "n_out"),
        "critical": ("q_n", "mu_s", "eps_v"),
        "share": ("mu_s", "mu_v", "eps_v"),
        "flow": ("m_o", "t_f", "q_n", "mu_s", "mu_v", "eps_v", "n_out"),
        "rest": ("lambda_V", "lambda_I", "mu_s", "mu_v", "eps_v"),
    }

    mu_s = traitlets.Float(1.0, min=0.1, max=3.0, help="weight of the invariance term").tag(
        sync=True
    )
    mu_v = traitlets.Float(1.0, min=0.0, max=3.0, help="weight of the variance term").tag(sync=True)
    q_n = traitlets.Float(0.5, min=0.05, max=1.0, help="share of noise").tag(sync=True)
