r"""Alternating minimisation: targets that are exact, sampled, held or averaged; best predictors.

An image has views with second moments: along one direction :math:`\lambda_V` of the mean view over
images, :math:`\lambda_I` within images, together :math:`S=\lambda_V+\lambda_I`. A linear encoder
has the weight :math:`w` along it, the target the weight :math:`w'`, the predictor is the number
:math:`p`, and the loss is half the mean squared distance,

.. math::

    \tfrac12\,\mathbb E\,(p\,w\,x_1 - w'x_2)^2 ,

with two independent views of one image. Targets *held* for :math:`K` steps keep :math:`w'` at the
weight of the last refresh. The *best* predictor is the one of smallest loss; it is
:data:`~ssl_dynamics.theory.predictor.THRESHOLD` times :math:`w'/w`.

Sources: Chen and He (2021), section 5, state the hypothesis that SimSiam alternates between
weights and targets; Su (2020) objects that the reduced loss has the trivial solution too; Grill et
al. (2020) argue with the conditional variance that is left by the best predictor. The rounds with
held targets, the conserved inner products, the turning of the weights and the effect of a late
predictor are derived here.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha,
    decay,
    held_steps,
    held_time,
    lambda_I,
    lambda_V,
    mode_share,
    output_moment,
    p,
    p_best,
    p_best_1,
    p_best_2,
    p_old,
    time,
    total_1,
    total_2,
    views,
    w_target,
)

_BYOL = "grill2020byol, for the argument; this case derived here"
_OWN = "derived here"

_total = lambda_V + lambda_I
_end = lambda_V / (p * _total)
_best = lambda_V / _total

OTHER_VIEW = ClosedForm(
    "OTHER_VIEW", (views,), views / (views - 1),
    "Mean gradient with another one of M views as the target, over that with the mean output.",
    _OWN,
)  # fmt: skip
ROUND = ClosedForm(
    "ROUND", (alpha, p, lambda_V, lambda_I, held_steps),
    _end + (1 - _end) * (1 - alpha * p**2 * _total) ** held_steps,
    "What a round of K steps with a held target makes of a weight, predictor p.", _OWN,
)  # fmt: skip
ROUND_END = ClosedForm(
    "ROUND_END", (p, lambda_V, lambda_I), _end,
    "The same when the weight is fitted to the held target to the end.", _OWN,
)  # fmt: skip
HELD_RATE = ClosedForm(
    "HELD_RATE", (lambda_V, lambda_I, held_time),
    -sp.log(_best + (1 - _best) * sp.exp(-_total * held_time)) / held_time,
    "Decay per unit time of a mode, small steps, no predictor, targets held for a time T.", _OWN,
)  # fmt: skip
CONDITIONAL = ClosedForm(
    "CONDITIONAL", (lambda_V, lambda_I, w_target),
    w_target**2 * (_total - lambda_V**2 / _total) / 2,
    "Loss that the best linear predictor leaves along one mode: the online weight is not in it.",
    _BYOL,
)  # fmt: skip
FOLLOWED = ClosedForm(
    "FOLLOWED", (lambda_V, lambda_I), lambda_I * (lambda_I + 2 * lambda_V) / _total,
    "Decay of a mode under the best predictor when the target follows the gradient.", _OWN,
)  # fmt: skip
FOLLOWED_STEP = ClosedForm(
    "FOLLOWED_STEP", (alpha, p, lambda_V, lambda_I),
    1 - alpha * (p**2 * _total - 2 * p * lambda_V + _total),
    "What a step makes of a weight without stop-gradient, predictor p.", _OWN,
)  # fmt: skip

_sum = mode_share * total_1 + (1 - mode_share) * total_2
_mixed = (mode_share * p_best_1 * total_1 + (1 - mode_share) * p_best_2 * total_2) / _sum
_TWO = (mode_share, p_best_1, p_best_2, total_1, total_2)
MIXED = ClosedForm(
    "MIXED", _TWO, _mixed, "Best predictor of one output that mixes two modes.", _OWN
)
TURN = ClosedForm(
    "TURN", _TWO,
    2 * _mixed * mode_share * (1 - mode_share) * total_1 * total_2 * (p_best_1 - p_best_2) / _sum,
    "Speed of the first mode's share under the best predictor with stop-gradient.", _OWN,
)  # fmt: skip
LATE = ClosedForm(
    "LATE", (p_old, p_best, output_moment), 2 * p_old * (p_best - p_old) * output_moment,
    "Speed of the squared length of one output's weights under a predictor that is late.", _OWN,
)  # fmt: skip
GRAM = ClosedForm(
    "GRAM", (decay, time), sp.exp(-2 * decay * time),
    "What weight decay leaves of the inner products of the weights, best predictor plugged in.",
    _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        OTHER_VIEW, ROUND, ROUND_END, HELD_RATE, CONDITIONAL, FOLLOWED, FOLLOWED_STEP, MIXED,
        TURN, LATE, GRAM,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
