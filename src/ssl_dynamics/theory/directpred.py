r"""Modes of a linear model without negatives: flow, integral, weight decay, alignment.

A linear encoder :math:`W`, a linear predictor :math:`W_p` and a target :math:`\tau W` behind a
stop-gradient; the mean views have the second moment 1 in every direction, the views of an image
the variance :math:`\sigma_{\rm aug}^2`. Where the predictor has the eigenvectors of
:math:`WW^\top`, each mode is a pair: :math:`p_j`, the predictor's eigenvalue, and :math:`s_j`, the
eigenvalue of :math:`WW^\top`.

Source: Tian, Chen, Ganguli (2021). The sign of :math:`c_j`, the exact survivors, the two bounds on
:math:`\tau` and the rates at the fixed points are derived in
``book/no_negatives/directpred.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha_p,
    beta,
    decay,
    mode_p,
    mode_p_start,
    mode_s,
    mode_s_start,
    sigma_aug,
    tau,
    time,
)

_TIAN = "tian2021directpred, decoupled modes"
_OWN = "derived in the chapter directpred"

_views = 1 + sigma_aug**2
_pull = tau - _views * mode_p
_strength_dot = 2 * mode_p * mode_s * _pull - 2 * decay * mode_s

MODE_FLOW = ClosedForm(
    "MODE_FLOW",
    (mode_p, mode_s, tau, sigma_aug, alpha_p, decay),
    sp.ImmutableMatrix([alpha_p * mode_s * _pull - decay * mode_p, _strength_dot]),
    "Velocities of predictor and strength of one mode.",
    _TIAN,
)
TARGET_FLOW = ClosedForm(
    "TARGET_FLOW",
    (mode_p, tau, sigma_aug, decay, beta),
    beta * (1 - tau) - tau * (mode_p * _pull - decay),
    "Velocity of the target's size in units of the online weight, moving average, one mode.",
    _TIAN,
)
STRENGTH = ClosedForm(
    "STRENGTH",
    (mode_p, time, mode_p_start, mode_s_start, alpha_p, decay),
    mode_p**2 / alpha_p + sp.exp(-2 * decay * time) * (mode_s_start - mode_p_start**2 / alpha_p),
    "Strength of a mode from its predictor and its start, for every course of the target.",
    "tian2021directpred, with the sign of the constant corrected",
)
GOAL = ClosedForm(
    "GOAL",
    (tau, sigma_aug),
    tau / _views,
    "Best predictor of a mode, and its end without weight decay if the mode survives.",
    _TIAN,
)
_goal = tau / _views
_constant = mode_s_start - mode_p_start**2 / alpha_p
END_STRENGTH = ClosedForm(
    "END_STRENGTH",
    (mode_p_start, mode_s_start, tau, sigma_aug, alpha_p),
    sp.Piecewise(
        (0, (mode_p_start < 0) & (_constant <= 0)),
        (sp.Max(0, _constant + _goal**2 / alpha_p), True),
    ),
    "Strength of a mode at the end, without weight decay, for a positive target and strength.",
    _OWN,
)
_root = sp.sqrt(tau**2 - 4 * decay * _views)
P_PLUS, P_MINUS = (
    ClosedForm(
        name,
        (tau, sigma_aug, decay),
        (tau + sign * _root) / (2 * _views),
        f"The {which} fixed point of a predictor on the parabola, with weight decay.",
        _TIAN,
    )
    for name, sign, which in (("P_PLUS", 1, "upper"), ("P_MINUS", -1, "lower"))
)
CRITICAL_DECAY = ClosedForm(
    "CRITICAL_DECAY",
    (tau, sigma_aug),
    tau**2 / (4 * _views),
    "Weight decay above which every mode collapses.",
    _TIAN,
)
RATE_PLUS, RATE_MINUS = (
    ClosedForm(
        name,
        (tau, sigma_aug, decay),
        decay - _views * form.expr**2,
        f"Rate along the parabola near the {which} fixed point: negative is stable.",
        _OWN,
    )
    for name, form, which in (("RATE_PLUS", P_PLUS, "upper"), ("RATE_MINUS", P_MINUS, "lower"))
)
GROWTH = ClosedForm(
    "GROWTH",
    (mode_p, tau, sigma_aug, decay),
    mode_p * _pull - decay,
    "Growth rate of the square root of a mode's strength.",
    _TIAN,
)
ALIGNMENT_RATE = ClosedForm(
    "ALIGNMENT_RATE",
    (mode_p, mode_s, tau, sigma_aug, alpha_p, decay),
    _views * (alpha_p * mode_s / 2 + mode_p**2) - tau * mode_p + 3 * decay / 2,
    "Eigenvalue of K along a mode; the commutator of two modes falls at the sum of theirs.",
    _TIAN,
)
ALIGN_ALL, GROW_AT_ALL = (
    ClosedForm(
        name,
        (sigma_aug, decay),
        factor * sp.sqrt(decay * _views),
        statement,
        _OWN,
    )
    for name, factor, statement in (
        ("ALIGN_ALL", 3, "Target size below which every mode on the parabola aligns."),
        ("GROW_AT_ALL", 2, "Target size below which every mode collapses."),
    )
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        MODE_FLOW, TARGET_FLOW, STRENGTH, GOAL, END_STRENGTH, P_PLUS, P_MINUS, CRITICAL_DECAY,
        RATE_PLUS, RATE_MINUS, GROWTH, ALIGNMENT_RATE, ALIGN_ALL, GROW_AT_ALL,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
