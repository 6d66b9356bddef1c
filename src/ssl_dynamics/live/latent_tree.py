"""Which neuron has found which latent?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import traitlets

from ssl_dynamics.live.base import Form, Widget
from ssl_dynamics.records import Record, load


def walk_of(record: Record, condition: str, *, seed: int | None = None) -> dict[str, Any]:
    """What the widget draws of one seed (None: the first) of a main condition of `latent_tree`.

    Children per depth; per latent, from the root: polarity of the edge above (1 for the root),
    correlation of its best neuron at the start and at the end, which neurons these are (first and
    best, counted from 0), and the ceiling.
    """
    row = 0 if seed is None else record.seeds.index(seed)
    tree = condition.rpartition("/hid=")[0]

    def rounded(key: str) -> list[float]:
        return [round(float(v), 4) for v in record[key][row]]

    return {
        "branching": [int(c) for c in record.config["branching"]],
        "polarity": rounded(f"{tree}/polarity"),
        "ceiling": rounded(f"{tree}/ceilings"),
        "start": rounded(f"{condition}/start"),
        "end": rounded(f"{condition}/end"),
        "first": [int(v) for v in record[f"{condition}/first"][row]],
        "best": [int(v) for v in record[f"{condition}/best"][row]],
        "hid": int(condition.partition("/hid=")[2].partition("/")[0]),
    }


RECORDED = ("latent_tree/fresh", "depth=5 children=2/low=0.7/hid=10/info_nce")
"""The record and condition that are drawn when nothing else is given."""


class TreeWalk(Widget):
    """A tree of latents: pick one and see its best neuron before and after training.

    Give it ``PATH_POLARITY`` of ``ssl_dynamics.theory.latent_tree`` and, as ``walk``, the result of
    :func:`walk_of`; without one, the first seed of the recorded run is shown.
    """

    TOPIC = "latent_tree"
    QUESTION = "Which neuron detects which latent, before training and after?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {"path": ("rho_1", "rho_2")}

    latent = traitlets.Float(0.0, min=0.0, help="latent, counted from the root").tag(sync=True)
    shown = traitlets.Enum(["before", "after"], "after", help="training").tag(sync=True)

    def __init__(
        self,
        forms: Mapping[str, Form] | Iterable[Form],
        walk: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        self._walk = dict(walk) if walk is not None else walk_of(load(RECORDED[0]), RECORDED[1])
        last = len(self._walk["end"]) - 1
        latent = values.get("latent", 0.0)
        if not 0 <= latent <= last or latent != np.floor(latent):
            raise ValueError(f"latent: got {latent}; allowed: a whole number from 0 to {last}")
        super().__init__(forms, **values)

    def _constants(self) -> dict[str, Any]:
        return {"WALK": self._walk}
