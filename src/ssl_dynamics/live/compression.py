"""How far can an estimate of mutual information be trusted?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import traitlets

from ssl_dynamics.live.base import Form, Widget
from ssl_dynamics.records import Record, load

ESTIMATES = {"dv": "best", "nce": "best", "pool": "mine", "fresh": "mine"}
"""The estimates drawn, and the critic each is made with."""
RECORDED = "mutual_information/gaussian"
"""The record that is drawn when none is given."""


def ranges_of(record: Record) -> dict[str, Any]:
    """What the widget draws of a record of the experiment `mutual_information`.

    ``powers`` [K]; ``dimensions`` and ``samples``; ``table``: for each "dimension/samples" and each
    estimate the [least, mean, largest] over the seeds, one triple a power.
    """
    table = {}
    for d in record.config["dimensions"]:
        for n in record.config["samples"]:
            found = {}
            for name, critic in ESTIMATES.items():
                values = record[f"{critic}/d={d}/n={n}/{name}"].astype(float)
                low, mean, high = values.min(0), values.mean(0), values.max(0)
                found[name] = [
                    [round(float(v), 4) for v in at] for at in zip(low, mean, high, strict=True)
                ]
            table[f"{d}/{n}"] = found
    return {
        "powers": list(record.axes["power"]),
        "seeds": len(record.seeds),
        "table": table,
    }


class InformationEstimates(Widget):
    """A Gaussian representation and its noisy copy: exact information, and recorded estimates.

    Give it ``NOISY``, ``CORRELATION`` and ``WEIGHT_VARIANCE`` of
    ``ssl_dynamics.theory.compression``, in this order or by role, and, as ``ranges``, the result of
    :func:`ranges_of`; without one, the recorded run is shown.
    """

    TOPIC = "compression"
    QUESTION = "How far can an estimate of mutual information be trusted?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "noisy": ("n_out", "v_z", "sigma_z"),
        "correlation": ("v_z", "sigma_z"),
        "variance": ("n_out", "rho_xz"),
    }

    power = traitlets.Float(-1.0, min=-4.0, max=2.0, help="log2 of the noise").tag(sync=True)
    dimension = traitlets.Enum(("1", "4", "16"), "4", help="coordinates").tag(sync=True)
    samples = traitlets.Enum(("16", "64", "256", "1024"), "64", help="pairs").tag(sync=True)

    def __init__(
        self,
        forms: Mapping[str, Form] | Iterable[Form],
        ranges: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        self._ranges = dict(ranges) if ranges is not None else ranges_of(load(RECORDED))
        super().__init__(forms, **values)

    def _constants(self) -> dict[str, Any]:
        return {"RANGES": self._ranges}
