"""Predicates on a mean, as written in the claims files, decided at the interval's bad end."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssl_dynamics.records import Interval

_SIGNS = (">=", "<=", ">", "<")


@dataclass(frozen=True)
class Predicate:
    """`> c`, `>= c`, `< c`, `<= c` or `between c d`, about a mean (`mean > c` says the same)."""

    sign: str
    bounds: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> Predicate:
        """Read the text of a claims file; raises ValueError saying what is allowed."""
        rest = text.strip().removeprefix("mean").strip()
        sign = next((s for s in (*_SIGNS, "between") if rest.startswith(s)), None)
        try:
            words = rest.removeprefix(sign or "").replace(",", " ").replace(" and ", " ").split()
            bounds = tuple(float(word) for word in words)
        except ValueError:
            bounds = ()
        wanted = 2 if sign == "between" else 1
        ordered = all(map(math.isfinite, bounds)) and list(bounds) == sorted(set(bounds))
        if sign is None or len(bounds) != wanted or not ordered:
            raise ValueError(f"{text!r}; allowed: '> c', '>= c', '< c', '<= c', 'between c d'")
        return cls(sign, bounds)

    def holds(self, value: float) -> bool:
        """Whether one number meets the predicate."""
        match self.sign:
            case ">":
                return value > self.bounds[0]
            case ">=":
                return value >= self.bounds[0]
            case "<":
                return value < self.bounds[0]
            case "<=":
                return value <= self.bounds[0]
            case _:
                return self.bounds[0] <= value <= self.bounds[1]

    def holds_throughout(self, interval: Interval) -> bool:
        """Whether every number of the interval meets it: both ends do, the bad one included."""
        return self.holds(interval.low) and self.holds(interval.high)

    def __str__(self) -> str:
        if self.sign == "between":
            return f"mean between {self.bounds[0]:g} and {self.bounds[1]:g}"
        return f"mean {self.sign} {self.bounds[0]:g}"
