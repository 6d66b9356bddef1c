r"""One neuron and two classes: which difference survives the augmentation, and how fast it grows.

An image belongs to one of two classes; class 1 has probability :math:`\pi`. Augmentation keeps the
class and draws everything else anew. So the mean over the views of an image is the mean of its
class. For a neuron :math:`f=\sigma(w^\top x)` with gate :math:`g\in\{0,1\}` the connection is
:math:`K=g\,x`. With the difference of its class means,
:math:`u=\bar K_1-\bar K_0` and :math:`D=\bar f_1-\bar f_0=u^\top w`,

.. math::

    \mathcal L=-\pi(1-\pi)D^2,\qquad
    \mathrm{OP}=\pi(1-\pi)\,uu^\top,\qquad
    \dot w=\kappa\,\mathrm{OP}\,w,\qquad
    \dot D=\kappa\pi(1-\pi)\lVert u\rVert^2 D,

the last one while no gate flips. A linear neuron has all its gates open for ever.

Source: the covariance operator, and that it amplifies fluctuations of the initial weights that
survive the augmentation, are in Tian, Yu, Chen and Ganguli (2020), as the author's post and a
review describe them. The conditions are derived in ``book/contrastive/one_neuron.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha,
    class_gap,
    class_gap_start,
    kappa,
    pair_low,
    prior_root,
    std_one,
    std_zero,
    time,
    u_square,
    weight_mean,
)

_POST = "Tian, Yu, Chen, Ganguli 2020, as described in the author's post and a review"
_HERE = "derived in the chapter one_neuron"

_spread = prior_root * (1 - prior_root)
_rate = kappa * _spread * u_square

LOSS = ClosedForm(
    "LOSS", (prior_root, class_gap), -_spread * class_gap**2,
    "Simple contrastive loss of a neuron when augmentation keeps one of two classes.", _HERE,
)  # fmt: skip
TRACE = ClosedForm(
    "TRACE", (prior_root, u_square), _spread * u_square,
    "Trace, and only eigenvalue that can differ from zero, of the covariance operator.", _POST,
)  # fmt: skip
RATE = ClosedForm(
    "RATE", (kappa, prior_root, u_square), _rate,
    "Growth rate of the class difference of the mean output while no gate flips.", _HERE,
)  # fmt: skip
GROWTH = ClosedForm(
    "GROWTH", (class_gap_start, kappa, prior_root, u_square, time),
    class_gap_start * sp.exp(_rate * time),
    "Class difference of the mean output at a time before the first gate flips.", _HERE,
)  # fmt: skip
STEP = ClosedForm(
    "STEP", (class_gap, alpha, kappa, prior_root, u_square),
    class_gap * (1 + alpha * _rate),
    "Class difference after one gradient step that flips no gate.", _HERE,
)  # fmt: skip
CENTRED = ClosedForm(
    "CENTRED", (std_one, std_zero), (std_one - std_zero) / sp.sqrt(2 * sp.pi),
    "Class difference of a ReLU neuron when its pre-activation is normal with mean zero in both "
    "classes.", _HERE,
)  # fmt: skip
FIRST_FLIP = ClosedForm(
    "FIRST_FLIP", (weight_mean, pair_low), -2 * weight_mean / pair_low,
    "Ring: size of the fluctuations at which the first gate closes.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form for form in (LOSS, TRACE, RATE, GROWTH, STEP, CENTRED, FIRST_FLIP)
}
