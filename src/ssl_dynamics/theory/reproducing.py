r"""Where the released code differs from the formulas, as far as that has a closed form.

The loss called "nce" in the released code of the latent tree compares distances that are already
averaged over the batch. It is a function of the simple contrastive loss alone, so its gradient is
that of the simple loss times :data:`RATE`. And its BatchNorm divides by the unbiased variance,
which shrinks every output by :data:`SHRINK`.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import B, distance_gap, output_width, temperature

_CODE = "read in the code released with tian2020understanding; the formula is derived here"
_exponent = 2 * distance_gap / (output_width * temperature)

RELEASED = ClosedForm(
    "RELEASED", (distance_gap, output_width, temperature), -1 / (1 + sp.exp(-_exponent)),
    "The released loss as a function of the gap between mean negative and mean positive half "
    "squared distance.", _CODE,
)  # fmt: skip
RATE = ClosedForm(
    "RATE", (distance_gap, output_width, temperature),
    2 / (output_width * temperature) * sp.exp(-_exponent) / (1 + sp.exp(-_exponent)) ** 2,
    "Gradient of the released loss over the gradient of the simple contrastive loss.", _CODE,
)  # fmt: skip
SHRINK = ClosedForm(
    "SHRINK", (B,), sp.sqrt(1 - 1 / B),
    "Output of a BatchNorm with the unbiased variance over that with the biased one.", _CODE,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {form.name: form for form in (RELEASED, RATE, SHRINK)}
"""Every closed form of the note, by name."""
