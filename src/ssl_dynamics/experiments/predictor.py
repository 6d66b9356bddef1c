r"""How fast do modes grow as the linear predictor is scaled, and what does a data mean do?

Two measurements, both in one record.

*Scale.* A linear encoder on the digits, predictor held at p times the identity, squared loss,
target = the online network behind a stop-gradient, both outputs centred by their batch mean,
float64, plain SGD. The nine views of an image are its one-pixel shifts, so the covariance X of the
image means and the mean covariance X' over views are exact sums. The expected update is linear in
the weights, W <- W (1 + lr A) with A = (1 - 1/B)(p X - p² (X + X')), and the growth of each
eigenvector of A is measured from the start and the end of training alone.

*Mean.* Linear BYOL on normal data in 16 dimensions with a mean of given length: cosine loss,
trained linear predictor, EMA target; with and without centring of both outputs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import StepStream, digits
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import cosine
from ssl_dynamics.measures import spread
from ssl_dynamics.networks import Linear, follow, standardise, variant
from ssl_dynamics.records import Record
from ssl_dynamics.theory.predictor import BATCH_GROWTH, between_within
from ssl_dynamics.training import SGD, TowerConfig, train_towers
from ssl_dynamics.training.settings import at_least, not_negative, require
from ssl_dynamics.training.threads import tuned

NAME = "predictor"
NEGLIGIBLE = 1e-4
"""Rates below this share of the largest one in size count as standing still."""


@dataclass(frozen=True)
class Config:
    """Settings of both measurements."""

    seeds: int = 16
    """Number of seeds, 0 to n - 1, trained together."""
    device: str = "auto"
    name: str = "digits"
    scales: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 0.95)
    """Scale: predictor scales p."""
    modes: int = 6
    """Scale: how many of the fastest modes are kept in the record."""
    width: int = 32
    """Scale: outputs of the encoder."""
    steps: int = 200
    batch: int = 128
    lr: float = 0.02
    means: tuple[float, ...] = (0.0, 3.0, 8.0)
    """Mean: lengths of the data mean; the data scatter with deviation 1 around it."""
    dimensions: int = 16
    """Mean: dimension of data and outputs."""
    noise: float = 0.5
    """Mean: deviation of the augmentation noise, drawn afresh for each view."""
    mean_steps: int = 3000
    mean_batch: int = 128
    mean_lr: float = 0.1
    ema: float = 0.99
    weight_decay: float = 4e-4

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "modes", "width", "steps", "dimensions", "mean_steps")
        at_least(self, 2, "batch", "mean_batch")
        not_negative(self, "lr", "noise", "mean_lr", "weight_decay")
        require(0 <= self.ema <= 1, "ema", self.ema, "a number in [0, 1]")
        scales = list(self.scales)
        rising = bool(scales) and scales == sorted(set(scales)) and scales[0] > 0
        require(rising, "scales", self.scales, "increasing numbers above 0")
        require(all(m >= 0 for m in self.means), "means", self.means, "lengths of at least 0")


SLICE = {
    "record": "digits",
    "config": {"seeds": 4, "scales": (0.6,), "means": (8.0,)},
    "metrics": [
        *(f"mode={k}/rate" for k in (1, 2, 3)),
        *(f"mean=8/{label}/spread" for label in ("centred", "uncentred")),
    ],
}
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Both measurements; metrics are [S], or [S, scales] along the axis `scale`."""
    begin = time.perf_counter()
    metrics = scale_metrics(config, progress=progress, checkpoint_dir=checkpoint_dir)
    for mean in config.means:
        for norm, label in (("none", "uncentred"), ("mu", "centred")):
            with tuned(0):
                outputs = gaussian_byol(config, mean, norm, progress=progress)
            metrics[f"mean={mean:g}/{label}/spread"] = outputs
    return finished(
        NAME,
        config,
        range(config.seeds),
        metrics,
        axes={"scale": config.scales},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def scale_metrics(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> dict[str, np.ndarray]:
    """Measured and predicted growth rates of the fastest modes, along the axis of scales.

    mode=k/rate, mode=k/predicted: rate per unit of time (step times lr) of the k-th mode;
    growing: how many of the 64 directions grew; slope: least-squares slope of the measured on the
    predicted rates of the kept modes over all scales, 1 when the prediction is right.
    """
    X, X_prime = between_within(digits().views.numpy())
    rates, predicted, growing = [], [], []
    for p in config.scales:
        vectors, expected = modes(X, X_prime, p, config.batch)
        measured = growth_rates(config, p, vectors, progress, checkpoint_dir)
        rates.append(measured[:, : config.modes])
        predicted.append(np.broadcast_to(expected, measured.shape)[:, : config.modes])
        growing.append((measured > NEGLIGIBLE * np.abs(expected).max()).sum(1))
    rate, theory = np.stack(rates, -1), np.stack(predicted, -1)  # [S, modes, scales]
    found: dict[str, np.ndarray] = {"growing": np.stack(growing, -1)}
    for k in range(config.modes):
        found[f"mode={k + 1}/rate"] = rate[:, k]
        found[f"mode={k + 1}/predicted"] = theory[:, k]
    found["slope"] = (rate * theory).sum((1, 2)) / (theory**2).sum((1, 2))
    return found


def modes(
    X: np.ndarray, X_prime: np.ndarray, p: float, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    """Directions [64, 64] (columns) in which the update acts as a number, fastest first, and
    the rate of each: a closed form of the variances between and within images along it."""
    vectors = np.linalg.eigh(p * X - p**2 * (X + X_prime))[1][:, ::-1]
    between, within = (np.einsum("da,de,ea->a", vectors, C, vectors) for C in (X, X_prime))
    return vectors, BATCH_GROWTH.numpy(p, between, within, float(batch))


def growth_rates(
    config: Config, p: float, vectors: np.ndarray, progress: bool, checkpoint_dir: str | Path | None
) -> np.ndarray:
    """Rate of each mode from the weights before and after training, [S, 64]."""
    towers = TowerConfig(
        encoder=(config.width,), feature_relu=False, projector=(), output_norm="mu",
        predictor="linear", predictor_scale=p, predictor_lr=0.0, ema=None, loss="squared",
        symmetric=False, lr=config.lr, momentum=0.0, weight_decay=0.0, steps=config.steps,
        batch=config.batch, probe_at=(), dtype="float64",
    )  # fmt: skip
    weights = train_towers(
        towers,
        config.seeds,
        device=config.device,
        progress=progress,
        checkpoint_dir=checkpoint_dir,
        measures={"weight": lambda towers, _: towers.online.encoder[0].weight.detach().clone()},
    )["weight"]
    start, end = (weights[:, at] @ vectors for at in (0, -1))  # [S, width, 64]
    factor = (start * end).sum(1) / (start**2).sum(1)
    per_step = np.sign(factor) * np.abs(factor) ** (1 / config.steps)
    return (per_step - 1) / config.lr


def gaussian_byol(config: Config, mean: float, norm: str, *, progress: bool = True) -> np.ndarray:
    """Spread [S] of the outputs of linear BYOL after training on normal data with a mean."""
    seeds, d = range(config.seeds), config.dimensions
    online, target = (Linear(seeds, d, d, purpose="online", bias=False) for _ in range(2))
    predictor = Linear(seeds, d, d, purpose="predictor", bias=False)
    optimiser = SGD(
        [([online.weight, predictor.weight], config.mean_lr)], weight_decay=config.weight_decay
    )
    shape, direction = (config.mean_batch, d), d**-0.5

    def views(rng: np.random.Generator, length: int) -> np.ndarray:
        image = rng.standard_normal((length, 1, *shape), dtype=np.float32) + mean * direction
        noise = rng.standard_normal((length, 2, *shape), dtype=np.float32)
        return (image + config.noise * noise).astype(np.float32)

    stream, centre = StepStream(seeds, "gaussian", views), variant(norm)
    for step in trange(config.mean_steps, disable=not progress, desc=f"mean {mean:g}, {norm}"):
        one, two = stream.at(step).unbind(1)
        with torch.no_grad():
            goal = standardise(target(two), centre)
        cosine(predictor(standardise(online(one), centre)), goal).sum().backward()
        optimiser.step()
        follow(target, online, config.ema)
    clean = StepStream(seeds, "gaussian/test", lambda rng, n: rng.standard_normal((n, 512, d)))
    with torch.no_grad():
        x = clean.at(0).float() + mean * direction
        outputs: Tensor = standardise(online(x), centre)
    return spread(outputs).numpy()
