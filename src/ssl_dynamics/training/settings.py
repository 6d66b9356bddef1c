"""Checks of settings: each refuses what is wrong with the field, the value and what is allowed.

`require`, `one_of` and `some_of` look at one value; the others read fields of a configuration by
name. A value that is not a number (NaN) passes none of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from math import inf
from typing import Any


@dataclasses.dataclass(frozen=True)
class Seeded:
    """The settings that the experiments with many seeds on digits begin with."""

    seeds: int = dataclasses.field(
        default=16, metadata={"help": "number of seeds, trained together"}
    )
    first_seed: int = dataclasses.field(
        default=0, metadata={"help": "seeds are this one and those after it"}
    )
    device: str = dataclasses.field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = dataclasses.field(default="digits", metadata={"help": "name of the record"})

    def seed_range(self) -> tuple[int, ...]:
        """The seeds."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))


def require(holds: bool, field: str, value: object, allowed: str) -> None:
    """Refuse a value unless the condition holds; `allowed` says what would do."""
    if not holds:
        raise ValueError(f"{field}: got {value!r}; allowed: {allowed}")


def one_of(field: str, value: object, allowed: Iterable[object]) -> None:
    """Refuse a value that is not listed."""
    require(value in allowed, field, value, ", ".join(map(str, allowed)))


def some_of(field: str, values: Collection[object], allowed: Collection[object]) -> None:
    """Refuse an empty collection, and one with a value that is not listed."""
    listed = len(values) > 0 and all(value in allowed for value in values)
    require(listed, field, values, f"one or more of {', '.join(map(str, allowed))}")


def at_least(config: Any, low: float, *fields: str) -> None:
    """Refuse fields below `low` and infinite ones."""
    for field in fields:
        value = getattr(config, field)
        require(low <= value < inf, field, value, f"at least {low}")


def not_negative(config: Any, *fields: str) -> None:
    """Refuse fields that are negative or infinite."""
    for field in fields:
        value = getattr(config, field)
        require(0 <= value < inf, field, value, "a finite number of at least 0")


def positive(config: Any, *fields: str) -> None:
    """Refuse fields that are not above zero, or infinite."""
    for field in fields:
        value = getattr(config, field)
        require(0 < value < inf, field, value, "a finite number above 0")


def multiple(config: Any, field: str, of: str) -> None:
    """Refuse a field that is no multiple (once or more) of another, which is at least 1."""
    at_least(config, 1, of)
    value, part = getattr(config, field), getattr(config, of)
    require(value >= part and value % part == 0, field, value, f"a multiple of {of}={part}")


def divisor(config: Any, field: str, of: str) -> None:
    """Refuse a field that does not divide another."""
    value, whole = getattr(config, field), getattr(config, of)
    holds = 1 <= value <= whole and whole % value == 0
    require(holds, field, value, f"a divisor of {of}={whole}")


def keywords(field: str, texts: Iterable[str]) -> dict[str, Any]:
    """Settings given as name=value: numbers, lists, true, false, null as in JSON, else words."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        require(bool(equals), field, text, "field=value")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        found[name] = tuple(read) if isinstance(read, list) else read
    return found
