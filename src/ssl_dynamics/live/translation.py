"""Where does a neuron on a ring go, flip by flip?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class RingWalk(Widget):
    """Five weights of a ReLU neuron on a ring with two objects: drag them, step through the flips.

    Give it ``SITE``, ``CLOCK_TIME`` and ``MIXTURE`` of ``ssl_dynamics.theory.translation``, in this
    order or by role. ``weights`` is the start, one weight a site; ``corner`` counts the corners of
    the path that have been passed, and is cut at the last one.
    """

    TOPIC = "translation"
    QUESTION = "Which gates flip, which are held, and does the neuron end selective?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "site": ("d", "g_like", "g_like_back", "g_other", "g_other_back"),
        "time": ("ell", "D_0", "kappa", "pi_0", "u_square"),
        "mixture": ("d", "eta"),
    }

    weights = traitlets.List(
        traitlets.Float(), [-1.5, 0.7, 0.9, -1.4, -0.8], minlen=5, maxlen=5,
        help="weights at the start, site by site",
    ).tag(sync=True)  # fmt: skip
    corner = traitlets.Float(0.0, min=0.0, help="corners passed").tag(sync=True)
