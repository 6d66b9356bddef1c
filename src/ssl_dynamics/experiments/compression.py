"""The information of digits in their representation, through training, by every definition at once.

A small network is trained with VICReg on shifted digits with pixel noise. The input whose
information is measured is one of N equally likely ones: the nine shifts of the first training
images, clean. So the exact value is known for each definition that is finite, up to the draws of
the noise. Metrics [S, T] at the steps of the axis; ``layer`` is ``features`` (the encoder's output)
or ``outputs`` (the projector's); ``spread`` is the root mean square deviation of one coordinate.

- ``layer/spread``, ``layer/rank`` (effective rank), ``linear`` (test accuracy of a linear probe);
- ``layer/noise/whole``, ``/image``, ``/view``: information after Gaussian noise, and its two parts,
  which image and which of its views; ``noise`` is ``fixed=0.3`` (a deviation) or ``relative=1``
  (a multiple of the spread);
- ``layer/bins=1`` (width over the spread): entropy of the bins of all coordinates together;
- ``mine/raw``, ``mine/standard``, ``mine/noisy``, at the steps ``mine_at``: MINE on the features as
  they are, over their spread, and over their spread with noise of deviation 1 (whose exact value is
  ``features/relative=1/whole``); the mean of the last 50 batches after ``critic_steps``, and with
  ``/early`` after half as many; ``mine/noisy/error`` is what the last has too much;
- ``change/...`` [S]: any of these, at the last step less at the first.

Declared before the recorded run, after a pilot with the seeds 900 to 903: see the claims file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import StepStream, generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import (
    Mine,
    cell_entropy,
    effective_rank,
    in_bins,
    linear_accuracy,
    noisy_information,
)
from ssl_dynamics.networks import population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, positive, require
from ssl_dynamics.training.shard import device_for
from ssl_dynamics.training.threads import tuned

NAME = "compression"

LAST = 50
"""Batches whose bounds are averaged into an estimate."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    device: str = "cpu"
    images: int = 128
    """Images whose nine shifts are the inputs."""
    steps: int = 2000
    eval_at: tuple[int, ...] = (0, 20, 100, 300, 1000, 2000)
    mine_at: tuple[int, ...] = (0, 100, 2000)
    batch: int = 128
    lr: float = 0.005
    features: int = 32
    noise: float = 0.1
    """Deviation of the pixel noise of the training views."""
    fixed: float = 0.3
    relative: tuple[float, ...] = (0.1, 0.3, 1.0)
    bins: tuple[float, ...] = (0.01, 1.0, 4.0)
    critic_steps: int = 600
    critic_batch: int = 256

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "steps", "images")
        at_least(self, 0, "first_seed")
        at_least(self, 2 * LAST, "critic_steps")
        positive(self, "lr", "fixed")
        for field in ("eval_at", "mine_at"):
            places = getattr(self, field)
            inside = all(0 <= at <= self.steps for at in places)
            require(inside, field, places, f"steps from 0 to {self.steps}")
        among = set(self.mine_at) <= set(self.eval_at)
        require(among, "mine_at", self.mine_at, f"steps among eval_at={self.eval_at}")
        known = not self.mine_at or 1.0 in self.relative
        require(known, "relative", self.relative, "1.0 among them, which MINE is held against")

    def towers(self) -> TowerConfig:
        """The settings of the training run."""
        return TowerConfig(
            encoder=(128, self.features),
            feature_relu=False,
            projector=(64, 32),
            predictor="none",
            stop_gradient=False,
            ema=None,
            loss="vicreg",
            lr=self.lr,
            momentum=0.9,
            weight_decay=1e-4,
            noise=self.noise,
            steps=self.steps,
            batch=self.batch,
            probe_at=(),
        )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "steps": 100, "eval_at": (0, 100), "mine_at": (), "bins": (0.01,)},
        "metrics": [
            "features/relative=1/whole",
            "features/relative=1/view",
            "features/fixed=0.3/whole",
            "features/bins=0.01",
            "linear",
        ],
    },
]
"""What the tests run again beside the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train, and measure on the way; metrics are [S, T]."""
    axes = {"step": list(config.eval_at), "mine step": list(config.mine_at)}
    return recorded(
        NAME, config, lambda: measured(config, progress), seeds=config.seed_range(), axes=axes
    )


def measured(config: Config, progress: bool = False) -> dict[str, np.ndarray]:
    """All metrics by name."""
    found: dict[str, list[Tensor]] = {}
    with tuned(0):
        training = Run(config.towers(), config.seed_range(), device_for(config.device))
        for now in trange(config.steps + 1, disable=not progress, desc=NAME):
            values: dict[str, Tensor] = {}
            if now in config.eval_at:
                values |= exact(config, training)
            if now in config.mine_at:
                values |= estimated(config, training)
            for key, value in values.items():
                found.setdefault(key, []).append(value)
            if now < config.steps:
                training.step()
    metrics = {k: torch.stack(v, 1).cpu().numpy().astype(np.float32) for k, v in found.items()}
    if config.mine_at:
        places = [config.eval_at.index(at) for at in config.mine_at]
        known = metrics["features/relative=1/whole"][:, places]
        metrics["mine/noisy/error"] = metrics["mine/noisy"] - known
    return metrics | {f"change/{k}": v[:, -1] - v[:, 0] for k, v in metrics.items()}


def inputs(config: Config, training: Run) -> Tensor:
    """The inputs of which one is drawn, for every seed: [S, N, 64]."""
    views = training.data.views[: config.images]
    return views.flatten(0, 1).expand(config.seeds, -1, -1)


@torch.no_grad()
def exact(config: Config, training: Run) -> dict[str, Tensor]:
    """The definitions that are finite, [S] each."""
    data, tower, x = training.data, training.towers.online, inputs(config, training)
    train, test = (part.expand(config.seeds, -1, -1) for part in (data.train, data.test))
    found: dict[str, Tensor] = {}
    with population_statistics(tower, train):
        features = tower.encoder(x)
        layers = {"features": features, "outputs": tower.projector(features)}
        sets = (tower.encoder(train), data.train_labels, tower.encoder(test), data.test_labels)
        found["linear"] = linear_accuracy(*sets)
    noise = drawn(config, f"noise/{training.now}", layers["features"].shape[1:])
    for layer, z in layers.items():
        size = spread(z)
        found[f"{layer}/spread"], found[f"{layer}/rank"] = size, effective_rank(z)
        deviations = {f"fixed={config.fixed:g}": torch.full_like(size, config.fixed)}
        deviations |= {f"relative={r:g}": r * size for r in config.relative}
        for name, deviation in deviations.items():
            whole, image = noisy_information(z, noise, deviation, data.views.shape[1])
            parts = {"whole": whole, "image": image, "view": whole - image}
            found |= {f"{layer}/{name}/{part}": value for part, value in parts.items()}
        for width in config.bins:
            bins = in_bins(z.double(), (width * size).reshape(-1, 1, 1))
            found[f"{layer}/bins={width:g}"] = cell_entropy(bins)
    return found


def spread(z: Tensor) -> Tensor:
    """Root mean square deviation of one coordinate, [S, N, d] -> [S]."""
    z = z.double()
    return (z - z.mean(-2, keepdim=True)).square().mean((-2, -1)).sqrt()


def drawn(config: Config, purpose: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal draws [S, *shape], one stream a seed."""
    draws = [generator(seed, purpose).normal(size=shape) for seed in config.seed_range()]
    return torch.from_numpy(np.stack(draws)).to(device_for(config.device))


def estimated(config: Config, training: Run) -> dict[str, Tensor]:
    """MINE on the features, [S] each; the critic starts anew at every step measured."""
    x = inputs(config, training)
    with torch.no_grad():
        z = training.towers.online.encoder(x)
        standard = (z - z.mean(-2, keepdim=True)) / spread(z).to(z.dtype).reshape(-1, 1, 1)
    versions = {"raw": (z, 0.0), "standard": (standard, 0.0), "noisy": (standard, 1.0)}
    found = {}
    for name, (points, deviation) in versions.items():
        course = trained(config, x, points, deviation, f"{NAME}/mine/{training.now}/{name}")
        half = config.critic_steps // 2
        found[f"mine/{name}"] = course[-LAST:].mean(0)
        found[f"mine/{name}/early"] = course[half - LAST : half].mean(0)
    return found


def trained(config: Config, x: Tensor, z: Tensor, deviation: float, purpose: str) -> Tensor:
    """The batches' bounds while a critic is trained on pairs of the rows of x and z, [steps, S]."""
    seeds, size = config.seed_range(), config.critic_batch
    mine = Mine(seeds, x.shape[-1] + z.shape[-1], purpose=purpose, dtype=x.dtype, device=x.device)

    def rows(rng: np.random.Generator, length: int) -> np.ndarray:
        return rng.integers(x.shape[1], size=(length, 2, size))

    def normals(rng: np.random.Generator, length: int) -> np.ndarray:
        return rng.standard_normal((length, 2, size, z.shape[-1]), dtype=np.float32)

    index = StepStream(seeds, f"{purpose}/rows", rows, device=x.device)
    noise = StepStream(seeds, f"{purpose}/noise", normals, device=x.device)
    each = torch.arange(len(seeds), device=x.device).unsqueeze(-1)
    course = []
    for step in range(config.critic_steps):
        own, other = index.at(step).unbind(1)
        seen = torch.stack([z[each, own], z[each, other]], 1)
        if deviation:
            seen = seen + deviation * noise.at(step)
        course.append(mine.step(x[each, own], seen[:, 0], seen[:, 1]))
    return torch.stack(course)
