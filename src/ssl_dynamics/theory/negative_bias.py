r"""How often nodes behind BatchNorm are open, alone and in pairs, and what a pair's overlap does.

With the relative bias :math:`b = \beta_{\rm BN}/|\gamma_{\rm BN}|` and jointly standard normal
pre-activations of correlation :math:`\rho=\cos\vartheta`,

.. math::

    P_j = \Phi(b_j),\qquad
    P_{jk} = \Phi(b_j)\Phi(b_k) + \int_\vartheta^{\pi/2}
    \frac1{2\pi}\exp\Big(-\frac{b_j^2 - 2 b_j b_k\cos\omega + b_k^2}{2\sin^2\omega}\Big)\,d\omega .

The closed forms are the rates under these integrals (Plackett 1954), the case without biases, the
pull of a node across another, and two bounds that need no normal law. The normal distribution
function itself has no closed form; its rate is :data:`OPEN_RATE`.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    angle,
    both_open,
    correlation,
    layer_nodes,
    mean_open,
    norm_gain,
    norm_offset,
    relative_j,
    relative_k,
)

_OWN = "derived here"
_PLACKETT = "plackett1954reduction"

RELATIVE_BIAS = ClosedForm(
    "RELATIVE_BIAS", (norm_offset, norm_gain), norm_offset / sp.Abs(norm_gain),
    "Relative bias of a channel: how many deviations of its input the gate is moved.", _OWN,
)  # fmt: skip
OPEN_RATE = ClosedForm(
    "OPEN_RATE", (relative_j,), sp.exp(-(relative_j**2) / 2) / sp.sqrt(2 * sp.pi),
    "Change of the probability of being open per unit of the relative bias; normal input.", _OWN,
)  # fmt: skip

_distance = relative_j**2 - 2 * relative_j * relative_k * correlation + relative_k**2
_apart = 1 - correlation**2

BOTH_RATE = ClosedForm(
    "BOTH_RATE", (relative_j, relative_k, correlation),
    sp.exp(-_distance / (2 * _apart)) / (2 * sp.pi * sp.sqrt(_apart)),
    "Change of the probability that both nodes are open per unit of their correlation.", _PLACKETT,
)  # fmt: skip
BOTH_TURN = ClosedForm(
    "BOTH_TURN", (relative_j, relative_k, angle),
    sp.exp(-_distance.subs(correlation, sp.cos(angle)) / (2 * sp.sin(angle) ** 2)) / (2 * sp.pi),
    "The same per unit of the angle between the weights, as the angle shrinks.", _PLACKETT,
)  # fmt: skip
BOTH_ZERO = ClosedForm(
    "BOTH_ZERO", (correlation,), sp.Rational(1, 4) + sp.asin(correlation) / (2 * sp.pi),
    "Probability that both are open, without biases.", _OWN,
)  # fmt: skip
RATIO_ZERO = ClosedForm(
    "RATIO_ZERO", (correlation,), sp.Rational(1, 2) + sp.asin(correlation) / sp.pi,
    "Overlap ratio without biases: probability that the other node is open too, given that this "
    "one is.", _OWN,
)  # fmt: skip
PRODUCT_ZERO = ClosedForm(
    "PRODUCT_ZERO", (correlation,),
    (sp.sqrt(_apart) + correlation * (sp.pi / 2 + sp.asin(correlation))) / (2 * sp.pi),
    "Mean product of the outputs of two nodes without biases.", _OWN,
)  # fmt: skip
ACROSS = ClosedForm(
    "ACROSS", (both_open, angle), both_open * sp.sin(angle),
    "Pull of a teacher node with weights of length 1 across the student's weights; standard normal "
    "inputs, coefficient 1, any biases.", _OWN,
)  # fmt: skip
FLOOR = ClosedForm(
    "FLOOR", (mean_open, layer_nodes), (layer_nodes * mean_open - 1) / (layer_nodes - 1),
    "Least overlap ratio of a layer whose nodes are open with this mean probability; any law.",
    _OWN,
)  # fmt: skip
MOST_OPEN = ClosedForm(
    "MOST_OPEN", (relative_j,), 1 / (1 + relative_j**2),
    "Bound on the probability of being open with a negative relative bias, whatever the law of the "
    "standardised input.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        RELATIVE_BIAS,
        OPEN_RATE,
        BOTH_RATE,
        BOTH_TURN,
        BOTH_ZERO,
        RATIO_ZERO,
        PRODUCT_ZERO,
        ACROSS,
        FLOOR,
        MOST_OPEN,
    )
}
