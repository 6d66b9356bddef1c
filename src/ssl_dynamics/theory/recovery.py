r"""One student node learns one teacher node at standard normal inputs: the flow, solved.

The loss is :math:`\tfrac12\mathbb E(\sigma(w^{*\top}x)-\sigma(w^\top x))^2` with
:math:`\sigma` the ReLU. With the angle :math:`\vartheta` of the two nodes, the weights divided by
the share of the student's open inputs at which the teacher is open too,

.. math::

    v=\frac{w}{1-\vartheta/\pi},\qquad\text{obey the linear equation}\qquad
    \dot v=\tfrac12\,(w^*-v).

So they run straight to the teacher, and angle, length and time are explicit. The weights of a leaky
ReLU run straight too, with another share; for a negative slope below zero the share has a zero, and
students beyond that angle end opposite the teacher. Source: the population gradient is known (Tian
2017 has it in closed form); the solution is derived in ``book/student_teacher/recovery.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    B,
    alpha,
    angle,
    angle_goal,
    angle_start,
    input_count,
    leak,
    student_norm,
    student_norm_start,
    teacher_norm,
    time,
)

_HERE = "derived in the chapter recovery"
_KERNEL = "Cho and Saul 2009, arc-cosine kernel of order one"
_TIAN = "Tian 2017, population gradient; derived in the chapter recovery"

_START = (angle_start, student_norm_start, teacher_norm)
_both = (sp.pi - angle) / (2 * sp.pi)

# --- the population -----------------------------------------------------------------------------
OVERLAP = ClosedForm(
    "OVERLAP", (angle, student_norm, teacher_norm),
    student_norm * teacher_norm * (_both * sp.cos(angle) + sp.sin(angle) / (2 * sp.pi)),
    "Mean product of the outputs of two ReLU nodes at standard normal inputs.", _KERNEL,
)  # fmt: skip
LOSS = ClosedForm(
    "LOSS", (angle, student_norm, teacher_norm),
    (student_norm**2 + teacher_norm**2) / 4 - OVERLAP.expr,
    "Half the mean squared difference of the two outputs.", _HERE,
)  # fmt: skip
FLOW = ClosedForm(
    "FLOW", (angle, student_norm, teacher_norm),
    sp.ImmutableMatrix([
        -_both * teacher_norm * sp.sin(angle) / student_norm,
        teacher_norm * (_both * sp.cos(angle) + sp.sin(angle) / (2 * sp.pi)) - student_norm / 2,
    ]),
    "d(angle, length of the student)/dt under gradient flow.", _TIAN,
)  # fmt: skip

# --- the solution -------------------------------------------------------------------------------
_kept = 1 - angle_start / sp.pi
_faded = sp.exp(-time / 2)
_old, _new = student_norm_start * _faded, teacher_norm * _kept * (1 - _faded)
ANGLE = ClosedForm(
    "ANGLE", (time, *_START),
    sp.atan2(_old * sp.sin(angle_start), _old * sp.cos(angle_start) + _new),
    "Angle at time t.", _HERE,
)  # fmt: skip
NORM = ClosedForm(
    "NORM", (time, *_START),
    (sp.pi - ANGLE.expr) / (sp.pi - angle_start)
    * sp.sqrt(_old**2 + 2 * _old * _new * sp.cos(angle_start) + _new**2),
    "Length of the student's weights at time t.", _HERE,
)  # fmt: skip
ORBIT = ClosedForm(
    "ORBIT", (angle, student_norm, teacher_norm),
    (teacher_norm * (1 - angle / sp.pi) / student_norm - sp.cos(angle)) / sp.sin(angle),
    "Conserved along the flow: the cotangent of the angle at which the straightened weights "
    "approach the teacher, seen from the teacher.", _HERE,
)  # fmt: skip
TIME = ClosedForm(
    "TIME", (angle_goal, *_START),
    2 * sp.log(1 + student_norm_start * sp.sin(angle_start - angle_goal)
               / (teacher_norm * _kept * sp.sin(angle_goal))),
    "Time from the start down to a goal angle.", _HERE,
)  # fmt: skip
LATE_ANGLE = ClosedForm(
    "LATE_ANGLE", _START,
    student_norm_start * sp.sin(angle_start) / (teacher_norm * _kept),
    "Limit of the angle times exp(t/2).", _HERE,
)  # fmt: skip
LATE_DISTANCE = ClosedForm(
    "LATE_DISTANCE", _START,
    sp.sqrt(
        (student_norm_start * (sp.cos(angle_start) - sp.sin(angle_start) / sp.pi)
         - teacher_norm * _kept) ** 2
        + (student_norm_start * sp.sin(angle_start)) ** 2
    ) / _kept,
    "Limit of the distance of student and teacher weights times exp(t/2).", _HERE,
)  # fmt: skip

# --- variations ---------------------------------------------------------------------------------
_share = (1 - leak) ** 2 * _kept / 2 + leak
_rate = (1 + leak**2) / 2
ANGLE_LEAKY = ClosedForm(
    "ANGLE_LEAKY", (time, *_START, leak),
    sp.atan2(
        student_norm_start * sp.sin(angle_start),
        student_norm_start * sp.cos(angle_start)
        + teacher_norm * _share / _rate * (sp.exp(_rate * time) - 1),
    ),
    "Angle at time t when both nodes are leaky ReLUs with the same slope below zero.", _HERE,
)  # fmt: skip
NOISE = ClosedForm(
    "NOISE", (alpha, B, input_count),
    1 - alpha + alpha**2 * (2 * input_count + 3 + B) / (4 * B),
    "Factor of the mean squared distance in one step on a fresh batch, near the teacher.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        OVERLAP,
        LOSS,
        FLOW,
        ANGLE,
        NORM,
        ORBIT,
        TIME,
        LATE_ANGLE,
        LATE_DISTANCE,
        ANGLE_LEAKY,
        NOISE,
    )
}
"""Every closed form of this topic by name."""
