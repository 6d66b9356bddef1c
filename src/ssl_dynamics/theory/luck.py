r"""Luck: which student node wins a teacher node, how much of it, and how many tickets that takes.

Three models and a lemma. *Fixed alignments*: student nodes j with alignment :math:`a_j` to one
teacher node and strength :math:`\mu_j` (length of the weights times length of the fan-out) obey

.. math::

    \dot\mu_j = 2 a_j \mu_j R, \qquad R = 1 - \sum_k a_k \mu_k ,

and on the clock :math:`\tau_R = 2\int R\,dt` every strength is a plain exponential, so the final
shares follow from one scalar equation. *Turning nodes*: for two-layer ReLU networks, one teacher
node and Gaussian inputs, while little is explained, the angle and the strength are tied by a
conserved quantity. *Tickets*: how likely a random direction is to start within an angle. *Kinks*:
what a sum of ReLU nodes does across one hyperplane. Source: the author's article on Tian, Jiang,
Gong and Morcos (2019) says that the lucky node converges faster and that the winner takes all; all
formulas are derived in the chapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import sympy as sp
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import betainc

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    alignment,
    alignment_best,
    angle,
    fan_in,
    fan_out,
    input_count,
    kink_length,
    kink_step,
    kink_weight,
    pull_clock,
    strength,
    strength_start,
    ticket_chance,
    ticket_count,
    unexplained,
    wanted_chance,
)

_OWN = "derived here"

RATE = ClosedForm(
    "RATE", (alignment, strength, unexplained), 2 * alignment * strength * unexplained,
    "Growth of the strength of a student node whose weights and fan-out are equally long.", _OWN,
)  # fmt: skip
STRENGTH = ClosedForm(
    "STRENGTH", (strength_start, alignment, pull_clock),
    strength_start * sp.exp(alignment * pull_clock),
    "Strength on the clock of the competition.", _OWN,
)  # fmt: skip
UNBALANCED = ClosedForm(
    "UNBALANCED", (fan_in, fan_out, alignment, pull_clock),
    ((fan_in + fan_out) ** 2 * sp.exp(alignment * pull_clock)
     - (fan_in - fan_out) ** 2 * sp.exp(-alignment * pull_clock)) / 4,
    "The same for any lengths of weights and fan-out, while the node is open; it has a sign.", _OWN,
)  # fmt: skip
LOSER = ClosedForm(
    "LOSER", (alignment, alignment_best, strength_start),
    alignment * alignment_best ** (-alignment / alignment_best)
    * strength_start ** (1 - alignment / alignment_best),
    "Final share of a student that is not the best, to leading order in a small start.", _OWN,
)  # fmt: skip
TWO_BEST = ClosedForm(
    "TWO_BEST", (alignment_best, strength_start),
    1 + alignment_best * strength_start / 8
    - sp.sqrt(alignment_best * strength_start * (alignment_best * strength_start + 16)) / 8,
    "Exact final share of the better of two students, the other half as well aligned.", _OWN,
)  # fmt: skip
KEPT = ClosedForm(
    "KEPT", (strength, angle), strength * sp.sin(angle) ** 2 / (sp.pi - angle) ** 2,
    "Conserved while a student node grows and turns to the only teacher node.", _OWN,
)  # fmt: skip
TURN = ClosedForm(
    "TURN", (angle,), -(sp.pi - angle) * sp.sin(angle) / (4 * sp.pi),
    "Change of the angle on the clock of the competition.", _OWN,
)  # fmt: skip
HEAD_START = ClosedForm(
    "HEAD_START", (angle,),
    -2 * (sp.pi - (sp.pi - angle) * sp.cos(angle) - sp.sin(angle))
    / ((sp.pi - angle) * sp.sin(angle)),
    "Slope of the logarithm of the head start by the angle at the start.", _OWN,
)  # fmt: skip
AT_LEAST_ONE = ClosedForm(
    "AT_LEAST_ONE", (ticket_chance, ticket_count), 1 - (1 - ticket_chance) ** ticket_count,
    "Probability that at least one student node starts within the angle.", _OWN,
)  # fmt: skip
TICKETS = ClosedForm(
    "TICKETS", (ticket_chance, wanted_chance),
    sp.log(1 - wanted_chance) / sp.log(1 - ticket_chance),
    "Student nodes needed for a wanted probability (to be rounded up).", _OWN,
)  # fmt: skip
CAP_UPPER = ClosedForm(
    "CAP_UPPER", (angle, input_count), sp.sin(angle) ** (input_count - 1) / 2,
    "Upper bound of the probability of a cap, for angles up to a right one.", _OWN,
)  # fmt: skip
KINK = ClosedForm(
    "KINK", (kink_weight, kink_length, kink_step), kink_weight * kink_length * kink_step,
    "Second difference of one node across its own hyperplane.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        RATE,
        STRENGTH,
        UNBALANCED,
        LOSER,
        TWO_BEST,
        KEPT,
        TURN,
        HEAD_START,
        AT_LEAST_ONE,
        TICKETS,
        CAP_UPPER,
        KINK,
    )
}

CAP = sp.betainc_regularized((input_count - 1) / 2, sp.Rational(1, 2), 0, sp.sin(angle) ** 2) / 2
"""Probability that a random direction of n_0 inputs lies within an angle of at most pi / 2."""


def cap(angle: float | np.ndarray, inputs: int) -> float | np.ndarray:
    """Probability that a random direction lies within an angle of a given one, 0 to pi."""
    half = betainc((inputs - 1) / 2, 0.5, np.sin(angle) ** 2) / 2
    return np.where(np.asarray(angle) <= np.pi / 2, half, 1 - half)[()]


def best_cosine(inputs: int, students: int) -> float:
    """Mean of the largest cosine of independent random directions with a given one."""

    def below(cosine: float) -> float:
        return float(1 - (1 - cap(np.arccos(cosine), inputs)) ** students)

    return quad(below, -1, 1, limit=200, epsabs=1e-12)[0] - 1


def final_shares(alignments: Sequence[float], starts: Sequence[float]) -> np.ndarray:
    """Final shares a_j mu_j of students with fixed positive alignments, [n]; their sum is 1.

    The one unknown is the clock at the end, the root of sum(a_j mu_j(0) exp(a_j tau)) = 1.
    """
    a, first = np.asarray(alignments, float), np.asarray(starts, float)
    if a.shape != first.shape or a.min() <= 0 or first.min() <= 0:
        raise ValueError(
            f"alignments {a.tolist()} and starts {first.tolist()}; "
            "allowed: equally many, all above zero"
        )
    logs = np.log(a * first)
    # where every term is at most 1 / n, and where one of them is 1, with room for rounding
    low, high = ((-logs - np.log(len(a))) / a).min() - 1e-6, (-logs / a).min() + 1e-6
    clock = brentq(lambda tau: np.exp(logs + a * tau).sum() - 1, low, high, xtol=1e-13, rtol=1e-14)
    shares = np.exp(logs + a * clock)
    return shares / shares.sum()


def head_start(angle: float) -> float:
    """What a student that starts at this angle weighs in the end, relative to one at angle 0."""
    if not 0 <= angle < np.pi:
        raise ValueError(f"angle: got {angle}; allowed: 0 to below pi")
    slope = HEAD_START.numpy
    if angle <= _SERIES:
        return float(np.exp(-(angle**2) / 2))
    log = -(_SERIES**2) / 2 + quad(lambda t: float(slope(t)), _SERIES, angle, epsabs=1e-12)[0]
    return float(np.exp(log)) if log > -inf else 0.0


_SERIES = 1e-4
"""Below this angle the slope of the head start is -angle, up to its square."""
