"""A recorded run as a plain dataclass, valid by construction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssl_dynamics.records.intervals import Interval, student_t, wilson

SCHEMA = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_METRIC = re.compile(r"[^\\/\s][^\\/]*(/[^\\/\s][^\\/]*)*")


class RecordError(Exception):
    """A record cannot be built, saved or loaded. The message names the file and the field."""


@dataclass(frozen=True)
class Record:
    """One recorded run.

    `metrics` maps a name (`"<condition>/<metric>"` in a sweep) to an array [S] or [S, T], S the
    number of seeds. `axes` maps a name such as `"step"` to the T places of the second axis.
    `wall_s` is in seconds; `created` is an ISO 8601 time in UTC.
    """

    experiment: str
    name: str
    config: dict[str, Any]
    seeds: list[int]
    metrics: dict[str, np.ndarray]
    axes: dict[str, list]
    device: str
    versions: dict[str, str]
    revision: str
    wall_s: float
    command: str
    created: str
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        try:
            arrays = {key: np.asarray(value) for key, value in self.metrics.items()}
            axes = {key: list(value) for key, value in self.axes.items()}
            seeds = [int(seed) for seed in self.seeds]
        except (AttributeError, TypeError, ValueError) as error:
            raise RecordError(f"record {self.experiment}/{self.name}: {error}") from None
        object.__setattr__(self, "metrics", arrays)
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "seeds", seeds)
        problem = self._problem()
        if problem:
            raise RecordError(f"record {self.experiment}/{self.name}: {problem}")

    def _problem(self) -> str | None:
        if self.schema != SCHEMA:
            return f"schema = {self.schema!r}; this version reads schema {SCHEMA}"
        for field in ("experiment", "name"):
            if not NAME.fullmatch(str(getattr(self, field))):
                return f"{field} = {getattr(self, field)!r}; allowed: letters, digits and . _ + -"
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            return f"seeds = {self.seeds}: one or more distinct integers are needed"
        if not self.metrics:
            return "metrics is empty"
        lengths = {len(axis) for axis in self.axes.values()}
        for key, value in self.metrics.items():
            if not isinstance(key, str) or not _METRIC.fullmatch(key) or key.endswith(".npy"):
                return f"metrics: the name {key!r} is not allowed"
            if value.dtype.kind not in "biuf":
                return f"metrics[{key!r}] has dtype {value.dtype}; allowed: bool, int, float"
            if value.ndim not in (1, 2) or value.shape[0] != len(self.seeds):
                return (
                    f"metrics[{key!r}] has shape {value.shape}; "
                    f"allowed: [S] or [S, T] with S = {len(self.seeds)} seeds"
                )
            if value.ndim == 2 and value.shape[1] not in lengths:
                return (
                    f"metrics[{key!r}] has {value.shape[1]} places along its second axis; "
                    f"the axes have {sorted(lengths)}"
                )
        return None

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self.metrics:
            raise RecordError(
                f"record {self.experiment}/{self.name} has no metric {key!r}; "
                f"it has: {', '.join(sorted(self.metrics))}"
            )
        return self.metrics[key]

    def values(self, key: str | tuple[str, str], at: int = -1) -> np.ndarray:
        """Values [S] of a metric, at index `at` of its second axis where it has one.

        A pair of names gives the paired difference, first minus second, seed by seed.
        """
        if isinstance(key, tuple):
            if len(key) != 2:
                raise RecordError(f"{key!r}: a difference takes two metric names")
            return self.values(key[0], at).astype(float) - self.values(key[1], at)
        value = self[key]
        if value.ndim == 1:
            return value
        try:
            return value[:, at]
        except IndexError:
            raise RecordError(
                f"record {self.experiment}/{self.name}: at = {at} is outside metric {key!r} "
                f"with {value.shape[1]} places"
            ) from None

    def interval(
        self, key: str | tuple[str, str], at: int = -1, *, fraction: bool = False
    ) -> Interval:
        """95 % interval over seeds: Student-t, or Wilson when `fraction` is true."""
        try:
            return (wilson if fraction else student_t)(self.values(key, at))
        except ValueError as error:
            raise RecordError(
                f"record {self.experiment}/{self.name}, metric {key!r}: {error}"
            ) from None
