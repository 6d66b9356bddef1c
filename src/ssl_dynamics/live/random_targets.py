"""Which targets does training make easier to read?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_MODEL = ("theta_t", "v_s", "v_n", "sigma_z")


class TargetAngle(Widget):
    """Accuracy of the best probe by the angle of the target, and the three ratios of clusters.

    Give it ``ACCURACY``, ``STOP_ANGLE``, ``SHARE`` and ``CDNV_OF_SHARE`` of
    ``ssl_dynamics.theory.random_targets``, in this order or by role. Both directions start with the
    variance 1; ``carried`` of the nuisance's goes to the semantic one. The angle is in degrees.
    """

    TOPIC = "random_targets"
    QUESTION = "Which targets does training make easier to read?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "accuracy": _MODEL,
        "stop": ("v_s", "v_n", "v_s0", "v_n0", "sigma_z"),
        "share": _MODEL,
        "cdnv": ("eta_s", "C"),
    }

    target_angle = traitlets.Float(60.0, min=0.0, max=90.0, help="angle of the target").tag(
        sync=True
    )
    carried = traitlets.Float(0.8, min=0.0, max=0.98, help="variance that training moves").tag(
        sync=True
    )
    sigma_z = traitlets.Float(0.5, min=0.05, max=2.0, help="deviation of the noise").tag(sync=True)
