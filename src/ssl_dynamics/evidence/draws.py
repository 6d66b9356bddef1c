"""Compare two routes draw by draw in float64, and refuse comparisons that could not fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

LEAST_DRAWS = 8
_EXACT_ENOUGH = (np.float64, np.complex128)


def compare(measured: Sequence[Any], predicted: Sequence[Any], tolerance: float) -> np.ndarray:
    """Residuals `max|m - p| / max(1, max|p|)` of each draw, [draws].

    Raises ValueError, saying why, when the two lists are no fair comparison.
    """
    for name, route in (("measured", measured), ("predicted", predicted)):
        if not isinstance(route, list | tuple) and not getattr(route, "shape", ()):
            raise ValueError(f"{name} must be a list with one entry per draw")
    _independent("all draws", measured, predicted)
    if len(measured) != len(predicted):
        raise ValueError(f"{len(measured)} draws measured, {len(predicted)} predicted")
    if len(measured) < LEAST_DRAWS:
        raise ValueError(f"{len(measured)} draws; allowed: {LEAST_DRAWS} or more")
    pairs = []
    for draw, (m, p) in enumerate(zip(measured, predicted, strict=True)):
        _independent(f"draw {draw}", m, p)
        pairs.append((_array(f"measured[{draw}]", m), _array(f"predicted[{draw}]", p)))
        if pairs[-1][0].shape != pairs[-1][1].shape:
            raise ValueError(
                f"draw {draw}: measured has shape {pairs[-1][0].shape}, "
                f"predicted {pairs[-1][1].shape}"
            )
    _alive(pairs, tolerance)
    return np.array([np.max(np.abs(m - p)) / _scale(p) for m, p in pairs])


def _scale(predicted: np.ndarray) -> float:
    return max(1.0, float(np.max(np.abs(predicted))))


def _independent(where: str, m: Any, p: Any) -> None:
    arrays = hasattr(m, "shape") and hasattr(p, "shape")
    if m is p and (arrays or isinstance(m, list | tuple)):
        raise ValueError(f"{where}: measured and predicted are the same object")
    if arrays and np.shares_memory(_raw(m), _raw(p)):
        raise ValueError(f"{where}: measured and predicted share memory")


def _raw(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _array(name: str, value: Any) -> np.ndarray:
    array = _raw(value)
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype not in _EXACT_ENOUGH:
        raise ValueError(f"{name} has dtype {array.dtype}; allowed: float64, complex128, integers")
    if array.size == 0:
        raise ValueError(f"{name} is empty")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array


def _alive(pairs: list[tuple[np.ndarray, np.ndarray]], tolerance: float) -> None:
    """The draws differ from one another, and a prediction twice as large would fail."""
    first = pairs[0]
    nonzero = any(np.any(m) or np.any(p) for m, p in pairs)
    alike = all(np.array_equal(m, first[0]) and np.array_equal(p, first[1]) for m, p in pairs[1:])
    if nonzero and alike:
        raise ValueError("all draws are alike; each must be drawn anew")
    sizes = [float(np.max(np.abs(p))) / _scale(p) for _, p in pairs]
    if 0 < max(sizes) <= 10 * tolerance:
        raise ValueError(
            f"the predictions are at most {max(sizes):.3g}, and twice as large would pass the "
            f"tolerance {tolerance:g}: rescale them, declare a smaller tolerance, or predict "
            "exactly 0"
        )
