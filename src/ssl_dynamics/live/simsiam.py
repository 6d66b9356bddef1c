"""From which starts does scalar SimSiam collapse, with and without stop-gradient?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_HERE, _START = ("varphi", "theta"), ("varphi_0", "theta_0")


class PhasePortrait(Widget):
    """The plane of predictor and encoder, its basin of collapse, and one orbit to drag.

    Give it ``FLOW_STOP``, ``FLOW_FULL``, ``FLOW_SECOND``, ``LIMIT_STOP``, ``LIMIT_FULL`` and
    ``LIMIT_SECOND`` of ``ssl_dynamics.theory.simsiam``, in this order or by role. A limit is the
    squared encoder at the end. ``flow`` is ``"stop"``, ``"full"`` or ``"second"``.
    """

    TOPIC = "simsiam"
    QUESTION = "From which starts does the scalar SimSiam collapse?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "flow_stop": _HERE,
        "flow_full": _HERE,
        "flow_second": _HERE,
        "limit_stop": _START,
        "limit_full": _START,
        "limit_second": _START,
    }

    flow = traitlets.Enum(["stop", "full", "second"], "stop", help="which gradient").tag(sync=True)
    phi = traitlets.Float(0.6, min=-2.0, max=2.0, help="predictor at the start").tag(sync=True)
    theta = traitlets.Float(0.1, min=-2.0, max=2.0, help="encoder at the start").tag(sync=True)
