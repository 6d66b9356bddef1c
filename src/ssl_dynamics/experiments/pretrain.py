"""One self-supervised method on real images: a learning curve with kNN, rank, spread, and probes.

Every method runs the recipe its paper (or a named reproduction) publishes, unless an option says
otherwise. Seeds run one after another: at this size one network fills the machine. Two baselines
stand beside the curve: the nearest neighbours by pixels, and the untrained network (epoch 0).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training import checkpoint, shard, tuned
from ssl_dynamics.training.images import (
    Also,
    ImageConfig,
    RunImages,
    pixel_baseline,
    pretrain,
    run_images,
)
from ssl_dynamics.training.images.plan import described
from ssl_dynamics.training.settings import at_least

NAME = "pretrain"
MULTIPLICATIONS = 1e12
"""Of a step, roughly: worth every thread there is."""


@dataclass(frozen=True)
class Config(ImageConfig):
    """A run on images and its seeds."""

    seeds: int = field(default=3, metadata={"help": "number of seeds, one after another"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="", metadata={"help": "name of the record; METHOD-DATASET if empty"})
    first_seed: int = 0
    """The first of the seeds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:
            object.__setattr__(self, "name", f"{self.method}-{self.dataset}")
        at_least(self, 1, "seeds")
        at_least(self, 0, "first_seed")

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every seed and record its metrics by epoch, with the pixel baseline."""
    start = time.perf_counter()
    device = shard.device_for(config.device)
    with shard.process_group():
        images = run_images(config, device)
        metrics = curves(
            config,
            config.seed_list,
            images,
            device=device,
            progress=progress,
            checkpoint_dir=checkpoint_dir,
        )
        pixels = pixel_baseline(images, config.neighbours)
    metrics["knn_pixels"] = np.full(config.seeds, pixels)
    return finished(
        NAME,
        config,
        config.seed_list,
        metrics,
        axes=axes(config, metrics),
        device=str(device),
        wall_s=time.perf_counter() - start,
        files=images.checksums,
    )


def axes(config: ImageConfig, metrics: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """The places of the second axes of `curves`: epoch, probe_epoch, mode."""
    modes = next(values for name, values in metrics.items() if "spectrum/" in name).shape[1]
    return {
        "epoch": list(config.eval_epochs),
        "probe_epoch": list(config.probe_epochs),
        "mode": list(range(1, modes + 1)),
    }


def curves(
    config: ImageConfig,
    seeds: list[int],
    images: RunImages,
    *,
    device: torch.device,
    progress: bool = True,
    checkpoint_dir: str | Path | None = None,
    title: str | None = None,
    also: Also | None = None,
) -> dict[str, np.ndarray]:
    """The metrics of `training.images.pretrain`, all seeds stacked: [S, T].

    The spectrum after epoch t becomes "spectrum/<t>", [S, modes].
    """
    folder = None if checkpoint_dir is None else checkpoint.prepare(Path(checkpoint_dir))
    each = len(images.train) // config.batch * config.batch * config.epochs
    bar = tqdm(
        desc=title,
        total=each * len(seeds),
        unit="img",
        unit_scale=True,
        disable=not progress or shard.world()[0] != 0,
        dynamic_ncols=True,
    )
    with bar, tuned(MULTIPLICATIONS):
        found = []
        for place, seed in enumerate(seeds):
            bar.update(place * each - bar.n)
            found.append(
                pretrain(config, seed, images, device=device, folder=folder, bar=bar, also=also)
            )
    stacked = {name: np.stack([one[name] for one in found]) for name in found[0]}
    spectra = stacked.pop("spectrum").astype(np.float32)
    for place, epoch in enumerate(config.eval_epochs):
        stacked[f"spectrum/{epoch}"] = spectra[:, place]
    return stacked


SLICES = [
    {"record": "byol-digits", "config": {"seeds": 2}, "metrics": ["knn", "effective_rank"]},
]
"""What the tests run again beside the committed record: digits, by the code of all images."""

ONCE = tuple(f"{method}-cifar100-small" for method in ("simclr", "byol", "simsiam", "vicreg"))
"""Records on photographs, which the tests cannot fetch."""


def plan(config: Config) -> str:
    """What `--dry-run` prints: the settings spelled out, memory and time from a few steps."""
    device = shard.device_for(config.device)
    with shard.process_group(), tuned(MULTIPLICATIONS):
        return described(config, run_images(config, device), device, config.seeds)
