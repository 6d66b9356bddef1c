r"""Lottery tickets: how likely a second draw is as lucky, what luck is worth, and what else counts.

A ticket is a set of student nodes kept from a wider network, with the weights they were drawn with.
*Luck* is the angle to a teacher node: order statistics of random directions say how rare the best
of many is, without any formula for the angles. *Head start*: the flow of one node has an explicit
time (``theory.recovery``), so the luck of a draw becomes a time. *Spread*: a set of fresh nodes
leaves some teacher nodes without any student that starts nearest to them. And *large teachers*: how
much of what a random node puts out is a polynomial of the inputs of degree 1 or 2. Source: the
author's article on Tian, Jiang, Gong and Morcos (2019) explains lottery tickets by luck, and random
labels by a large teacher; all formulas are derived in ``book/student_teacher/lottery.ipynb``.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.integrate import quad

from ssl_dynamics.symbolic import ClosedForm, to_numpy
from ssl_dynamics.theory import luck, recovery
from ssl_dynamics.theory.notation import (
    angle,
    angle_start,
    fresh_count,
    sine_integral,
    sine_power,
    teacher_bias,
    teacher_count,
    teacher_density,
    teacher_open,
    ticket_count,
)

_OWN = "derived in the chapter lottery"

AGAIN = ClosedForm(
    "AGAIN", (fresh_count, ticket_count), fresh_count / (fresh_count + ticket_count),
    "Probability that the best of fresh draws is nearer to a teacher node than the best of the "
    "student nodes was; for every law without ties.", _OWN,
)  # fmt: skip
BEST_ANGLE = ClosedForm(
    "BEST_ANGLE", (ticket_count,), sp.pi / (ticket_count + 1),
    "Mean smallest angle of random directions to a given one in the plane.", _OWN,
)  # fmt: skip
BEST_COSINE = ClosedForm(
    "BEST_COSINE", (ticket_count,), (ticket_count - 1) / (ticket_count + 1),
    "Mean largest cosine of random directions with a given one in space.", _OWN,
)  # fmt: skip
SINE_STEP = ClosedForm(
    "SINE_STEP", (sine_power, sine_integral, angle),
    ((sine_power - 1) * sine_integral - sp.sin(angle) ** (sine_power - 1) * sp.cos(angle))
    / sine_power,
    "Integral of a power of the sine from 0 to the angle, from that two powers lower; over its "
    "value at pi it is the probability of a cap, with the number of inputs less two as power.",
    "integration by parts",
)  # fmt: skip
UNCLAIMED = ClosedForm(
    "UNCLAIMED", (teacher_count, ticket_count), (1 - 1 / teacher_count) ** ticket_count,
    "Expected share of orthogonal teacher nodes that are nearest to no student node.", _OWN,
)  # fmt: skip

_mean = teacher_density + teacher_bias * teacher_open
_variance = (1 + teacher_bias**2) * teacher_open + teacher_bias * teacher_density - _mean**2

LINEAR = ClosedForm(
    "LINEAR", (teacher_bias, teacher_open, teacher_density), teacher_open**2 / _variance,
    "Share of the output variance of a ReLU node of length one that is linear in standard normal "
    "inputs.", "Hermite expansion",
)  # fmt: skip
QUADRATIC = ClosedForm(
    "QUADRATIC", (teacher_bias, teacher_open, teacher_density),
    teacher_density**2 / (2 * _variance),
    "Share that is quadratic and neither constant nor linear.", "Hermite expansion",
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (AGAIN, BEST_ANGLE, BEST_COSINE, SINE_STEP, UNCLAIMED, LINEAR, QUADRATIC)
}

_SLOPE = to_numpy(sp.diff(recovery.TIME.expr, angle_start), recovery.TIME.args)


def mean_time(inputs: int, draws: int, *, start: float, goal: float) -> float:
    """Mean time until the luckiest of `draws` random nodes is within the angle `goal`.

    One node learns one node of length one (:data:`ssl_dynamics.theory.recovery.TIME`), from weights
    of length `start`; a node that begins within the goal takes no time.
    """

    def grows(theta: float) -> float:
        left = 1 - luck.AT_LEAST_ONE.numpy(float(luck.cap(theta, inputs)), draws)
        return float(left * _SLOPE(goal, theta, start, 1.0))

    return quad(grows, goal, np.pi, limit=300, epsabs=1e-11)[0]
