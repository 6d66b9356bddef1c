r"""The two terms of VICReg: their gradients, the edge of collapse, and their balance.

The loss is :math:`\mu_{\rm s}\mathcal S+\mu_{\rm v}\mathcal V+\mu_{\rm c}\mathcal C` with the
averages of :func:`ssl_dynamics.losses.vicreg_terms`: invariance :math:`\mathcal S`, the hinge
:math:`\mathcal V` of the deviations and the squared covariances :math:`\mathcal C`; the last two,
with their weights, are the regulariser. Velocities are minus the gradient. ``q_n`` is the share of
noise of a perturbation: its mean variance within an image over its whole variance.

Sources: Bardes and others (2022) for the loss, with the averages of the released code; the laws are
derived here. The laws of single modes are in :mod:`ssl_dynamics.theory.one_picture`.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    B,
    active_deviation,
    batch_count,
    cov_weight,
    covariance_term,
    feature_variance,
    floor,
    inv_weight,
    invariance_term,
    noise_share,
    output_centred,
    output_deviation,
    output_deviation_start,
    output_width,
    var_weight,
)

_OWN = "derived here"
_root = sp.sqrt(floor)

HINGE_SLOPE = ClosedForm(
    "HINGE_SLOPE", (output_centred, output_deviation, floor, output_width, batch_count),
    -output_centred / (2 * output_width * batch_count * sp.sqrt(output_deviation**2 + floor)),
    "Slope of the hinge term by one output, below the hinge: minus the centred output over the "
    "deviation, up to the averages.", _OWN,
)  # fmt: skip

_push = var_weight / (2 * output_width * batch_count * _root)
FREE_CURVATURE = ClosedForm(
    "FREE_CURVATURE", (inv_weight, var_weight, floor, output_width, B, batch_count),
    sp.ImmutableMatrix([-_push, 4 * inv_weight / (B * output_width) - _push]),
    "Curvature of the loss at collapse when centred outputs of the two views move together, and "
    "when they move oppositely.", _OWN,
)  # fmt: skip

_net = var_weight / _root - 4 * inv_weight * noise_share
COLLAPSE_RATE = ClosedForm(
    "COLLAPSE_RATE",
    (feature_variance, noise_share, inv_weight, var_weight, floor, output_width),
    feature_variance * _net / output_width,
    "Rate at which a small weight on a feature grows out of collapse.", _OWN,
)  # fmt: skip
CRITICAL_SHARE = ClosedForm(
    "CRITICAL_SHARE", (inv_weight, var_weight, floor), var_weight / (4 * inv_weight * _root),
    "Share of noise above which the loss rises along a perturbation of collapse.", _OWN,
)  # fmt: skip
CRITICAL_WEIGHT = ClosedForm(
    "CRITICAL_WEIGHT", (noise_share, inv_weight, floor), 4 * inv_weight * noise_share * _root,
    "Weight of the variance term at which a perturbation neither grows nor shrinks.", _OWN,
)  # fmt: skip

_now = sp.sqrt(output_deviation**2 + floor)
_then = sp.sqrt(output_deviation_start**2 + floor)
_ratio = 4 * inv_weight * noise_share / var_weight
DEVIATION_FLOW = ClosedForm(
    "DEVIATION_FLOW",
    (output_deviation, feature_variance, noise_share, inv_weight, var_weight, floor, output_width),
    feature_variance * output_deviation
    * (var_weight / _now - 4 * inv_weight * noise_share) / output_width,
    "Velocity of the deviation of an output that reads one feature, below the hinge.", _OWN,
)  # fmt: skip
ESCAPE_TIME = ClosedForm(
    "ESCAPE_TIME",
    (output_deviation, output_deviation_start, feature_variance, noise_share, inv_weight,
     var_weight, floor, output_width),
    output_width / (feature_variance * var_weight)
    * (
        _root / (2 * (1 - _ratio * _root)) * sp.log((_now - _root) / (_then - _root))
        - _root / (2 * (1 + _ratio * _root)) * sp.log((_now + _root) / (_then + _root))
        - sp.log((1 - _ratio * _now) / (1 - _ratio * _then))
        / (_ratio * (1 - _ratio**2 * floor))
    ),
    "Time in which that deviation goes from one value to another on the same side of its rest, "
    "below the hinge; for some noise.", _OWN,
)  # fmt: skip

SCALE_FLOW = ClosedForm(
    "SCALE_FLOW",
    (invariance_term, covariance_term, active_deviation, inv_weight, var_weight, cov_weight),
    var_weight * active_deviation - 2 * inv_weight * invariance_term
    - 4 * cov_weight * covariance_term,
    "Velocity of half the squared length of the weights of a linear last layer, "
    "while no hinge is exactly at its end.", _OWN,
)  # fmt: skip
BALANCED_INVARIANCE = ClosedForm(
    "BALANCED_INVARIANCE", (covariance_term, active_deviation, inv_weight, var_weight, cov_weight),
    (var_weight * active_deviation - 4 * cov_weight * covariance_term) / (2 * inv_weight),
    "The invariance term wherever the length of the last layer rests, no hinge being exactly at "
    "its end.", _OWN,
)  # fmt: skip
BALANCED_LOSS = ClosedForm(
    "BALANCED_LOSS", (invariance_term, covariance_term, inv_weight, var_weight, cov_weight),
    var_weight - inv_weight * invariance_term - 3 * cov_weight * covariance_term,
    "The loss there, while every deviation is below 1 and nothing is added to the variances.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        HINGE_SLOPE, FREE_CURVATURE, COLLAPSE_RATE, CRITICAL_SHARE, CRITICAL_WEIGHT,
        DEVIATION_FLOW, ESCAPE_TIME, SCALE_FLOW, BALANCED_INVARIANCE, BALANCED_LOSS,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
