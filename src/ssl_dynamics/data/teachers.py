r"""Random teachers: the networks that make the targets of a student.

A teacher is a list of weights and a list of biases, one of each per layer, on the seeds axis;
``networks.ReluNet.of(with_constant(*teacher))`` is the network. The rows of every hidden layer have
length one and no two of them point the same way, so that every node is one of its own; the public
code of the paper draws its rows from a grid of five values, which is the default here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, radians

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import generator

GRID = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""The values from which the rows of a teacher are drawn by default."""
FINE_GRID = tuple(k / 4 for k in range(-4, 5))
"""The values of the public code's later version, -1 to 1."""
TRIES = 2000
"""Draws for one row before its layer is called too crowded."""
ROWS = ("grid", "fine", "normal")


def random_teacher(
    seeds: Sequence[int],
    widths: Sequence[int],
    *,
    rows: str = "grid",
    separation: float = 0.0,
    decay: float = 0.0,
    bias: float = 0.5,
    bias_with_row: bool = False,
    purpose: str = "teacher",
    dtype: torch.dtype = torch.float64,
) -> tuple[list[Tensor], list[Tensor]]:
    """Weights [S, out, in] and biases [S, out] of every layer, one stream per seed.

    Args:
        widths: from the inputs to the outputs.
        rows: entries from :data:`GRID` ("grid") or :data:`FINE_GRID` ("fine"), or standard normal;
            every row is scaled to length one.
        separation: least angle between two rows of one hidden layer, in degrees.
        decay: strength decay; what the layer above takes from node j (counted from 1) of a hidden
            layer is divided by ``j ** decay``.
        bias: biases are uniform on [-bias, bias].
        bias_with_row: divide each bias by the length that its row had, as the public code does.

    Raises:
        ValueError: a bad setting, or a layer whose rows cannot be told apart that far.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths: got {tuple(widths)}; allowed: two or more, each at least 1")
    if rows not in ROWS:
        raise ValueError(f"rows: got {rows!r}; allowed: {ROWS}")
    if not 0 <= separation < 180:
        raise ValueError(f"separation: got {separation}; allowed: 0 to below 180 degrees")
    if not len(seeds):
        raise ValueError("seeds: got none; allowed: one or more")
    weights, biases = [], []
    for layer, (n_in, n_out) in enumerate(pairwise(widths)):
        is_top = layer == len(widths) - 2
        drawn = []
        for seed in seeds:
            rng = generator(seed, f"{purpose}/{layer}")
            W, lengths = _rows(rng, n_out, n_in, rows, None if is_top else separation)
            if layer:
                W = W / np.arange(1, n_in + 1) ** decay
            b = rng.uniform(-bias, bias, n_out)
            drawn.append((W, b / lengths if bias_with_row else b))
        weights.append(torch.from_numpy(np.stack([W for W, _ in drawn])).to(dtype))
        biases.append(torch.from_numpy(np.stack([b for _, b in drawn])).to(dtype))
    return weights, biases


def two_layer_teacher(
    seeds: Sequence[int],
    nodes: int,
    *,
    inputs: int = 100,
    outputs: int = 50,
    decay: float = 1.0,
    bias: float = -0.1,
    purpose: str = "teacher",
    dtype: torch.dtype = torch.float64,
) -> tuple[list[Tensor], list[Tensor]]:
    """The two-layer teacher of the public code: weights and biases of both layers.

    Rows of the first layer have entries from :data:`FINE_GRID` and length one; the second layer has
    entries from the same grid, not rescaled, and those that leave node j (counted from 1) are
    divided by ``j ** decay``. Every bias is `bias`.
    """
    weights, _ = random_teacher(seeds, (inputs, nodes), rows="fine", purpose=purpose, dtype=dtype)
    rngs = [generator(seed, f"{purpose}/1") for seed in seeds]
    top = np.stack([rng.choice(FINE_GRID, (outputs, nodes)) for rng in rngs])
    top = top / np.arange(1, nodes + 1) ** decay
    weights.append(torch.from_numpy(top).to(dtype))
    return weights, [torch.full(W.shape[:2], bias, dtype=dtype) for W in weights]


def _rows(
    rng: np.random.Generator, count: int, width: int, kind: str, separation: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows [count, width] and the lengths they had; with a separation in degrees no two are
    closer than that."""
    found, lengths = np.zeros((count, width)), np.zeros(count)
    values = FINE_GRID if kind == "fine" else GRID
    limit = 1 - 1e-9 if not separation else cos(radians(separation))
    for k in range(count):
        for _ in range(TRIES):
            row = rng.normal(size=width) if kind == "normal" else rng.choice(values, width)
            length = np.linalg.norm(row)
            if length and (separation is None or (found[:k] @ row <= limit * length).all()):
                found[k], lengths[k] = row / length, length
                break
        else:
            raise ValueError(
                f"separation: got {separation} degrees for {count} rows of width {width}; "
                f"row {k + 1} found no place in {TRIES} draws"
            )
    return found, lengths
