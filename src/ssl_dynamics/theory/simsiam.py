r"""Scalar SimSiam: flows, conserved quantities, clocks, limits, with and without stop-gradient.

The toy has one predictor weight :math:`\varphi` and one encoder weight :math:`\theta`; the loss is
:math:`\mathcal L=\tfrac12(\varphi\theta-\theta)^2`. Three gradient flows start from it:

* *stop-gradient*: the target :math:`\theta` is held fixed when the loss is differentiated;
* *full gradient*: nothing is held fixed;
* *second term only*: the encoder follows only the part that stop-gradient would have removed.

Source: J. Su, "Why does SimSiam not degenerate?" (2020). The basins, the explicit solutions, the
clock and the noisy version are derived in ``book/no_negatives/simsiam.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha_p,
    c_stop,
    phi,
    phi0,
    sigma_aug,
    theta,
    theta0,
    time,
)

_SU = "Su 2020, scalar example"
_HERE = "derived in the chapter simsiam"
_TIAN = "Tian, Chen, Ganguli 2021, theorems 1 and 2 for one mode"


def _flow(phi_dot: sp.Expr, theta_dot: sp.Expr) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix([phi_dot, theta_dot])


# --- loss and right-hand sides ----------------------------------------------------------------
LOSS = ClosedForm(
    "loss",
    (phi, theta),
    (phi * theta - theta) ** 2 / 2,
    "loss of the scalar toy",
    _SU,
)
FLOW_STOP = ClosedForm(
    "flow_stop",
    (phi, theta),
    _flow((1 - phi) * theta**2, phi * (1 - phi) * theta),
    "d(predictor, encoder)/dt with stop-gradient on the target",
    _SU,
)
FLOW_FULL = ClosedForm(
    "flow_full",
    (phi, theta),
    _flow((1 - phi) * theta**2, -((1 - phi) ** 2) * theta),
    "d(predictor, encoder)/dt without stop-gradient",
    _SU,
)
FLOW_SECOND = ClosedForm(
    "flow_second",
    (phi, theta),
    _flow((1 - phi) * theta**2, -(1 - phi) * theta),
    "d(predictor, encoder)/dt when the encoder sees the target's gradient only",
    _SU,
)

# --- conserved quantities ---------------------------------------------------------------------
CONSERVED_STOP = ClosedForm(
    "conserved_stop",
    (phi, theta),
    theta**2 - phi**2,
    "conserved with stop-gradient; survivors end with encoder² = 1 + this",
    _TIAN,
)
CONSERVED_FULL = ClosedForm(
    "conserved_full",
    (phi, theta),
    (1 - phi) ** 2 - theta**2,
    "conserved by the full gradient; survivors end with encoder² = -this",
    _HERE,
)
CONSERVED_SECOND = ClosedForm(
    "conserved_second",
    (phi, theta),
    phi + theta**2 / 2,
    "conserved by the second term alone; survivors end with encoder² = 2 (this - 1)",
    _HERE,
)

# --- time -------------------------------------------------------------------------------------
_SPEED = (1 - phi) * (phi**2 + c_stop)
_ROOT = sp.sqrt(-c_stop)
_LOGS = sp.log((phi**2 + c_stop) / (1 - phi) ** 2) / 2
CLOCK_INTEGRAND = ClosedForm(
    "clock_integrand",
    (phi, c_stop),
    1 / _SPEED,
    "dt/d(predictor) along an orbit with stop-gradient",
    _HERE,
)
CLOCK_BELOW = ClosedForm(
    "clock_below",
    (phi, c_stop),
    (_LOGS + sp.log((phi - _ROOT) / (phi + _ROOT)) / (2 * _ROOT)) / (1 + c_stop),
    "time on an orbit with stop-gradient up to a constant, for C_stop < 0 and not -1",
    _HERE,
)
CLOCK_ABOVE = ClosedForm(
    "clock_above",
    (phi, c_stop),
    (_LOGS + sp.atan(phi / sp.sqrt(c_stop)) / sp.sqrt(c_stop)) / (1 + c_stop),
    "time on an orbit with stop-gradient up to a constant, for C_stop > 0",
    _HERE,
)

_U0 = 1 - phi0
_C = _U0**2 - theta0**2
_GROWTH = sp.exp(2 * _C * time)
PREDICTOR_FULL = ClosedForm(
    "predictor_full",
    (time, phi0, theta0),
    1 - _U0 * sp.sqrt(_C * _GROWTH / (_U0**2 * _GROWTH - theta0**2)),
    "predictor at time t under the full gradient, away from C_full = 0",
    _HERE,
)
ENCODER_FULL = ClosedForm(
    "encoder_full",
    (time, phi0, theta0),
    theta0 * sp.sqrt(_C / (_U0**2 * _GROWTH - theta0**2)),
    "encoder at time t under the full gradient, away from C_full = 0",
    _HERE,
)
_K = phi0 + theta0**2 / 2
_RHO = theta0**2 / (2 * _U0) * sp.exp(-2 * (1 - _K) * time)
PREDICTOR_SECOND = ClosedForm(
    "predictor_second",
    (time, phi0, theta0),
    (_K - _RHO) / (1 - _RHO),
    "predictor at time t under the second term alone, away from C_second = 1",
    _HERE,
)

# --- where an orbit ends ----------------------------------------------------------------------
_STOP0 = theta0**2 - phi0**2
LIMIT_STOP = ClosedForm(
    "limit_stop",
    (phi0, theta0),
    sp.Piecewise((0, (phi0 < 0) & (_STOP0 <= 0)), (sp.Max(0, 1 + _STOP0), True)),
    "encoder² at the end with stop-gradient, from any start off the line encoder = 0",
    _HERE,
)
LIMIT_FULL = ClosedForm(
    "limit_full",
    (phi0, theta0),
    sp.Max(0, -_C),
    "encoder² at the end under the full gradient",
    _HERE,
)
LIMIT_SECOND = ClosedForm(
    "limit_second",
    (phi0, theta0),
    sp.Max(0, 2 * (_K - 1)),
    "encoder² at the end under the second term alone",
    _HERE,
)

# --- who is fast ------------------------------------------------------------------------------
RATIO_STOP = ClosedForm(
    "ratio_stop",
    (phi, theta),
    phi / theta,
    "encoder speed / predictor speed with stop-gradient",
    _HERE,
)
RATIO_FULL = ClosedForm(
    "ratio_full",
    (phi, theta),
    -(1 - phi) / theta,
    "encoder speed / predictor speed under the full gradient",
    _HERE,
)
LIMIT_STOP_RATE = ClosedForm(
    "limit_stop_rate",
    (phi0, theta0, alpha_p),
    theta0**2 + (1 - phi0**2) / alpha_p,
    "encoder² at the end with stop-gradient for survivors, predictor rate alpha_p",
    _TIAN,
)

# --- two different views ----------------------------------------------------------------------
_NOISE = sigma_aug**2
LOSS_NOISY = ClosedForm(
    "loss_noisy",
    (phi, theta, sigma_aug),
    theta**2 * ((phi - 1) ** 2 + _NOISE * (phi**2 + 1)) / 2,
    "mean loss over two independent views of unit-variance images",
    _TIAN,
)
FLOW_STOP_NOISY = ClosedForm(
    "flow_stop_noisy",
    (phi, theta, sigma_aug),
    _flow(
        theta**2 * (1 - (1 + _NOISE) * phi),
        phi * theta * (1 - (1 + _NOISE) * phi),
    ),
    "the flow with stop-gradient when the two views differ",
    _TIAN,
)
FLOW_FULL_NOISY = ClosedForm(
    "flow_full_noisy",
    (phi, theta, sigma_aug),
    _flow(
        theta**2 * (1 - (1 + _NOISE) * phi),
        -theta * ((1 - phi) ** 2 + _NOISE * (1 + phi**2)),
    ),
    "the full gradient flow when the two views differ",
    _TIAN,
)
_GOAL = 1 / (1 + _NOISE)
LIMIT_STOP_NOISY = ClosedForm(
    "limit_stop_noisy",
    (phi0, theta0, sigma_aug),
    sp.Piecewise((0, (phi0 < 0) & (_STOP0 <= 0)), (sp.Max(0, _GOAL**2 + _STOP0), True)),
    "encoder² at the end with stop-gradient when the two views differ",
    _HERE,
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        LOSS,
        FLOW_STOP,
        FLOW_FULL,
        FLOW_SECOND,
        CONSERVED_STOP,
        CONSERVED_FULL,
        CONSERVED_SECOND,
        CLOCK_INTEGRAND,
        CLOCK_BELOW,
        CLOCK_ABOVE,
        PREDICTOR_FULL,
        ENCODER_FULL,
        PREDICTOR_SECOND,
        LIMIT_STOP,
        LIMIT_FULL,
        LIMIT_SECOND,
        RATIO_STOP,
        RATIO_FULL,
        LIMIT_STOP_RATE,
        LOSS_NOISY,
        FLOW_STOP_NOISY,
        FLOW_FULL_NOISY,
        LIMIT_STOP_NOISY,
    )
}
"""Every closed form of this topic by name."""
