r"""Nearest class centres from few samples, fits of augmented inputs, and negatives of one class.

Three exact models. *Centres*: two normal classes with unit covariance, means at distance
:math:`\Delta_\mu`, and nearest centres from :math:`N_c` samples of each. The score of a point is,
coordinate by coordinate, a product of two standard normal numbers with a mean and a correlation;
the correlation is zero for a new point and :math:`1/\sqrt{2N_c-1}` for one of the samples. The
error is one integral over the characteristic function of the score. *Views*: in least squares,
averaging over views with independent noise adds a penalty; what it costs along a direction that
can be trusted, and what it saves along one that cannot. *Negatives*: what a contrastive loss
has more than the same loss without the negatives of the anchor's class. Derived in
``book/clustering/supervised.ipynb``.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    a_c,
    apart,
    b_c,
    c_y,
    class_count,
    feature_dim,
    other_count,
    per_class,
    rho_c,
    s_f,
    same_count,
    same_share,
    t_c,
    temperature,
    v_aug,
    v_y,
)

_HERE = "derived in the chapter supervised"
LOG_TIMES = np.linspace(-24, 24, 801)
"""Logarithms of the frequencies of a sum for an integral; on this axis it converges fast."""
_C, _N = class_count, per_class

# --- nearest centres from samples ---------------------------------------------------------------
OWN_CORRELATION = ClosedForm(
    "OWN_CORRELATION", (per_class,),
    1 / sp.sqrt(2 * _N - 1),
    "Correlation, coordinate by coordinate, of a sample, seen from the middle of the two sampled "
    "means, and the difference of these means; it is zero for a new feature.", _HERE,
)  # fmt: skip
CENTRES_PLACE = ClosedForm(
    "CENTRES_PLACE", (apart, per_class),
    apart * sp.sqrt(_N / 2),
    "Mean over deviation of the difference of two sampled means, on the line of the means.", _HERE,
)  # fmt: skip
OWN_PLACE = ClosedForm(
    "OWN_PLACE", (apart, per_class),
    apart / 2 / sp.sqrt(1 - 1 / (2 * _N)),
    "Mean over deviation of a sample, seen from the middle of the sampled means.", _HERE,
)  # fmt: skip
NEW_PLACE = ClosedForm(
    "NEW_PLACE", (apart, per_class),
    apart / 2 / sp.sqrt(1 + 1 / (2 * _N)),
    "The same of a new feature.", _HERE,
)  # fmt: skip


def _phase(a: sp.Expr, b: sp.Expr, t: sp.Expr) -> sp.Expr:
    """Phase of the characteristic function of one product of two normal numbers."""
    up, down = 1 + rho_c, 1 - rho_c
    turned = (sp.atan(up * t) - sp.atan(down * t)) / 2
    return turned + t / 4 * (
        (a + b) ** 2 / (1 + up**2 * t**2) - (a - b) ** 2 / (1 + down**2 * t**2)
    )


def _log_modulus(a: sp.Expr, b: sp.Expr, t: sp.Expr) -> sp.Expr:
    """Logarithm of its modulus."""
    up, down = 1 + rho_c, 1 - rho_c
    spread = sp.log(1 + up**2 * t**2) + sp.log(1 + down**2 * t**2)
    far = up * (a + b) ** 2 / (1 + up**2 * t**2) + down * (a - b) ** 2 / (1 + down**2 * t**2)
    return -spread / 4 - t**2 / 4 * far


PHASE = ClosedForm(
    "PHASE", (rho_c, a_c, b_c, t_c),
    _phase(a_c, b_c, t_c),
    "Phase of the characteristic function of the product of two normal numbers of variance 1.",
    _HERE,
)  # fmt: skip
LOG_MODULUS = ClosedForm(
    "LOG_MODULUS", (rho_c, a_c, b_c, t_c),
    _log_modulus(a_c, b_c, t_c),
    "Logarithm of the modulus of that function.", _HERE,
)  # fmt: skip
_others, _slow = feature_dim - 1, s_f**2 * t_c
INTEGRAND = ClosedForm(
    "INTEGRAND", (feature_dim, s_f, rho_c, a_c, b_c, t_c),
    sp.sin(PHASE.expr + _others * _phase(sp.S.Zero, sp.S.Zero, _slow))
    * sp.exp(LOG_MODULUS.expr + _others * _log_modulus(sp.S.Zero, sp.S.Zero, _slow))
    / (sp.pi * t_c),
    "Its integral over positive frequencies is the accuracy of the nearest class centre less one "
    "half; one direction tells the classes apart, in the others they have the deviation s_f.",
    "Gil-Pelaez' inversion; " + _HERE,
)  # fmt: skip
_x = (1 - OWN_CORRELATION.expr) / 2
NOTHING_TWO = ClosedForm(
    "NOTHING_TWO", (per_class,),
    _x,
    "Error of the nearest class centre on its own samples, where both classes are one standard "
    "normal law in two dimensions.", _HERE,
)  # fmt: skip
NOTHING_FOUR = ClosedForm(
    "NOTHING_FOUR", (per_class,),
    _x**2 * (3 - 2 * _x),
    "The same in four dimensions.", _HERE,
)  # fmt: skip

# --- a fit of noisy views -----------------------------------------------------------------------
GIVEN_UP = ClosedForm(
    "GIVEN_UP", (c_y, v_y, v_aug),
    c_y**2 / v_y * (v_aug / (v_y + v_aug)) ** 2,
    "Squared error that the penalty adds along a direction, where the mean product is as in the "
    "fit.", _HERE,
)  # fmt: skip
FOOLED = ClosedForm(
    "FOOLED", (c_y, v_y, v_aug),
    c_y**2 / v_y * (v_y / (v_y + v_aug)) ** 2,
    "Squared error of the fit along a direction whose mean product is truly zero.", _HERE,
)  # fmt: skip

# --- negatives of the anchor's class ------------------------------------------------------------
EXCESS = ClosedForm(
    "EXCESS", (same_share,),
    -sp.log(1 - same_share),
    "What one anchor's contrastive loss has more than the same loss without negatives of its "
    "class.", _HERE,
)  # fmt: skip
EXCESS_MOST = ClosedForm(
    "EXCESS_MOST", (temperature, same_count, other_count),
    sp.log(1 + sp.exp(2 / temperature) * same_count / (1 + other_count)),
    "The most it can be, for cosines over a temperature.", _HERE,
)  # fmt: skip
EXCESS_CLASSES = ClosedForm(
    "EXCESS_CLASSES", (temperature, class_count),
    sp.log(1 + sp.exp(2 / temperature) / (_C - 1)),
    "A bound for balanced classes, whatever their number of images.", _HERE,
)  # fmt: skip
EXCESS_FLAT = ClosedForm(
    "EXCESS_FLAT", (class_count, per_class),
    sp.log(1 + (_N - 1) / (1 + _N * (_C - 1))),
    "Its value where all outputs are alike.", _HERE,
)  # fmt: skip
EXCESS_COLLAPSED = ClosedForm(
    "EXCESS_COLLAPSED", (temperature, class_count, per_class),
    sp.log(1 + (_N - 1) / (1 + _N * (_C - 1) * sp.exp(-_C / (_C - 1) / temperature))),
    "Its value where all outputs of a class are one, and the classes form a simplex.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        OWN_CORRELATION,
        CENTRES_PLACE,
        OWN_PLACE,
        NEW_PLACE,
        PHASE,
        LOG_MODULUS,
        INTEGRAND,
        NOTHING_TWO,
        NOTHING_FOUR,
        GIVEN_UP,
        FOOLED,
        EXCESS,
        EXCESS_MOST,
        EXCESS_CLASSES,
        EXCESS_FLAT,
        EXCESS_COLLAPSED,
    )
}
"""Every closed form of this topic by name."""


def accuracy(distance: float, dimension: int, count: int, left: float = 1.0, *, own: bool) -> float:
    """Accuracy of the nearest class centre by the integral of `INTEGRAND`.

    distance of the two means; dimension of the features, deviation 1 on the line of the means and
    `left` in the other directions; count of samples of each class. own: of one of these samples, or
    of a new feature.
    """
    if own and count == 1:
        return 1.0
    place = (OWN_PLACE if own else NEW_PLACE).numpy(distance, count)
    correlation = OWN_CORRELATION.numpy(count) if own else 0.0
    integrand = INTEGRAND.numpy
    fixed = (dimension, left, correlation, CENTRES_PLACE.numpy(distance, count), place)
    t = np.exp(LOG_TIMES)
    return float(0.5 + (t * integrand(*fixed, t)).sum() * (LOG_TIMES[1] - LOG_TIMES[0]))
