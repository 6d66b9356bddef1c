"""`pretrain`: from settings and a seed to metrics by epoch, resumable, on one device or many."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.networks import averages_at
from ssl_dynamics.training import checkpoint, shard
from ssl_dynamics.training.images import distributed
from ssl_dynamics.training.images.config import ImageConfig
from ssl_dynamics.training.images.evaluate import evaluate
from ssl_dynamics.training.images.run import ImageRun
from ssl_dynamics.training.images.sets import RunImages
from ssl_dynamics.training.interrupt import Interrupt
from ssl_dynamics.training.loop import SAVE_EVERY

History = dict[str, list[Any]]


PROBED_NAMES = ("linear", "grid/", "narrow/", "map/")
"""How the names of metrics begin that have values at the epochs of the probe alone."""


class Also(Protocol):
    """Further measures; `key` tells what they depend on; for probes see `PROBED_NAMES`."""

    @property
    def key(self) -> str: ...

    def __call__(self, run: ImageRun, probe: bool) -> dict[str, Any]: ...


def pretrain(
    config: ImageConfig,
    seed: int,
    images: RunImages,
    *,
    device: torch.device | str = "cpu",
    folder: Path | None = None,
    bar: tqdm | None = None,
    also: Also | None = None,
) -> dict[str, np.ndarray]:
    """Train one seed to the end; metrics [T], T the `eval_epochs`, probes at `probe_epochs`.

    loss and its terms: means over the steps of the epoch that ends there (at epoch 0, of the first
    batch before any step); images_per_s: of the steps alone, without evaluation; the others as in
    `evaluate` (spectrum is [T, MODES]), and what `also` finds. After a loss that is not finite the
    seed stops and the rest is NaN.

    With `folder` the same call goes on from the checkpoint of an interrupted run, on the same
    trajectory, and a finished run returns at once. Under `torchrun` every process calls it, and
    the first one writes.
    """
    first = shard.world()[0] == 0
    mark = config.fingerprint(seed) + ("" if also is None else f"-{also.key}")
    path = None if folder is None else folder / f"{mark}-{seed}.checkpoint"
    with nullcontext() if path is None or not first else checkpoint.alone(path):
        history = _gone_through(config, seed, images, device, path, bar, also)
    return {name: np.array(values) for name, values in history.items()}


def _gone_through(
    config: ImageConfig,
    seed: int,
    images: RunImages,
    device: torch.device | str,
    path: Path | None,
    bar: tqdm | None,
    also: Also | None,
) -> History:
    """The history of the whole run, from the checkpoint at `path` on where there is one."""
    first, saved = shard.world()[0] == 0, None
    if path is not None:
        if first:
            checkpoint.sweep(path)
            saved = checkpoint.load(path, config.fingerprint(seed))
        saved = distributed.from_first(saved)
    history: History = {} if saved is None else saved["history"]
    if saved is None or "method" in saved:
        run = ImageRun(config, seed, images, device)
        progress = _Progress(run, history, path if first else None, bar, also)
        if saved is not None:
            run.restore(saved)
            progress.sums = {name: value.to(device) for name, value in saved["sums"].items()}
        progress.go()
    return history


class _Progress:
    """The run on its way: sums of the epoch, history, checkpoints, progress bar."""

    def __init__(
        self,
        run: ImageRun,
        history: History,
        path: Path | None,
        bar: tqdm | None,
        also: Also | None,
    ):
        self.run, self.history, self.path, self.bar, self.also = run, history, path, bar, also
        self.sums: dict[str, Tensor] = {}
        self.seconds, self.timed = 0.0, 0
        self.written = time.monotonic()
        self.lost = False

    def go(self) -> None:
        """Step to the end."""
        run = self.run
        saving = distributed.agree(self.path is not None)
        if self.bar is not None:
            self.bar.update(run.now * run.config.batch)
        with Interrupt(active=saving) as interrupt:
            while True:
                self._evaluate()
                if run.now == run.steps or self._diverged():
                    break
                asked = distributed.agree(interrupt.asked)
                if asked or time.monotonic() - self.written > SAVE_EVERY:
                    self._save(run.state() | {"sums": self.sums})
                if asked:
                    raise KeyboardInterrupt("stopped; the same command goes on from here")
                self._step()
            self._fill()
            self._save({"now": run.now}, keep_previous=False)
            if distributed.agree(interrupt.asked):
                raise KeyboardInterrupt("stopped; the same command goes on from here")

    def _step(self) -> None:
        start = time.perf_counter()
        try:
            values = self.run.step()
        except torch.linalg.LinAlgError:  # eigenvalues of what is no longer finite
            self.lost = True
            return
        if self.run.now % self.run.steps_per_epoch == 0 and self.run.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - start
        self.timed += self.run.config.batch
        if not self.sums:
            self.sums = {name: torch.zeros((), device=self.run.device) for name in values}
        for name, value in values.items():
            self.sums[name] += value
        if self.bar is not None:
            self.bar.update(self.run.config.batch)

    def _evaluate(self) -> None:
        """At the end of an epoch: append to the history, once."""
        run, config = self.run, self.run.config
        epoch, rest = divmod(run.now, run.steps_per_epoch)
        done = len(self.history.get("loss", ()))
        if rest or done == len(config.eval_epochs):
            return
        if epoch != config.eval_epochs[done]:
            if epoch:
                self._restart()
            return
        found = self._losses()
        probe = epoch in config.probe_epochs
        found |= evaluate(run, probe=probe)
        if self.also is not None:
            found |= self.also(run, probe)
        found["images_per_s"] = self.timed / self.seconds if self.timed else math.nan
        for name, value in found.items():
            self.history.setdefault(name, []).append(value)
        self._restart()
        if self.bar is not None:
            self.bar.set_postfix_str(
                f"seed {run.seed}, epoch {epoch}/{config.epochs}, knn {found['knn']:.1%}"
            )

    def _losses(self) -> dict[str, float]:
        """Loss and terms: means over the epoch, or of the first batch before any step."""
        run = self.run
        if run.now == 0:
            with torch.no_grad():
                values, count = self._first_batch(), 1
        else:
            values, count = self.sums, run.steps_per_epoch
        return {
            name if name == "loss" else f"term/{name}": float(
                distributed.mean_over_processes(value) / count
            )
            for name, value in values.items()
        }

    def _first_batch(self) -> dict[str, Tensor]:
        """The loss of step 0; running averages become those of its batch.

        They start at mean 0 and variance 1, with which the untrained network, the baseline of every
        curve, would be judged as if it had no BatchNorm. Training never reads them.
        """
        with averages_at(self.run.method, 1.0):
            loss, terms = self.run.loss(*self.run.views(0))
        return {"loss": loss, **terms}

    def _restart(self) -> None:
        self.sums, self.seconds, self.timed = {}, 0.0, 0

    def _diverged(self) -> bool:
        losses = self.history.get("loss", [0.0])
        return self.lost or not math.isfinite(losses[-1])

    def _fill(self) -> None:
        """NaN for the evaluations that a diverged seed did not reach."""
        config = self.run.config
        for name, values in self.history.items():
            places = config.probe_epochs if name.startswith(PROBED_NAMES) else config.eval_epochs
            nothing = [math.nan] * len(values[0]) if isinstance(values[0], list) else math.nan
            values += [nothing] * (len(places) - len(values))

    def _save(self, state: dict[str, Any], *, keep_previous: bool = True) -> None:
        if self.path is not None:
            config, seed = self.run.config, self.run.seed
            common = {"fingerprint": config.fingerprint(seed), "history": self.history}
            checkpoint.save(self.path, common | state, keep_previous=keep_previous)
        self.written = time.monotonic()
