"""Which measures notice that two clusters move apart, spread, or get more dimensions?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_PLACE = ("V", "n_f", "N_c")


class TwoClusters(Widget):
    """Two isotropic normal classes: means to drag, spread, dimension and samples to set.

    Give it ``NCC_BOUND``, ``PLUGIN``, ``TEST_MARGIN``, ``TRAIN_MARGIN`` and ``RANK`` of
    ``ssl_dynamics.theory.clustering_measures``, in this order or by role. The plane of the picture
    holds both means; the classes spread alike in all dimensions.
    """

    TOPIC = "measures"
    QUESTION = "Which measure of two clusters depends on what?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "bound": ("V_u",),
        "plugin": ("V", "N_c"),
        "new": _PLACE,
        "own": _PLACE,
        "rank": ("V", "n_f", "C"),
    }

    a_x = traitlets.Float(-1.0, min=-2.0, max=2.0, help="first mean, along").tag(sync=True)
    a_y = traitlets.Float(0.0, min=-1.5, max=1.5, help="first mean, across").tag(sync=True)
    b_x = traitlets.Float(1.0, min=-2.0, max=2.0, help="second mean, along").tag(sync=True)
    b_y = traitlets.Float(0.0, min=-1.5, max=1.5, help="second mean, across").tag(sync=True)
    spread = traitlets.Float(0.5, min=0.05, max=1.5, help="deviation in each dimension").tag(
        sync=True
    )
    log_dim = traitlets.Float(3.0, min=1.0, max=9.0, help="log2 of the dimensions").tag(sync=True)
    samples = traitlets.Float(10.0, min=3.0, max=100.0, help="samples of each class").tag(sync=True)
