"""Which of two students reaches the teacher first?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_START = ("vartheta_0", "w_norm_0", "w_star_norm")


class TwoStudents(Widget):
    """Two lone students in the plane of their teacher, each from a start to drag.

    Give it ``ANGLE``, ``NORM``, ``TIME`` and ``LATE_ANGLE`` of ``ssl_dynamics.theory.recovery``, in
    this order or by role. The teacher's weights are (1, 0); the goal is an angle of one degree.
    """

    TOPIC = "recovery"
    QUESTION = "Which of two students reaches the teacher first?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "angle": ("t", *_START),
        "norm": ("t", *_START),
        "time": ("vartheta_1", *_START),
        "late": _START,
    }

    a_x = traitlets.Float(0.3, min=-1.4, max=1.4, help="first weight of student A").tag(sync=True)
    a_y = traitlets.Float(0.4, min=-1.0, max=1.0, help="second weight of student A").tag(sync=True)
    b_x = traitlets.Float(0.0, min=-1.4, max=1.4, help="first weight of student B").tag(sync=True)
    b_y = traitlets.Float(-0.5, min=-1.0, max=1.0, help="second weight of student B").tag(sync=True)
