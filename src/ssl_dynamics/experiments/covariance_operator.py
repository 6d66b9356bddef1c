"""Do all layers grow by the same amount under the simple contrastive loss, and what do finite
samples change?

A bias-free ReLU network on digits: each seed has its own images, with all nine shifts of each as
views, so every average over pairs is an exact finite sum. The loss is positive minus negative half
squared distance, taken pair by pair, and descends in plain full-batch steps in float64. The
run is made once for each extra weight `beta` of the positive pairs, from the same start. Recorded
are the trace of the covariance of the mean outputs, their mean variance over views, the squared
norm of every layer, and how far the differences of these norms have drifted in units of their
growth (exactly conserved by the flow; steps of finite size drift).

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
from ssl_dynamics.training.settings import at_least, divisor, positive, require
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
    betas: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self) -> None:
        at_least(self, 2, "images")
        at_least(self, 1, "seeds")
        divisor(self, "every", "steps")
        positive(self, "lr")
        different = len(set(self.betas)) == len(self.betas)
        inside = all(-9 < beta < 9 for beta in self.betas)
        require(different and inside, "betas", self.betas, "different numbers from -9 to 9")
        require(len(self.widths) >= 2, "widths", self.widths, "at least 2 layers")


SLICE = {
    "record": "digits",
    "config": {"seeds": 4},
    "metrics": ["beta=0/trace", "beta=0/drift", "beta=1/views", "other images", "other views"],
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
        metrics = at_start(net, x)
        for beta in config.betas:
            found = descent(config, ReluNet(seeds, (PIXELS, *config.widths)), x, beta, progress)
            metrics |= {f"beta={beta:g}/{name}": value for name, value in found.items()}
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


def descent(
    config: Config, net: ReluNet, x: Tensor, beta: float, progress: bool
) -> dict[str, Tensor]:
    """One run: variances, squared norms and drift [S, T], and their summaries [S].

    `trace` is the variance of the mean outputs, `views` the mean variance over views. `rising` is
    the share of steps that raise the trace, `views grown` the last `views` divided by the first,
    `ratio` what became of `views` divided by `trace`, in units of its start, and `largest growth`
    that of the squared norm of the layer which grew most.
    """
    rows: dict[str, list[Tensor]] = {}
    rising, before, start = [], None, norms(net)
    for step in trange(config.steps + 1, disable=not progress, desc=f"beta {beta:g}"):
        f = net(x)
        now = f.detach()
        trace = now.mean(2).var(1, correction=0).sum(-1)
        if before is not None:
            rising.append((trace > before).double())
        before = trace
        if step % config.every == 0:
            grown = norms(net) - start
            spread = grown.amax(-1) - grown.amin(-1)
            row = {
                "trace": trace,
                "views": now.var(2, correction=0).mean(1).sum(-1),
                "drift": spread / grown.mean(-1).abs() if step else 0 * trace,
            }
            row |= {f"norm/layer={k + 1}": n for k, n in enumerate((grown + start).unbind(-1))}
            for name, value in row.items():
                rows.setdefault(name, []).append(value)
        found = pair_means(f)
        loss = ((1 + beta) * found["positive"] - found["negative"]).sum()
        with torch.no_grad():
            slopes = torch.autograd.grad(loss, list(net.weights))
            for weight, slope in zip(net.weights, slopes, strict=True):
                weight -= config.lr * slope
    result = {name: torch.stack(values, 1) for name, values in rows.items()}
    views = result["views"][:, -1] / result["views"][:, 0]
    return result | {
        "rising": torch.stack(rising).mean(0),
        "views grown": views,
        "ratio": views * result["trace"][:, 0] / result["trace"][:, -1],
        "largest growth": grown.amax(-1),
    }


def norms(net: ReluNet) -> Tensor:
    """Squared norms of the layers, [S, L]."""
    return torch.stack([w.detach().square().sum((1, 2)) for w in net.weights], -1)
