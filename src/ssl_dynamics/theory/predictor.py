r"""The linear predictor: three terms of the BYOL update, growth of one mode, what centring adds.

Setting: online output :math:`f = K^\top w`, linear predictor :math:`W_p`, target output
:math:`f' = K'^\top w'` behind a stop-gradient, loss
:math:`\tfrac12\lVert W_p f(x_1) - f'(x_2)\rVert^2` averaged over images and independent views, and
outputs centred over the whole population. Then

.. math::

    \Delta w = - E_x V[K W_p^\top]\, w \;-\; V_x[\bar K W_p^\top]\, w
               \;+\; \mathrm{Cov}_x[\bar K W_p^\top, \bar K']\, w' .

The closed forms below are the same statement along one direction, with predictor :math:`W_p = pI`;
:func:`connection` and :func:`three_terms` evaluate the general one on an enumerated population.

Sources: the author's post on an early version of Tian, Yu, Chen and Ganguli (2020) tells the three
terms, the size of the predictor and invariance alone in words; Tian, Chen and Ganguli (2021) have
the optimal predictor. Conditions, rates and thresholds are derived in the chapter.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.dual_networks import connection
from ssl_dynamics.theory.notation import (
    B,
    g_mean,
    lambda_I,
    lambda_V,
    m,
    m_target,
    p,
    tau,
    time,
    w,
    w_target,
)

_POST = "tian2020post, on an early version of tian2020understanding"
_NEXT = "tian2021directpred, optimal linear predictor"
_OWN = "derived here"

INVARIANCE = ClosedForm(
    "INVARIANCE", (p, lambda_I), p**2 * lambda_I,
    "Pull towards zero, per unit of weight, from the variance over the views of one image.", _POST,
)  # fmt: skip
NEGATIVE = ClosedForm(
    "NEGATIVE", (p, lambda_V), p**2 * lambda_V,
    "Pull towards zero, per unit of weight, from the variance between images: quadratic in p.",
    _POST,
)  # fmt: skip
POSITIVE = ClosedForm(
    "POSITIVE", (p, lambda_V), p * lambda_V,
    "Push, per unit of target weight, from the variance between images: linear in p.", _POST,
)  # fmt: skip
UPDATE = ClosedForm(
    "UPDATE",
    (p, lambda_V, lambda_I, w, w_target),
    -(p**2) * lambda_I * w - p**2 * lambda_V * w + p * lambda_V * w_target,
    "Minus the gradient of the centred BYOL loss along one direction, shared by both towers.",
    _POST,
)
CORRECTION = ClosedForm(
    "CORRECTION",
    (p, m, m_target, w, w_target),
    p**2 * m**2 * w - p * m * m_target * w_target,
    "What centring both outputs adds to the update: centred minus uncentred.",
    _OWN,
)
GAP = ClosedForm(
    "GAP", (m, g_mean), m * g_mean,
    "Update with the mean attached minus update with the mean detached, for the mean gradient "
    "that arrives at the centred output.", _OWN,
)  # fmt: skip
GROWTH = ClosedForm(
    "GROWTH", (p, lambda_V, lambda_I), p * lambda_V - p**2 * (lambda_V + lambda_I),
    "Growth rate of one mode when the target equals the online network.", _OWN,
)  # fmt: skip
THRESHOLD = ClosedForm(
    "THRESHOLD", (lambda_V, lambda_I), lambda_V / (lambda_V + lambda_I),
    "A mode grows exactly for predictor scales between zero and this one.", _OWN,
)  # fmt: skip
TARGET_THRESHOLD = ClosedForm(
    "TARGET_THRESHOLD", (lambda_V, lambda_I, tau), tau * lambda_V / (lambda_V + lambda_I),
    "The same at an instant when the target weight is tau times the online one; it is also the "
    "optimal linear predictor of the mode.", _NEXT,
)  # fmt: skip
BEST_SCALE = ClosedForm(
    "BEST_SCALE", (lambda_V, lambda_I), lambda_V / (2 * (lambda_V + lambda_I)),
    "The predictor scale of fastest growth: half the threshold.", _OWN,
)  # fmt: skip
BEST_RATE = ClosedForm(
    "BEST_RATE", (lambda_V, lambda_I), lambda_V**2 / (4 * (lambda_V + lambda_I)),
    "The fastest growth of one mode.", _OWN,
)  # fmt: skip
MEAN_THRESHOLD = ClosedForm(
    "MEAN_THRESHOLD", (m, lambda_V, lambda_I), (lambda_V + m**2) / (lambda_V + m**2 + lambda_I),
    "The threshold without centring, along a direction in which the data have mean m.", _OWN,
)  # fmt: skip
BATCH_GROWTH = ClosedForm(
    "BATCH_GROWTH", (p, lambda_V, lambda_I, B),
    (1 - 1 / B) * (p * lambda_V - p**2 * (lambda_V + lambda_I)),
    "Expected growth rate when every tower is centred with the mean of a batch of B images, drawn "
    "independently, each with one view per tower.", _OWN,
)  # fmt: skip
SURVIVAL = ClosedForm(
    "SURVIVAL", (p, lambda_I, time), sp.exp(-(p**2) * lambda_I * time),
    "Share of a mode that is left after time t under the invariance term alone.", _OWN,
)  # fmt: skip

__all__ = ["FORMS", "between_within", "connection", "three_terms"]

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        INVARIANCE, NEGATIVE, POSITIVE, UPDATE, CORRECTION, GAP, GROWTH, THRESHOLD,
        TARGET_THRESHOLD, BEST_SCALE, BEST_RATE, MEAN_THRESHOLD, BATCH_GROWTH, SURVIVAL,
    )
}  # fmt: skip


def three_terms(
    K: np.ndarray, K_target: np.ndarray, W_p: np.ndarray, w: np.ndarray, w_target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Invariance, negative and positive term on a population of N images with M views each.

    `K` is ``[N, M, len(w), d]``, `K_target` ``[N, M, len(w_target), d']``, `W_p` ``[d', d]``.
    The centred update is ``- invariance - negative + positive``, each ``[len(w)]``.
    """
    f = np.einsum("iapn,p->ian", K, w)
    K_bar, f_bar = K.mean(1), f.mean(1)
    target_bar = np.einsum("iapn,p->ian", K_target, w_target).mean(1)
    between, quadratic = K_bar - K_bar.mean(0), W_p.T @ W_p
    within = np.einsum("iapn,nk,iak->iap", K - K_bar[:, None], quadratic, f - f_bar[:, None])
    negative = np.einsum("ipn,nk,ik->ip", between, quadratic, f_bar - f_bar.mean(0))
    positive = np.einsum("ipn,kn,ik->ip", between, W_p, target_bar - target_bar.mean(0))
    return within.mean((0, 1)), negative.mean(0), positive.mean(0)


def between_within(views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the image means and mean covariance over views, from ``[N, M, d]``."""
    bar = views.mean(1)
    between, within = bar - bar.mean(0), views - bar[:, None]
    X = between.T @ between / len(bar)
    X_prime = np.einsum("iad,iae->de", within, within) / (views.shape[0] * views.shape[1])
    return X, X_prime
