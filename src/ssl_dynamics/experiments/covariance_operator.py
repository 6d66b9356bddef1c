"""Do all layers grow by the same amount under the simple contrastive loss, and what do finite
samples change?

A bias-free ReLU network on digits: each seed has its own images, with all nine shifts of each as
views, so every average over pairs is an exact finite sum. The loss is positive minus negative half
squared distance, taken pair by pair, and descends in plain full-batch steps in float64. Recorded
are the trace of the covariance of the mean outputs, the squared norm of every layer, and how far
the differences of these norms have drifted in units of their growth (exactly conserved by the
flow; steps of finite size drift).

At the start, the inner product of the first layer with its update is compared between the four
ways of drawing pairs: negatives with or without the anchor's own image, positives with or without
the anchor's own view.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import PIXELS, VIEWS, digits, generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import pair_distances
from ssl_dynamics.measures import top_eigenpairs
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.records import Record
from ssl_dynamics.training.threads import tuned

NAME = "covariance_operator"


@dataclass(frozen=True)
class Config:
    """Settings of the run."""

    seeds: int = 16
    device: str = "cpu"
    name: str = "digits"
    images: int = 30
    widths: tuple[int, ...] = (32, 16, 8)
    steps: int = 280
    every: int = 28
    lr: float = 0.01

    def __post_init__(self) -> None:
        if self.images < 2:
            raise ValueError(f"images: got {self.images}; allowed: at least 2")
        if not 1 <= self.every <= self.steps or self.steps % self.every:
            raise ValueError(f"every: got {self.every}; allowed: a divisor of {self.steps}")
        if not 0 < self.lr < float("inf"):
            raise ValueError(f"lr: got {self.lr}; allowed: a positive number")
        if self.seeds < 1 or len(self.widths) < 2:
            raise ValueError(
                f"seeds, widths: got {self.seeds}, {self.widths}; allowed: at least 1 seed and "
                "2 layers"
            )


SLICE = {
    "record": "digits",
    "config": {"seeds": 4},
    "metrics": ["trace", "drift", "other images", "other views"],
}
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """The run; metrics are [S, T] along the axis `step`, or [S]."""
    begin, seeds = time.perf_counter(), range(config.seeds)
    views = digits().views
    chosen = [generator(s, "images").permutation(len(views))[: config.images] for s in seeds]
    x = torch.stack([views[torch.from_numpy(rows)] for rows in chosen])
    net = ReluNet(seeds, (PIXELS, *config.widths))
    with tuned(0):
        metrics = at_start(net, x) | descent(config, net, x, progress)
    return finished(
        NAME,
        config,
        seeds,
        {name: value.numpy() for name, value in metrics.items()},
        axes={"step": list(range(0, config.steps + 1, config.every))},
        device="cpu",
        wall_s=time.perf_counter() - begin,
    )


def pair_means(f: Tensor) -> dict[str, Tensor]:
    """Mean distances [S] of the outputs [S, N, M, d], over four sets of ordered pairs of views."""
    images, count = f.shape[1:3]
    flat = f.flatten(1, 2)
    r = pair_distances(flat, flat).unflatten(2, (images, count)).unflatten(1, (images, count))
    near = torch.diagonal(r.sum((2, 4)), dim1=1, dim2=2).sum(-1)
    every, own = r.sum((1, 2, 3, 4)), images * count**2
    return {
        "positive": near / own,
        "negative": every / own / images,
        "other views": near / (own - images * count),
        "other images": (every - near) / (own * (images - 1)),
    }


def at_start(net: ReluNet, x: Tensor) -> dict[str, Tensor]:
    """What finite samples change: pushes relative to the population's, and the lowest eigenvalue
    of the first layer's operator with positives from other views, relative to the highest."""
    found = pair_means(net(x))
    pushes = {}
    for label, near, far in (
        ("population", "positive", "negative"),
        ("other images", "positive", "other images"),
        ("other views", "other views", "negative"),
    ):
        loss = (found[near] - found[far]).sum()
        (slope,) = torch.autograd.grad(loss, net.weights[0], retain_graph=True)
        pushes[label] = -(slope * net.weights[0].detach()).sum((1, 2))
    within = -1 / (VIEWS - 1)
    highest = top_eigenpairs(net, x, 0, 1, within=within)[0][:, 0]
    lowest = -top_eigenpairs(net, x, 0, 1, between=-1.0, within=-within)[0][:, 0]
    result = {k: v / pushes["population"] for k, v in pushes.items() if k != "population"}
    return result | {"lowest": lowest / highest}


def descent(config: Config, net: ReluNet, x: Tensor, progress: bool) -> dict[str, Tensor]:
    """Trace, squared norms and drift along the run, and the share of steps that raise the trace."""
    rows: dict[str, list[Tensor]] = {}
    rising, before, start = [], None, norms(net)
    for step in trange(config.steps + 1, disable=not progress, desc="descent"):
        f = net(x)
        trace = f.detach().mean(2).var(1, correction=0).sum(-1)
        if before is not None:
            rising.append((trace > before).double())
        before = trace
        if step % config.every == 0:
            grown = norms(net) - start
            row = {"trace": trace} | {
                f"norm/layer={k + 1}": n for k, n in enumerate((grown + start).unbind(-1))
            }
            spread = grown.amax(-1) - grown.amin(-1)
            row["drift"] = spread / grown.mean(-1).clamp_min(1e-300) if step else 0 * trace
            for name, value in row.items():
                rows.setdefault(name, []).append(value)
        found = pair_means(f)
        loss = (found["positive"] - found["negative"]).sum()
        with torch.no_grad():
            slopes = torch.autograd.grad(loss, list(net.weights))
            for weight, slope in zip(net.weights, slopes, strict=True):
                weight -= config.lr * slope
    found = {name: torch.stack(values, 1) for name, values in rows.items()}
    return found | {"rising": torch.stack(rising).mean(0)}


def norms(net: ReluNet) -> Tensor:
    """Squared norms of the layers, [S, L]."""
    return torch.stack([w.detach().square().sum((1, 2)) for w in net.weights], -1)
