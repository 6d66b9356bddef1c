"""Several processes, one run: `torchrun` shards the seeds axis, rank 0 gathers.

Seeds do not talk to each other, so nothing is exchanged until the end. There is no launcher
here: `torchrun --nproc-per-node 2 -m ssl_dynamics run ...` starts the processes.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist

PATIENCE = timedelta(days=7)
"""How long a process waits for slower ones before it gives up."""


def world() -> tuple[int, int]:
    """(rank, number of processes) as set by torchrun; (0, 1) without it."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def share(seeds: Sequence[int], rank: int, processes: int) -> tuple[int, ...]:
    """The contiguous part of the seeds that this process trains; sizes differ by at most one."""
    cuts = [len(seeds) * part // processes for part in range(processes + 1)]
    return tuple(seeds[cuts[rank] : cuts[rank + 1]])


def device_for(name: str) -> torch.device:
    """ "auto" takes a GPU when there is one, this process's own under torchrun."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"device: got {name!r}; allowed: auto, cpu, cuda, cuda:N")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: {name!r} asks for a GPU and none is visible; use 'cpu'")
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return device


@contextmanager
def process_group() -> Iterator[None]:
    """Joins the other processes, once for the life of the program.

    A second group after a first would read the addresses that the first left behind, so nobody
    leaves before the end.
    """
    _, processes = world()
    if processes > 1 and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)
        atexit.register(_leave)
    yield


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def gather(metrics: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    """Join the shards along the seeds axis, in seed order; every process gets the whole.

    A process without seeds passes None.
    """
    _, processes = world()
    if processes == 1:
        return metrics or {}
    shards: list = [None] * processes
    dist.all_gather_object(shards, metrics)
    dist.barrier()  # nobody goes while another still reads
    shards = [shard for shard in shards if shard]
    return {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
