r"""Three nested levels of labels, and when a linear encoder resolves each.

Super-classes hold classes, classes hold samples, samples have views; levels 1, 2, 3 and 4. For any
encoder the variance of its features is the sum :math:`Q_1+Q_2+Q_3+Q_4` of what lies between the
groups of one level inside a group of the level above; within over between is then ordered, coarser
labels above finer ones (:data:`RATIO_SUPER`, :data:`RATIO_CLASS`, :data:`RATIO_SAMPLE`).

The dynamics is that of a linear encoder under the squared form of VICReg,

.. math::

    \mathcal L=\mu_{\rm s}\,\mathbb E\lVert f-f'\rVert^2
    +\mu_{\rm v}\,\lVert\mathbb E ff^\top-1\rVert_F^2 ,

with the modes of :mod:`ssl_dynamics.theory.one_picture`: the variance :math:`\nu_{\rm m}` of the
outputs along one mode follows a logistic curve. For VICReg's own hinge the course is
:data:`ssl_dynamics.theory.one_picture.VICREG_COURSE`; :data:`HINGE_TIME` is its clock.

Sources: the measures are those of Ben-Shaul and others (2023); that a linear network learns the
modes of a tree from coarse to fine is known from supervised learning (Saxe and others 2019), and
that a linear encoder learns mode by mode without labels from Simon and others (2023). The forms are
derived in ``book/clustering/collapse_levels.ipynb``.
"""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    branch_class,
    branch_sample,
    branch_super,
    deviation_goal,
    inv_weight,
    lambda_I,
    lambda_I_fine,
    lambda_V,
    lambda_V_coarse,
    lambda_V_fine,
    mode_variance,
    mode_variance_start,
    node_class,
    node_sample,
    node_super,
    output_width,
    part_class,
    part_sample,
    part_super,
    part_view,
    resolved_share,
    time,
    var_weight,
)

_OWN = "derived in the chapter collapse_levels"
_PARTS = (part_super, part_class, part_sample, part_view)
_MODE = (lambda_V, lambda_I, inv_weight, var_weight)
_TREE = (node_super, node_class, node_sample, branch_super, branch_class, branch_sample)

# --- any encoder --------------------------------------------------------------------------------
RATIO_SAMPLE = ClosedForm(
    "RATIO_SAMPLE", _PARTS, part_view / (part_super + part_class + part_sample),
    "Variance within samples over variance between samples.", _OWN,
)  # fmt: skip
RATIO_CLASS = ClosedForm(
    "RATIO_CLASS", _PARTS, (part_sample + part_view) / (part_super + part_class),
    "Variance within classes over variance between classes.", _OWN,
)  # fmt: skip
RATIO_SUPER = ClosedForm(
    "RATIO_SUPER", _PARTS, (part_class + part_sample + part_view) / part_super,
    "Variance within super-classes over variance between super-classes.", _OWN,
)  # fmt: skip

# --- one mode of the linear encoder -------------------------------------------------------------
_total = lambda_V + lambda_I
RATE = ClosedForm(
    "RATE", _MODE, 8 * (var_weight * _total - inv_weight * lambda_I),
    "Rate at which the variance of the outputs along a mode grows while it is small.", _OWN,
)  # fmt: skip
END = ClosedForm(
    "END", _MODE, 1 - inv_weight * lambda_I / (var_weight * _total),
    "Variance of the outputs along a mode in the end, if its rate is positive; else it dies.", _OWN,
)  # fmt: skip
FLOW = ClosedForm(
    "FLOW", (mode_variance, *_MODE),
    8 * mode_variance * (var_weight * _total * (1 - mode_variance) - inv_weight * lambda_I),
    "Velocity of the variance of the outputs along a mode.", _OWN,
)  # fmt: skip
COURSE = ClosedForm(
    "COURSE", (time, mode_variance_start, *_MODE),
    END.expr / (1 + (END.expr / mode_variance_start - 1) * sp.exp(-RATE.expr * time)),
    "Variance of the outputs along a mode at time t.", _OWN,
)  # fmt: skip
TIME = ClosedForm(
    "TIME", (resolved_share, mode_variance_start, *_MODE),
    (sp.log(END.expr / mode_variance_start - 1) + sp.log(resolved_share / (1 - resolved_share)))
    / RATE.expr,
    "Time at which a mode has reached a share of its end.", _OWN,
)  # fmt: skip
TIE = ClosedForm(
    "TIE", (lambda_V_coarse, lambda_V_fine, lambda_I_fine, inv_weight, var_weight),
    lambda_I_fine + var_weight * (lambda_V_coarse - lambda_V_fine) / (inv_weight - var_weight),
    "Variance of the views along a coarse mode at which it grows as fast as a fine one.", _OWN,
)  # fmt: skip
HINGE_TIME = ClosedForm(
    "HINGE_TIME", (deviation_goal, *_MODE, output_width),
    -output_width / (4 * inv_weight * lambda_I)
    * sp.log(1 - 4 * inv_weight * lambda_I * deviation_goal / (var_weight * _total)),
    "Time in which VICReg's hinge brings a mode with an output axis of its own from zero to a "
    "deviation below 1 and below its end.", _OWN,
)  # fmt: skip

# --- a balanced tree ----------------------------------------------------------------------------
_count = branch_super * branch_class * branch_sample
_sample = node_sample**2 / _count
_class = _sample + branch_sample * node_class**2 / _count
TREE_SAMPLE = ClosedForm(
    "TREE_SAMPLE", _TREE, _sample,
    "Variance between images along a difference of samples of one class, orthogonal nodes.", _OWN,
)  # fmt: skip
TREE_CLASS = ClosedForm(
    "TREE_CLASS", _TREE, _class,
    "Variance between images along a difference of classes of one super-class.", _OWN,
)  # fmt: skip
TREE_SUPER = ClosedForm(
    "TREE_SUPER", _TREE, _class + branch_class * branch_sample * node_super**2 / _count,
    "Variance between images along a difference of super-classes.", _OWN,
)  # fmt: skip

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        RATIO_SAMPLE,
        RATIO_CLASS,
        RATIO_SUPER,
        RATE,
        END,
        FLOW,
        COURSE,
        TIME,
        TIE,
        HINGE_TIME,
        TREE_SAMPLE,
        TREE_CLASS,
        TREE_SUPER,
    )
}
"""Every closed form of this topic by name."""
