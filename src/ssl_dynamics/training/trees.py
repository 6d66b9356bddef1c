"""Training of receptive-field networks on latent trees: every seed its own tree and weights."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics import __version__
from ssl_dynamics.data.latent_tree import random_tree
from ssl_dynamics.data.latent_tree_draws import TreeSampler, sample
from ssl_dynamics.data.latent_tree_exact import posteriors
from ssl_dynamics.losses.triplets import TRIPLET_LOSSES, output_gradient
from ssl_dynamics.measures.recovery import ceiling, correlations, readout
from ssl_dynamics.networks.receptive import ReceptiveTree
from ssl_dynamics.training import checkpoint, shard
from ssl_dynamics.training.interrupt import Interrupt
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.settings import at_least, one_of, positive, require
from ssl_dynamics.training.threads import tuned

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""

BLOCK = 8
"""Seeds trained together on a CPU: their activations stay in its cache."""


@dataclass(frozen=True)
class TreeConfig:
    """Settings of one training run on latent trees."""

    branching: tuple[int, ...] = (2, 2, 2, 2, 2)
    """Children of a latent at each depth, from the root."""
    polarity: tuple[float, float] = (0.7, 1.0)
    """Range of the size of the polarities; their signs are random."""
    hid: int = 10
    """Neurons per latent."""
    loss: str = "released"
    temperature: float = 0.1
    lr: float = 0.1
    final_lr: float = 1.0
    """Learning rate of the last fifth of the steps over that before."""
    batch: int = 128
    steps: int = 10_000
    eval_at: tuple[int, ...] | None = None
    """Steps at which recovery is measured, increasing; None: at 0 and at the end."""
    test: int = 8192
    """Test values per tree."""
    dtype: str = "float32"

    def __post_init__(self) -> None:
        one_of("loss", self.loss, TRIPLET_LOSSES)
        at_least(self, 1, "hid", "batch")
        at_least(self, 0, "steps")
        at_least(self, 16, "test")
        positive(self, "temperature", "lr", "final_lr")
        places = self.eval_steps
        rising = list(places) == sorted(set(places)) and 0 <= places[0] <= places[-1] <= self.steps
        require(rising, "eval_at", places, f"increasing, in 0..{self.steps}")

    @property
    def eval_steps(self) -> tuple[int, ...]:
        """The steps at which recovery is measured."""
        if self.eval_at is None:
            return (0, self.steps) if self.steps else (0,)
        return tuple(self.eval_at)

    def fingerprint(self) -> str:
        """A short hash of all settings and the library's version."""
        text = f"trees {__version__} {json.dumps(asdict(self), sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class TreeRun:
    """A block of seeds in training; `step()` is one gradient step of each."""

    def __init__(
        self, config: TreeConfig, seeds: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.seeds, self.now, self.device = config, tuple(seeds), 0, device
        dtype = getattr(torch, config.dtype)
        self.trees = [random_tree(s, config.branching, config.polarity) for s in self.seeds]
        self.net = ReceptiveTree(self.seeds, config.branching, config.hid, dtype=dtype).to(device)
        self.passes = self.net.by_hand()
        self.optimiser = SGD([(self.net.parameters(), config.lr)])
        self.sampler = TreeSampler(self.trees, self.seeds, config.batch, device=device, dtype=dtype)
        keywords = {"width": config.hid} if config.loss == "released" else {}
        self.criterion = partial(
            TRIPLET_LOSSES[config.loss], temperature=config.temperature, **keywords
        )

    @torch.no_grad()
    def step(self) -> Tensor:
        """One gradient step of every seed; the losses [S] before it."""
        if self.config.final_lr != 1 and self.now == self.config.steps * 4 // 5:
            parameters = self.net.parameters()
            self.optimiser = SGD([(parameters, self.config.lr * self.config.final_lr)])
        f = self.passes.forward(self.sampler.at(self.now))
        losses, g = output_gradient(f, self.criterion)
        self.passes.backward(g)
        self.optimiser.step()
        self.now += 1
        return losses

    @torch.no_grad()
    def recovery(self) -> dict[str, np.ndarray]:
        """What every neuron of a latent correlates with it, signed [S, latents, hid]; the size of
        the largest, found [S, latents], and which neuron that is, best [S, latents]; what the best
        linear function of the group's inputs correlates, readable [S, latents]; the scatter of the
        unit outputs, spread [S]. Latents from the root down."""
        signed, readable, spread = [], [], []
        dtype = self.net.weights[0].dtype
        for k, (tree, seed) in enumerate(zip(self.trees, self.seeds, strict=True)):
            values = sample(tree, seed, self.config.test)
            x = torch.from_numpy(values[-1]).to(self.device, dtype).unsqueeze(0)
            levels = _one_seed(self.net, k, x)
            latents = [torch.from_numpy(z).to(self.device) for z in values[-2::-1]]  # from below
            rows = [correlations(pre[0], z) for pre, z in zip(levels, latents, strict=True)]
            signed.append(torch.cat(rows[::-1]).cpu().numpy())
            inputs = [x, *map(torch.relu, levels[:-1])]
            best = [
                readout(below.reshape(len(z), -1, below.shape[-1]), z)
                for below, z in zip(inputs, latents, strict=True)
            ]
            readable.append(torch.cat(best[::-1]).cpu().numpy())
            f = levels[-1][0, 0].double()
            u = f / (f.norm(dim=0) + 1e-4)
            spread.append((u - u.mean(1, keepdim=True)).square().sum(0).mean().sqrt().item())
        neurons = np.stack(signed)
        sizes = np.abs(neurons)
        return {
            "signed": neurons, "found": sizes.max(-1), "best": sizes.argmax(-1),
            "readable": np.stack(readable), "spread": np.array(spread),
        }  # fmt: skip

    def ceilings(self) -> np.ndarray:
        """Correlation of each latent with its exact posterior given the leaves below it, on the
        same test values, [S, latents]."""
        rows = []
        for tree, seed in zip(self.trees, self.seeds, strict=True):
            values = sample(tree, seed, self.config.test)
            exact = posteriors(tree, values[-1])
            rows.append(
                np.concatenate([ceiling(p, z) for p, z in zip(exact, values[:-1], strict=True)])
            )
        return np.stack(rows)

    def state(self) -> dict:
        """Everything a checkpoint needs to go on from here."""
        return {"now": self.now, "net": self.net.state_dict()}

    def restore(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self.net.load_state_dict(state["net"])
        self.now = state["now"]
        if self.config.final_lr != 1 and self.now > self.config.steps * 4 // 5:
            parameters = self.net.parameters()
            self.optimiser = SGD([(parameters, self.config.lr * self.config.final_lr)])


def _one_seed(net: ReceptiveTree, k: int, x: Tensor) -> list[Tensor]:
    """Pre-activations of the k-th seed alone, [1, nodes, hid, N] per level."""
    found = []
    for level, weight in enumerate(net.weights):
        w = weight[k : k + 1]
        pre = (
            w @ x.reshape(*w.shape[:2], w.shape[-1], -1) + net.biases[level][k : k + 1, :, :, None]
        )
        found.append(pre)
        x = torch.relu(pre)
    return found


def train_trees(
    config: TreeConfig,
    seeds: Sequence[int],
    *,
    device: str = "auto",
    progress: bool = True,
    checkpoint_dir: str | Path | None = None,
    label: str = "",
) -> dict[str, np.ndarray]:
    """Train every seed and return, at T evaluation steps, what `TreeRun.recovery` measures
    (found, best, readable [S, T, latents], signed [S, T, latents, hid], spread [S, T]) and the mean
    loss since the last one, loss [S, T]; ceiling [S, latents]; seconds [S], the time each seed
    took, earlier parts of an interrupted run included. Latents from the root down.

    With `checkpoint_dir` the same call resumes an interrupted run, and a finished one returns at
    once. Under `torchrun` the seeds are shared out.
    """
    where = shard.device_for(device)
    folder = None if checkpoint_dir is None else checkpoint.prepare(Path(checkpoint_dir))
    rank, processes = shard.world()
    mine = shard.share(tuple(seeds), rank, processes)
    size = len(mine) if where.type == "cuda" else BLOCK
    blocks = [mine[i : i + size] for i in range(0, len(mine), max(1, size))]
    bar = tqdm(
        total=len(blocks) * config.steps, unit="step", disable=not progress or rank != 0,
        dynamic_ncols=True, desc=label, mininterval=2.0,
    )  # fmt: skip
    with shard.process_group(), bar, tuned(0):
        parts = [_train(config, block, where, folder, bar) for block in blocks]
        joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else None
        return shard.gather(joined)


def _train(
    config: TreeConfig, seeds: tuple[int, ...], device: torch.device, folder: Path | None, bar: tqdm
) -> dict[str, np.ndarray]:
    name = f"{config.fingerprint()}-{len(seeds)}-from-{seeds[0]}.checkpoint"
    path = None if folder is None else folder / name
    saved = None if path is None else checkpoint.load(path, config.fingerprint())
    history: dict[str, list[Tensor]] = {} if saved is None else saved["history"]
    spent = 0.0 if saved is None else saved.get("seconds", 0.0)
    run = TreeRun(config, seeds, device)
    if saved is None or saved["now"] < config.steps:
        if saved is not None:
            run.restore(saved)
            bar.update(run.now)
        spent = _go_on(run, history, path, bar, spent)
    else:
        bar.update(config.steps)
    result = {key: torch.stack(values, 1).numpy() for key, values in history.items()}
    return result | {
        "ceiling": run.ceilings(), "seconds": np.full(len(seeds), spent / len(seeds)),
    }  # fmt: skip


def _go_on(
    run: TreeRun, history: dict[str, list[Tensor]], path: Path | None, bar: tqdm, spent: float
) -> float:
    """Step to the end, appending to `history`; save now and then, and when Ctrl-C asks for it.
    `spent` are the seconds of earlier parts; returns the seconds of all."""
    config, begin = run.config, time.monotonic() - spent
    common = {"fingerprint": config.fingerprint(), "seeds": list(run.seeds), "history": history}
    last, counted = time.monotonic(), 0
    losses: Tensor | None = None
    with Interrupt(active=path is not None) as interrupt:
        while True:
            done = len(history.get("found", ()))
            if run.now in config.eval_steps[done:]:
                for key, value in run.recovery().items():
                    history.setdefault(key, []).append(torch.from_numpy(value))
                mean = torch.full((len(run.seeds),), torch.nan) if losses is None else losses
                history.setdefault("loss", []).append((mean / max(counted, 1)).double().cpu())
                losses, counted = None, 0
            if run.now >= config.steps:
                break
            if path is not None and (interrupt.asked or time.monotonic() - last > SAVE_EVERY):
                seconds = {"seconds": time.monotonic() - begin}
                checkpoint.save(path, common | seconds | run.state())
                last = time.monotonic()
                interrupt.obey(path)
            this = run.step()
            losses, counted = this if losses is None else losses + this, counted + 1
            bar.update()
        spent = time.monotonic() - begin
        if path is not None:
            done_state = {"now": run.now, "seconds": spent}
            checkpoint.save(path, common | done_state, keep_previous=False)
            interrupt.obey(path)
    return spent
