"""What does the second layer change when both layers train?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class TwoLayers(Widget):
    """Two weights, the layers of a network, that train together or one at a time.

    Give it ``BLOW_UP``, ``SQUARE``, ``PRODUCT`` and ``FROZEN`` of
    ``ssl_dynamics.theory.two_layers``, in this order or by role. The coupling is one.
    """

    TOPIC = "two_layers"
    QUESTION = "Two layers, together or one at a time: how soon does the separation grow?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "blow_up": ("chi", "nu_1", "nu_2"),
        "square": ("chi", "nu_1", "nu_2", "t"),
        "product": ("chi", "nu_1", "nu_2", "t"),
        "frozen": ("chi", "nu_1", "nu_2", "t"),
    }

    a_1 = traitlets.Float(0.8, min=0.2, max=1.6, help="bottom layer at the start").tag(sync=True)
    a_2 = traitlets.Float(0.4, min=0.2, max=1.6, help="top layer at the start").tag(sync=True)
    trains = traitlets.Enum(["both", "bottom", "top"], "both", help="which layers train").tag(
        sync=True
    )
