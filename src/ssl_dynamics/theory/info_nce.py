r"""InfoNCE and the soft triplet loss: pair weights, what they add to a covariance, and its limits.

One anchor, one positive, one negative; half squared distances :math:`r_+`, :math:`r_-`; gap
:math:`y = r_- - r_+`. A loss with :math:`-\partial L/\partial r_- = \partial L/\partial r_+ = \xi`
makes every layer of a bias-free network of gates grow as
:math:`d\lVert W_l\rVert^2/dt = 4\,E[\xi\,y]`, both branches differentiated. For InfoNCE
:math:`\xi y = h(y/\tau_c)` with :math:`h(v) = v/(1+e^v)`; the part of the operator that is a
covariance has :math:`h(\bar r/\tau_c)` in its place, with :math:`\bar r` the half squared distance
of the two image means. The rest is the residual.

The forms with :math:`\lambda_V, \lambda_I` are for one weight on two images of two views,
:math:`\pm\sqrt{\lambda_V}\pm\sqrt{\lambda_I}`: variance between images and over views. Source:
Tian, Yu, Chen and Ganguli (2020) state the operator with a residual for these losses, as a review
says; weights, signs, orders and thresholds are derived here.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    lambda_I,
    lambda_V,
    margin,
    mean_distance,
    temperature,
    triple_gap,
    w,
)

_OWN = "derived here"
_MODEL = (lambda_V, lambda_I, w, temperature)


def _weight(gap: sp.Expr) -> sp.Expr:
    return 1 / (temperature * (1 + sp.exp(gap / temperature)))


NCE_WEIGHT = ClosedForm(
    "NCE_WEIGHT", (triple_gap, temperature), _weight(triple_gap),
    "Weight of a triple under InfoNCE with one negative.", _OWN,
)  # fmt: skip
TRIPLET_WEIGHT = ClosedForm(
    "TRIPLET_WEIGHT", (triple_gap, margin, temperature),
    1 / (1 + sp.exp((triple_gap - margin) / temperature)),
    "Weight of a triple under the soft triplet loss.", _OWN,
)  # fmt: skip
IMAGE_WEIGHT = ClosedForm(
    "IMAGE_WEIGHT", (mean_distance, temperature), _weight(mean_distance),
    "Weight of a pair of images: that of InfoNCE at the mean outputs of both.", _OWN,
)  # fmt: skip
PUSH = ClosedForm(
    "PUSH", (triple_gap, temperature), triple_gap * _weight(triple_gap),
    "What one triple adds to the growth of a squared norm, over 4.", _OWN,
)  # fmt: skip
SHORTFALL = ClosedForm(
    "SHORTFALL", (triple_gap, temperature),
    triple_gap / (2 * temperature) * sp.tanh(triple_gap / (2 * temperature)),
    "By how much a triple adds less than under the simple loss over twice the temperature.", _OWN,
)  # fmt: skip

# one weight, two images of two views: squared gaps of the inputs
_same = sp.Integer(0), 4 * lambda_I
_between = 4 * lambda_V + 4 * lambda_I
_cross = 8 * sp.sqrt(lambda_V) * sp.sqrt(lambda_I)
_others = (4 * lambda_V, 4 * lambda_V, _between + _cross, _between - _cross)


def _mean(far: tuple[sp.Expr, ...]) -> sp.Expr:
    """Mean of weight times gap over equally likely far and near squared gaps."""
    terms = [_weight(w**2 * (d - e) / 2) * (d - e) for d in far for e in _same]
    return sum(terms, sp.S.Zero) / len(terms)


NO_SIGNAL = ClosedForm(
    "NO_SIGNAL", (lambda_I, w, temperature),
    -lambda_I / temperature * sp.tanh(w**2 * lambda_I / temperature),
    "Growth rate of the weight when both images are the same: never positive.", _OWN,
)  # fmt: skip
OTHER_IMAGE = ClosedForm(
    "OTHER_IMAGE", _MODEL, _mean(_others),
    "Growth rate of the weight when the negative is always a view of the other image.", _OWN,
)  # fmt: skip
OPERATOR = ClosedForm(
    "OPERATOR", _MODEL, (NO_SIGNAL.expr + OTHER_IMAGE.expr) / 2,
    "Growth rate of the weight under InfoNCE with one negative: the full operator.", _OWN,
)  # fmt: skip
PSD_PART = ClosedForm(
    "PSD_PART", (lambda_V, w, temperature),
    2 * lambda_V / (temperature * (1 + sp.exp(2 * lambda_V * w**2 / temperature))),
    "The part of that operator which is a covariance, with weights of image pairs.", _OWN,
)  # fmt: skip

_v = 2 * lambda_V * w**2 / temperature
QUIET_VIEWS = ClosedForm(
    "QUIET_VIEWS", (lambda_V, w, temperature),
    -2 * _v * ((2 - _v) * sp.exp(2 * _v) + (2 + _v) * sp.exp(_v))
    / (temperature * (1 + sp.exp(_v)) ** 3),
    "Residual over the variance of the views, as this variance goes to zero.", _OWN,
)  # fmt: skip
WARM = ClosedForm(
    "WARM", (lambda_V, lambda_I, w), -(w**2) * lambda_I * (2 * lambda_V + lambda_I),
    "Residual times the squared temperature, as the temperature goes to infinity.", _OWN,
)  # fmt: skip
OUT_OF_ORDER = ClosedForm(
    "OUT_OF_ORDER", (lambda_V,), lambda_V / 4,
    "Variance of the views above which a view of the other image can be nearer than the own one.",
    _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        NCE_WEIGHT, TRIPLET_WEIGHT, IMAGE_WEIGHT, PUSH, SHORTFALL, NO_SIGNAL, OTHER_IMAGE,
        OPERATOR, PSD_PART, QUIET_VIEWS, WARM, OUT_OF_ORDER,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
