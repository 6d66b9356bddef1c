"""How much must a layer that saw no label leave over, against the number of its nodes?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class BlindLayer(Widget):
    """The least error of a layer chosen without labels, for all sizes of it.

    Give it ``BLIND_ERROR`` and ``FREE_ERROR`` of ``ssl_dynamics.theory.top_down``, in this order or
    by role. Features combine `order` of `bits` independent bits; the teacher uses six of them.
    """

    TOPIC = "top_down"
    QUESTION = "How many nodes does a layer need that does not know which features are used?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "blind": ("n_l", "T_k"),
        "free": ("n_l", "T_k", "k"),
    }

    bits = traitlets.Float(10.0, min=5.0, max=12.0, help="input bits").tag(sync=True)
    order = traitlets.Float(3.0, min=1.0, max=5.0, help="bits in one feature").tag(sync=True)
    nodes = traitlets.Float(48.0, min=0.0, max=800.0, help="nodes of the layer").tag(sync=True)
