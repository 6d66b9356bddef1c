r"""What changes from layer to layer: a balanced linear network, nearest centres, probe widths.

A linear network :math:`W=W_L\cdots W_1` whose layers are balanced,
:math:`W_{l+1}^\top W_{l+1}=W_lW_l^\top`, has :math:`P_l^\top P_l=(W^\top W)^{l/L}` for its first l
layers :math:`P_l=W_l\cdots W_1`: every mode is a geometric interpolation between input and output.
The modes are those of :mod:`ssl_dynamics.theory.collapse_levels`, with the same loss. Gradient
descent from small weights comes close to balance.

The accuracy of nearest class centres is that of two classes with diagonal normal spread in two
dimensions; of probes, what least squares with an intercept gives on normal features.

Sources: the growth of a mode in a deep linear network is known from supervised learning (Saxe and
others 2019), the conservation of the balance from Du and others (2018); the rest is derived in
``book/clustering/layers.ipynb``, the error of least squares on normal inputs is textbook knowledge.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.collapse_levels import FLOW
from ssl_dynamics.theory.notation import (
    apart_first,
    apart_second,
    depth,
    full_width,
    gain_coarse,
    gain_fine,
    inv_weight,
    lambda_I,
    lambda_V,
    lambda_V_coarse,
    lambda_V_fine,
    layer,
    mode_variance,
    probe_inputs,
    probe_width,
    relative_dead,
    relative_fine,
    spread_first,
    spread_second,
    squeeze,
    told,
    var_weight,
    within_dead,
    within_fine,
)

_OWN = "derived in the chapter layers"
_TEXT = "textbook; checked in the chapter layers"
_MODE = (lambda_V, lambda_I, inv_weight, var_weight)

# --- a balanced linear network ------------------------------------------------------------------
LAYER_VARIANCE = ClosedForm(
    "LAYER_VARIANCE", (layer, depth, mode_variance, lambda_V, lambda_I),
    (lambda_V + lambda_I) ** (1 - layer / depth) * mode_variance ** (layer / depth),
    "Variance along a mode after l of L balanced layers.", _OWN,
)  # fmt: skip
LAYER_RATIO = ClosedForm(
    "LAYER_RATIO", (layer, depth, lambda_V_coarse, lambda_V_fine, gain_coarse, gain_fine),
    lambda_V_coarse / lambda_V_fine * (gain_coarse / gain_fine) ** (layer / depth),
    "Variance between images along a coarse mode over that along a fine one, after l layers.", _OWN,
)  # fmt: skip
DEEP_FLOW = ClosedForm(
    "DEEP_FLOW", (mode_variance, depth, *_MODE),
    depth * (mode_variance / (lambda_V + lambda_I)) ** (1 - 1 / depth) * FLOW.expr,
    "Velocity of the variance of the outputs along a mode, L balanced layers.", _OWN,
)  # fmt: skip
WITHIN = ClosedForm(
    "WITHIN", (layer, depth, within_fine, within_dead, relative_fine, relative_dead),
    within_fine * relative_fine ** (layer / depth)
    + within_dead * relative_dead ** (layer / depth),
    "Within over between of super-classes after l layers: finer modes and dying ones.", _OWN,
)  # fmt: skip
_fall = within_dead * sp.log(1 / relative_dead)
BEST_LAYER = ClosedForm(
    "BEST_LAYER", (depth, within_fine, within_dead, relative_fine, relative_dead),
    depth * sp.log(_fall / (within_fine * sp.log(relative_fine)))
    / sp.log(relative_fine / relative_dead),
    "Place in depth at which super-classes are tightest, if it lies between 0 and L.", _OWN,
)  # fmt: skip

# --- two classes, two axes ----------------------------------------------------------------------
_TWO = (apart_first, apart_second, spread_first, spread_second)
CENTRE_DISTANCE = ClosedForm(
    "CENTRE_DISTANCE", (*_TWO, squeeze),
    (apart_first**2 + squeeze**2 * apart_second**2)
    / sp.sqrt(
        apart_first**2 * spread_first**2 + squeeze**4 * apart_second**2 * spread_second**2
    ),
    "Distance of the classes in deviations of the nearest-centre score; half of it in the normal "
    "distribution function is the accuracy.", _OWN,
)  # fmt: skip
LINEAR_DISTANCE = ClosedForm(
    "LINEAR_DISTANCE", _TWO,
    sp.sqrt(apart_first**2 / spread_first**2 + apart_second**2 / spread_second**2),
    "The same of the best linear score, whatever the scale of the axes.", _TEXT,
)  # fmt: skip
BEST_SQUEEZE = ClosedForm(
    "BEST_SQUEEZE", (spread_first, spread_second), spread_first / spread_second,
    "Scale of the second axis at which the nearest centre is as accurate as the best line.", _OWN,
)  # fmt: skip

# --- probes of any width ------------------------------------------------------------------------
FITTED = ClosedForm(
    "FITTED", (probe_inputs, probe_width, told),
    1 - (1 - told) * (probe_inputs - probe_width - 1) / probe_inputs,
    "Mean share of the target's variance that least squares tells of its own inputs.", _TEXT,
)  # fmt: skip
UNSEEN = ClosedForm(
    "UNSEEN", (probe_inputs, probe_width, told),
    1 - (1 - told) * (probe_inputs + 1) * (probe_inputs - 2)
    / (probe_inputs * (probe_inputs - probe_width - 2)),
    "The same on new inputs, with at least three more inputs than features.", _TEXT,
)  # fmt: skip
NARROWED = ClosedForm(
    "NARROWED", (probe_width, full_width, told), told * probe_width / full_width,
    "Mean share that random directions of a layer tell, features of one variance each.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        LAYER_VARIANCE,
        LAYER_RATIO,
        DEEP_FLOW,
        WITHIN,
        BEST_LAYER,
        CENTRE_DISTANCE,
        LINEAR_DISTANCE,
        BEST_SQUEEZE,
        FITTED,
        UNSEEN,
        NARROWED,
    )
}
"""Every closed form of this topic by name."""
