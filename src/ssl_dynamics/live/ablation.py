"""Which of nine layers keeps the spectrum of the outputs, with or without predictor and EMA?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import traitlets

from ssl_dynamics.live.base import Form, Widget
from ssl_dynamics.live.recorded import course
from ssl_dynamics.records import Record, load

NORMS = (
    "mu+sigma", "mu+sigma(det)", "mu", "mu(det)+sigma", "mu(det)+sigma(det)", "mu(det)", "sigma",
    "sigma(det)", "none",
)  # fmt: skip
SETTINGS = ("mlp/ema", "mlp/same", "none/ema", "none/same")
MODES = 8
RECORDED = "ablation/digits"
"""The record that is drawn when none is given."""


def cells_of(record: Record) -> dict[str, Any]:
    """What the widget draws of a record of the experiment `ablation`.

    ``steps`` [T]; per cell ``spread`` and ``rank``, each [mean, half width of the 95 % interval]
    per step, and ``shares``, the mean shares of the largest eigenvalues per step.
    """
    steps = [int(step) for step in record.axes["step"]]

    def shares(cell: str, step: int) -> list[float]:
        return [round(float(v), 3) for v in record[f"{cell}/spectrum/{step}"].mean(0)[:MODES]]

    cells = {}
    for norm in NORMS:
        for setting in SETTINGS:
            cell = f"{norm}/{setting}"
            cells[cell] = {
                "spread": course(record, f"{cell}/spread", digits=3),
                "rank": course(record, f"{cell}/effective_rank", digits=3),
                "shares": [shares(cell, step) for step in steps],
            }
    width = len(record[f"{cell}/spectrum/0"][0])
    return {"steps": steps, "seeds": len(record.seeds), "width": width, "cells": cells}


class AblationGrid(Widget):
    """Recorded training on digits: pick a cell of the grid, and a moment.

    Give it ``SPREAD`` of ``ssl_dynamics.theory.ablation`` and, as ``cells``, the result of
    :func:`cells_of`; without one, the recorded run is shown.
    """

    TOPIC = "ablation"
    QUESTION = "Which cell of the grid keeps the spectrum of the outputs?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {"alone": ("r_mu",)}

    norm = traitlets.Enum(NORMS, "sigma", help="layer in both heads").tag(sync=True)
    setting = traitlets.Enum(SETTINGS, "mlp/ema", help="predictor and target").tag(sync=True)
    moment = traitlets.Float(1.0, min=0.0, max=1.0, help="share of evaluations").tag(sync=True)

    def __init__(
        self,
        forms: Mapping[str, Form] | Iterable[Form],
        cells: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        self._cells = dict(cells) if cells is not None else cells_of(load(RECORDED))
        super().__init__(forms, **values)

    def _constants(self) -> dict[str, Any]:
        return {"CELLS": self._cells}
