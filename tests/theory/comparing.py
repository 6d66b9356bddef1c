"""What the routes of every topic share: numbered random draws, and one sense of "equal"."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

DRAWS = 8


def rngs(key: int, draws: int = DRAWS) -> Iterator[np.random.Generator]:
    """One generator a draw, each with its own stream; `key` is the topic's or the route's own."""
    return (np.random.default_rng([key, draw]) for draw in range(draws))


def close(measured: object, predicted: object, tolerance: float = 1e-11) -> None:
    """Same shape, predicted finite, and no entry further off than `tolerance` times the largest
    measured one (or times 1, if that is smaller)."""
    measured, predicted = np.asarray(measured, float), np.asarray(predicted, float)
    assert measured.shape == predicted.shape, f"{measured.shape} is not {predicted.shape}"
    assert np.isfinite(predicted).all(), f"predicted: {predicted}"
    error, scale = np.abs(measured - predicted).max(), max(1.0, np.abs(measured).max())
    assert error <= tolerance * scale, f"{measured} is not {predicted}"
