"""Randomness of one seed: a function of (seed, purpose, step) and of nothing else.

A seed therefore sees the same data and starts from the same weights whether it runs alone or
beside a thousand others, on any device, before and after a restart. Draws are made with NumPy
on the CPU and moved to the device afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor


def generator(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """The random stream of `seed` for one purpose (``"online/encoder.0"``) and one step.

    The triple is hashed to the 128-bit key of a counter-based generator (Philox), so two
    different triples give unrelated streams.
    """
    name = f"{int(seed)}/{purpose}/{int(step)}".encode()
    key = np.frombuffer(hashlib.blake2b(name, digest_size=16).digest(), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def uniform(
    seeds: Sequence[int],
    purpose: str,
    shape: Sequence[int],
    bound: float,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform draws on [-bound, bound], one stream per seed: [S, *shape]."""
    draws = [generator(seed, purpose).uniform(-bound, bound, tuple(shape)) for seed in seeds]
    return torch.from_numpy(np.stack(draws)).to(dtype)


class StepStream:
    """Draws for every step, made in blocks of `length` steps with one generator per seed.

    `draw(rng, length)` returns an array [length, ...]. `stream.at(step)` is a tensor [S, ...]
    on the device. The block size is part of the law of the stream: keep it fixed.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        purpose: str,
        draw: Callable[[np.random.Generator, int], np.ndarray],
        *,
        length: int = 32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.seeds = tuple(seeds)
        self.purpose = purpose
        self.draw = draw
        self.length = length
        self.device = device
        self._number = -1
        self._block = torch.empty(0)

    def at(self, step: int) -> Tensor:
        """The draws of this step, [S, ...]."""
        number, offset = divmod(step, self.length)
        if number != self._number:
            rngs = (generator(seed, self.purpose, number) for seed in self.seeds)
            block = np.stack([self.draw(rng, self.length) for rng in rngs], axis=1)
            self._block = torch.from_numpy(block).to(self.device)
            self._number = number
        return self._block[offset]
