r"""The simple contrastive loss: one line of meaning, one operator for every layer, its corrections.

Setting: outputs :math:`f = K_l^\top w_l` of a network of gates, images drawn independently, views
drawn independently given their image, :math:`L_{\rm simp} = E[r_+] - E[r_-]` with half squared
distances. Then

.. math::

    L_{\rm simp} = -\operatorname{tr}\mathrm{Cov}_x[\bar f], \qquad
    -\nabla_{w_l} L_{\rm simp} = \kappa\, V_x[\bar K_l]\, w_l ,

with :math:`\kappa` branches differentiated. The closed forms are the same statements along one
direction, with variance :math:`\lambda_V` between the image means of the connection and mean
variance :math:`\lambda_I` over views. Source: Tian, Yu, Chen and Ganguli (2020), as their abstract,
the author's article and a review describe it; the corrections and thresholds are derived here.
"""

from __future__ import annotations

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    beta_plus,
    images,
    kappa,
    lambda_I,
    lambda_V,
    trace_cov,
    views,
    w,
)

_PAPER = "tian2020understanding, as its abstract and the author's article describe it"
_OWN = "derived here"

LOSS = ClosedForm(
    "LOSS", (lambda_V, w), -lambda_V * w**2,
    "The simple contrastive loss of one weight: minus the variance of the mean outputs.", _OWN,
)  # fmt: skip
RATE = ClosedForm(
    "RATE", (kappa, lambda_V), kappa * lambda_V,
    "Growth rate of a weight under the simple contrastive loss.", _PAPER,
)  # fmt: skip
NORM_RATE = ClosedForm(
    "NORM_RATE", (kappa, trace_cov), 2 * kappa * trace_cov,
    "Rate of the squared norm of a layer: the same for every layer.", _OWN,
)  # fmt: skip
FINITE_LOSS = ClosedForm(
    "FINITE_LOSS", (images, views, lambda_V, lambda_I, w),
    (-images / (images - 1) * lambda_V + lambda_I / (views - 1)) * w**2,
    "The loss with negatives from other images only and positives from other views only.", _OWN,
)  # fmt: skip
FINITE_RATE = ClosedForm(
    "FINITE_RATE", (kappa, images, views, lambda_V, lambda_I),
    kappa * (images / (images - 1) * lambda_V - lambda_I / (views - 1)),
    "Growth rate with negatives from other images only and positives from other views only.", _OWN,
)  # fmt: skip
VIEWS_EDGE = ClosedForm(
    "VIEWS_EDGE", (images, lambda_V, lambda_I),
    1 + (images - 1) * lambda_I / (images * lambda_V),
    "Number of views above which a weight grows, positives being other views.", _OWN,
)  # fmt: skip
BETA_RATE = ClosedForm(
    "BETA_RATE", (kappa, beta_plus, lambda_V, lambda_I), kappa * (lambda_V - beta_plus * lambda_I),
    "Growth rate when positive pairs count 1 + beta times.", _PAPER,
)  # fmt: skip
BETA_EDGE = ClosedForm(
    "BETA_EDGE", (lambda_V, lambda_I), lambda_V / lambda_I,
    "A weight grows exactly for beta below this one.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        LOSS, RATE, NORM_RATE, FINITE_LOSS, FINITE_RATE, VIEWS_EDGE, BETA_RATE, BETA_EDGE,
    )
}  # fmt: skip
