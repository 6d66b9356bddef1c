r"""A target at the mean view: what gradient descent on it does, and what the measures can miss.

The objective is :math:`\mathbb E\lVert F(Tx) - F(\bar x)\rVert^2`: the output of a view against the
output at the mean view :math:`\bar x` of the same image, without a predictor. For a linear encoder
it decays mode by mode. For a bias-free ReLU network the squared length of every layer changes at
one and the same rate, which depends on whether the target is held fixed. Two encoders with exact
numbers (an edge between two kinks, a single kink) and the spread of outputs on a line are here for
the counter-examples.

Sources: Su (2020), the two questions at the end of the article. The answers are derived here.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    aug_size,
    h,
    h_aug,
    lambda_I,
    mean_square,
    overlap,
    side_share,
    slope_kept,
    slope_moved,
    time,
    view_square,
    w_start,
)

_SU = "su2020simsiam, first question at the end; answered here"
_OWN = "derived here"

MODE = ClosedForm(
    "MODE",
    (w_start, lambda_I, time),
    w_start * sp.exp(-2 * lambda_I * time),
    "Weight of a linear encoder along one mode after the time t, with or without stop-gradient.",
    _SU,
)
MODE_LOSS = ClosedForm(
    "MODE_LOSS",
    (w_start, lambda_I, time),
    lambda_I * w_start**2 * sp.exp(-4 * lambda_I * time),
    "Loss of a linear encoder along one mode after the time t.",
    _OWN,
)
LOSS = ClosedForm(
    "LOSS",
    (view_square, overlap, mean_square),
    view_square - 2 * overlap + mean_square,
    "Loss against the output at the mean view, by mean squared lengths and mean inner product.",
    _SU,
)
NORM_RATE = ClosedForm(
    "NORM_RATE",
    (view_square, overlap, mean_square),
    -4 * (view_square - 2 * overlap + mean_square),
    "Rate of the squared length of every layer of a bias-free ReLU network, target moving along.",
    _OWN,
)
NORM_RATE_STOP = ClosedForm(
    "NORM_RATE_STOP",
    (view_square, overlap),
    -4 * (view_square - overlap),
    "The same rate with the target held fixed.",
    _OWN,
)
EDGE_LOSS = ClosedForm(
    "EDGE_LOSS",
    (slope_moved, aug_size),
    slope_moved**2 * aug_size**2,
    "Loss of F = c_2 |x_2| - c_1 |x_1| at views (r, 1) and (-r, 1).",
    _OWN,
)
EDGE_RATE = ClosedForm(
    "EDGE_RATE",
    (slope_kept, slope_moved, aug_size),
    4 * slope_moved * aug_size * (slope_kept - slope_moved * aug_size),
    "Rate of the squared length of both layers of this network, target held fixed.",
    _OWN,
)
LINE_SPREAD = ClosedForm(
    "LINE_SPREAD",
    (side_share,),
    2 * sp.sqrt(side_share * (1 - side_share)),
    "Spread of outputs on a line through zero, a share of them on its one side.",
    _OWN,
)
KINK = ClosedForm(
    "KINK",
    (h, h_aug),
    (sp.Abs(h + h_aug) + sp.Abs(h - h_aug) - 2 * sp.Abs(h)) / 4,
    "Mean output of a ReLU over two views, less its output at the mean view.",
    _OWN,
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        MODE, MODE_LOSS, LOSS, NORM_RATE, NORM_RATE_STOP, EDGE_LOSS, EDGE_RATE, LINE_SPREAD, KINK,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
