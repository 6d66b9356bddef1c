r"""A deep linear encoder on drawn trees: the three levels of labels in every one of its layers.

The trees of the experiment ``collapse_levels`` and the same loss, with weight :math:`\mu_{\rm s}`
on the invariance, for :math:`W=W_L\cdots W_1` on the exact covariances, in float64; gradient
descent on all layers. Time is steps times the learning rate. Starts:

- ``balanced``: every layer ``scale`` times a random rotation, so balanced exactly;
- ``small``: normal weights of the same mean square;
- ``plain``: normal weights that keep the mean square of a vector, as networks are started.

Metrics of a start: ``part/<level>/<layer>``, the variance of the layer's output between the groups
of one level inside the level above (``view``: between the views of a sample), layer 0 the input;
``law``, the largest distance over the layers of :math:`P_l^\top P_l` from
:math:`(W^\top W)^{l/L}` in Frobenius norms, over the largest such norm; ``half/<level>``, when the
part of the last layer has first come half the way from its start to its end. With the logarithm of
the part of super-classes over that of classes, last layer less input: ``slope/early`` when
super-classes are half resolved, ``slope/end``. ``inside/<level>``: within over between at the end,
the best layer between input and last less the better one of these two, in logarithms.

Declared before the recorded run, after pilots with the seeds 900 to 903: the predicates of
``layers-linear`` in the claims file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments import collapse_levels as trees
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.records import Record
from ssl_dynamics.theory import collapse_levels as theory
from ssl_dynamics.training.settings import Seeded, at_least, positive
from ssl_dynamics.training.threads import tuned

NAME = "layers"
LEVELS = (*trees.LEVELS, "view")
STARTS = ("balanced", "small", "plain")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = 16
    device: str = "cpu"
    name: str = "linear"
    depth: int = 4
    supers: int = 3
    classes: int = 3
    """In a super-class."""
    samples: int = 3
    """In a class."""
    lengths: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Of the vectors of a super-class, a class and a sample."""
    inputs: int = 40
    noise: float = 0.02
    """Variance of a view in every direction."""
    invariance: float = 2.0
    """Weight on the invariance; that on the variance is 1."""
    scale: float = 0.6
    """Factor by which a layer of a small start scales a vector, root mean square."""
    lr: float = field(default=0.01, metadata={"help": "step size, the unit of time over steps"})
    time: float = 40.0
    every: int = 25
    """Steps between two measurements; a fifth of it for the first few."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds")
        at_least(self, 5, "every")
        at_least(self, 2, "depth")
        positive(self, "invariance", "scale", "lr", "time")
        self.tree  # noqa: B018 - refuses a tree that cannot be

    @property
    def tree(self) -> trees.Config:
        """The drawn trees."""
        names = ("supers", "classes", "samples", "lengths", "inputs", "noise", "first_seed")
        same = {name: getattr(self, name) for name in names}
        return trees.Config(seeds=self.seeds, **same)

    @property
    def steps(self) -> int:
        """Steps of a run."""
        return round(self.time / self.lr)

    @property
    def times(self) -> list[float]:
        """When it is measured."""
        steps = (k for k in range(self.steps + 1) if self.measures(k))
        return [round(k * self.lr, 10) for k in steps]

    def measures(self, step: int) -> bool:
        """Whether it is measured after this step."""
        return step % (self.every // 5 if step < 4 * self.every else self.every) == 0


SLICES = [
    {
        "record": "linear",
        "config": {"seeds": 3},
        "metrics": ["balanced/slope/end", "balanced/half/super", "small/law", "plain/slope/end"],
    },
]
"""What the tests run again beside the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train from every start; parts and the law are [S, T] by time, the others [S]."""
    return recorded(
        NAME,
        config,
        lambda: measured(config, progress),
        seeds=config.seed_range(),
        axes={"time": config.times},
    )


def measured(config: Config, progress: bool = False) -> dict[str, np.ndarray]:
    """All metrics by name."""
    found: dict[str, np.ndarray] = {}
    with torch.no_grad(), tuned(0):
        between = trees.covariances(config.tree)
        noise = config.noise * torch.eye(config.inputs, dtype=between.dtype)
        parts = torch.cat([between, noise.expand_as(between[:1])])
        for name in tqdm(STARTS, disable=not progress, desc=NAME):
            course, law = [], []
            for step, weights in descend(config, parts, start(config, name)):
                if config.measures(step):
                    products = first_layers(weights)
                    course.append(((products @ parts[:, None]) * products).sum((-2, -1)))
                    law.append(off_the_law(products))
            stacked = torch.stack(course, -1).numpy()  # [level, layer, S, T]
            found |= {f"{name}/{key}": one for key, one in summary(config, stacked).items()}
            found[f"{name}/law"] = torch.stack(law, -1).numpy()
    return found


def start(config: Config, name: str) -> Tensor:
    """Weights [layer, S, d, d] of one of `STARTS`."""
    size = config.inputs
    drawn = [
        generator(seed, "layers/start").normal(size=(config.depth, size, size))
        for seed in config.seed_range()
    ]
    normal = torch.from_numpy(np.stack(drawn, 1))
    if name == "balanced":
        return config.scale * torch.linalg.qr(normal)[0]
    return normal * (1 if name == "plain" else config.scale) / size**0.5


def descend(config: Config, parts: Tensor, weights: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Number of steps and weights [layer, S, d, d], from the start to the end."""
    total, moved = parts.sum(0), parts[-1]
    for step in range(config.steps + 1):
        yield step, weights
        below = first_layers(weights)  # [layer + 1, S, d, d]
        whole = below[-1]
        spread = whole @ total
        slope = 4 * (
            spread @ whole.mT @ spread - spread + config.invariance * whole @ moved
        )  # by the product of all layers
        gradients = []
        for place in reversed(range(config.depth)):
            gradients.append(slope @ below[place].mT)
            slope = weights[place].mT @ slope
        weights = weights - config.lr * torch.stack(gradients[::-1])


def first_layers(weights: Tensor) -> Tensor:
    """Products of the first 0, 1, ..., L layers [layer + 1, S, d, d]."""
    made = [torch.eye(weights.shape[-1], dtype=weights.dtype).expand_as(weights[0])]
    for one in weights:
        made.append(one @ made[-1])
    return torch.stack(made)


def off_the_law(products: Tensor) -> Tensor:
    """The metric ``law`` of one moment, [S]."""
    last = len(products) - 1
    grams = products.mT @ products
    values, vectors = torch.linalg.eigh(grams[-1])
    powers = torch.arange(last + 1, dtype=values.dtype) / last
    wanted = (vectors * values.clamp_min(0)[:, None] ** powers[:, None, None, None]) @ vectors.mT
    gaps = torch.linalg.matrix_norm(grams - wanted)[1:]
    return gaps.amax(0) / torch.linalg.matrix_norm(grams)[1:].amax(0)


def summary(config: Config, course: np.ndarray) -> dict[str, np.ndarray]:
    """Metrics of one start from its parts [level, layer, S, T]."""
    found = {
        f"part/{level}/{layer}": course[k, layer].astype(np.float32)
        for k, level in enumerate(LEVELS)
        for layer in range(config.depth + 1)
    }
    times = np.array(config.times)
    halves = {level: trees.half_time(times, course[k, -1]) for k, level in enumerate(LEVELS[:3])}
    found |= {f"half/{level}": one for level, one in halves.items()}
    share = np.log(course[0] / course[1])  # [layer, S, T]
    slope = share[-1] - share[0]
    found["slope/early"] = np.array(
        [np.interp(t, times, one) for t, one in zip(halves["super"], slope, strict=True)]
    )
    found["slope/end"] = slope[:, -1]
    for level in LEVELS[:3]:
        ratio = theory.FORMS[f"RATIO_{level.upper()}"].numpy(*course[..., -1])
        ends = np.minimum(ratio[0], ratio[-1])
        found[f"inside/{level}"] = np.log(ratio[1:-1].min(0) / ends)
    return found
