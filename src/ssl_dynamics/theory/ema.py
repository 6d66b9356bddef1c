r"""The moving-average target: one mode of the online network coupled to its target.

One mode has an online weight :math:`w` and a target weight :math:`w'`. With decay coefficient
:math:`a`, growth coefficient :math:`b`, step size :math:`\alpha` and EMA rate :math:`\gamma`,

.. math::

    w_{n+1} = w_n + \alpha(-a\,w_n + b\,w'_n), \qquad
    w'_{n+1} = \gamma\,w'_n + (1-\gamma)\,w_{n+1}.

This is the standard order: the target averages the *fresh* online weight. In the *lagged* order it
averages :math:`w_n` instead; forms of that order end in ``_LAGGED``. All statements are for
:math:`a, b \ge 0` and :math:`0 \le \gamma < 1`. A pole is a root of
:math:`z^2 - Tz + D`, with :math:`T` and :math:`D` the trace and the determinant of one step.

Sources: the author's post on the first version of Tian, Yu, Chen and Ganguli (2020) says, from a
Z-transform, that weights grow when the positive term is the larger one and that the EMA slows this
growth. The recursion, both exact exits, the drift, the speeds and the response are derived here.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    a,
    alpha,
    b,
    beta,
    gamma,
    n,
    w_start,
    w_target_start,
    z_minus,
    z_plus,
)

_POST = "tian2020post; exact form derived here"
_OWN = "derived here"

_GAINS = (alpha, a, b, gamma)
_keep, _gain = 1 - alpha * a, alpha * b  # what a step keeps of w, what it takes from w'
_blend = 1 - gamma

STEP = ClosedForm(
    "STEP", _GAINS,
    sp.Matrix([[_keep, _gain], [_blend * _keep, gamma + _blend * _gain]]),
    "Matrix that carries (w, w') over one step; the target averages the fresh weight.", _OWN,
)  # fmt: skip
STEP_LAGGED = ClosedForm(
    "STEP_LAGGED", _GAINS, sp.Matrix([[_keep, _gain], [_blend, gamma]]),
    "Matrix that carries (w, w') over one step; the target averages the weight before it.", _OWN,
)  # fmt: skip

TRACE = ClosedForm("TRACE", _GAINS, _keep + gamma + _blend * _gain, "Sum of the two poles.", _OWN)
TRACE_LAGGED = ClosedForm(
    "TRACE_LAGGED", _GAINS, _keep + gamma, "Sum of the two poles, lagged order.", _OWN
)
DETERMINANT = ClosedForm("DETERMINANT", _GAINS, gamma * _keep, "Product of the two poles.", _OWN)
DETERMINANT_LAGGED = ClosedForm(
    "DETERMINANT_LAGGED", _GAINS, gamma * _keep - _blend * _gain,
    "Product of the two poles, lagged order.", _OWN,
)  # fmt: skip

FIRST_EXIT = ClosedForm(
    "FIRST_EXIT", _GAINS, alpha * _blend * (a - b),
    "Characteristic polynomial at +1, in both orders: negative exactly when one pole is above +1.",
    _POST,
)  # fmt: skip
SECOND_EXIT = ClosedForm(
    "SECOND_EXIT", _GAINS, (1 + gamma) * (2 - alpha * a) + _blend * _gain,
    "Characteristic polynomial at -1: negative exactly when one pole is below -1.", _OWN,
)  # fmt: skip
SECOND_EXIT_LAGGED = ClosedForm(
    "SECOND_EXIT_LAGGED", _GAINS, (1 + gamma) * (2 - alpha * a) - _blend * _gain,
    "Characteristic polynomial at -1 in the lagged order.", _OWN,
)  # fmt: skip
CRITICAL_GAIN = ClosedForm(
    "CRITICAL_GAIN", (alpha, b, gamma), 2 + _gain * _blend / (1 + gamma),
    "Value of step size times a at which a pole passes -1.", _OWN,
)  # fmt: skip
CRITICAL_GAIN_LAGGED = ClosedForm(
    "CRITICAL_GAIN_LAGGED", (alpha, b, gamma), 2 - _gain * _blend / (1 + gamma),
    "Value of step size times a at which a pole passes -1, lagged order.", _OWN,
)  # fmt: skip


def _pole(name: str, trace: ClosedForm, determinant: ClosedForm, side: int) -> ClosedForm:
    root = sp.sqrt(trace.expr**2 - 4 * determinant.expr)
    which = ("Larger" if side > 0 else "Smaller") + " pole: growth factor of one step"
    order = ", lagged order." if trace is TRACE_LAGGED else "."
    return ClosedForm(name, _GAINS, (trace.expr + side * root) / 2, which + order, _OWN)


LARGER_POLE = _pole("LARGER_POLE", TRACE, DETERMINANT, +1)
SMALLER_POLE = _pole("SMALLER_POLE", TRACE, DETERMINANT, -1)
LARGER_POLE_LAGGED = _pole("LARGER_POLE_LAGGED", TRACE_LAGGED, DETERMINANT_LAGGED, +1)
SMALLER_POLE_LAGGED = _pole("SMALLER_POLE_LAGGED", TRACE_LAGGED, DETERMINANT_LAGGED, -1)

_pull = _gain * (1 - z_plus) / ((z_plus - gamma) * (z_plus - z_minus))
DRIFT = ClosedForm(
    "DRIFT", (alpha, b, gamma, z_plus, z_minus), z_plus * _pull,
    "Derivative of the larger pole in the EMA rate: always towards 1.", _OWN,
)  # fmt: skip
DRIFT_LAGGED = ClosedForm(
    "DRIFT_LAGGED", (alpha, b, gamma, z_plus, z_minus), _pull,
    "Derivative of the larger pole in the EMA rate, lagged order: always towards 1.", _OWN,
)  # fmt: skip

SPEED = ClosedForm(
    "SPEED", _GAINS, alpha * (b - a) * _blend / (_blend + gamma * alpha * a),
    "Growth per step, larger pole minus 1, to first order in b - a at fixed a.", _OWN,
)  # fmt: skip
SPEED_LAGGED = ClosedForm(
    "SPEED_LAGGED", _GAINS, alpha * (b - a) * _blend / (_blend + alpha * a),
    "Growth per step to first order in b - a at fixed a, lagged order; never below the exact one.",
    _OWN,
)  # fmt: skip

FLOW_RATE = ClosedForm(
    "FLOW_RATE", (a, b, beta), (-(a + beta) + sp.sqrt((a - beta) ** 2 + 4 * beta * b)) / 2,
    "Larger growth rate of the flow w' = -a w + b v, v' = beta (w - v).", _OWN,
)  # fmt: skip

_first = (1 - alpha * a) * w_start + alpha * b * w_target_start
RESPONSE = ClosedForm(
    "RESPONSE", (alpha, a, b, w_start, w_target_start, z_plus, z_minus, n),
    ((_first - z_minus * w_start) * z_plus**n - (_first - z_plus * w_start) * z_minus**n)
    / (z_plus - z_minus),
    "Online weight after n steps from its start, by the two poles of either order.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        STEP, STEP_LAGGED, TRACE, TRACE_LAGGED, DETERMINANT, DETERMINANT_LAGGED, FIRST_EXIT,
        SECOND_EXIT, SECOND_EXIT_LAGGED, CRITICAL_GAIN, CRITICAL_GAIN_LAGGED, LARGER_POLE,
        SMALLER_POLE, LARGER_POLE_LAGGED, SMALLER_POLE_LAGGED, DRIFT, DRIFT_LAGGED, SPEED,
        SPEED_LAGGED, FLOW_RATE, RESPONSE,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""


def layer_step(
    alpha: float, a: np.ndarray, b: np.ndarray, gamma: float, *, lagged: bool = False
) -> np.ndarray:
    """One step of a whole layer: [2n, 2n] acting on (w, w'), for operators a, b [n, n].

    With 1 x 1 operators this is :data:`STEP`, or :data:`STEP_LAGGED`.
    """
    one = np.eye(len(a))
    keep, gain = one - alpha * a, alpha * b
    rest = [one, 0 * one] if lagged else [keep, gain]
    return np.block([[keep, gain], [(1 - gamma) * rest[0], gamma * one + (1 - gamma) * rest[1]]])
