r"""What becomes of the student nodes that the teacher does not need.

Two layers, :math:`f_L = V^\top f` with features :math:`f_j = \sigma(w_j^\top x)`. With the features
held fixed and m of them equal to the teacher's,

.. math:: \dot V = -G\,(V-V^*),\qquad G=\mathbb E[ff^\top],\quad V^*=(V^\circ,0) .

The closed forms are this flow for one matched and one irrelevant node, how slow it is for two ReLU
nodes at a given angle, what a copy keeps, what a node keeps when its own weights move too, and how
many flat directions the nodes of one teacher direction leave. Source: the author's article on Tian,
Jiang, Gong and Morcos (2019) makes the claim; the body of the paper was not read, and everything is
derived in the chapter.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.gradient import GATED_ALONG
from ssl_dynamics.theory.notation import (
    angle,
    fan_in_start,
    fan_out_other,
    fan_out_rank,
    fan_out_start,
    gap_matched,
    inputs,
    output_width,
    product_mixed,
    sharers,
    size_ratio,
    square_matched,
    square_other,
    time,
)

_OWN = "derived here"

_half = sp.Rational(1, 2)
_middle = (square_matched + square_other) / 2
_lean = (square_matched - square_other) / 2
_apart = sp.sqrt(_lean**2 + product_mixed**2)
_slow, _fast = (sp.exp(-(_middle + sign * _apart) * time) for sign in (-1, 1))

FAN_OUT = ClosedForm(
    "FAN_OUT",
    (time, square_matched, product_mixed, square_other, gap_matched, fan_out_other),
    fan_out_other * ((_slow + _fast) / 2 + _lean / _apart * (_slow - _fast) / 2)
    - gap_matched * product_mixed / _apart * (_slow - _fast) / 2,
    "Fan-out of the irrelevant node of a pair at time t, with fixed features; not for equal sizes "
    "without overlap.", _OWN,
)  # fmt: skip
SLOW_RATE = ClosedForm(
    "SLOW_RATE", (square_matched, product_mixed, square_other), _middle - _apart,
    "Rate of the slower of the two modes of that pair.", _OWN,
)  # fmt: skip
UNIT_FAN_OUT = ClosedForm(
    "UNIT_FAN_OUT", (time, product_mixed, gap_matched, fan_out_other),
    sp.exp(-(_half - product_mixed) * time) * (fan_out_other - gap_matched) / 2
    + sp.exp(-(_half + product_mixed) * time) * (fan_out_other + gap_matched) / 2,
    "Fan-out of the irrelevant node of a pair of ReLU nodes with weights of length 1, standard "
    "normal inputs.", _OWN,
)  # fmt: skip
ANGLE_RATE = ClosedForm(
    "ANGLE_RATE", (angle,), _half - GATED_ALONG.expr,
    "Rate of the slower mode of two such nodes at an angle.", _OWN,
)  # fmt: skip
BORROWED = ClosedForm(
    "BORROWED", (product_mixed,),
    product_mixed / (_half + product_mixed)
    * ((_half - product_mixed) / (_half + product_mixed))
    ** ((_half - product_mixed) / (2 * product_mixed)),
    "Largest fan-out of the irrelevant node of such a pair when both start from zero, as a share "
    "of the teacher's.", _OWN,
)  # fmt: skip
KEPT = ClosedForm(
    "KEPT", (size_ratio, gap_matched, fan_out_other),
    (fan_out_other - size_ratio * gap_matched) / (1 + size_ratio**2),
    "Fan-out at which a copy of a matched feature ends, if nothing else is tied.", _OWN,
)  # fmt: skip
FLOOR = ClosedForm(
    "FLOOR", (fan_in_start, fan_out_start),
    sp.sqrt(sp.Max(0, fan_out_start**2 - fan_in_start**2)),
    "A node's fan-out never becomes shorter than this when its own weights learn too; exchange the "
    "two for its fan-in.", _OWN,
)  # fmt: skip
GROUP_FLAT = ClosedForm(
    "GROUP_FLAT", (sharers, fan_out_rank, inputs, output_width),
    sharers + (sharers - 1) * output_width + (sharers - fan_out_rank) * (inputs - 1),
    "Flat directions left by the student nodes that share one teacher node's direction.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        FAN_OUT, SLOW_RATE, UNIT_FAN_OUT, ANGLE_RATE, BORROWED, KEPT, FLOOR, GROUP_FLAT,
    )
}  # fmt: skip
