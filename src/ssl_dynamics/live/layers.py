"""Does the ratio of super-class to class grow with depth?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class LayerCourses(Widget):
    """Three modes of a balanced linear network, in every layer and over time.

    Give it ``DEEP_FLOW``, ``LAYER_VARIANCE`` and ``LAYER_RATIO`` of ``ssl_dynamics.theory.depth``,
    in this order or by role. The variances between images are 0.42, 0.17 and 0.08 along a mode of
    super-classes, classes and samples, views add 0.02 to each, both weights of the loss are 1.
    """

    TOPIC = "layers"
    QUESTION = "Does the ratio of super-class to class grow with depth?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "flow": ("nu_m", "depth", "lambda_V", "lambda_I", "mu_s", "mu_v"),
        "variance": ("layer", "depth", "nu_m", "lambda_V", "lambda_I"),
        "ratio": ("layer", "depth", "lambda_V1", "lambda_V3", "g_c", "g_f"),
    }

    moment = traitlets.Float(2.5, min=0.0, max=20.0, help="time").tag(sync=True)
    depth = traitlets.Float(4.0, min=1.0, max=8.0, help="layers").tag(sync=True)
    log_start = traitlets.Float(-2.0, min=-3.0, max=0.5, help="log10 of the squared gain").tag(
        sync=True
    )
