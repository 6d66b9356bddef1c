r"""Two objects on a ring: how often a neuron ends selective, and whether its start could tell.

*Exact.* Thousands of neurons with normal starts, all in one batch, follow the exact flow (straight
pieces, flips, slides) to the end of their paths, for rings of several sizes with the objects "11"
and "101", and for other pairs of objects on one ring. A neuron is *selective* if in the end it
answers at no place to the disliked object. ``rule`` is the part of the moving neurons for which the
rule from the start's gates names the right end (selective or not); ``predicted`` is the fraction
that the rule calls selective. ``first`` and ``second`` are the selective fractions among the
neurons that like the first and the second object, ``worst`` the largest ratio of the two mean
answers in the end.

*Sampled.* The same starts on two rings, trained by autograd with plain gradient descent on sampled
triples: object and places are drawn, nothing is enumerated. A sampled neuron counts as selective if
its mean answer to the disliked object is below `low` of the other. ``agree`` is the part of moving
neurons for which sampled and exact training agree, ``selective`` and ``exact`` their two fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.records import Record
from ssl_dynamics.training.ring_flow import class_gap, ring_flow, rule, selectivity
from ssl_dynamics.training.settings import at_least, one_of, positive, require

NAME = "translation"
PURPOSE = "translation"
BASE = (1, 2)


@dataclass(frozen=True)
class Config:
    """Settings of the two parts."""

    seeds: int = field(default=16, metadata={"help": "number of seeds, run together"})
    device: str = field(default="cpu", metadata={"help": "cpu: a neuron is a dozen numbers"})
    name: str = field(default="starts", metadata={"help": "name of the record"})
    sizes: tuple[int, ...] = (5, 6, 7, 8, 9, 10, 11, 12)
    """Sites of the ring, objects "11" and "101"."""
    neurons: int = 512
    """Neurons per seed, ring and pair of objects."""
    pair_sites: int = 11
    """Sites of the ring with other pairs of objects."""
    pairs: tuple[int, ...] = (3, 4, 5)
    """Step of the second object there; the first is "11"."""
    sampled_sizes: tuple[int, ...] = (5, 7)
    sampled: int = 48
    """Neurons per seed and ring in the second part."""
    steps: int = 1500
    batch: int = 256
    lr: float = 0.4
    low: float = 0.1

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "neurons", "sampled", "steps", "batch")
        for name in ("sizes", "sampled_sizes"):
            sizes = getattr(self, name)
            large = len(sizes) > 0 and min(sizes) >= 5
            require(large, name, sizes, "one or more, each at least 5")
        fits = all(2 <= step < self.pair_sites / 2 for step in self.pairs)
        require(fits, "pairs", self.pairs, "from 2 to below half the ring")
        require(0 < self.low < 0.5, "low", self.low, "above 0 to below 0.5")
        positive(self, "lr")


def starts(sites: int, count: int, seeds: list[int], purpose: str) -> np.ndarray:
    """Normal weights, one stream a seed, [S, count, sites]."""
    return np.stack(
        [
            generator(seed, f"{PURPOSE}/{purpose}/{sites}/{count}").normal(size=(count, sites))
            for seed in seeds
        ]
    )


def ends(w: np.ndarray, steps: tuple[int, int] = BASE) -> dict[str, np.ndarray]:
    """The metrics of the first part for neurons w [S, n, d], each [S]."""
    shape = w.shape[:2]
    flat = w.reshape(-1, w.shape[-1])
    flow = ring_flow(flat, steps, keep=False)
    if not flow.ended.all():
        raise RuntimeError(f"{(~flow.ended).sum()} paths have not ended; raise `most`")
    ratio = selectivity(flow.direction, flow.liked, steps).reshape(shape)
    told = selectivity(rule(flat, steps), flow.liked, steps).reshape(shape)
    liked, moving = flow.liked.reshape(shape), flow.liked.reshape(shape) != 0
    selective, predicted = ratio == 0, told == 0

    def part(what: np.ndarray, among: np.ndarray) -> np.ndarray:
        return (what & among).sum(1) / np.maximum(among.sum(1), 1)

    return {
        "rests": 1 - moving.mean(1),
        "likes first": part(liked > 0, moving),
        "selective": part(selective, moving),
        "predicted": part(predicted, moving),
        "rule": part(selective == predicted, moving),
        "first": part(selective, liked > 0),
        "second": part(selective, liked < 0),
        "slides": part(flow.sliding[-1].any(-1).reshape(shape), moving),
        "moves off": part((flow.corners > 0).reshape(shape), moving),
        "worst": np.nanmax(ratio, axis=1),
        "corners": np.where(moving, flow.corners.reshape(shape), 0).sum(1) / moving.sum(1),
    }


def exact(config: Config, seeds: list[int], *, progress: bool) -> dict[str, np.ndarray]:
    """The first part: rings with "11" and "101", then other pairs on one ring."""
    tasks = [(sites, BASE) for sites in config.sizes]
    tasks += [(config.pair_sites, (1, step)) for step in config.pairs]
    found: dict[str, np.ndarray] = {}
    for sites, steps in tqdm(tasks, disable=not progress, unit="ring"):
        w = starts(sites, config.neurons, seeds, f"exact/{steps[1]}")
        key = f"d={sites}" if steps == BASE else f"d={sites} steps={steps[0]},{steps[1]}"
        found |= {f"{key}/{name}": values for name, values in ends(w, steps).items()}
    return found


def descend(w: np.ndarray, config: Config, seeds: list[int], *, progress: bool) -> np.ndarray:
    """Train neurons w [S, n, d] on sampled triples by autograd; the weights in the end."""
    d = w.shape[-1]
    rngs = [generator(seed, f"{PURPOSE}/triples/{d}") for seed in seeds]
    site, rows = np.arange(d), torch.from_numpy(w).requires_grad_()
    for _ in tqdm(range(config.steps), disable=not progress, unit="step"):
        drawn = []
        for rng in rngs:
            anchor, other = rng.integers(1, 3, size=(2, 1, config.batch))
            steps = np.concatenate([anchor, anchor, other])  # the step is the object
            places = rng.integers(d, size=steps.shape)
            drawn.append((site == places[..., None]) | (site == (places + steps)[..., None] % d))
        x = torch.from_numpy(np.stack(drawn)).to(rows)  # [S, 3, B, d]
        f = torch.relu(torch.einsum("snd,scbd->scnb", rows, x))
        loss = ((f[:, 0] - f[:, 1]) ** 2 - (f[:, 0] - f[:, 2]) ** 2) / 2
        (gradient,) = torch.autograd.grad(loss.mean(-1).sum(), rows)
        with torch.no_grad():
            rows -= config.lr * gradient
    return rows.detach().numpy()


def sampled(config: Config, seeds: list[int], *, progress: bool) -> dict[str, np.ndarray]:
    """The second part; neurons that rest under the exact flow are left out."""
    found = {}
    for sites in config.sampled_sizes:
        w = starts(sites, config.sampled, seeds, "sampled")
        shape, flat = w.shape[:2], w.reshape(-1, sites)
        flow = ring_flow(flat, BASE, keep=False)
        ratio = selectivity(flow.direction, flow.liked, BASE).reshape(shape)
        end = descend(w, config, seeds, progress=progress).reshape(-1, sites)
        gap = class_gap(end, BASE)
        side = np.where(gap > 0, 1, -1)
        got = selectivity(end, side, BASE).reshape(shape)
        moving = flow.liked.reshape(shape) != 0
        count = moving.sum(1)
        key = f"sampled d={sites}"
        found[f"{key}/selective"] = ((got < config.low) & moving).sum(1) / count
        found[f"{key}/exact"] = ((ratio == 0) & moving).sum(1) / count
        same = (got < config.low) == (ratio == 0)
        found[f"{key}/agree"] = (same & moving).sum(1) / count
        kept = (side == flow.liked).reshape(shape)
        found[f"{key}/kept"] = (kept & moving).sum(1) / count
    return found


def measure(config: Config, seeds: list[int], *, progress: bool = True) -> dict[str, np.ndarray]:
    """All metrics of these seeds, each [S]."""
    return {
        **exact(config, seeds, progress=progress),
        **sampled(config, seeds, progress=progress),
    }


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Run both parts and return the record."""
    seeds = list(range(config.seeds))
    return recorded(NAME, config, partial(measure, config, seeds, progress=progress))


SLICES = [
    {
        "record": "starts",
        "config": {"seeds": 4, "sizes": (5, 7), "pairs": (3,), "sampled_sizes": (5,)},
        "metrics": ["d=5/selective", "d=7/selective", "d=7/rule", "sampled d=5/agree"],
    },
]
"""What the tests run again beside the committed record."""
