r"""Two objects on a ring: the operator from the gates, the first flip, and sliding.

A ring of d sites; object c lights the sites p and p + c, the place p is what augmentation draws
anew. Of the two objects the one to which the neuron answers more in the mean is *liked* (+, step
a), the other *disliked* (-, step b); :math:`D=\bar f_+-\bar f_-\ge0`. The gate of the picture at
place p is :math:`g^\pm_p`. Then :math:`u=\bar K_+-\bar K_-` has at site i the entry
:math:`(g^+_i+g^+_{i-a}-g^-_i-g^-_{i-b})/d`, the operator is :math:`\pi(1-\pi)uu^\top`, and on the
clock :math:`d\ell=\kappa\pi(1-\pi)D\,dt` the weights move with the constant velocity u until a gate
flips. Along the boundary of a disliked picture they can slide, with a mixture of both sides.

Source: that the operator of this problem has an analytic form is said in the author's post on
Tian, Yu, Chen and Ganguli (2020). All formulas are derived in the chapter
``book/contrastive/translation.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    class_gap,
    class_gap_start,
    clock,
    gate_like,
    gate_like_back,
    gate_other,
    gate_other_back,
    h,
    kappa,
    lone_weight,
    neighbours_like,
    neighbours_other,
    open_like,
    open_other,
    prior_root,
    ring_sites,
    shared_sites,
    slope,
    time,
    u_site,
    u_square,
    w_square,
    w_start,
)

_HERE = "derived in the chapter translation"
_rate = kappa * prior_root * (1 - prior_root) * u_square

SITE = ClosedForm(
    "SITE", (ring_sites, gate_like, gate_like_back, gate_other, gate_other_back),
    (gate_like + gate_like_back - gate_other - gate_other_back) / ring_sites,
    "Entry of u at one site, from the gates of the four pictures that light it.", _HERE,
)  # fmt: skip
SQUARE = ClosedForm(
    "SQUARE",
    (ring_sites, open_like, neighbours_like, open_other, neighbours_other, shared_sites),
    2 * (open_like + neighbours_like + open_other + neighbours_other - shared_sites)
    / ring_sites**2,
    "Squared length of u, from counts of open pictures and of sites they share.", _HERE,
)  # fmt: skip
EIGENVALUE = ClosedForm(
    "EIGENVALUE",
    (prior_root, *SQUARE.args),
    prior_root * (1 - prior_root) * SQUARE.expr,
    "The one eigenvalue of the covariance operator that can differ from zero.", _HERE,
)  # fmt: skip
PATH = ClosedForm(
    "PATH", (w_start, u_site, class_gap_start, kappa, prior_root, u_square, time),
    w_start + u_site * class_gap_start * (sp.exp(_rate * time) - 1) / u_square,
    "A weight at a time before the first gate flips.", _HERE,
)  # fmt: skip
FLIP_TIME = ClosedForm(
    "FLIP_TIME", (h, slope, class_gap_start, kappa, prior_root, u_square),
    sp.log(1 - h * u_square / (class_gap_start * slope)) / _rate,
    "Time at which a pre-activation h with slope eta reaches zero, if h eta < 0.", _HERE,
)  # fmt: skip
LONE_FLIP = ClosedForm(
    "LONE_FLIP", (ring_sites, lone_weight, kappa, prior_root),
    -ring_sites**2 * sp.log(lone_weight) / (2 * kappa * prior_root * (1 - prior_root)),
    "First flip of a neuron that answers to one place only: two weights omega < 1, all others -1.",
    _HERE,
)  # fmt: skip
CLOCK_TIME = ClosedForm(
    "CLOCK_TIME", (clock, class_gap_start, kappa, prior_root, u_square),
    sp.log(1 + u_square * clock / class_gap_start) / _rate,
    "Time that a piece of length ell on the clock takes.", _HERE,
)  # fmt: skip
KEPT = ClosedForm(
    "KEPT", (u_square, w_square, class_gap), u_square * w_square - class_gap**2,
    "Conserved between two flips.", _HERE,
)  # fmt: skip
MIXTURE = ClosedForm(
    "MIXTURE", (ring_sites, slope), ring_sites * slope / 2,
    "Part of the time for which a sliding gate is open, from its slope while closed.", _HERE,
)  # fmt: skip
SLIDE_SQUARE = ClosedForm(
    "SLIDE_SQUARE", (u_square, slope), u_square - slope**2 / 2,
    "Squared velocity while one gate slides; u and the slope are those of the closed side.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        SITE, SQUARE, EIGENVALUE, PATH, FLIP_TIME, LONE_FLIP, CLOCK_TIME, KEPT, MIXTURE,
        SLIDE_SQUARE,
    )
}  # fmt: skip
