r"""Targets from a random function to the label: what a probe scores, and what training changes.

Three parts. *Untrained classifiers*: how often their largest logit is the same for two images, and
how large the larger class is. *A solvable case*: a semantic and a nuisance coordinate, independent
and standard normal; a representation that holds them with the variances :math:`v_{\rm s}` and
:math:`v_{\rm n}` and independent normal noise of deviation :math:`\sigma_z` on each; a target that
is the sign of the direction at the angle :math:`\theta_{\rm t}` to the semantic one. *Any
representation*: with classes of one size, the variance within and the distance between classes are
both functions of one number, the share of the variance that lies between them.

Sources: the targets are those of Ben-Shaul and others (2023); the orthant probability is
Sheppard's (1899). The forms are derived in ``book/clustering/random_targets.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    class_count,
    eta_r,
    eta_s,
    majority,
    probe_accuracy,
    r_m,
    ratio_v,
    rho_f,
    sigma_z,
    test_count,
    theta_t,
    v_n,
    v_n0,
    v_s,
    v_s0,
)

_HERE = "derived in the chapter random targets"
_MODEL = (theta_t, v_s, v_n, sigma_z)

# --- untrained classifiers ----------------------------------------------------------------------
AGREEMENT = ClosedForm(
    "AGREEMENT", (rho_f,), sp.Rational(1, 2) + sp.asin(rho_f) / sp.pi,
    "Probability that a last layer of two nodes with normal weights puts two images into one "
    "class.", "Sheppard (1899); derived in the chapter random targets",
)  # fmt: skip
MAJORITY = ClosedForm(
    "MAJORITY", (r_m,), sp.Rational(1, 2) + sp.atan(r_m) / sp.pi,
    "Mean share of the larger of two classes when the logit difference is normal over images "
    "and its mean is normal around 0 over networks.", _HERE,
)  # fmt: skip

# --- probes -------------------------------------------------------------------------------------
SCORE = ClosedForm(
    "SCORE", (probe_accuracy, majority), (probe_accuracy - majority) / (1 - majority),
    "Accuracy with the majority correction: 0 for the constant guess, 1 for no error.", _HERE,
)  # fmt: skip
SCORE_ERROR = ClosedForm(
    "SCORE_ERROR", (probe_accuracy, majority, test_count),
    sp.sqrt(probe_accuracy * (1 - probe_accuracy) / test_count) / (1 - majority),
    "Deviation of the corrected score over test sets, the majority share known.", _HERE,
)  # fmt: skip

# --- a semantic and a nuisance direction ----------------------------------------------------------
_told_s, _told_n = v_s / (v_s + sigma_z**2), v_n / (v_n + sigma_z**2)
ACCURACY = ClosedForm(
    "ACCURACY", _MODEL,
    sp.Rational(1, 2)
    + sp.asin(sp.sqrt(sp.cos(theta_t) ** 2 * _told_s + sp.sin(theta_t) ** 2 * _told_n)) / sp.pi,
    "Accuracy of the best probe of the sign of a direction.", _HERE,
)  # fmt: skip
STOP_ANGLE = ClosedForm(
    "STOP_ANGLE", (v_s, v_n, v_s0, v_n0, sigma_z),
    sp.atan(
        sp.sqrt(
            (v_s - v_s0) * (v_n + sigma_z**2) * (v_n0 + sigma_z**2)
            / ((v_n0 - v_n) * (v_s + sigma_z**2) * (v_s0 + sigma_z**2))
        )
    ),
    "Angle of the target below which training helps the best probe and above which it hurts, "
    "if there is noise, and it grows the semantic direction and shrinks the other.", _HERE,
)  # fmt: skip
SHARE = ClosedForm(
    "SHARE", _MODEL,
    2 * (v_s * sp.cos(theta_t) ** 2 + v_n * sp.sin(theta_t) ** 2)
    / (sp.pi * (v_s + v_n + 2 * sigma_z**2)),
    "Share of the variance of the representation that lies between the two classes of the sign "
    "of a direction.", _HERE,
)  # fmt: skip

# --- any representation -------------------------------------------------------------------------
CDNV_OF_SHARE = ClosedForm(
    "CDNV_OF_SHARE", (eta_s, class_count),
    (class_count - 1) * (1 - eta_s) / (2 * class_count * eta_s),
    "Mean variance over mean squared distance for classes of one size, not all in one place.",
    _HERE,
)  # fmt: skip
DISTANCE_RATIO = ClosedForm(
    "DISTANCE_RATIO", (ratio_v, eta_r), (1 - ratio_v) / eta_r + ratio_v,
    "Ratio of the mean squared distances of two balanced targets, from the ratio of the "
    "variances within their classes and the share of one.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        AGREEMENT,
        MAJORITY,
        SCORE,
        SCORE_ERROR,
        ACCURACY,
        STOP_ANGLE,
        SHARE,
        CDNV_OF_SHARE,
        DISTANCE_RATIO,
    )
}
"""Every closed form of this topic by name."""
