"""Which objective collapses, under which normalisation, and which measure sees it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import traitlets

from ssl_dynamics.live.base import Form, Widget
from ssl_dynamics.live.recorded import course
from ssl_dynamics.records import Record, load

OBJECTIVES = (
    "mean", "mean+stop", "pair", "pair+stop", "pair+predictor", "pair+predictor+stop",
    "mean+predictor+stop",
)  # fmt: skip
NORMS = ("none", "l2", "hidden", "output")
SHARES = 8
RECORDED = "mean_view/digits"
"""The record that is drawn when none is given."""


def courses_of(record: Record) -> dict[str, Any]:
    """What the widget draws of a record of the experiment `mean_view`.

    ``steps`` [T]; per condition ``spread``, ``rank`` and ``knn``, each [mean, half width of the
    95 % interval] per step, and ``shares``, the mean shares of the largest eigenvalues per step.
    """
    steps = [int(step) for step in record.axes["step"]]

    conditions = {}
    for objective in OBJECTIVES:
        for norm in NORMS:
            name = f"{objective}/{norm}"
            shares = [record[f"{name}/share {k + 1}"].mean(0) for k in range(SHARES)]
            keys = ("spread", "rank", "knn")
            conditions[name] = {key: course(record, f"{name}/{key}") for key in keys}
            conditions[name]["shares"] = [
                [round(float(share[at]), 4) for share in shares] for at in range(len(steps))
            ]
    return {"steps": steps, "seeds": len(record.seeds), "conditions": conditions}


class TargetTable(Widget):
    """Recorded training on digits: pick an objective and a normalisation, and a moment.

    Give it ``LINE_SPREAD`` of ``ssl_dynamics.theory.mean_view`` and, as ``courses``, the result of
    :func:`courses_of`; without one, the recorded run is shown.
    """

    TOPIC = "mean_view"
    QUESTION = "Which objective collapses, and which measure sees it?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {"line": ("q_s",)}

    objective = traitlets.Enum(OBJECTIVES, "mean", help="objective").tag(sync=True)
    norm = traitlets.Enum(NORMS, "output", help="normalisation").tag(sync=True)
    moment = traitlets.Float(1.0, min=0.0, max=1.0, help="share of training done").tag(sync=True)

    def __init__(
        self,
        forms: Mapping[str, Form] | Iterable[Form],
        courses: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        self._courses = dict(courses) if courses is not None else courses_of(load(RECORDED))
        super().__init__(forms, **values)

    def _constants(self) -> dict[str, Any]:
        return {"COURSES": self._courses}
