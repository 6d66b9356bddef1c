r"""Student and teacher: which nodes of its layer pull a student node, and how strongly.

With :math:`V_l^\top = \partial f_L/\partial f_l` and starred letters for the teacher, the gradient
that arrives at the student's layer l is

.. math::

    g_l = D_l\,(\beta_l^* f_l^* - \beta_l f_l),\qquad
    \beta_l^* = V_l V_l^{*\top},\quad \beta_l = V_l V_l^\top,\qquad
    \beta_{l-1}^* = W_l^\top D_l\,\beta_l^*\,D_l^* W_l^* .

The closed forms are this relation node by node; one pair of nodes at Gaussian inputs, exactly and
with the means factorised; and what independent normal weights would show. Source: the author's
article on Tian, Jiang, Gong and Morcos (2019) names the relation; the body of the paper was not
read, and everything is derived in the chapter.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    angle,
    coefficient,
    gate_student,
    gate_teacher,
    layer_inputs,
    layer_nodes,
    node_activation,
    weight_student,
    weight_teacher,
)

_POST = "tian2019post"
_OWN = "derived here"

PATH = ClosedForm(
    "PATH", (weight_student, gate_student, coefficient, gate_teacher, weight_teacher),
    weight_student * gate_student * coefficient * gate_teacher * weight_teacher,
    "What one pair of nodes of the layer above adds to a coefficient below.", _POST,
)  # fmt: skip
PULL = ClosedForm(
    "PULL", (gate_student, coefficient, node_activation),
    gate_student * coefficient * node_activation,
    "What one node of the layer adds to the gradient at a student node: with a plus for a node of "
    "the teacher, with a minus for one of the student.", _POST,
)  # fmt: skip

_open = (sp.pi - angle) / (2 * sp.pi)

BOTH_OPEN = ClosedForm(
    "BOTH_OPEN", (angle,), _open,
    "Probability that both nodes of a pair are open, for centred normal inputs.", _OWN,
)  # fmt: skip
GATED_ALONG = ClosedForm(
    "GATED_ALONG", (angle,), _open * sp.cos(angle) + sp.sin(angle) / (2 * sp.pi),
    "Exact pull of a teacher node with weights of length 1, along the student's weights; standard "
    "normal inputs, coefficient 1.", _OWN,
)  # fmt: skip
GATED_ACROSS = ClosedForm(
    "GATED_ACROSS", (angle,), _open * sp.sin(angle),
    "The same across the student's weights, towards the teacher's.", _OWN,
)  # fmt: skip
DROPPED = ClosedForm(
    "DROPPED", (angle,), sp.sin(angle) / (2 * sp.pi),
    "Exact pull minus the factorised one: all of it lies along the student's own weights.", _OWN,
)  # fmt: skip

IID_CONCENTRATION = ClosedForm(
    "IID_CONCENTRATION", (layer_nodes, layer_inputs),
    (layer_nodes + layer_inputs + 1) / (layer_nodes * layer_inputs + 2),
    "Mean of tr M² / (tr M)², M = WWᵀ, for independent centred normal weights of one variance.",
    _OWN,
)  # fmt: skip
IID_KURTOSIS = ClosedForm(
    "IID_KURTOSIS", (layer_nodes,), 3 * layer_nodes / (layer_nodes + 2),
    "Mean of n Σh⁴ / (Σh²)² over the pre-activations of a layer at one input, for such weights.",
    _OWN,
)  # fmt: skip
IID_OVERLAP = ClosedForm(
    "IID_OVERLAP", (layer_inputs,), 1 / layer_inputs,
    "Mean squared cosine between such weights of a node and a given direction.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        PATH,
        PULL,
        BOTH_OPEN,
        GATED_ALONG,
        GATED_ACROSS,
        DROPPED,
        IID_CONCENTRATION,
        IID_KURTOSIS,
        IID_OVERLAP,
    )
}
