r"""What division by the deviation alone does with the mean, and when a predictor saves it.

One feature over a batch has mean :math:`\mu` and deviation :math:`\sigma`; its *ratio* is
:math:`r_\mu=\mu/\sigma`. Division by the deviation leaves the ratio in the output, and a cosine
loss falls when it grows: outputs with a large common part agree. The first forms say what each of
the nine layers does to the ratio, for every batch; the others belong to a head of four numbers.

*Four numbers.* The head puts out :math:`y=x/\sigma(x)` with :math:`x=w_{\rm h}f+b_{\rm h}\mathbf
1`; every input f has the same length, is orthogonal to the all-ones vector, and has mean zero and
deviation one in each coordinate. The predictor multiplies the part of y along :math:`\mathbf 1` by
:math:`p_{\rm m}` and the rest by :math:`p_{\rm s}`. The mean cosine of two views' inputs is
:math:`\rho_{\rm v}`. The loss is minus the mean cosine of prediction and target, the target held
fixed.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    B,
    alpha,
    alpha_p,
    c_gx,
    decay,
    decay_bias,
    decay_row,
    g_mean,
    head_bias,
    head_bias0,
    head_row,
    head_row0,
    head_size,
    input_mean_square,
    mean_along,
    mean_gain,
    mean_gain0,
    mean_ratio,
    mean_ratio0,
    mean_ratio_predicted,
    mean_ratio_target,
    mu,
    rest_gain,
    rest_gain0,
    sigma,
    time,
    u_mean,
    view_agreement,
)

_HERE = "derived in book/no_negatives/ablation"

# --- the ratio under the nine layers ----------------------------------------------------------
_SLOPE = mu * c_gx / sigma**3
RATIO_RATES = ClosedForm(
    "RATIO_RATES",
    (mu, sigma, g_mean, c_gx),
    sp.ImmutableMatrix(
        [
            [0, _SLOPE / sigma, _SLOPE],
            [-g_mean / sigma**2, _SLOPE / sigma - g_mean / sigma**2, _SLOPE - g_mean / sigma],
            [
                -g_mean * (sigma**2 + mu**2) / sigma**4,
                _SLOPE / sigma - g_mean / sigma**2,
                _SLOPE - g_mean / sigma,
            ],
        ]
    ),
    "rate of mean over deviation when a feature moves against the gradient handed down; rows: mean "
    "attached, detached, omitted; columns: deviation attached, detached, omitted",
    _HERE,
)
MEAN_RATE = ClosedForm(
    "MEAN_RATE",
    (B, u_mean, input_mean_square, mean_along),
    -B * ((1 + input_mean_square) * u_mean + mean_along),
    "rate of the mean of a feature when its row and bias follow gradient flow",
    _HERE,
)
RATIO_AFTER_DECAY = ClosedForm(
    "RATIO_AFTER_DECAY",
    (mu, sigma, head_bias, alpha, decay_row, decay_bias),
    (mu + alpha * (decay_row - decay_bias) * head_bias / (1 - alpha * decay_row)) / sigma,
    "mean over deviation of a feature after one step of weight decay",
    _HERE,
)

# --- the head of four numbers -----------------------------------------------------------------
_LENGTHS = (1 + mean_ratio_predicted**2) * (1 + mean_ratio_target**2)
COSINE = ClosedForm(
    "COSINE",
    (mean_ratio_predicted, mean_ratio_target, view_agreement),
    (mean_ratio_predicted * mean_ratio_target + view_agreement) / sp.sqrt(_LENGTHS),
    "mean cosine of prediction and target, from the ratios of both",
    _HERE,
)
PUSH = ClosedForm(
    "PUSH",
    (mean_ratio_predicted, mean_ratio_target, view_agreement),
    (mean_ratio_target - view_agreement * mean_ratio_predicted)
    / (sp.sqrt(_LENGTHS) * (1 + mean_ratio_predicted**2)),
    "derivative of the cosine in the ratio of the prediction",
    _HERE,
)
SPREAD = ClosedForm(
    "SPREAD",
    (mean_ratio,),
    1 / sp.sqrt(1 + mean_ratio**2),
    "spread of outputs whose coordinates all have this ratio, off the mean all of one length",
    _HERE,
)
_PREDICTED = mean_gain * head_bias / (rest_gain * head_row)
_PUSHED = _PREDICTED * PUSH(_PREDICTED, mean_ratio_target, view_agreement)
FLOW = ClosedForm(
    "FLOW",
    (head_bias, head_row, mean_gain, rest_gain, mean_ratio_target, view_agreement, alpha_p),
    sp.ImmutableMatrix(
        [
            _PUSHED / head_bias,
            -_PUSHED / head_row,
            alpha_p * _PUSHED / mean_gain,
            -alpha_p * _PUSHED / rest_gain,
        ]
    ),
    "gradient flow of bias, row, and the predictor's gains of the mean and of the rest",
    _HERE,
)
GROWTH = ClosedForm(
    "GROWTH",
    (mean_ratio0, view_agreement, head_size, time),
    mean_ratio0 * sp.exp((1 - view_agreement) * time / head_size**2),
    "ratio at time t without a predictor, the online network as its own target",
    _HERE,
)
_STARTS = (head_bias0, head_row0, mean_gain0, rest_gain0, view_agreement, alpha_p)
_GAP = rest_gain0**2 - view_agreement**2 * mean_gain0**2
MOVED = ClosedForm(
    "MOVED",
    (mean_gain0, rest_gain0, view_agreement, alpha_p),
    _GAP / (alpha_p * (1 + view_agreement**2)),
    "what the squared row must lose, and the squared bias gain, before the push is zero",
    _HERE,
)
REST_RATIO = ClosedForm(
    "REST_RATIO",
    _STARTS,
    sp.sqrt((head_bias0**2 + MOVED.expr) / (head_row0**2 - MOVED.expr)),
    "ratio at which training rests, if the row is large enough",
    _HERE,
)
CRITICAL_SPEED = ClosedForm(
    "CRITICAL_SPEED",
    (head_row0, mean_gain0, rest_gain0, view_agreement),
    _GAP / ((1 + view_agreement**2) * head_row0**2),
    "rate of the predictor over that of the head, up to which the ratio grows without bound",
    _HERE,
)
CLOCK = ClosedForm(
    "CLOCK",
    (decay, time),
    (sp.exp(2 * decay * time) - 1) / (2 * decay),
    "time without decay that brings the ratios to where equal decay brings them at time t",
    _HERE,
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        RATIO_RATES,
        MEAN_RATE,
        RATIO_AFTER_DECAY,
        COSINE,
        PUSH,
        SPREAD,
        FLOW,
        GROWTH,
        MOVED,
        REST_RATIO,
        CRITICAL_SPEED,
        CLOCK,
    )
}
