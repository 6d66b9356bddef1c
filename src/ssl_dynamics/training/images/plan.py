"""What a run will cost, from a few measured steps: the answer to `--dry-run`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from ssl_dynamics.training.images import distributed
from ssl_dynamics.training.images.config import ImageConfig
from ssl_dynamics.training.images.evaluate import evaluate
from ssl_dynamics.training.images.run import ImageRun
from ssl_dynamics.training.images.sets import RunImages
from ssl_dynamics.training.shard import world

PARTS = ("data", "forward", "backward", "optimiser")
WARM_UP = 2
"""Steps before the measured ones."""
LEAST, MOST = 3, 20
"""Measured steps."""
PATIENCE = 5.0
"""Seconds after which no further step is measured."""


@dataclass
class Stopwatch:
    """Seconds spent in the parts of a step: `with stopwatch("forward"):`.

    `clock` may be `time.process_time` on a CPU that others use too.
    """

    device: torch.device
    clock: Callable[[], float] = time.perf_counter
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = self._now()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + self._now() - start

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()


@dataclass(frozen=True)
class Cost:
    """Measured on this machine; times in seconds, memory in bytes.

    parts: one step split into `PARTS`; evaluation: one without linear probe; probe: what the
    probe adds; checkpoint: size of the file; peak: the most memory in use (on a GPU: its own).
    """

    parts: dict[str, float]
    evaluation: float
    probe: float
    weights: int
    checkpoint: int
    peak: int

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return sum(self.parts.values())

    def seed(self, config: ImageConfig, steps: int) -> float:
        """Seconds of one seed's whole run."""
        evaluations = len(config.eval_epochs) * self.evaluation
        return steps * self.step + evaluations + len(config.probe_epochs) * self.probe


def measured(
    config: ImageConfig,
    images: RunImages,
    device: torch.device | str,
    clock: Callable[[], float] = time.perf_counter,
) -> Cost:
    """Do a few steps and one evaluation of the real thing and time them."""
    enough = (WARM_UP + MOST) * config.batch // len(images.train) + 2
    run = ImageRun(replace(config, epochs=max(config.epochs, enough)), 0, images, device)
    for _ in range(WARM_UP):
        run.step()
    watch, steps, start, over = Stopwatch(run.device, clock), 0, time.perf_counter(), False
    while steps < LEAST or (steps < MOST and not over):
        run.step(watch)
        steps += 1
        over = distributed.agree(time.perf_counter() - start > PATIENCE)
    evaluations = [Stopwatch(run.device, clock) for _ in range(2)]
    for stopwatch, probe in zip(evaluations, (False, True), strict=True):
        if probe <= bool(config.probe_epochs):
            with stopwatch("all"):
                evaluate(run, probe=probe)
    plain, full = (stopwatch.seconds.get("all", 0.0) for stopwatch in evaluations)
    tensors = [*run.method.state_dict().values(), *run.optimiser.state()]
    return Cost(
        parts={part: watch.seconds[part] / steps for part in PARTS},
        evaluation=plain,
        probe=max(0.0, full - plain) if config.probe_epochs else 0.0,
        weights=sum(w.numel() for w in run.method.parameters() if w.requires_grad),
        checkpoint=sum(t.numel() * t.element_size() for t in tensors),
        peak=_peak(run.device),
    )


def described(
    config: ImageConfig, images: RunImages, device: torch.device | str, seeds: int
) -> str:
    """The plan in words: data, network, recipe, memory, time."""
    cost = measured(config, images, device)
    per_epoch = len(images.train) // config.batch
    seed = cost.seed(config, per_epoch * config.epochs)
    step = "  ".join(f"{part} {1e3 * value:.1f}" for part, value in cost.parts.items())
    o = config.optimiser_options
    one, two = images.recipes
    options = f" ({' '.join(config.options)})" if config.options else ""
    lines = [
        f"method      {config.method}{options}, {config.encoder} encoder, {cost.weights:,} weights",
        f"images      {config.dataset}: {len(images.train):,} to train on, "
        f"{len(images.bank.labels):,} in the bank, {len(images.test.labels):,} to test, "
        f"{images.size} x {images.size}",
        f"views       {one.name} and {two.name}",
        f"optimiser   {o['kind']}, peak rate {config.peak_lr:.4g}, momentum {o['momentum']:g}, "
        f"decay {o['weight_decay']:g}, warm-up {config.warmup_epochs:g} epochs, "
        f"then {'cosine' if config.falls else 'constant'}",
        f"steps       {config.epochs} epochs of {per_epoch} steps of {config.batch} images, "
        f"{world()[1]} process(es) on {device}",
        f"step        {1e3 * cost.step:.1f} ms: {step} (ms)",
        f"rate        {config.batch / cost.step:,.0f} images/s",
        f"evaluation  {cost.evaluation:.1f} s, {len(config.eval_epochs)} times; "
        f"linear probe {cost.probe:.1f} s, {len(config.probe_epochs)} times",
        f"memory      {_size(cost.peak)} at most so far; images {_size(_bytes(images))}",
        f"checkpoint  {_size(cost.checkpoint)}, two are kept",
        f"time        {duration(seed)} a seed, {duration(seed * seeds)} for {seeds}",
    ]
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 3.4 h, 2.1 days."""
    for size, unit, below in ((1, "s", 120), (60, "min", 7200), (3600, "h", 172_800)):
        if seconds < below:
            return f"{seconds / size:.0f} {unit}" if size < 3600 else f"{seconds / size:.1f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def _bytes(images: RunImages) -> int:
    return images.train.numel() + images.bank.images.numel() + images.test.images.numel()


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**29 else f"{count / 2**20:.0f} MiB"


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
