"""What students are trained on, and the loop that trains and measures them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data.streams import StepStream, generator
from ssl_dynamics.training.settings import one_of
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.threads import block_size

LENGTH = 256
"""Steps whose samples are chosen together."""
SAMPLING = ("replace", "epochs")
CACHE = 3 * 2**19
"""Bytes a block of students should stay near: a step of theirs is so short that weights which have
to come from beyond the second-level cache are felt."""


class Batches(Protocol):
    """Inputs [S, B, d] and what the teacher says to them [S, B, outputs], for every step."""

    def at(self, step: int) -> tuple[Tensor, Tensor]: ...


class Fresh:
    """Gaussian inputs with deviation `spread`, new ones in every step."""

    def __init__(
        self,
        seeds: Sequence[int],
        teacher: Students,
        batch: int,
        *,
        spread: float = 1.0,
        purpose: str = "fresh",
    ) -> None:
        width, dtype = teacher.widths[0], teacher.weights[0].dtype
        kind = np.float32 if dtype == torch.float32 else np.float64

        def draw(rng: np.random.Generator, steps: int) -> np.ndarray:
            x = rng.standard_normal((steps, batch, width), dtype=kind)
            return np.multiply(x, spread, out=x)

        self.teacher, self.stream = teacher, StepStream(seeds, purpose, draw)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """The inputs of this step and the teacher's outputs."""
        x = self.stream.at(step)
        return x, self.teacher.outputs(x)


class Pool:
    """Batches from a fixed pool of inputs x [S, N, d], answered once by the teacher.

    `sampling` "replace" draws every sample anew from the whole pool, "epochs" goes through the
    pool in a new order each time and leaves out what does not fill a batch at its end.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        teacher: Students,
        x: Tensor,
        batch: int,
        *,
        sampling: str = "replace",
        purpose: str = "pool",
    ) -> None:
        one_of("sampling", sampling, SAMPLING)
        count = x.shape[1]
        if not 1 <= batch <= count:
            raise ValueError(f"batch: got {batch}; allowed: 1 to the {count} of the pool")
        self.x, self.target = x.flatten(0, 1), teacher.outputs(x).flatten(0, 1)
        first = count * np.arange(len(seeds))[:, None]
        length = LENGTH if sampling == "replace" else count // batch

        def draw(rng: np.random.Generator, steps: int) -> np.ndarray:
            if sampling == "replace":
                return rng.integers(count, size=(steps, batch))
            return rng.permutation(count)[: steps * batch].reshape(steps, batch)

        self._places = StepStream(seeds, f"{purpose}/{sampling}", draw, length=length)
        self._first = torch.from_numpy(first)
        self._taken = tuple(
            pool.new_empty(len(seeds) * batch, pool.shape[1]) for pool in (self.x, self.target)
        )
        self._shape = (len(seeds), batch, -1)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of this step, in memory that the next one uses again."""
        places = (self._places.at(step) + self._first).flatten()
        into_x, into_target = self._taken
        x = torch.index_select(self.x, 0, places, out=into_x)
        target = torch.index_select(self.target, 0, places, out=into_target)
        return x.view(self._shape), target.view(self._shape)


def gaussian(
    seeds: Sequence[int],
    count: int,
    width: int,
    *,
    spread: float = 1.0,
    purpose: str,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Gaussian samples, one stream per seed: [S, count, width]."""
    drawn = [generator(seed, purpose).normal(size=(count, width)) for seed in seeds]
    return torch.from_numpy(np.stack(drawn) * spread).to(dtype)


@torch.no_grad()
def train_students(
    students: Students,
    batches: Batches,
    steps: int,
    lr: float,
    *,
    eval_at: Collection[int] = (),
    measure: Callable[[Students], Mapping[str, Tensor]] | None = None,
    decay: float = 0.0,
    layers: Collection[int] | None = None,
    progress: str | None = None,
) -> dict[str, np.ndarray]:
    """Train in place; the history is [S, T, ...] for every name that `measure` returns as [S, ...].

    Args:
        batches: what is seen at each step, see :class:`Batches`.
        eval_at: steps at which `measure` is called, before the step; up to `steps`, the end.
        layers: the layers that are trained, counted from 0; all of them by default.
        progress: title of a progress bar; none by default.
    """
    wanted = frozenset(eval_at)
    if not all(0 <= step <= steps for step in wanted):
        raise ValueError(f"eval_at: got {sorted(wanted)}; allowed: 0 to {steps}")
    rows = []
    for step in trange(steps + 1, disable=progress is None, desc=progress):
        if measure is not None and step in wanted:
            rows.append({k: v.cpu().numpy().copy() for k, v in measure(students).items()})
        if step < steps:
            x, target = batches.at(step)
            students.step(x, target, lr, decay=decay, layers=layers)
    return {name: np.stack([row[name] for row in rows], 1) for name in (rows[0] if rows else {})}


def together(seeds: int, bytes_per_seed: int) -> int:
    """How many students to train in one block."""
    return block_size(seeds, bytes_per_seed, cuda=False, cache=CACHE)


def in_blocks(
    seeds: Sequence[int],
    bytes_per_seed: int,
    job: Callable[[Sequence[int]], Mapping[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Run `job` for blocks of seeds that fit the cache and join its arrays along the seeds axis."""
    size = together(len(seeds), bytes_per_seed)
    found = [job(seeds[start : start + size]) for start in range(0, len(seeds), size)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def step_cost(widths: Sequence[int], batch: int, item: int = 8) -> tuple[float, int]:
    """Multiplications in one step of one seed, and bytes it touches; for `tuned`, `in_blocks`."""
    sizes = [a * b for a, b in pairwise(widths)]
    return batch * (3.0 * sum(sizes) - sizes[0]), item * (sum(sizes) + 2 * batch * sum(widths))
