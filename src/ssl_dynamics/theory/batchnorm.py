r"""What each kind of batch normalisation does to the gradient that passes back through it.

One feature over a batch of any size ``B`` is :math:`x \in \mathbb R^B`, with batch mean
:math:`\mu` and biased deviation :math:`\sigma`. The layer returns

.. math:: y = (x - m) / s, \qquad m \in \{\mu,\ \mathrm{sg}(\mu),\ 0\}, \qquad
    s \in \{\sqrt{\sigma^2 + \epsilon},\ \mathrm{sg}(\sqrt{\sigma^2 + \epsilon}),\ 1\},

where sg is stop-gradient. That is nine variants. With the gradient :math:`g` arriving from above,
the gradient handed down to sample i depends on the other samples through three numbers only: the
deviation, the mean :math:`\bar g`, and the covariance :math:`c_{gx}`. So every form below is the
value at *one* sample, and holds for every batch size.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    B,
    c_gf,
    c_gx,
    c_xf,
    epsilon,
    f_mean,
    g,
    g_mean,
    mu,
    sigma,
    x,
)

MODES = ("normal", "detach", "omit")
"""Treatments of the mean, and of the deviation: used, used without gradient, left out."""

ARGS = (x, g, mu, sigma, epsilon, g_mean, c_gx)
"""Arguments of the nine gradients, the same for all of them."""

scale = sp.sqrt(sigma**2 + epsilon)
"""What a normalised feature is divided by."""

_SOURCE = "derived in book/no_negatives/batchnorm; Tian's post on arXiv 2010.00578, early version"


def _gradient(name: str, expr: sp.Expr, layer: str) -> ClosedForm:
    statement = f"gradient at one sample below {layer}, for any batch size"
    return ClosedForm(name, ARGS, expr, statement, _SOURCE)


MU_SIGMA = _gradient(
    "MU_SIGMA",
    (g - g_mean - (x - mu) * c_gx / scale**2) / scale,
    "full batch normalisation (mean and deviation attached)",
)
MU_SIGMADET = _gradient(
    "MU_SIGMADET", (g - g_mean) / scale, "an attached mean and a detached deviation"
)
MU = _gradient("MU", g - g_mean, "centring alone")
MUDET_SIGMA = _gradient(
    "MUDET_SIGMA",
    (g - (x - mu) * c_gx / scale**2) / scale,
    "a detached mean and an attached deviation",
)
MUDET_SIGMADET = _gradient("MUDET_SIGMADET", g / scale, "a detached mean and deviation")
MUDET = _gradient("MUDET", g, "centring by a detached mean alone")
SIGMA = _gradient(
    "SIGMA",
    (g - (x - mu) * (c_gx + mu * g_mean) / scale**2) / scale,
    "division by the attached deviation, the mean left in",
)
SIGMADET = _gradient("SIGMADET", g / scale, "division by the detached deviation, the mean left in")
NONE = _gradient("NONE", g, "no normalisation")

VARIANTS: dict[tuple[str, str], ClosedForm] = {
    ("normal", "normal"): MU_SIGMA,
    ("normal", "detach"): MU_SIGMADET,
    ("normal", "omit"): MU,
    ("detach", "normal"): MUDET_SIGMA,
    ("detach", "detach"): MUDET_SIGMADET,
    ("detach", "omit"): MUDET,
    ("omit", "normal"): SIGMA,
    ("omit", "detach"): SIGMADET,
    ("omit", "omit"): NONE,
}
"""The nine gradients by the treatment of (mean, deviation)."""

MEAN_BELOW = ClosedForm(
    "MEAN_BELOW",
    (g_mean, sigma, epsilon),
    g_mean / scale,
    "batch mean of the gradient below a layer that divides by the deviation but does not let the "
    "gradient see the mean; with the mean attached this is 0",
    _SOURCE,
)
LEFTOVER = ClosedForm(
    "LEFTOVER",
    (c_gx, sigma, epsilon),
    c_gx * epsilon / scale**3,
    "batch mean of (gradient below full normalisation) times x; the stabiliser alone keeps it "
    "from 0",
    _SOURCE,
)
RELATIVE_LEFTOVER = ClosedForm(
    "RELATIVE_LEFTOVER",
    (sigma, epsilon),
    epsilon / scale**2,
    "the leftover as a fraction of its value with the deviation detached",
    _SOURCE,
)
UNBIASED = ClosedForm(
    "UNBIASED",
    (B,),
    sp.sqrt((B - 1) / B),
    "factor on the gradient when the unbiased variance replaces the biased one, without stabiliser",
    _SOURCE,
)
ROW_PUSH = ClosedForm(
    "ROW_PUSH",
    (B, mu, g_mean, sigma),
    B * mu * g_mean / sigma,
    "inner product of a bias-free weight row with its gradient, below a detached mean and an "
    "attached deviation without stabiliser; it is 0 for full normalisation and for the deviation "
    "alone",
    _SOURCE,
)
WEIGHT_MU = ClosedForm(
    "WEIGHT_MU",
    (B, c_gf),
    B * c_gf,
    "gradient of one weight below centring: B times a batch covariance",
    _SOURCE,
)
WEIGHT_RAW = ClosedForm(
    "WEIGHT_RAW",
    (B, c_gf, g_mean, f_mean),
    B * (c_gf + g_mean * f_mean),
    "gradient of one weight below a detached mean, or none: B times an uncentred moment",
    _SOURCE,
)
WEIGHT_FULL = ClosedForm(
    "WEIGHT_FULL",
    (B, c_gf, c_gx, c_xf, sigma, epsilon),
    B * (c_gf - c_gx * c_xf / scale**2) / scale,
    "gradient of one weight below full normalisation: a covariance with the share that x explains "
    "taken out (the partial covariance, without stabiliser)",
    _SOURCE,
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        *VARIANTS.values(),
        MEAN_BELOW,
        LEFTOVER,
        RELATIVE_LEFTOVER,
        UNBIASED,
        ROW_PUSH,
        WEIGHT_MU,
        WEIGHT_RAW,
        WEIGHT_FULL,
    )
}
