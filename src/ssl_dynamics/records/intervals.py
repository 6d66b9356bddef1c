"""Intervals over seeds: Student-t for means, Wilson for fractions, prediction for a re-run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Mean of n values with the two ends of an interval for it."""

    mean: float
    low: float
    high: float
    n: int
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}], n = {self.n}"


def student_t(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> Interval:
    """Student-t interval for the mean of independent `values` [n], n >= 2, all finite."""
    values = _finite_vector(values)
    mean, half = float(values.mean()), _t_scale(values, level) / math.sqrt(values.size)
    return Interval(mean, mean - half, mean + half, values.size, level)


def prediction(values: Sequence[float] | np.ndarray, again: int, level: float = LEVEL) -> Interval:
    """Interval in which the mean of `again` further draws falls, given `values` [n]."""
    if again < 1:
        raise ValueError(f"again = {again}: at least one further draw is needed")
    values = _finite_vector(values)
    mean = float(values.mean())
    half = _t_scale(values, level) * math.sqrt(1 / values.size + 1 / again)
    return Interval(mean, mean - half, mean + half, values.size, level)


def wilson(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> Interval:
    """Wilson score interval for the fraction of ones among `values` [n], each 0 or 1."""
    values = _finite_vector(values)
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError("a fraction needs values that are 0 or 1")
    n, p, z = values.size, float(values.mean()), float(ndtri(0.5 + level / 2))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half), n, level)


def _finite_vector(values: Sequence[float] | np.ndarray) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < 2:
        raise ValueError(f"shape {array.shape}: an interval needs a vector of two or more values")
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(f"not finite at positions {bad[:8].tolist()} of {array.size}")
    return array


def _t_scale(values: np.ndarray, level: float) -> float:
    return float(stdtrit(values.size - 1, 0.5 + level / 2) * values.std(ddof=1))
