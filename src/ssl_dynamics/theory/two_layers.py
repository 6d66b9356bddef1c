r"""Two layers that train together: sizes, their blow-up, and the times to reach a size.

Let :math:`a_1,a_2` be the weights of the bottom and the top layer along the direction that tells
two classes apart. While no gate flips, the simple contrastive loss moves them by

.. math:: \dot a_1=\chi\,a_1a_2^2,\qquad \dot a_2=\chi\,a_1^2a_2 .

Both squares grow by the same amount :math:`\zeta`: :math:`a_1^2=\nu_1+\zeta` and
:math:`a_2^2=\nu_2+\zeta` with the squares :math:`\nu_1,\nu_2` at the start, and
:math:`\dot\zeta=2\chi(\nu_1+\zeta)(\nu_2+\zeta)`. The ratio of the squares changes exactly
exponentially; it reaches one, and both squares infinity, at

.. math:: t^*=\frac{\ln(\nu_1/\nu_2)}{2\chi(\nu_1-\nu_2)}=\frac1{2\chi\,\Lambda(\nu_1,\nu_2)}

with the logarithmic mean :math:`\Lambda`. With the other layer frozen a square grows
exponentially. For any bias-free (leaky) ReLU network the same time, with other constants for
:math:`\chi`, bounds the blow-up from both sides.

Source: that two layers accelerate each other is in the author's post on Tian, Yu, Chen and Ganguli
(2020); the formulas are derived in ``book/contrastive/two_layers.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alpha_1,
    alpha_2,
    coupling,
    decay,
    depth,
    grown,
    nu,
    nu_1,
    nu_2,
    time,
)

_HERE = "derived in the chapter two_layers"

_apart = nu_1 - nu_2
_even = sp.Eq(nu_1, nu_2)
_turn = sp.exp(2 * coupling * _apart * time)


def _cases(balanced: sp.Expr, other: sp.Expr) -> sp.Expr:
    return sp.Piecewise((balanced, _even), (other, True))


_log_mean = _cases(nu_1, _apart / sp.log(nu_1 / nu_2))
_blow_up = _cases(1 / (2 * coupling * nu_1), sp.log(nu_1 / nu_2) / (2 * coupling * _apart))

LOG_MEAN = ClosedForm(
    "LOG_MEAN", (nu_1, nu_2), _log_mean,
    "Logarithmic mean of the two squared sizes.", _HERE,
)  # fmt: skip
BLOW_UP = ClosedForm(
    "BLOW_UP", (coupling, nu_1, nu_2), _blow_up,
    "Time at which two layers that train together become infinite.", _HERE,
)  # fmt: skip
SQUARE = ClosedForm(
    "SQUARE", (coupling, nu_1, nu_2, time),
    _cases(nu_1 / (1 - 2 * coupling * nu_1 * time), nu_1 * _apart / (nu_1 - nu_2 * _turn)),
    "Squared size of a layer (its own start first) while the other trains too.", _HERE,
)  # fmt: skip
PRODUCT = ClosedForm(
    "PRODUCT", (coupling, nu_1, nu_2, time),
    _cases(
        nu_1 / (1 - 2 * coupling * nu_1 * time),
        sp.sqrt(nu_1 * nu_2) * _apart * sp.exp(coupling * _apart * time) / (nu_1 - nu_2 * _turn),
    ),
    "Product of the two weights, and so the separation, while both train.", _HERE,
)  # fmt: skip
FROZEN = ClosedForm(
    "FROZEN", (coupling, nu_1, nu_2, time), nu_1 * sp.exp(2 * coupling * nu_2 * time),
    "Squared size of a layer (its own start first) while the other is frozen.", _HERE,
)  # fmt: skip
REACH = ClosedForm(
    "REACH", (coupling, nu_1, nu_2, grown),
    _cases(
        grown / (2 * coupling * nu_1 * (nu_1 + grown)),
        sp.log(nu_1 * (nu_2 + grown) / (nu_2 * (nu_1 + grown))) / (2 * coupling * _apart),
    ),
    "Time at which both squares have grown by zeta when both layers train.", _HERE,
)  # fmt: skip
REACH_FROZEN = ClosedForm(
    "REACH_FROZEN", (coupling, nu_1, nu_2, grown), sp.log(1 + grown / nu_1) / (2 * coupling * nu_2),
    "Time at which the square of a layer (its own start first) has grown by zeta while the other "
    "is frozen.", _HERE,
)  # fmt: skip
DECAY_BLOW_UP = ClosedForm(
    "DECAY_BLOW_UP", (coupling, nu_1, nu_2, decay),
    _cases(
        -sp.log(1 - decay / (coupling * nu_1)) / (2 * decay),
        -sp.log(1 - decay * sp.log(nu_1 / nu_2) / (coupling * _apart)) / (2 * decay),
    ),
    "Blow-up time with weight decay on both layers, where the blow-up survives it.", _HERE,
)  # fmt: skip
RATES_BLOW_UP = ClosedForm(
    "RATES_BLOW_UP", (coupling, nu_1, nu_2, alpha_1, alpha_2),
    sp.log(alpha_2 * nu_1 / (alpha_1 * nu_2)) / (2 * coupling * (alpha_2 * nu_1 - alpha_1 * nu_2)),
    "Blow-up time when the layers have learning rates of their own (the two products of a square "
    "and the other layer's rate must differ).", _HERE,
)  # fmt: skip
DEPTH_BLOW_UP = ClosedForm(
    "DEPTH_BLOW_UP", (coupling, nu, depth), 1 / (2 * coupling * (depth - 1) * nu ** (depth - 1)),
    "Blow-up time of L balanced layers, L at least 2.", _HERE,
)  # fmt: skip
DEPTH_SQUARE = ClosedForm(
    "DEPTH_SQUARE", (coupling, nu, depth, time),
    nu * (1 - 2 * (depth - 1) * coupling * nu ** (depth - 1) * time) ** (-1 / (depth - 1)),
    "Squared size of each of L balanced layers, L at least 2.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        LOG_MEAN, BLOW_UP, SQUARE, PRODUCT, FROZEN, REACH, REACH_FROZEN, DECAY_BLOW_UP,
        RATES_BLOW_UP, DEPTH_BLOW_UP, DEPTH_SQUARE,
    )
}  # fmt: skip
