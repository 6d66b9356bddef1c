r"""Mutual information of an input and its representation where it is known exactly.

For a deterministic encoder of a continuous input it is infinite as soon as the representation has
a part without atoms. With noise on the representation, or in bins, it is finite, and for Gaussian
and exponential representations it is a closed form. Beside these: the Donsker-Varadhan bound of two
families of critics in closed form, and the two exact numbers that say how many samples such a bound
needs. Information is in nats. Source: the bound is Donsker and Varadhan's, its estimator MINE
(Belghazi and others 2018); the forms are derived in ``book/clustering/compression.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    Delta_z,
    c_T,
    class_count,
    m_z,
    output_width,
    probe_accuracy,
    rho_T,
    rho_xz,
    sigma_z,
    v_z,
)

_HERE = "derived in the chapter compression"
_KNOWN = "textbook; derived in the chapter compression"

# --- exact values -------------------------------------------------------------------------------
GAUSSIAN = ClosedForm(
    "GAUSSIAN", (output_width, rho_xz),
    -output_width * sp.log(1 - rho_xz**2) / 2,
    "Information of independent Gaussian pairs with one correlation.", _KNOWN,
)  # fmt: skip
NOISY = ClosedForm(
    "NOISY", (output_width, v_z, sigma_z),
    output_width * sp.log(1 + v_z / sigma_z**2) / 2,
    "Information that a Gaussian representation holds after Gaussian noise.", _KNOWN,
)  # fmt: skip
CORRELATION = ClosedForm(
    "CORRELATION", (v_z, sigma_z),
    sp.sqrt(v_z / (v_z + sigma_z**2)),
    "Correlation of a Gaussian representation with its noisy copy.", _KNOWN,
)  # fmt: skip
_ratio = Delta_z / m_z
BINNED = ClosedForm(
    "BINNED", (m_z, Delta_z),
    _ratio / (sp.exp(_ratio) - 1) - sp.log(1 - sp.exp(-_ratio)),
    "Entropy of an exponential representation in bins that begin at zero.", _HERE,
)  # fmt: skip

# --- critics ------------------------------------------------------------------------------------
BOUND = ClosedForm(
    "BOUND", (output_width, rho_xz, rho_T),
    output_width * (rho_T * (rho_xz - rho_T) / (1 - rho_T**2) - sp.log(1 - rho_T**2) / 2),
    "Donsker-Varadhan bound of the critic that is best for another correlation.", _HERE,
)  # fmt: skip
BILINEAR = ClosedForm(
    "BILINEAR", (rho_xz, c_T),
    c_T * rho_xz + sp.log(1 - c_T**2) / 2,
    "Donsker-Varadhan bound of the critic c_T x z, one coordinate.", _HERE,
)  # fmt: skip
BEST_BILINEAR = ClosedForm(
    "BEST_BILINEAR", (rho_xz,),
    2 * rho_xz / (1 + sp.sqrt(1 + 4 * rho_xz**2)),
    "The coefficient at which the bilinear critic's bound is largest.", _HERE,
)  # fmt: skip

# --- readings ------------------------------------------------------------------------------------
READ = ClosedForm(
    "READ", (class_count, probe_accuracy),
    sp.log(class_count)
    + probe_accuracy * sp.log(probe_accuracy)
    + (1 - probe_accuracy) * sp.log((1 - probe_accuracy) / (class_count - 1)),
    "Least information on two or more equally likely labels read with an accuracy in (0, 1); Fano.",
    _KNOWN,
)  # fmt: skip

# --- samples ------------------------------------------------------------------------------------
WEIGHT_VARIANCE = ClosedForm(
    "WEIGHT_VARIANCE", (output_width, rho_xz),
    (1 - rho_xz**2) ** (-output_width) - 1,
    "Variance of exp(critic) over independent pairs, for the best critic: exp(2 I) - 1.", _HERE,
)  # fmt: skip
ONE_SAMPLE = ClosedForm(
    "ONE_SAMPLE", (output_width, rho_xz),
    output_width * rho_xz**2 / (1 - rho_xz**2),
    "Mean of the estimate with the best critic and one independent pair a batch.", _HERE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        GAUSSIAN,
        NOISY,
        CORRELATION,
        BINNED,
        BOUND,
        BILINEAR,
        BEST_BILINEAR,
        READ,
        WEIGHT_VARIANCE,
        ONE_SAMPLE,
    )
}
"""Every closed form of this topic by name."""
