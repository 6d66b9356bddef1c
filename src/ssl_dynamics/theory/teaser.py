r"""The smallest case: one weight, one predictor number, two views of an image.

An image is a number :math:`x` with variance 1. A view adds augmentation noise of standard deviation
:math:`\sigma_{\rm aug}`. The encoder multiplies by :math:`w`, the predictor by :math:`p`, and the
loss of a pair is :math:`\tfrac12(p\,w\,x_1 - w\,x_2)^2` with the second output held fixed. This is
the growth of one mode (``theory/predictor.py``) with :math:`\lambda_V = 1` and
:math:`\lambda_I = \sigma_{\rm aug}^2`; it opens the book on its first page.

Sources: Tian, Yu, Chen and Ganguli (2020), author's post, for the positive and the negative term.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import p, sigma_aug, time, w, w_start, x_1, x_2

_POST = "tian2020understanding; author's post on its first version"
_OWN = "derived on the first page"
_RATE = p - p**2 * (1 + sigma_aug**2)

PAIR_GRADIENT = ClosedForm(
    "PAIR_GRADIENT",
    (w, p, x_1, x_2),
    p * x_1 * (p * w * x_1 - w * x_2),
    "Derivative of the loss of one pair of views, the output of the second view held fixed.",
    _OWN,
)
RATE = ClosedForm(
    "RATE",
    (p, sigma_aug),
    _RATE,
    "Growth rate of the weight under the mean gradient.",
    _POST,
)
THRESHOLD = ClosedForm(
    "THRESHOLD",
    (sigma_aug,),
    1 / (1 + sigma_aug**2),
    "The weight grows exactly for predictors between zero and this number.",
    _POST,
)
WEIGHT = ClosedForm(
    "WEIGHT",
    (time, w_start, p, sigma_aug),
    w_start * sp.exp(_RATE * time),
    "The weight at time t under the mean gradient flow.",
    _OWN,
)

FORMS: dict[str, ClosedForm] = {
    form.name: form for form in (PAIR_GRADIENT, RATE, THRESHOLD, WEIGHT)
}
"""Every closed form of this topic by name."""
