r"""A linear encoder on a drawn tree of super-classes, classes and samples: which level comes first?

In each seed a balanced tree: every node draws a normal vector, of root mean square length
``lengths`` for its level, and an image is the sum of the three vectors above it. A view adds normal
noise. The encoder starts from small normal weights and descends, in float64, on the exact loss of
the images of the tree,

.. math::

    \mu_{\rm s}\,\mathbb E\lVert f-f'\rVert^2+\mu_{\rm v}\lVert\mathbb E ff^\top-1\rVert_F^2 .

The start is not aligned, as the closed forms ask. Time is steps times the learning rate.
Conditions:

- ``even``: equal weights of both terms, the same noise in every direction;
- ``narrow``: the same with as many outputs as there are differences of classes;
- ``coarse``: the drawn vectors made orthogonal; twice the weight on the invariance, and views that
  also add noise along what super-class and class add: their :math:`\lambda_I` is ``hard`` of the
  way from the tie with the sample level to the variance at which the level dies.

Metrics of a condition: ``part/<level>``, the variance of the features between the groups of one
level inside the level above (``view``: between the views of a sample), and ``ratio/<level>``,
within over between, by time; ``half/<level>``, the time at which the part has first come half the
way from its start to its end; ``fade``, the class level's ratio at the end over its least. ``even``
and ``coarse`` also have ``predicted/<level>``, the half time of the closed form from the variances
of the drawn images, with the orthogonal start that it asks.

Declared before the recorded run, after pilots with the seeds 900 to 903: the predicates of
``levels-drawn`` in the claims file. A pilot of ``coarse`` with overlapping vectors, as drawn, had
the super-class first; so they are made orthogonal there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.records import Record
from ssl_dynamics.theory import collapse_levels as theory
from ssl_dynamics.training.settings import Seeded, at_least, positive, require
from ssl_dynamics.training.threads import tuned

NAME = "collapse_levels"
LEVELS = ("super", "class", "sample")
CONDITIONS = ("even", "narrow", "coarse")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = 16
    device: str = "cpu"
    name: str = "tree"
    supers: int = 4
    classes: int = 3
    """In a super-class."""
    samples: int = 4
    """In a class."""
    lengths: tuple[float, float, float] = (1.0, 1.0, 2.0)
    """Of the vectors of a super-class, a class and a sample."""
    inputs: int = 64
    noise: float = 0.01
    """Variance of a view in every direction."""
    hard: tuple[float, float] = (0.7, 0.4)
    """Where the noise of ``coarse`` lies in its window, for super-classes and for classes: 0 is the
    tie, 1 the end of the level."""
    start: float = 1e-5
    """Mean squared weight of an input, summed over the outputs."""
    lr: float = field(default=0.02, metadata={"help": "step size, the unit of time over steps"})
    time: float = 120.0
    every: int = 25
    """Steps between two measurements."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "every")
        at_least(self, 2, "supers", "classes", "samples", "inputs")
        positive(self, "noise", "start", "lr", "time")
        inside = len(self.hard) == 2 and all(0 <= one < 1 for one in self.hard)
        require(inside, "hard", self.hard, "two numbers in [0, 1)")
        require(
            len(self.lengths) == 3 and min(self.lengths) > 0,
            "lengths",
            self.lengths,
            "three numbers above 0",
        )

        require(
            self.inputs >= sum(self.nodes),
            "inputs",
            self.inputs,
            f"at least {sum(self.nodes)}, the nodes",
        )

    @property
    def nodes(self) -> tuple[int, int, int]:
        """Super-classes, classes and samples of the whole tree."""
        classes = self.supers * self.classes
        return self.supers, classes, classes * self.samples

    @property
    def steps(self) -> int:
        """Steps of a run."""
        return round(self.time / self.lr)

    @property
    def times(self) -> list[float]:
        """When it is measured."""
        return [round(k * self.lr, 10) for k in range(0, self.steps + 1, self.every)]


SLICES = [
    {
        "record": "tree",
        "config": {"seeds": 3},
        "metrics": ["even/half/super", "even/half/sample", "coarse/half/sample", "narrow/fade"],
    },
]
"""What the tests run again beside the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train under every condition; parts and ratios are [S, T] by time, the others [S]."""
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
    times = np.array(config.times)
    with torch.no_grad(), tuned(0):
        for name in tqdm(CONDITIONS, disable=not progress, desc=NAME):
            parts = covariances(config, orthogonal=name == "coarse")
            moved, weight, width = setting(config, parts, name)
            values = summary(times, descend(config, parts, moved, weight, width))
            if name != "narrow":
                values |= predicted(config, parts, moved, weight, times)
            found |= {f"{name}/{key}": value for key, value in values.items()}
    return found


def images(config: Config, *, orthogonal: bool = False) -> np.ndarray:
    """The images of the drawn trees, [S, super-class, class, sample, d]."""
    shape = (config.supers, config.classes, config.samples, config.inputs)
    each = []
    for seed in config.seed_range():
        drawn = generator(seed, "tree").normal(size=(sum(config.nodes), config.inputs))
        drawn = np.linalg.qr(drawn.T)[0].T if orthogonal else drawn / config.inputs**0.5
        first = np.cumsum((0, *config.nodes))
        found = np.zeros(shape)
        for level, length in enumerate(config.lengths):
            own = drawn[first[level] : first[level + 1]] * length
            found += own.reshape(*shape[: level + 1], *[1] * (2 - level), config.inputs)
        each.append(found)
    return np.stack(each)


def covariances(config: Config, *, orthogonal: bool = False) -> Tensor:
    """What lies between super-classes, between their classes, between their samples: [3, S, d, d].

    Over the images of the drawn tree, by means of means; the mean of all is taken off.
    """
    x = images(config, orthogonal=orthogonal)
    means = [x.mean(axis, keepdims=True) for axis in ((1, 2, 3), (2, 3), (3,))]
    steps = (means[1] - means[0], means[2] - means[1], x - means[2])
    flat = [np.broadcast_to(one, x.shape).reshape(len(x), -1, config.inputs) for one in steps]
    return torch.from_numpy(np.stack([one.swapaxes(1, 2) @ one / one.shape[1] for one in flat]))


def setting(config: Config, parts: Tensor, name: str) -> tuple[Tensor, float, int]:
    """Covariance of the noise [S, d, d], weight of the invariance, number of outputs."""
    even = config.noise * torch.eye(config.inputs, dtype=parts.dtype).expand_as(parts[0])
    if name == "even":
        return even, 1.0, config.inputs
    if name == "narrow":
        return even, 1.0, config.supers * config.classes - 1
    place = (*config.lengths, config.supers, config.classes, config.samples)
    tree = [theory.FORMS[f"TREE_{level.upper()}"].numpy(*place) for level in LEVELS]
    moved = even
    for part, variance, hard in zip(parts[:2], tree[:2], config.hard, strict=True):
        tie = theory.TIE.numpy(variance, tree[2], config.noise, 2.0, 1.0)
        wanted = tie + hard * (variance - tie)  # the level dies at its own variance
        moved = moved + part * float((wanted - config.noise) / variance)
    return moved, 2.0, config.inputs


def descend(
    config: Config, parts: Tensor, moved: Tensor, invariance: float, width: int
) -> dict[str, np.ndarray]:
    """The four parts of the variance of the features, [S, T] each."""
    all_parts = torch.cat([parts, moved[None]])
    course = [
        ((W @ all_parts) * W).sum((-2, -1)).numpy()
        for step, W in path(config, parts, moved, invariance, width)
        if step % config.every == 0
    ]
    found = np.stack(course, -1)
    return {f"part/{level}": found[k] for k, level in enumerate((*LEVELS, "view"))}


def path(
    config: Config, parts: Tensor, moved: Tensor, invariance: float, width: int
) -> Iterator[tuple[int, Tensor]]:
    """Number of steps and weights [S, outputs, d], from the start to the end."""
    drawn = [
        generator(seed, "start").normal(size=(width, config.inputs)) * (config.start / width) ** 0.5
        for seed in config.seed_range()
    ]
    W = torch.from_numpy(np.stack(drawn))
    total = parts.sum(0) + moved
    for step in range(config.steps + 1):
        yield step, W
        spread = W @ total
        gradient = 4 * (spread @ W.mT @ spread - spread + invariance * W @ moved)
        W = W - config.lr * gradient


def weights_at(config: Config, name: str, times: Sequence[float]) -> dict[float, np.ndarray]:
    """The weights [S, outputs, d] of a condition at some of its times."""
    parts = covariances(config, orthogonal=name == "coarse")
    wanted = {round(time / config.lr): time for time in times}
    course = path(config, parts, *setting(config, parts, name))
    return {wanted[step]: W.numpy() for step, W in course if step in wanted}


def summary(times: np.ndarray, course: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics of one condition from its four parts [S, T]."""
    four = [course[f"part/{level}"] for level in (*LEVELS, "view")]
    ratios = {f"ratio/{level}": theory.FORMS[f"RATIO_{level.upper()}"].numpy(*four)
              for level in LEVELS}  # fmt: skip
    found = {key: value.astype(np.float32) for key, value in (course | ratios).items()}
    found |= {f"half/{level}": half_time(times, course[f"part/{level}"]) for level in LEVELS}
    of_classes = ratios["ratio/class"]
    found["fade"] = of_classes[:, -1] / of_classes.min(-1)
    return found


def half_time(times: np.ndarray, course: np.ndarray) -> np.ndarray:
    """When each row [S, T] first has come half the way from its start to its end, interpolated."""
    way = (course - course[:, :1]) / (course[:, -1:] - course[:, :1])
    first = (way >= 0.5).argmax(-1)
    rows = np.arange(len(way))
    low, high = way[rows, first - 1], way[rows, first]
    return times[first - 1] + (times[first] - times[first - 1]) * (0.5 - low) / (high - low)


def predicted(
    config: Config, parts: Tensor, moved: Tensor, invariance: float, times: np.ndarray
) -> dict[str, np.ndarray]:
    """Half times of the closed form: the modes are the eigenvectors of the images' covariance."""
    kept, vectors = torch.linalg.eigh(parts.sum(0))
    own, noise = (
        torch.einsum("sij,...sik,skj->...sj", vectors, one, vectors).numpy()
        for one in (parts, moved)
    )  # [level, S, mode] and [S, mode]
    place = (kept.clamp_min(1e-12).numpy(), noise, invariance, 1.0)
    total = place[0] + noise
    grown = theory.COURSE.numpy(times[:, None, None], config.start * total, *place) / total
    return {
        f"predicted/{level}": half_time(times, (grown * share).sum(-1).T)
        for level, share in zip(LEVELS, own, strict=True)
    }
