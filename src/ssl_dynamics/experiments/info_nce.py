r"""InfoNCE, its exact-covariance version and the simple contrastive loss, side by side.

*Population.* A bias-free ReLU network on an enumerated population of digits: each seed has its own
images, some shifts of each as its views, and every average over an anchor, a positive and one
negative is an exact finite sum, with outputs as they come. Full-batch steps of one size on InfoNCE
with one negative, on the loss with its weights taken at the image means (detached), and on the
simple loss, from weights that are scaled up. Recorded are the squared norm of the first layer, the
lowest over the highest eigenvalue of the top layer's operator, the critical temperature of the
outputs (that at which InfoNCE would neither stretch nor shrink the weights) over the one in use,
and the scatter: the variance of the outputs over the views of an image, over that between means.
A seed stops once its norm passes a bound.

*Task.* An encoder with a head on mini-batches of augmented digits, outputs scaled to length one,
the other images of the batch as negatives: the usual recipe. Accuracies of probes on the encoder's
features, and what the outputs look like. Learning rate and temperature of each loss come from one
grid, on other seeds and on a validation part of the training images (`--pilot`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus
from tqdm import trange

from ssl_dynamics.data import PIXELS, Digits, PairSampler, digits, generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import exact_covariance, info_nce, pair_distances, simple_contrastive
from ssl_dynamics.measures import effective_rank, knn_accuracy, linear_accuracy
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.records import Record
from ssl_dynamics.training import SGD, TowerConfig
from ssl_dynamics.training.settings import at_least, divisor, positive, require, some_of
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.towers import Tower

NAME = "info_nce"
LOSSES = ("info_nce", "exact", "simple")


@dataclass(frozen=True)
class Config:
    """Settings of both measurements."""

    seeds: int = 16
    device: str = "cpu"
    name: str = "digits"
    losses: tuple[str, ...] = LOSSES
    """Losses to train on, some of the three."""
    pilot: bool = False
    """Instead of both: accuracies on validation images over the grid, on seeds from 100 on."""
    images: int = 12
    views: int = 3
    """Population: images of each seed, and shifts of each (of nine, drawn by the seed)."""
    widths: tuple[int, ...] = (24, 12)
    temperature: float = 0.5
    scale: float = 2.0
    """Population: factor of all initial weights."""
    lr: float = 0.02
    steps: int = 1500
    every: int = 50
    bound: float = 1000.0
    """Population: squared norm of the first layer at which a seed stops."""
    lrs: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
    temperatures: tuple[float, ...] = (0.1, 0.2, 0.5)
    """Task: the grid of the pilot."""
    chosen: tuple[tuple[float, float], ...] = ((0.01, 0.2), (0.01, 0.2), (0.003, 0.2))
    """Task: learning rate and temperature of InfoNCE, of its exact-covariance version, and of the
    simple loss (where the temperature plays no part)."""
    batch: int = 128
    task_steps: int = 600
    noise: float = 0.3
    contrast: float = 0.3

    def __post_init__(self) -> None:
        at_least(self, 2, "images", "batch")
        at_least(self, 1, "views", "seeds")
        divisor(self, "every", "steps")
        some_of("losses", self.losses, LOSSES)
        require(len(self.chosen) == len(LOSSES), "chosen", self.chosen, "a pair for each loss")
        positive(self, "lr", "temperature")


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 3, "steps": 200, "losses": ("info_nce",)},
        "metrics": [
            "population/info_nce/norm",
            "population/info_nce/lowest",
            "task/info_nce/linear",
            "task/info_nce/start/linear",
        ],
    },
    {
        "record": "grid",
        "config": {"seeds": 2, "lrs": (0.01,), "temperatures": (0.2,), "losses": ("info_nce",)},
        "metrics": ["info_nce/lr=0.01/temperature=0.2/linear"],
    },
]
"""The small re-runs that the tests compare with the committed records."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """The run; metrics are [S, T] along the axis `step`, or [S]."""
    begin = time.perf_counter()
    first = 100 if config.pilot else 0
    seeds = range(first, first + config.seeds)
    metrics: dict[str, np.ndarray] = {}
    with tuned(0):
        if config.pilot:
            metrics = pilot(config, seeds, progress)
        else:
            for loss in config.losses:
                lr, temperature = config.chosen[LOSSES.index(loss)]
                for name, value in population(config, loss, seeds, progress).items():
                    metrics[f"population/{loss}/{name}"] = value
                found = task(config, loss, lr, temperature, seeds, progress)
                metrics |= {f"task/{loss}/{name}": value for name, value in found.items()}
    return finished(
        NAME,
        config,
        seeds,
        metrics,
        axes={} if config.pilot else {"step": list(range(0, config.steps + 1, config.every))},
        device="cpu",
        wall_s=time.perf_counter() - begin,
    )


def triple_gaps(f: Tensor) -> Tensor:
    """r_- - r_+ of all triples of views [S, N, M, d]: [S, N, M, M, N, M], the axes being the
    anchor's image and view, the positive's view, the negative's image and view."""
    images, views = f.shape[1:3]
    flat = f.flatten(1, 2)
    r = pair_distances(flat, flat).unflatten(2, (images, views)).unflatten(1, (images, views))
    near = torch.diagonal(r, dim1=1, dim2=3).permute(0, 3, 1, 2)  # [S, N, M, M]
    return r.unsqueeze(3) - near[..., None, None]


def critical_temperature(gaps: Tensor) -> Tensor:
    """The root T [S] of the mean of y / (1 + e^{y/T}) over the gaps [S, ...]; 0 where no gap is
    negative (it grows at every temperature), infinite where the mean gap is not positive."""
    y = gaps.flatten(1)
    low, high = (torch.full((len(y),), v, dtype=y.dtype) for v in (-12.0, 12.0))
    for _ in range(50):
        middle = (low + high) / 2
        grows = (y * torch.sigmoid(-y / 10 ** middle[:, None])).mean(1) > 0
        low, high = torch.where(grows, low, middle), torch.where(grows, middle, high)
    root = 10**low
    root = torch.where((y < 0).any(1), root, 0.0)
    return torch.where(y.mean(1) > 0, root, torch.inf)


def scatter(f: Tensor) -> Tensor:
    """Variance over the views of an image over that between image means: [S, N, M, d] -> [S]."""
    means = f.mean(2)
    within = (f - means.unsqueeze(2)).square().sum(-1).mean((1, 2))
    return within / (means - means.mean(1, keepdim=True)).square().sum(-1).mean(1)


def population_loss(name: str, f: Tensor, temperature: float) -> Tensor:
    """The loss of each seed, averaged over all triples, negatives of any image: [S]."""
    gaps = triple_gaps(f)
    if name == "info_nce":
        return softplus(-gaps / temperature).flatten(1).mean(1)
    if name == "simple":
        return -gaps.flatten(1).mean(1)
    means = f.detach().mean(2)
    weight = torch.sigmoid(-pair_distances(means, means) / temperature) / temperature
    return -(weight[:, :, None, None, :, None] * gaps).flatten(1).mean(1)


def top_operator(name: str, net: ReluNet, x: Tensor, temperature: float) -> Tensor:
    """The top layer's operator, without the factor of the outputs: [S, n, n] on its inputs."""
    trace = net.trace(x)
    h, f = trace.inputs[-1].detach(), trace.output.detach()
    gaps = triple_gaps(f)
    if name == "info_nce":
        weight = torch.sigmoid(-gaps / temperature) / temperature
    elif name == "simple":
        weight = torch.ones_like(gaps)
    else:
        m = pair_distances(f.mean(2), f.mean(2))
        pairs = torch.sigmoid(-m / temperature) / temperature
        weight = pairs[:, :, None, None, :, None].expand_as(gaps)
    images, views = f.shape[1:3]
    count = gaps[0].numel()
    far = weight.sum(3).flatten(3, 4).flatten(1, 2) / count  # [S, NM, NM]
    own = weight.sum((4, 5)) / count  # [S, N, M, M]
    near = torch.zeros(f.shape[0], images, views, images, views, dtype=f.dtype)
    rows = torch.arange(images)
    near[:, rows, :, rows, :] = own.transpose(0, 1)
    return _spread(far, h.flatten(1, 2)) - _spread(
        near.flatten(3, 4).flatten(1, 2), h.flatten(1, 2)
    )


def _spread(weights: Tensor, h: Tensor) -> Tensor:
    """Sum of w_ab (h_a - h_b)(h_a - h_b)^T over ordered pairs, [S, P, P] and [S, P, n]."""
    both = weights + weights.mT
    return h.mT @ (both.sum(-1, keepdim=True) * h) - h.mT @ both @ h


def population(config: Config, loss: str, seeds: range, progress: bool) -> dict[str, np.ndarray]:
    """Squared norm, lowest eigenvalue over the highest, critical temperature over the one in use
    and scatter, [S, T] each, NaN once a seed has stopped; the first change of the norm and
    the last of the scatter, from the first record on, [S]."""
    pixels, chosen = digits().views, []
    for s in seeds:
        rng = generator(s, "images")
        rows = rng.permutation(len(pixels))[: config.images]
        shifts = rng.permutation(pixels.shape[1])[: config.views]
        chosen.append(pixels[torch.from_numpy(rows)][:, torch.from_numpy(shifts)])
    x = torch.stack(chosen)
    net = ReluNet(seeds, (PIXELS, *config.widths))
    with torch.no_grad():
        for weight in net.weights:
            weight *= config.scale
    alive = torch.ones(len(seeds), dtype=torch.bool)
    kept: dict[str, list[Tensor]] = {"norm": [], "lowest": [], "critical": [], "scatter": []}
    for step in trange(config.steps + 1, disable=not progress, desc=loss):
        with torch.no_grad():
            norm = net.weights[0].square().sum((1, 2))
            alive &= norm < config.bound
            if step % config.every == 0:
                values = torch.linalg.eigvalsh(top_operator(loss, net, x, config.temperature))
                f = net(x)
                now = {
                    "norm": norm,
                    "lowest": values[:, 0] / values[:, -1],
                    "critical": critical_temperature(triple_gaps(f)) / config.temperature,
                    "scatter": scatter(f),
                }
                for name, value in now.items():
                    kept[name].append(torch.where(alive, value, torch.nan).clone())
        if not alive.any():
            continue
        value = population_loss(loss, net(x), config.temperature)
        slopes = torch.autograd.grad(value.sum(), list(net.weights))
        with torch.no_grad():
            for weight, slope in zip(net.weights, slopes, strict=True):
                weight -= config.lr * torch.where(alive[:, None, None], slope, 0.0)
    found = {name: torch.stack(values, 1).numpy() for name, values in kept.items()}
    return found | {
        "first": found["norm"][:, 1] - found["norm"][:, 0],
        "calmer": found["scatter"][:, -1] - found["scatter"][:, 1],
    }


def _task_loss(name: str, temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    if name == "info_nce":
        return partial(info_nce, temperature=temperature)
    if name == "exact":
        return partial(exact_covariance, temperature=temperature, negatives="all")
    return simple_contrastive


def task(
    config: Config,
    loss: str,
    lr: float,
    temperature: float,
    seeds: range,
    progress: bool,
    *,
    validate: bool = False,
) -> dict[str, np.ndarray]:
    """Probes of the features [S] after training, and of the unit outputs: positive distance and
    effective rank. `validate`: every fourth training image is held out and takes the test's place.
    """
    towers = TowerConfig(
        encoder=(128, 64), projector=(64, 32), norm="none", predictor="none", ema=None
    )
    tower, data = Tower(towers, seeds, "online"), digits().to("cpu", torch.float32)
    rows = torch.arange(len(data.train))
    fit, held = (rows % 4 != 0, rows % 4 == 0) if validate else (rows >= 0, None)
    sampler = PairSampler(
        digits_of(data, fit), seeds, config.batch, noise=config.noise, contrast=config.contrast
    )
    optimiser = SGD([(tower.parameters(), lr)], momentum=0.9)
    criterion = _task_loss(loss, temperature)
    label = f"{loss}, lr {lr:g}, temperature {temperature:g}"
    train, labels = data.train[fit], data.train_labels[fit]
    test, test_labels = (
        (data.test, data.test_labels)
        if held is None
        else (data.train[held], data.train_labels[held])
    )

    def probed() -> dict[str, Tensor]:
        with torch.no_grad():
            both = [tower.encoder(v.expand(len(seeds), -1, -1)) for v in (train, test)]
        found = both[0], labels, both[1], test_labels
        return {"linear": linear_accuracy(*found), "knn": knn_accuracy(*found)}

    start = {} if validate else {f"start/{name}": v for name, v in probed().items()}
    for step in trange(config.task_steps, disable=not progress, desc=label):
        p, z = normalize(tower(sampler.at(step)), dim=-1).unbind(1)
        (criterion(p, z) + criterion(z, p)).sum().backward()
        optimiser.step()
    found = start | probed()
    with torch.no_grad():
        u = normalize(tower(test.expand(len(seeds), -1, -1)), dim=-1)
        one, two = normalize(tower(sampler.at(config.task_steps)), dim=-1).unbind(1)
        found["positive"] = (one - two).square().sum(-1).mean(-1) / 2
        found["rank"] = effective_rank(u)
    return {name: value.double().numpy() for name, value in found.items()}


def digits_of(data: Digits, rows: Tensor) -> Digits:
    """The same data with some of the training images only."""
    return replace(
        data,
        train=data.train[rows],
        train_labels=data.train_labels[rows],
        views=data.views[rows],
    )


def pilot(config: Config, seeds: range, progress: bool) -> dict[str, np.ndarray]:
    """Accuracy of the linear probe on held-out training images over the grid, [S] each."""
    found = {}
    for loss in config.losses:
        for lr in config.lrs:
            for temperature in config.temperatures if loss != "simple" else config.temperatures[:1]:
                result = task(config, loss, lr, temperature, seeds, progress, validate=True)
                found[f"{loss}/lr={lr:g}/temperature={temperature:g}/linear"] = result["linear"]
    return found
