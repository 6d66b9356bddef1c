"""At which temperature does the residual outweigh the covariance?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class ResidualBalance(Widget):
    """Growth rate of one weight under InfoNCE, split into a covariance and the residual, and the
    weights of its triples.

    Give it ``OPERATOR``, ``PSD_PART`` and ``NCE_WEIGHT`` of ``ssl_dynamics.theory.info_nce``, in
    this order or by role. Two images at +1 and -1, two views each at a distance ``noise``.
    """

    TOPIC = "info_nce"
    QUESTION = "At which temperature does the residual outweigh the covariance?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "operator": ("lambda_V", "lambda_I", "w", "temperature"),
        "psd": ("lambda_V", "w", "temperature"),
        "weight": ("y", "temperature"),
    }

    temperature = traitlets.Float(0.5, min=0.1, max=3.0, help="temperature").tag(sync=True)
    w = traitlets.Float(0.6, min=0.0, max=2.0, help="size of the weight").tag(sync=True)
    noise = traitlets.Float(0.8, min=0.0, max=1.5, help="deviation of the views").tag(sync=True)
