"""Estimators of mutual information on Gaussian pairs, where the exact value is known.

A Gaussian representation x of d coordinates of variance 1 and its noisy copy z = x + noise; the
deviation of the noise is 2 to the powers of the axis. From n pairs:

- ``best/d=4/n=64/dv``, ``.../nce``: the Donsker-Varadhan bound (n pairs against the n(n - 1) other
  pairings) and the InfoNCE bound of the best critic, the logarithm of the ratio of densities: no
  training, so what they lack or have too much is the doing of the sample;
- ``mine/d=4/n=64/pool``, ``.../fresh``: MINE trained on these n pairs, its value there, and its
  value on fresh pairs.

Metrics [S, K] over the powers. Declared before the recorded run, after a pilot with the seeds 900
to 903: see the claims file of the chapter on compression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import StepStream, generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import Mine, donsker_varadhan, info_nce_bound
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import Seeded, at_least, require
from ssl_dynamics.training.threads import tuned

NAME = "mutual_information"


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    device: str = "cpu"
    name: str = "gaussian"
    powers: tuple[int, ...] = (-4, -3, -2, -1, 0, 1, 2)
    dimensions: tuple[int, ...] = (1, 4, 16)
    samples: tuple[int, ...] = (16, 64, 256, 1024)
    width: int = 32
    critic_steps: int = 500
    critic_batch: int = 64
    fresh: int = 2048

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "critic_steps", "critic_batch", "width")
        at_least(self, 0, "first_seed")
        enough = all(n >= 2 for n in self.samples)
        require(enough, "samples", self.samples, "at least 2 pairs")


SLICES = [
    {
        "record": "gaussian",
        "config": {"seeds": 4, "dimensions": (4,), "samples": (64,)},
        "metrics": [
            "best/d=4/n=64/dv",
            "best/d=4/n=64/nce",
            "mine/d=4/n=64/pool",
            "mine/d=4/n=64/fresh",
        ],
    },
]
"""What the tests run again beside the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every estimator at every dimension and number of samples; metrics are [S, K]."""
    return recorded(
        NAME,
        config,
        lambda: measured(config, progress),
        seeds=config.seed_range(),
        axes={"power": list(config.powers)},
    )


def measured(config: Config, progress: bool = False) -> dict[str, np.ndarray]:
    """All metrics by name."""
    found: dict[str, Tensor] = {}
    places = [(d, n) for d in config.dimensions for n in config.samples]
    with tuned(0):
        for d, n in tqdm(places, disable=not progress, desc=NAME):
            x, z = pairs(config, d, n, "pool")
            for name, value in best(config, x, z).items():
                found[f"best/d={d}/n={n}/{name}"] = value
            for name, value in mine(config, x, z).items():
                found[f"mine/d={d}/n={n}/{name}"] = value
    return {key: value.cpu().numpy().astype(np.float32) for key, value in found.items()}


def pairs(config: Config, d: int, n: int, purpose: str) -> tuple[Tensor, Tensor]:
    """x and z, [S, K, n, d]; the draws are the same at every power."""
    rngs = (generator(seed, f"{NAME}/{purpose}/{d}/{n}") for seed in config.seed_range())
    x, noise = torch.from_numpy(np.stack([rng.normal(size=(2, n, d)) for rng in rngs], 1))
    size = 2.0 ** torch.tensor(config.powers, dtype=torch.float64)
    x = x.unsqueeze(1).expand(-1, len(size), -1, -1)
    return x, x + size.reshape(-1, 1, 1) * noise.unsqueeze(1)


@torch.no_grad()
def best(config: Config, x: Tensor, z: Tensor) -> dict[str, Tensor]:
    """The bounds of the best critic, [S, K] each."""
    found: dict[str, list[Tensor]] = {"dv": [], "nce": []}
    d, n = x.shape[-1], x.shape[-2]
    apart = ~torch.eye(n, dtype=torch.bool)
    for k, power in enumerate(config.powers):
        v = 4.0**power
        square = torch.cdist(x[:, k], z[:, k]).square() / v
        alone = z[:, k].square().sum(-1, keepdim=True).mT / (1 + v)
        scores = (alone - square + d * math.log1p(1 / v)) / 2
        matched = scores.diagonal(dim1=-2, dim2=-1)
        found["dv"].append(donsker_varadhan(matched, scores[:, apart]))
        found["nce"].append(info_nce_bound(scores))
    return {name: torch.stack(values, 1) for name, values in found.items()}


def mine(config: Config, x: Tensor, z: Tensor) -> dict[str, Tensor]:
    """MINE trained on the pairs: its value there and on fresh pairs, [S, K] each."""
    seeds, powers = config.seeds, len(config.powers)
    n, d = x.shape[-2:]
    purpose = f"{NAME}/mine/{d}/{n}"
    own = [seed * 100 + k for seed in config.seed_range() for k in range(powers)]
    critic = Mine(own, 2 * d, width=config.width, lr=3e-3, purpose=purpose)

    size = (1 + 4.0 ** torch.tensor(config.powers)).sqrt().reshape(-1, 1, 1)

    def rows(rng: np.random.Generator, length: int) -> np.ndarray:
        return rng.integers(n, size=(length, 2, config.critic_batch))

    more, other = pairs(config, d, config.fresh, f"fresh/{n}")
    a, b = (part.flatten(0, 1).float() for part in (x, z / size))
    fresh_a, fresh_b = (part.flatten(0, 1).float() for part in (more, other / size))
    index = StepStream(config.seed_range(), f"{purpose}/rows", rows)
    each = torch.arange(seeds * powers).unsqueeze(-1)
    for step in range(config.critic_steps):
        one, two = index.at(step).repeat_interleave(powers, 0).unbind(1)
        critic.step(a[each, one], b[each, one], b[each, two])
    found = {"pool": critic.value(a, b, min(n - 1, 15)), "fresh": critic.value(fresh_a, fresh_b)}
    return {name: value.reshape(seeds, powers) for name, value in found.items()}
