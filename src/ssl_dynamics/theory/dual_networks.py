r"""Two towers: what a layer sees, what it is told, and how far it may move.

At fixed gates a network of ReLUs is a product of matrices, so for *every* layer the output is
linear in that layer's weights: :math:`f_L(x) = K_l(x)^\top \mathrm{vec}(W_l)` with the connection
:math:`K_l(x) = f_{l-1}(x) \otimes J_l(x)^\top`. For half the squared distance r of two towers'
outputs,

.. math::

    \frac{\partial r}{\partial\,\mathrm{vec}(W_{1,l})} = K_{1,l}\,(f_{1} - f_{2}),
    \qquad \text{tied weights: } (K_1-K_2)(K_1-K_2)^\top \mathrm{vec}(W_l).

The closed forms are the same statements along one weight, and what a single neuron does when its
gate flips. Source: the connection and the gradient of two towers are in Tian, Yu, Chen and Ganguli
(2020), as a review of that paper describes them; the conditions are derived in the chapter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    delta,
    h,
    h_rate,
    k_1,
    k_2,
    leak,
    r,
    w,
    w_target,
)

_PAPER = "tian2020understanding, as described in a review"
_OWN = "derived here"

_moved = h + delta * h_rate

OUTPUT = ClosedForm(
    "OUTPUT", (h, h_rate, delta, leak),
    (1 + leak) / 2 * _moved + (1 - leak) / 2 * sp.Abs(_moved),
    "Output of a leaky ReLU after its layer has moved by delta.", _OWN,
)  # fmt: skip
FROZEN = ClosedForm(
    "FROZEN", (h, h_rate, delta, leak),
    ((1 + leak) / 2 + (1 - leak) / 2 * sp.sign(h)) * _moved,
    "What the connection at delta = 0 predicts for it: the gate of the start, kept.", _OWN,
)  # fmt: skip
FLIP = ClosedForm(
    "FLIP", (h, h_rate), -h / h_rate,
    "Step at which the pre-activation is zero and the gate flips.", _OWN,
)  # fmt: skip
GAP = ClosedForm(
    "GAP", (h, h_rate, delta, leak),
    (1 - leak) / 2 * (sp.Abs(_moved) - sp.sign(h) * _moved),
    "Output minus prediction: zero until the gate flips, then (1 - leak) times the size of the "
    "pre-activation.", _OWN,
)  # fmt: skip
PAIR = ClosedForm(
    "PAIR", (k_1, k_2, w, w_target), k_1 * (k_1 * w - k_2 * w_target),
    "Gradient of the pair distance in one weight of the first tower, the second one held.", _PAPER,
)  # fmt: skip
TIED = ClosedForm(
    "TIED", (k_1, k_2, w), (k_1 - k_2) ** 2 * w,
    "The same with tied weights and both branches differentiated.", _PAPER,
)  # fmt: skip
ALONG = ClosedForm(
    "ALONG", (r,), 2 * r,
    "Inner product of a layer's weights with the gradient of the pair distance, both branches "
    "differentiated: the same for every layer.", _OWN,
)  # fmt: skip
NORM_RATE = ClosedForm(
    "NORM_RATE", (r,), -4 * r,
    "Rate of the squared norm of every layer when the pair distance alone descends.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form for form in (OUTPUT, FROZEN, FLIP, GAP, PAIR, TIED, ALONG, NORM_RATE)
}


def connection(
    weights: Sequence[np.ndarray], x: np.ndarray, layer: int, *, leak: float = 0.0
) -> np.ndarray:
    r"""The connection :math:`K_l(x) = f_{l-1}(x) \otimes J_l(x)^\top` of a bias-free network.

    Hidden layers are leaky ReLUs, the last layer is linear. `weights[l]` is ``[out, in]``, `x` is
    ``[..., d]``; returns ``[..., in * out, outputs]`` with the columns of the weight stacked, so
    that the output is ``K.T @ vec(W_l)`` for every layer.
    """
    if not 0 <= layer < len(weights):
        raise ValueError(f"layer is {layer}, allowed: 0 to {len(weights) - 1}")
    inputs, gates = [x], []
    for depth, weight in enumerate(weights):
        before = inputs[-1] @ weight.T
        is_last = depth == len(weights) - 1
        gates.append(np.ones_like(before) if is_last else np.where(before > 0, 1.0, leak))
        inputs.append(gates[-1] * before)
    outputs = weights[-1].shape[0]
    above = np.broadcast_to(np.eye(outputs), (*x.shape[:-1], outputs, outputs))
    for depth in range(len(weights) - 1, layer, -1):
        above = (above @ weights[depth]) * gates[depth - 1][..., None, :]
    product = np.einsum("...j,...oi->...jio", inputs[layer], above)
    return product.reshape(*x.shape[:-1], -1, outputs)
