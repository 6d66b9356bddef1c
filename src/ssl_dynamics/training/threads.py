"""Threads, blocks of seeds, and denormal numbers: what decides the speed on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

CACHE = 2**22
"""Bytes a block of seeds should stay near: a few times the second-level cache of one core."""

FEWEST = 4
"""Seeds that go together whatever their size: below that the calls cost more than the cache."""

WORTH_A_THREAD = 2e8
"""Multiplications in one step of a block that keep one thread busy.

On two quiet cores (`benchmarks/seeds.py`) a second thread made steps of 4e8 multiplications
1.6 times as fast, and steps of 3e7 hardly faster.
"""


def block_size(seeds: int, bytes_per_seed: int, *, cuda: bool, cache: int = CACHE) -> int:
    """How many seeds to train together: what fits the cache, in blocks of even size."""
    if cuda:
        return seeds
    most = min(seeds, max(FEWEST, cache // max(1, bytes_per_seed)))
    blocks = -(-seeds // most)
    return -(-seeds // blocks)


def thread_count(multiplications: float, allowed: int) -> int:
    """Threads for steps with this many multiplications, at least 1 and at most `allowed`."""
    return max(1, min(allowed, int(multiplications // WORTH_A_THREAD)))


@contextmanager
def tuned(multiplications: float) -> Iterator[None]:
    """Inside: flush denormals to zero and use as many threads as the steps are worth.

    Never more threads than before, so `OMP_NUM_THREADS` and `torch.set_num_threads` hold.

    Collapsing networks are full of denormal numbers, which a CPU handles many times slower. The
    flag holds for the calling thread and for the threads it starts later.
    """
    before, flushing = torch.get_num_threads(), flushes_denormals()
    torch.set_flush_denormal(True)
    threads = thread_count(multiplications, before)
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads, user_api="blas"):  # NumPy's products
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushing)


def flushes_denormals() -> bool:
    """Whether this thread treats denormal numbers as zero."""
    return bool(torch.tensor(1e-39) * torch.tensor(0.5) == 0)
