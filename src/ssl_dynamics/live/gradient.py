"""Which nodes pull a student node, and with which coefficients?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class NodePull(Widget):
    """A teacher and a student in the plane; one student node turns, all else is the teacher's.

    Give it ``OUTPUT`` of ``ssl_dynamics.theory.dual_networks``, and ``PATH`` and ``PULL`` of
    ``ssl_dynamics.theory.gradient``, in this order or by role. Two nodes in each of two layers, two
    outputs; the teacher's first layer looks at 20 and 140 degrees, and so does the student's but
    for its node 1. Layers above: weights ((1, -0.7), (-0.6, 1)) and ((1, 0.8), (-0.3, 1)).
    """

    TOPIC = "gradient"
    QUESTION = "Which nodes pull a student node, and with which coefficients?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "output": ("h", "h_rate", "delta", "leak"),
        "path": ("w_ji", "d_j", "beta_jk", "d_k_star", "w_ki_star"),
        "pull": ("d_j", "beta_jk", "f_k"),
    }

    input_angle = traitlets.Float(75.0, min=0.0, max=360.0, help="direction of the input").tag(
        sync=True
    )
    node_angle = traitlets.Float(50.0, min=0.0, max=360.0, help="direction of the node").tag(
        sync=True
    )
