"""How far apart are the accuracies of nearest centres on their own samples and on new features?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import traitlets

from ssl_dynamics.live.base import Form, Widget
from ssl_dynamics.records import Record, load

RECORDED = "measures/gaussians"
"""The record whose draws are shown beside the curves when none is given."""


def points_of(record: Record) -> dict[str, Any]:
    """What the widget draws of the study of Gaussian classes in the experiment `measures`.

    ``dims`` [K] and ``table``: for each "distance/samples" the mean accuracy over the seeds on the
    samples (``own``) and on new features (``new``), one for each dimension.
    """
    dims, table = list(record.config["dims"]), {}
    for at, count in enumerate(record.axes["samples"]):
        for distance, before in ((0, "noise/"), (round(record.config["apart"]), "")):
            found = {}
            for name, key in (("own", "train"), ("new", "test")):
                each = [record[f"{before}dim={d}/{key}"][:, at].mean() for d in dims]
                found[name] = [round(float(value), 4) for value in each]
            table[f"{distance}/{count}"] = found
    return {"dims": dims, "seeds": len(record.seeds), "table": table}


class SampledCentres(Widget):
    """Two normal classes, nearest centres from samples: the exact accuracies, and recorded draws.

    Give it ``INTEGRAND``, ``OWN_CORRELATION``, ``CENTRES_PLACE``, ``OWN_PLACE`` and ``NEW_PLACE``
    of ``ssl_dynamics.theory.supervised``, in this order or by role, and, as ``points``, the result
    of :func:`points_of`; without one, the recorded draws are shown.
    """

    TOPIC = "supervised"
    QUESTION = "What do nearest centres from samples know, and what do they only remember?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "integrand": ("n_f", "s_f", "rho_c", "a_c", "b_c", "t_c"),
        "correlation": ("N_c",),
        "centres": ("Delta_mu", "N_c"),
        "own": ("Delta_mu", "N_c"),
        "new": ("Delta_mu", "N_c"),
    }

    distance = traitlets.Float(4.0, min=0.0, max=6.0, help="distance of the means").tag(sync=True)
    samples = traitlets.Float(10.0, min=2.0, max=100.0, help="samples of each class").tag(sync=True)
    log_dim = traitlets.Float(7.0, min=1.0, max=9.0, help="log2 of the dimensions").tag(sync=True)
    left = traitlets.Float(1.0, min=0.0, max=1.0, help="deviation left by the views").tag(sync=True)

    def __init__(
        self,
        forms: Mapping[str, Form] | Iterable[Form],
        points: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        self._points = dict(points) if points is not None else points_of(load(RECORDED))
        super().__init__(forms, **values)

    def _constants(self) -> dict[str, Any]:
        return {"POINTS": self._points}
