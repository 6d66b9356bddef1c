r"""Views close to their mean: the loss to first order, its factor of two, and its noise.

An image has views :math:`Tx` with mean :math:`\bar x`. The encoder's outputs of these views have
a mean and, about it, the deviations :math:`a`; two independent views deviate by
:math:`a` and :math:`b`. Two losses are compared,

.. math::

    \ell_{\rm mean} = \lVert a\rVert^2, \qquad \ell_{\rm pair} = \lVert a - b\rVert^2,

the one that is left when the target is the best vector per image, and the one of a pair of views
without predictor and without stop-gradient. With :math:`A = \mathbb E[aa^\top]` both have closed
means and variances for every encoder. *To first order* means :math:`a = J(Tx - \bar x)` with the
derivative :math:`J` of the encoder at the mean view.

Sources: Su (2020), section on the approximate expansion, for the two expanded losses, the best
centre and the remark that loss and variance become much larger. Everything exact is derived here.
"""

from __future__ import annotations

from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory.notation import (
    B,
    alpha,
    aug_size,
    curvature,
    encoder_slope,
    first_share,
    image_offset,
    kurtosis,
    lambda_I,
    mean_length,
    mean_variance,
    mixing,
    moment_2,
    moment_3,
    moment_4,
    moved_share,
    n,
    third,
    trace_square,
    views,
)

_SU = "su2020simsiam, on the approximate expansion; exact form derived here"
_OWN = "derived here"

MEAN_LOSS = ClosedForm(
    "MEAN_LOSS",
    (aug_size, encoder_slope, curvature, third, moment_2, moment_3, moment_4),
    aug_size**2 * encoder_slope**2 * moment_2
    + aug_size**3 * encoder_slope * curvature * moment_3
    + aug_size**4
    * (curvature**2 * (moment_4 - moment_2**2) / 4 + encoder_slope * third * moment_4 / 3),
    "Variance of the output over the views of one image, to fourth order in their size.",
    _SU,
)
AT_IMAGE = ClosedForm(
    "AT_IMAGE",
    (aug_size, encoder_slope, curvature, moment_2, moment_3, image_offset),
    aug_size**2 * encoder_slope**2 * moment_2
    + aug_size**3 * encoder_slope * curvature * (moment_3 + 2 * image_offset * moment_2),
    "The same to third order, with the derivatives at the image.",
    _SU,
)
TWO_VIEWS = ClosedForm(
    "TWO_VIEWS",
    (first_share, aug_size, encoder_slope, curvature),
    first_share
    * (1 - first_share)
    * aug_size**2
    * (encoder_slope + curvature * aug_size * (1 - 2 * first_share) / 2) ** 2,
    "Exact variance of the output for two views and a quadratic encoder.",
    _OWN,
)
PAIR_FACTOR = ClosedForm(
    "PAIR_FACTOR",
    (views,),
    2 * views / (views - 1),
    "Mean loss of a pair of two different views, of M equally likely ones, over the loss "
    "against the mean.",
    _OWN,
)
PAIR_VARIANCE = ClosedForm(
    "PAIR_VARIANCE",
    (mean_variance, trace_square),
    2 * mean_variance + 4 * trace_square,
    "Variance over two independent views of their squared distance.",
    _OWN,
)
SAMPLE_VARIANCE = ClosedForm(
    "SAMPLE_VARIANCE",
    (views, mean_variance, trace_square),
    mean_variance / views + 2 * trace_square / (views * (views - 1)),
    "Variance of the unbiased estimate of the loss against the mean from M independent views.",
    _OWN,
)
VARIANCE_RATIO = ClosedForm(
    "VARIANCE_RATIO",
    (kurtosis,),
    2 + 4 / (kurtosis - 1),
    "Variance of the pair loss over that of the mean loss, one output direction.",
    _OWN,
)
MIXED_RATIO = ClosedForm(
    "MIXED_RATIO",
    (kurtosis, mixing),
    2 + 4 / (2 + (kurtosis - 3) * mixing),
    "The same ratio for independent views' components of one kurtosis, mixed by the encoder.",
    _OWN,
)
EQUAL_WORK = ClosedForm(
    "EQUAL_WORK",
    (kurtosis,),
    1 + 2 / (kurtosis - 1),
    "Variance of half the pair loss over that of the mean of two views' losses against the mean.",
    _OWN,
)
MODE_SHARE = ClosedForm(
    "MODE_SHARE",
    (alpha, lambda_I, n),
    (1 - 2 * alpha * lambda_I) ** (2 * n),
    "Share of the loss along one mode left after n steps on the mean loss, linear encoder.",
    _OWN,
)

NOISY_SHARE = ClosedForm(
    "NOISY_SHARE",
    (alpha, lambda_I, kurtosis, B),
    (1 - 2 * alpha * lambda_I) ** 2 + 4 * alpha**2 * lambda_I**2 * (kurtosis - 1) / B,
    "Factor of the mean squared weight in one step on B independent draws, one direction.",
    _OWN,
)
PAIR_KURTOSIS = ClosedForm(
    "PAIR_KURTOSIS",
    (kurtosis,),
    (kurtosis + 3) / 2,
    "Kurtosis of the difference of two independent views.",
    _OWN,
)
UNIT_FACTOR = ClosedForm(
    "UNIT_FACTOR",
    (mean_length,),
    1 + mean_length,
    "Pair loss over the loss against the best target of length one, outputs of length one.",
    _OWN,
)
UNIT_SLOPE = ClosedForm(
    "UNIT_SLOPE",
    (mean_length,),
    2 * mean_length,
    "The same ratio for the gradients of the two losses.",
    _OWN,
)

_level = curvature * aug_size**2 / 2
OUTPUT_UP, OUTPUT_DOWN, OUTPUT_STAY = (
    ClosedForm(
        f"OUTPUT_{name}",
        (moved_share, aug_size, encoder_slope, curvature),
        sign * encoder_slope * aug_size + _level * (abs(sign) - moved_share),
        f"Output, less its mean, of the view that {what}: three views, quadratic encoder.",
        _OWN,
    )
    for name, sign, what in (
        ("UP", 1, "moved up"),
        ("DOWN", -1, "moved down"),
        ("STAY", 0, "stayed"),
    )
)

FORMS: dict[str, ClosedForm] = {
    form.name: form
    for form in (
        MEAN_LOSS, AT_IMAGE, TWO_VIEWS, PAIR_FACTOR, PAIR_VARIANCE, SAMPLE_VARIANCE, VARIANCE_RATIO,
        MIXED_RATIO, EQUAL_WORK, MODE_SHARE, NOISY_SHARE, PAIR_KURTOSIS, UNIT_FACTOR, UNIT_SLOPE,
        OUTPUT_UP, OUTPUT_DOWN, OUTPUT_STAY,
    )
}  # fmt: skip
"""Every closed form of the chapter, by name."""
