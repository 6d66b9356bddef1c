r"""Features chosen with and without the labels: how many a layer needs, and what pulls it there.

Inputs are :math:`d_x` independent fair bits :math:`x_i = \pm 1`. A candidate feature belongs to a
set A of k of them: the *parity* :math:`\prod_{i \in A} x_i`, or the *conjunction*
:math:`f_A = \prod_{i \in A} (1 + x_i)/2`, which is one ReLU node. There are
:math:`T_k = \binom{d_x}{k}` of either. A teacher uses m of them.

A layer of n nodes that was chosen *blind*, without a look at which features the teacher uses,
leaves of T orthonormal candidates, by least squares and in the mean over the candidates, the part
:math:`1 - n/T` or more. The layer above it is linear. The same inequality bounds
the pull of such a candidate on a fresh node.
Source: the author's article on Tian, Jiang, Gong and Morcos (2019) says in words that combinations
multiply without a signal from above; everything here is derived in the chapter.
"""

from __future__ import annotations

from math import comb

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    candidates,
    layer_nodes,
    open_share,
    order,
    shared_bits,
)

_OWN = "derived here"

BLIND_ERROR = ClosedForm(
    "BLIND_ERROR", (layer_nodes, candidates), 1 - layer_nodes / candidates,
    "Least mean squared error over orthonormal targets for a layer chosen without the target.",
    _OWN,
)  # fmt: skip
SHARED_MEAN = ClosedForm(
    "SHARED_MEAN", (order, shared_bits), 2 ** (shared_bits - 2 * order),
    "Mean of the product of two conjunctions of k bits each.", _OWN,
)  # fmt: skip
FREE_ERROR = ClosedForm(
    "FREE_ERROR", (layer_nodes, candidates, order),
    (1 - layer_nodes / candidates) / (2**order - 1),
    "The same for conjunctions, as a share of their variance, when all functions of fewer than k "
    "bits come for free.", _OWN,
)  # fmt: skip
LINEAR_SHARE = ClosedForm(
    "LINEAR_SHARE", (order,), order / (2**order - 1),
    "Share of the variance of a conjunction that is linear in the bits.", _OWN,
)  # fmt: skip
OWN_PULL = ClosedForm(
    "OWN_PULL", (open_share, order), open_share / sp.sqrt(2**order - 1),
    "Pull of a conjunction, divided by its deviation, on a node's weight of one of its own bits; "
    "the share of open inputs is taken where the conjunction is on; coefficient 1.", _OWN,
)  # fmt: skip
BLIND_PULL = ClosedForm(
    "BLIND_PULL", (open_share, candidates), open_share / candidates,
    "Largest mean square, over orthonormal candidates, of the pull on one weight of a node; "
    "the share is taken over all inputs.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (BLIND_ERROR, SHARED_MEAN, FREE_ERROR, LINEAR_SHARE, OWN_PULL, BLIND_PULL)
}


def spectrum(bits: int, order: int) -> list[tuple[float, int]]:
    r"""Eigenvalues of the covariance of all conjunctions and how often each stands there.

    Level j = 0 to k: :math:`4^{-k} \sum_{r=\max(1,j)}^k \binom{k-j}{r-j} \binom{d_x-r-j}{k-r}`,
    :math:`\binom{d_x}{j} - \binom{d_x}{j-1}` times; with more than half of the bits in a feature
    the levels end at d_x - k.
    """
    if not 1 <= order <= bits:
        raise ValueError(f"order: got {order}; allowed: 1 to the {bits} bits")
    found = []
    for j in range(min(order, bits - order) + 1):
        total = sum(
            comb(order - j, r - j) * comb(bits - r - j, order - r)
            for r in range(max(1, j), order + 1)
        )
        times = comb(bits, j) - (comb(bits, j - 1) if j else 0)
        found.append((total / 4**order, times))
    return found


def least_blind_error(bits: int, order: int) -> np.ndarray:
    """For a blind layer of 0, 1, ..., T nodes (and a bias above it): the least mean error over all
    conjunctions, as a share of their variance, [T + 1]. The best features reach it, which may be
    any functions of the inputs; one linear layer reads them."""
    values = np.concatenate([np.full(times, value) for value, times in spectrum(bits, order)])
    values = np.sort(values)[::-1]
    left = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    return left / left[0]
