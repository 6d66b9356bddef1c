r"""Eight methods as dynamics of the eigenmodes of one linear model.

A linear encoder :math:`W = \sum_j w_j\,a_j u_j^\top` with orthonormal output directions
:math:`a_j`; mean views of covariance :math:`X = \sum_j\lambda_{V,j}u_ju_j^\top` and mean covariance
of the views of an image :math:`X' = \sum_j\lambda_{I,j}u_ju_j^\top`: the two commute. A mode is one
:math:`j`; the forms below leave the index out. Its variance over all views is
:math:`w^2(\lambda_V+\lambda_I)`. What each method asks of the directions :math:`a_j`, and where the
law fails without it, stands in ``book/no_negatives/one_picture.ipynb``.

Velocities are minus the gradient, both branches differentiated where nothing is stopped. The
end of a mode with a trained predictor is :data:`ssl_dynamics.theory.directpred.END_STRENGTH`, its
best predictor :data:`ssl_dynamics.theory.predictor.THRESHOLD`.

Sources of the losses: Chen and others (2020) for InfoNCE, here of half squared distances; Tian and
others (2020) for the simple contrastive loss; Bardes and others (2022); Zbontar and others (2021);
Grill and others (2020); Chen and He (2021); Tian and others (2021). The laws are derived here.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha_p,
    axis_match,
    axis_variance,
    beta,
    boost,
    floor,
    inv_weight,
    lambda_I,
    lambda_V,
    negatives,
    output_width,
    p,
    temperature,
    time,
    var_weight,
    w,
    w_start,
    w_target,
)

_OWN = "derived here"
_total = lambda_V + lambda_I

SIMPLE_FLOW = ClosedForm(
    "SIMPLE_FLOW", (w, lambda_V), 2 * lambda_V * w,
    "Velocity of a mode under the simple contrastive loss.", _OWN,
)  # fmt: skip
SIMPLE_COURSE = ClosedForm(
    "SIMPLE_COURSE", (time, w_start, lambda_V), w_start * sp.exp(2 * lambda_V * time),
    "Weight of a mode under the simple contrastive loss.", _OWN,
)  # fmt: skip

_share = negatives / (negatives + 1)
SMALL_FLOW = ClosedForm(
    "SMALL_FLOW", (w, lambda_V, temperature, negatives), 2 * _share * lambda_V * w / temperature,
    "Velocity of a mode under InfoNCE in the limit of small weights.", _OWN,
)  # fmt: skip
SMALL_COURSE = ClosedForm(
    "SMALL_COURSE", (time, w_start, lambda_V, temperature, negatives),
    w_start * sp.exp(2 * _share * lambda_V * time / temperature),
    "Weight of a mode under InfoNCE while all weights are small.", _OWN,
)  # fmt: skip

_cool = temperature / (temperature + w**2 * _total)
SIMCLR_FLOW = ClosedForm(
    "SIMCLR_FLOW", (w, lambda_V, lambda_I, temperature),
    w * (_total * (_cool + _cool**2) - 2 * lambda_I) / temperature,
    "Velocity of a mode under InfoNCE of Gaussian views with endlessly many negatives.", _OWN,
)  # fmt: skip
_cool_end = (sp.sqrt(1 + 8 * lambda_I / _total) - 1) / 2
SIMCLR_END = ClosedForm(
    "SIMCLR_END", (lambda_V, lambda_I, temperature),
    temperature * (1 / _cool_end - 1) / _total,
    "Strength (squared weight) at which a mode rests under that loss; needs noisy views.", _OWN,
)  # fmt: skip
SIMCLR_RATE = ClosedForm(
    "SIMCLR_RATE", (lambda_V, lambda_I, temperature),
    -2 * _total / temperature * (1 - _cool_end) * _cool_end * (1 + 2 * _cool_end),
    "Rate near that strength: negative is stable.", _OWN,
)  # fmt: skip

_deviation = sp.sqrt(w**2 * _total + floor)
_pull = -4 * inv_weight * lambda_I * w
VICREG_FLOW = ClosedForm(
    "VICREG_FLOW", (w, lambda_V, lambda_I, inv_weight, var_weight, floor, output_width),
    (_pull + var_weight * _total * w / _deviation) / output_width,
    "Velocity of a mode that has an output axis of its own under VICReg, while its deviation is "
    "below 1: inside the hinge.", _OWN,
)  # fmt: skip
_balance = var_weight * _total / (4 * inv_weight * lambda_I)
VICREG_COURSE = ClosedForm(
    "VICREG_COURSE",
    (time, w_start, lambda_V, lambda_I, inv_weight, var_weight, output_width),
    sp.Min(
        1 / sp.sqrt(_total),
        _balance / sp.sqrt(_total)
        + (w_start - _balance / sp.sqrt(_total))
        * sp.exp(-4 * inv_weight * lambda_I * time / output_width),
    ),
    "Its weight, nothing added to the variance, from a positive start inside the hinge.", _OWN,
)  # fmt: skip
VICREG_END = ClosedForm(
    "VICREG_END", (lambda_V, lambda_I, inv_weight, var_weight, floor),
    (sp.Min(1, _balance) ** 2 - floor) / _total,
    "Its strength at rest, if positive; else it dies. Needs noisy views.", _OWN,
)  # fmt: skip

BARLOW_FLOW = ClosedForm(
    "BARLOW_FLOW", (w, lambda_V, lambda_I, axis_match, axis_variance),
    4 * (1 - axis_match) * (lambda_V - axis_match * _total) * w / axis_variance,
    "Velocity of the weight of a mode on one output axis under Barlow Twins.", _OWN,
)  # fmt: skip

BYOL_FLOW = ClosedForm(
    "BYOL_FLOW", (p, w, w_target, lambda_V, lambda_I, alpha_p, beta),
    sp.ImmutableMatrix([
        alpha_p * w * (lambda_V * w_target - _total * p * w),
        p * (lambda_V * w_target - _total * p * w),
        beta * (w - w_target),
    ]),
    "Velocities of predictor, weight and target of a mode under BYOL.", _OWN,
)  # fmt: skip
SIMSIAM_FLOW = ClosedForm(
    "SIMSIAM_FLOW", (p, w, lambda_V, lambda_I, alpha_p),
    sp.ImmutableMatrix([
        alpha_p * w**2 * (lambda_V - _total * p),
        p * w * (lambda_V - _total * p),
    ]),
    "Velocities of predictor and weight of a mode under SimSiam.", _OWN,
)  # fmt: skip
DIRECTPRED_FLOW = ClosedForm(
    "DIRECTPRED_FLOW", (w, lambda_V, lambda_I, boost),
    (w + boost) * w * (lambda_V - _total * (w + boost)),
    "Velocity of a mode of positive weight when its predictor is set to weight plus a constant: "
    "DirectPred with the correlation of the weights in place of that of the outputs.",
    _OWN,
)  # fmt: skip
DIRECTPRED_END = ClosedForm(
    "DIRECTPRED_END", (lambda_V, lambda_I, boost),
    (lambda_V / _total - boost) ** 2,
    "Strength of that mode at the end, if the constant is below its best predictor; else it dies.",
    _OWN,
)  # fmt: skip
RIDGE_TIME = ClosedForm(
    "RIDGE_TIME", (w, w_start, lambda_V, lambda_I),
    (1 / w_start - 1 / w) / lambda_V
    + _total / lambda_V**2
    * sp.log(w * (lambda_V - _total * w_start) / (w_start * (lambda_V - _total * w))),
    "Time in which weight and predictor, equal from the start, go from one value to another "
    "below the best predictor.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        SIMPLE_FLOW, SIMPLE_COURSE, SMALL_FLOW, SMALL_COURSE, SIMCLR_FLOW, SIMCLR_END, SIMCLR_RATE,
        VICREG_FLOW, VICREG_COURSE, VICREG_END, BARLOW_FLOW, BYOL_FLOW, SIMSIAM_FLOW,
        DIRECTPRED_FLOW, DIRECTPRED_END, RIDGE_TIME,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
