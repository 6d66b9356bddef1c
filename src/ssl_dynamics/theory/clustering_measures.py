r"""Measures of clustering: what bounds what, and what their estimators give on Gaussians.

Two classes with means at distance :math:`d_\mu` and variances :math:`\mathrm{Var}_c`; :math:`V` is
their CDNV and :math:`\tilde V` the directional one. "Isotropic" means that both classes are normal
with the same variance in each of :math:`n_{\rm f}` directions, so that
:math:`V=n_{\rm f}\tilde V`; :math:`N_c` samples of each class stand for it. Derived in
``book/clustering/measures.ipynb``; the estimators are those of ``measures.clustering``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    cdnv,
    cdnv_found,
    class_count,
    directional,
    feature_dim,
    pairs_other,
    pairs_same,
    per_class,
    spread_ratio,
)

_HERE = "derived in the chapter measures"
_V, _n, _D, _C = cdnv, per_class, feature_dim, class_count

# --- what bounds what ---------------------------------------------------------------------------
NCC_BOUND = ClosedForm(
    "NCC_BOUND", (directional,),
    4 * directional / (1 + 4 * directional),
    "Largest error of the nearest class mean for two equally likely classes.",
    "Cantelli's inequality; derived in the chapter measures",
)  # fmt: skip
MARGIN_RATIO = ClosedForm(
    "MARGIN_RATIO", (spread_ratio,),
    2 * sp.sqrt(spread_ratio) / (1 + spread_ratio),
    "Smallest ratio of the margins, in deviations, of nearest mean and best line, for two classes "
    "with one covariance.", "Kantorovich's inequality",
)  # fmt: skip
FROM_PAIRS = ClosedForm(
    "FROM_PAIRS", (pairs_same, pairs_other),
    pairs_same / (2 * (pairs_other - pairs_same)),
    "CDNV from the mean squared distances of pairs, of one class (mean of both) and of two.", _HERE,
)  # fmt: skip
NC1_SIMPLEX = ClosedForm(
    "NC1_SIMPLEX", (directional, class_count),
    2 * (_C - 1) * directional,
    "NC1 for class means on a simplex and one covariance, by the mean directional CDNV.", _HERE,
)  # fmt: skip
_gain = _D / (2 * _C * _V)
_total = _D + (_C - 1) * _gain
RANK = ClosedForm(
    "RANK", (_V, _D, _C),
    _total * sp.exp(-(_C - 1) * (1 + _gain) * sp.log(1 + _gain) / _total),
    "Effective rank of isotropic classes with their means on a simplex.", _HERE,
)  # fmt: skip
UNIFORM_COLLAPSED = ClosedForm(
    "UNIFORM_COLLAPSED", (_C,),
    sp.log(1 / _C + (1 - 1 / _C) * sp.exp(-4 * _C / (_C - 1))),
    "Uniformity of classes that have collapsed to a simplex of unit vectors.",
    "Wang and Isola 2020 for the measure; derived in the chapter measures",
)  # fmt: skip

# --- means from samples -------------------------------------------------------------------------
FEW_SHOT = ClosedForm(
    "FEW_SHOT", (_V, _D, _n),
    _V / _D * (1 + 1 / _n) + 2 * _V**2 / (_n * _D) * (1 + 1 / (2 * _n)),
    "Directional CDNV with the noise of means from samples: variance of the score of a new feature "
    "over its squared mean, a quarter of it.", _HERE,
)  # fmt: skip
TEST_MARGIN = ClosedForm(
    "TEST_MARGIN", (_V, _D, _n),
    1 / (2 * sp.sqrt(FEW_SHOT.expr)),
    "Mean over deviation of the score of a new feature, means from samples.", _HERE,
)  # fmt: skip
TRAIN_MARGIN = ClosedForm(
    "TRAIN_MARGIN", (_V, _D, _n),
    (sp.Rational(1, 2) + _V / _n) / sp.sqrt(_V / _D * (1 + 1 / _n) + 2 * _V**2 / (_n * _D)),
    "The same for a feature that is one of the samples.", _HERE,
)  # fmt: skip

# --- the estimator of the CDNV ------------------------------------------------------------------
PLUGIN = ClosedForm(
    "PLUGIN", (_V, _n),
    _V * (1 - 1 / _n) / (1 + 2 * _V / _n),
    "Ratio of the means of numerator and denominator of the CDNV from samples: its value in many "
    "dimensions.", _HERE,
)  # fmt: skip
CORRECTED = ClosedForm(
    "CORRECTED", (cdnv_found, _n),
    _n * cdnv_found / (_n - 1 - 2 * cdnv_found),
    "CDNV from samples with unbiased numerator and denominator.", _HERE,
)  # fmt: skip
MEAN_LOW = ClosedForm(
    "MEAN_LOW", (_V, _D, _n),
    _V * (1 - 1 / _n) / (1 + 2 * _V / _n * (1 - 2 / _D)),
    "Lower bound of the mean CDNV from samples, isotropic, at least 3 dimensions.", _HERE,
)  # fmt: skip
MEAN_HIGH = ClosedForm(
    "MEAN_HIGH", (_V, _D, _n),
    _V * (1 - 1 / _n) / (1 + 2 * _V / _n * (1 - 4 / _D)),
    "Upper bound of the mean CDNV from samples, isotropic, at least 4 dimensions.", _HERE,
)  # fmt: skip
MEAN_FOUR = ClosedForm(
    "MEAN_FOUR", (_V, _n),
    _V * (1 - 1 / _n) * (1 - sp.exp(-_n / _V)),
    "Mean CDNV from samples of isotropic classes in 4 dimensions.", _HERE,
)  # fmt: skip
RELATIVE_VARIANCE = ClosedForm(
    "RELATIVE_VARIANCE", (_V, _D, _n),
    1 / (_D * (_n - 1)) + 8 * _V * (1 + _V / _n) / (_D * _n * (1 + 2 * _V / _n) ** 2),
    "Squared relative deviation of the CDNV from samples, isotropic, to first order.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        NCC_BOUND,
        MARGIN_RATIO,
        FROM_PAIRS,
        NC1_SIMPLEX,
        RANK,
        UNIFORM_COLLAPSED,
        FEW_SHOT,
        TEST_MARGIN,
        TRAIN_MARGIN,
        PLUGIN,
        CORRECTED,
        MEAN_LOW,
        MEAN_HIGH,
        MEAN_FOUR,
        RELATIVE_VARIANCE,
    )
}
"""Every closed form of this topic by name."""
