"""The training loop: all seeds of a block in one set of tensors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import Digits, PairSampler, digits
from ssl_dynamics.measures import (
    effective_rank,
    knn_accuracy,
    linear_accuracy,
    output_std,
    spread,
)
from ssl_dynamics.networks import Linear, population_statistics
from ssl_dynamics.training import checkpoint, shard
from ssl_dynamics.training.config import TowerConfig
from ssl_dynamics.training.ema import follow_tensors
from ssl_dynamics.training.interrupt import Interrupt
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.threads import block_size, tuned
from ssl_dynamics.training.towers import Towers

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""

Measure = Callable[[Towers, Digits], Tensor]


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
    run. Under `torchrun` the seeds are shared out and every process returns the whole result.
    """
    seeds = checked_seeds(seeds)
    where = shard.device_for(device)
    folder = None if checkpoint_dir is None else Path(checkpoint_dir)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    rank, processes = shard.world()
    mine = shard.share(seeds, rank, processes)
    with shard.process_group():
        size = block_size(max(1, len(mine)), bytes_per_seed(config), cuda=where.type == "cuda")
        blocks = [mine[i : i + size] for i in range(0, len(mine), size)]
        bar = tqdm(
            total=len(blocks) * config.steps,
            unit="step",
            disable=not progress or rank != 0,
            dynamic_ncols=True,
        )
        with bar, tuned(multiplications(config) * size):
            parts = [
                _train_block(config, block, where, folder, measures or {}, bar) for block in blocks
            ]
        joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else None
        return shard.gather(joined)


def checked_seeds(seeds: Sequence[int] | int) -> tuple[int, ...]:
    """A number n means 0..n-1; anything but distinct integers from 0 up is refused."""
    listed = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(s) for s in seeds)
    if not listed or min(listed) < 0 or len(set(listed)) < len(listed):
        raise ValueError(
            f"seeds: got {seeds!r}; allowed: a number of at least 1, or distinct integers >= 0"
        )
    return listed


class Run:
    """One block of seeds in training: networks, optimiser, data, and the step it has reached."""

    def __init__(self, config: TowerConfig, seeds: tuple[int, ...], device: torch.device) -> None:
        self.config, self.seeds, self.now = config, seeds, 0
        self.data = digits().to(device, config.torch_dtype)
        self.towers = Towers(config, seeds).to(device)
        self.optimiser = SGD(
            [
                (self.towers.online.parameters(), config.lr),
                (self.towers.predictor.parameters(), config.lr * config.predictor_lr),
            ],
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        if not config.predictor_lr:
            self.towers.predictor.requires_grad_(False)
        self.sampler = PairSampler(
            self.data, seeds, config.batch, noise=config.noise, contrast=config.contrast
        )
        if self.towers.target is not None:
            self._target = list(self.towers.target.state_dict().values())
            self._online = list(self.towers.online.state_dict().values())

    def loss(self) -> Tensor:
        """The loss of each seed [S] on the batch of the current step."""
        views = self.sampler.at(self.now)
        mean = self.sampler.mean_at(self.now) if self.config.target_view == "mean" else None
        return self.towers.loss(views, mean)

    def step(self) -> None:
        """One gradient step of every seed, then the target follows."""
        self.loss().sum().backward()
        self.optimiser.step()
        if self.towers.target is not None:
            follow_tensors(self._target, self._online, self.config.ema)
        self.now += 1

    @torch.no_grad()
    def metrics(self, probe: bool, measures: dict[str, Measure]) -> dict[str, Tensor]:
        """The metrics of the current step, each [S]."""
        data, tower, count = self.data, self.towers.online, len(self.seeds)
        train, test = (x.expand(count, -1, -1) for x in (data.train, data.test))
        found = {"loss": self.loss()}
        with population_statistics(tower, train):
            features = tower.encoder(test)
            outputs = tower.projector(features)
            found |= {
                "spread": spread(outputs),
                "output_std": output_std(outputs),
                "rank": effective_rank(outputs),
                "feature_rank": effective_rank(features),
            }
            if probe:
                sets = (tower.encoder(train), data.train_labels, features, data.test_labels)
                found |= {"knn": knn_accuracy(*sets), "linear": linear_accuracy(*sets)}
        found |= {name: measure(self.towers, data) for name, measure in measures.items()}
        return {name: value.double().cpu() for name, value in found.items()}

    def state(self) -> dict:
        """Everything a checkpoint needs to go on from here."""
        return {
            "fingerprint": self.config.fingerprint(),
            "seeds": list(self.seeds),
            "now": self.now,
            "towers": self.towers.state_dict(),
            "velocity": self.optimiser.state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self.towers.load_state_dict(state["towers"])
        self.optimiser.restore(state["velocity"])
        self.now = state["now"]


def _train_block(
    config: TowerConfig,
    seeds: tuple[int, ...],
    device: torch.device,
    folder: Path | None,
    measures: dict[str, Measure],
    bar: tqdm,
) -> dict[str, np.ndarray]:
    """Train one block of seeds to the end, from its checkpoint when there is one."""
    run = Run(config, seeds, device)
    history: dict[str, list[Tensor]] = {}
    path = None if folder is None else folder / checkpoint_name(config, seeds, measures)
    saved = None if path is None else checkpoint.load(path, config.fingerprint())
    if saved is not None:
        run.restore(saved)
        history = {name: list(values) for name, values in saved["history"].items()}
        bar.update(run.now)

    def save() -> None:
        if path is not None:
            checkpoint.save(path, {**run.state(), "history": history})

    evaluated = len(history.get("loss", ()))
    last = time.monotonic()
    with Interrupt(active=path is not None) as interrupt:
        while True:
            if run.now in config.eval_steps[evaluated:]:
                for name, value in run.metrics(run.now in config.probe_steps, measures).items():
                    history.setdefault(name, []).append(value)
                evaluated += 1
            if run.now == config.steps:
                break
            if interrupt.asked or time.monotonic() - last > SAVE_EVERY:
                save()
                last = time.monotonic()
                interrupt.obey(path)
            run.step()
            bar.update()
        save()
    return {name: torch.stack(values, 1).numpy() for name, values in history.items()}


def checkpoint_name(
    config: TowerConfig, seeds: tuple[int, ...], measures: dict[str, Measure]
) -> str:
    """One file per settings, block of seeds and set of extra measures."""
    text = f"{list(seeds)} {sorted(measures)}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{config.fingerprint()}-{len(seeds)}-from-{seeds[0]}-{digest}.checkpoint"


def multiplications(config: TowerConfig) -> float:
    """Multiplications of one training step of one seed (forward and backward)."""
    weights = sum(layer.weight[0].numel() for layer in _linears(config))
    return 6.0 * config.batch * weights


def bytes_per_seed(config: TowerConfig) -> int:
    """Memory that one seed touches in a step: weights, gradients, velocities, activations."""
    layers = _linears(config)
    weights = sum(layer.weight[0].numel() for layer in layers)
    widths = sum(layer.weight.shape[1] for layer in layers)
    numbers = 4 * weights + 2 * 2 * config.batch * widths
    return numbers * config.torch_dtype.itemsize


def _linears(config: TowerConfig) -> list[Linear]:
    return [m for m in Towers(config, (0,)).modules() if isinstance(m, Linear)]
