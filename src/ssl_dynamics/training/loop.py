"""`train_towers`: from settings and seeds to metrics, resumable and shardable."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.training import checkpoint, shard
from ssl_dynamics.training.config import TowerConfig
from ssl_dynamics.training.interrupt import Interrupt
from ssl_dynamics.training.run import Measure, Run, cost
from ssl_dynamics.training.threads import block_size, tuned

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""


def train_towers(
    config: TowerConfig,
    seeds: Sequence[int] | int,
    *,
    device: str = "auto",
    progress: bool = True,
    checkpoint_dir: str | Path | None = None,
    measures: dict[str, Measure] | None = None,
) -> dict[str, np.ndarray]:
    """Train two towers for every seed and return metrics [S, T], T the steps of `eval_at`.

    loss: on the batch that the next step trains on; spread, rank, output_std: of the online
    tower's outputs on the clean test images; feature_rank: of the encoder's features there; knn,
    linear: test accuracy of probes on the features, [S, number of probe steps]. A seed that
    diverged has NaN.

    `seeds` is a list, or a number n for 0..n-1. `measures` adds metrics of your own: each gets
    (towers, data) and returns [S]. With `checkpoint_dir` the same call resumes an interrupted
    run, and a finished one returns at once. Under `torchrun` the seeds are shared out and every
    process returns the whole result.
    """
    seeds = checked_seeds(seeds)
    where = shard.device_for(device)
    folder = None if checkpoint_dir is None else checkpoint.prepare(Path(checkpoint_dir))
    rank, processes = shard.world()
    mine = shard.share(seeds, rank, processes)
    multiplications, touched = cost(config)
    size = block_size(max(1, len(mine)), touched, cuda=where.type == "cuda")
    blocks = [mine[i : i + size] for i in range(0, len(mine), size)]
    bar = tqdm(
        total=len(blocks) * config.steps,
        unit="step",
        disable=not progress or rank != 0,
        dynamic_ncols=True,
    )
    with shard.process_group(), bar, tuned(multiplications * size):
        parts = [_train(config, block, where, folder, measures or {}, bar) for block in blocks]
        joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else None
        return shard.gather(joined)


def checked_seeds(seeds: Sequence[int] | int) -> tuple[int, ...]:
    """A number n means 0..n-1; anything but distinct integers from 0 up is refused."""
    number = isinstance(seeds, (int, np.integer))
    listed = tuple(range(seeds)) if number else tuple(int(seed) for seed in seeds)
    if not listed or min(listed) < 0 or len(set(listed)) < len(listed):
        raise ValueError(
            f"seeds: got {seeds!r}; allowed: a number of at least 1, or distinct integers >= 0"
        )
    return listed


def checkpoint_name(
    config: TowerConfig, seeds: Sequence[int], measures: dict[str, Measure] | None = None
) -> str:
    """One file per settings, block of seeds and set of extra measures."""
    digest = hashlib.sha256(f"{list(seeds)} {sorted(measures or {})}".encode()).hexdigest()[:8]
    return f"{config.fingerprint()}-{len(seeds)}-from-{seeds[0]}-{digest}.checkpoint"


def _train(
    config: TowerConfig,
    seeds: tuple[int, ...],
    device: torch.device,
    folder: Path | None,
    measures: dict[str, Measure],
    bar: tqdm,
) -> dict[str, np.ndarray]:
    """Train one block of seeds to the end, from its checkpoint when there is one."""
    path = None if folder is None else folder / checkpoint_name(config, seeds, measures)
    saved = None if path is None else checkpoint.load(path, config.fingerprint())
    history: dict[str, list[Tensor]] = {} if saved is None else saved["history"]
    if saved is None or saved["now"] < config.steps:
        run = Run(config, seeds, device)
        if saved is not None:
            run.restore(saved)
            bar.update(run.now)
        _go_on(run, history, measures, path, bar)
    else:
        bar.update(config.steps)
    return {name: torch.stack(values, 1).numpy() for name, values in history.items()}


def _go_on(
    run: Run,
    history: dict[str, list[Tensor]],
    measures: dict[str, Measure],
    path: Path | None,
    bar: tqdm,
) -> None:
    """Step to the end, appending to `history`; save now and then, and when Ctrl-C asks for it."""
    config = run.config
    common = {"fingerprint": config.fingerprint(), "seeds": list(run.seeds), "history": history}
    last = time.monotonic()
    with Interrupt(active=path is not None) as interrupt:
        while True:
            done = len(history.get("loss", ()))
            if run.now in config.eval_steps[done:]:
                probe = run.now in config.probe_steps
                for name, value in run.metrics(probe=probe, measures=measures).items():
                    history.setdefault(name, []).append(value)
            if run.now == config.steps:
                break
            if path is not None and (interrupt.asked or time.monotonic() - last > SAVE_EVERY):
                checkpoint.save(path, common | run.state())
                last = time.monotonic()
                interrupt.obey(path)
            run.step()
            bar.update()
        if path is not None:  # a finished block needs its metrics alone
            checkpoint.save(path, common | {"now": run.now}, keep_previous=False)
            interrupt.obey(path)
