r"""Binary latents on a tree: polarities multiply, the root's covariance has rank one.

Every latent is 0 or 1. An edge with P(child = 1 | parent = 0) = p_0 and P(child = 1 | parent = 1) =
p_1 has polarity p_1 - p_0. For a group of neurons above node mu, fed by the groups of its children,

.. math::

    \mathbb V_{z_0}[\bar f] = \pi(1-\pi)\,\rho_{0\mu}^2\; v_\mu v_\mu^\top, \qquad
    v_k = \rho_{\mu\nu} s_k,

where s_k is what the child's own latent nu changes in the mean of neuron k. The growth of the
simple contrastive loss follows with both branches differentiated (branch factor 2).

Sources: the tree model, products of polarities and the rank-one covariance are told in the author's
post and in the last version of Tian, Yu, Chen and Ganguli (2020); statements and proofs for general
transitions, the ceiling, and the case of two leaves are worked out in the chapter.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    h_one,
    h_zero,
    p_one,
    p_zero,
    posterior_variance,
    prior_root,
    rho_1,
    rho_2,
    rho_path,
    s_1,
    s_2,
    s_start,
    time,
    top_down,
    v_square,
)

_PAPER = "tian2020understanding, hierarchical latent tree model"
_OWN = "derived here"
_SPREAD = prior_root * (1 - prior_root) * rho_path**2
_RATE = 2 * top_down * _SPREAD * v_square

POLARITY = ClosedForm(
    "POLARITY", (p_zero, p_one), p_one - p_zero,
    "Polarity of an edge: the determinant of its transition matrix.", _PAPER,
)  # fmt: skip
PATH_POLARITY = ClosedForm(
    "PATH_POLARITY", (rho_1, rho_2), rho_1 * rho_2,
    "Polarity of a path of two edges.", _PAPER,
)  # fmt: skip
DIFFERENCE = ClosedForm(
    "DIFFERENCE", (rho_path, h_zero, h_one), rho_path * (h_one - h_zero),
    "What the root changes in the mean of a function of the leaves below a node.", _PAPER,
)  # fmt: skip
COVARIANCE = ClosedForm(
    "COVARIANCE", (prior_root, rho_path, rho_1, s_1, rho_2, s_2),
    _SPREAD * (rho_1 * s_1) * (rho_2 * s_2),
    "Entry of the covariance over the root of the mean activations of two child neurons.", _PAPER,
)  # fmt: skip
GROWTH = ClosedForm(
    "GROWTH", (top_down, prior_root, rho_path, v_square), _RATE,
    "Growth rate of every selectivity of a decoupled group, gates and top-down weights held.",
    _PAPER,
)  # fmt: skip
SELECTIVITY = ClosedForm(
    "SELECTIVITY", (s_start, top_down, prior_root, rho_path, v_square, time),
    s_start * sp.exp(_RATE * time),
    "Selectivity of a neuron of a decoupled group after time t.", _OWN,
)  # fmt: skip
CEILING = ClosedForm(
    "CEILING", (prior_root, posterior_variance),
    sp.sqrt(posterior_variance / (prior_root * (1 - prior_root))),
    "The largest correlation of any function of the leaves with a latent of prior pi.", _OWN,
)  # fmt: skip
PAIR_CEILING = ClosedForm(
    "PAIR_CEILING", (rho_1, rho_2),
    sp.sqrt((rho_1**2 + rho_2**2 - 2 * rho_1**2 * rho_2**2) / (1 - rho_1**2 * rho_2**2)),
    "The ceiling of a fair latent above two leaves with symmetric edges; a linear neuron reaches "
    "it.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        POLARITY, PATH_POLARITY, DIFFERENCE, COVARIANCE, GROWTH, SELECTIVITY, CEILING, PAIR_CEILING,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""


def transition(p0: sp.Expr, p1: sp.Expr) -> sp.Matrix:
    """The transition matrix of an edge: row z holds P(child = 0 | z), P(child = 1 | z)."""
    return sp.Matrix([[1 - p0, p0], [1 - p1, p1]])
