"""Which student node ends at which teacher node, and how much of it does it get?

Two-layer students learn from a two-layer teacher on fresh Gaussian inputs, plain SGD on half the
squared distance, float64. Three studies:

- `map`: 5 teacher nodes with offset -0.5 on 10 inputs, 10 outputs, all equally strong. Students 1,
  2, 5, 10 and 50 times as many as teacher nodes; every weight vector and every fan-out has about
  the same length at the start, from 1e-1 to 1e-6. Directions at the start, teacher and inputs of a
  seed are the same at every scale. The run is longer for a smaller start, by as many steps for
  each power of ten as the growth through it takes.
- `offsets`: 10 equally strong teacher nodes on 30 inputs, 50 outputs, 100 students. Their
  hyperplanes lie 0, 0.25, ..., 2.25 standard deviations from the mean of the inputs: fewer and
  fewer inputs are on their far side. Which are found first?
- `strengths`: the same with all hyperplanes at a tenth of a deviation, and strengths 1, 1/2, ...,
  1/10.

Figures of the map, [S] for each number of students and scale (`students=.../scale=.../`): `rank`,
Spearman's correlation over the students between the initial cosine with a teacher node and the
final correlation with it, mean over teacher nodes; `hit`, share of the teacher nodes that are
matched whose strongest student was among the nearest fifth at the start (by chance 0.2);
`nearest`, share of the matched students that end at the teacher node nearest at the start (by
chance about 0.2); `winner`, share of the strongest student in the strength of all students matched
to a teacher node; `participation`, inverse of the sum of their squared shares; `company`, how many
they are; `matched`, share of the teacher nodes with a student of correlation above 0.95; `time`,
steps until that, mean over teacher nodes, counted as the whole run for one never matched; `error`,
the test error as a share of the variance, and `log_error`, its decimal logarithm. Strength is the
length of a student's weights times that of its fan-out, which rescaling a node does not change. In
the other studies: `time` and `found` of each teacher node, [S, m]; `order`, Spearman's correlation
over the teacher nodes between their number and that time, [S]; `error` and `log_error`.

Declared in the claims file before the recorded runs, after looks at the seeds 900 to 911.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import norm, rankdata
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import random_teacher
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import correlation_matrix
from ssl_dynamics.records import Record
from ssl_dynamics.training import Fresh, Students, gaussian, train_students
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive, some_of
from ssl_dynamics.training.students_run import in_blocks, step_cost
from ssl_dynamics.training.threads import tuned

NAME = "luck"
STUDIES = ("map", "offsets", "strengths")
MATCHED = 0.95
"""Correlation of activations above which a student node counts as the teacher node's."""
NEAR = 0.2
"""Share of the students that count as near a teacher node at the start."""
WIDTHS = {"map": (10, 5, 10), "offsets": (30, 10, 50), "strengths": (30, 10, 50)}
"""Inputs, teacher nodes and outputs of each study."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    seeds: int = field(default=64, metadata={"help": "number of seeds"})
    device: str = field(default="cpu", metadata={"help": "cpu: many small products"})
    name: str = field(default="map", metadata={"help": "name of the record"})
    study: str = field(default="map", metadata={"help": "map, offsets or strengths"})
    multiples: tuple[int, ...] = (1, 2, 5, 10, 50)
    """Students per teacher node; the first alone in the other studies than the map."""
    scales: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    """Length of weights and fan-out at the start; the first alone in the other studies."""
    steps: int = 3000
    per_decade: int = 140
    """More steps for each power of ten that the scale lies below 1."""
    lr: float = 0.1
    batch: int = 32
    probe: int = 500
    """Test inputs."""
    places: int = 40
    """Steps at which a map looks which teacher nodes are matched, more closely at first."""

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        one_of("study", self.study, STUDIES)
        some_of("multiples", self.multiples, range(1, 1001))
        positive(self, "lr")
        at_least(self, 1, "seeds", "steps", "batch", "probe")
        at_least(self, 0, "per_decade")
        at_least(self, 2, "places")
        some_of("scales", self.scales, [s for s in self.scales if 1e-12 <= s <= 10])


SLICES: list[dict[str, Any]] = [
    *(
        {"record": study, "config": {"seeds": 2}, "metrics": ["order", "error"]}
        for study in ("offsets", "strengths")
    ),
    {
        "record": "map",
        "config": {"seeds": 4, "multiples": (2,), "scales": (1e-3,)},
        "metrics": [
            f"students=10/scale=0.001/{name}"
            for name in ("rank", "hit", "winner", "participation", "matched", "time", "log_error")
        ],
    },
]
"""The small re-runs that the tests compare with the committed records."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train the students; metrics are [S], or [S, T] along the axis `step`."""
    seeds, (_, nodes, _) = config.seed_range(), WIDTHS[config.study]
    multiples, scales = config.multiples, config.scales
    if config.study != "map":
        multiples, scales = multiples[:1], scales[:1]
    cells = [(nodes * times, scale) for times in multiples for scale in scales]
    one = _cell if config.study == "map" else _order

    def measure() -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for students, scale in tqdm(cells, disable=not progress, desc=NAME):
            name = f"students={students}/scale={scale:g}/" if config.study == "map" else ""
            here = _in_blocks(config, seeds, students, scale, one)
            found |= {name + key: value for key, value in here.items()}
        return found

    axes = {"node": list(range(1, nodes + 1))} if config.study != "map" else {}
    with tuned(0):
        return recorded(NAME, config, measure, seeds=seeds, axes=axes)


def _in_blocks(
    config: Config, seeds: Sequence[int], students: int, scale: float, one: Callable
) -> dict[str, np.ndarray]:
    inputs, _, outputs = WIDTHS[config.study]
    cost = step_cost((inputs, students, outputs), config.batch)[1]
    return in_blocks(seeds, cost, lambda block: one(config, block, students, scale))


def pair(
    config: Config, seeds: Sequence[int], students: int, scale: float
) -> tuple[Students, Students]:
    """Teacher and students at the start of training."""
    inputs, nodes, outputs = WIDTHS[config.study]
    weights, biases = random_teacher(
        seeds, (inputs, nodes, outputs), rows="normal", separation=45.0, bias=0.0
    )
    place = torch.arange(nodes, dtype=torch.float64)
    offset = {"map": 0.5 + 0 * place, "offsets": place / 4, "strengths": 0.1 + 0 * place}
    biases[0] -= offset[config.study]
    strength = 1 / (place + 1) if config.study == "strengths" else torch.ones(nodes)
    if config.study == "offsets":
        strength = _spread(0 * place) / _spread(place / 4)
    fans = weights[1] / weights[1].norm(dim=1, keepdim=True) * strength
    teacher = Students([weights[0], fans], biases)
    learner = Students.random(seeds, (inputs, students, outputs), scale=1.0)
    for layer, width in ((0, inputs), (1, outputs)):
        learner.weights[layer].mul_(scale / width**0.5)
    return teacher, learner


def _spread(offset: Tensor) -> Tensor:
    """Standard deviation of relu(z - offset) for a standard normal z."""
    t = offset.numpy()
    mean = norm.pdf(t) - t * norm.sf(t)
    return torch.from_numpy(np.sqrt((1 + t**2) * norm.sf(t) - t * norm.pdf(t) - mean**2))


def _train(
    config: Config, seeds: Sequence[int], students: int, scale: float
) -> tuple[np.ndarray, np.ndarray, Students, Students, Tensor, Tensor]:
    """Steps of each teacher node until matched [S, m], and everything at the end."""
    teacher, learner = pair(config, seeds, students, scale)
    start = learner.weights[0].clone()
    steps = round(config.steps - config.per_decade * np.log10(scale))
    at = np.unique(np.geomspace(10, steps, config.places).round().astype(int))
    x = gaussian(seeds, config.probe, teacher.widths[0], purpose="probe")
    wanted = teacher.activations(x)[1]

    def measure(now: Students) -> dict[str, Tensor]:
        return {"best": correlation_matrix(now.activations(x)[1], wanted).amax(1)}

    data = Fresh(seeds, teacher, config.batch)
    best = train_students(learner, data, steps, config.lr, eval_at=at, measure=measure)["best"]
    matched = best > MATCHED
    first = np.where(matched.any(1), at[matched.argmax(1)], steps)
    return first, matched[:, -1], teacher, learner, start, x


def _cell(
    config: Config, seeds: Sequence[int], students: int, scale: float
) -> dict[str, np.ndarray]:
    """The figures of one cell of the map, [S] each."""
    first, matched, teacher, learner, start, x = _train(config, seeds, students, scale)
    seen, wanted = learner.activations(x), teacher.activations(x)
    correlation = correlation_matrix(seen[1], wanted[1]).numpy()
    length = start.norm(dim=-1, keepdim=True)
    cosine = (start / length @ teacher.weights[0].mT).numpy()
    strength = (learner.weights[0].norm(dim=-1) * learner.weights[1].norm(dim=1)).numpy()
    shares = [shared(*each) for each in zip(cosine, correlation, strength, strict=True)]
    return {
        "rank": np.array([spearman(a, b) for a, b in zip(cosine, correlation, strict=True)]),
        "matched": matched.mean(1),
        "time": first.mean(1),
        **errors(seen[2], wanted[2]),
    } | {name: np.array([share[name] for share in shares]) for name in shares[0]}


def errors(output: Tensor, wanted: Tensor) -> dict[str, np.ndarray]:
    """Squared distance as a share of the variance and its logarithm, [S, N, C] -> [S] each."""
    off = wanted - wanted.mean(1, keepdim=True)
    missed = (wanted - output).square().sum((1, 2)) / off.square().sum((1, 2))
    return {"error": missed.numpy(), "log_error": missed.log10().numpy()}


def spearman(cosine: np.ndarray, correlation: np.ndarray) -> float:
    """Rank correlation of two matrices [n, m] over the students, mean over the teacher nodes."""
    ranks = [rankdata(values, axis=0) for values in (cosine, correlation)]
    ranks = [r - r.mean(0) for r in ranks]
    size = np.sqrt((ranks[0] ** 2).sum(0) * (ranks[1] ** 2).sum(0))
    product = (ranks[0] * ranks[1]).sum(0)
    return float(np.divide(product, size, out=np.zeros_like(size), where=size > 0).mean())


def shared(cosine: np.ndarray, correlation: np.ndarray, strength: np.ndarray) -> dict[str, float]:
    """How a seed's teacher nodes are shared: [n, m], [n, m], [n] -> figures, means over those
    teacher nodes that are matched; what a seed without any shows is that of chance."""
    n, m = cosine.shape
    place = correlation.argmax(1)
    mine = (correlation > MATCHED) & (place[:, None] == np.arange(m))
    figures: dict[str, list[float]] = {
        name: [] for name in ("hit", "winner", "participation", "company")
    }
    for k in np.flatnonzero(mine.any(0)):
        here = strength * mine[:, k]
        part = here / here.sum()
        closer = (cosine[:, k] > cosine[here.argmax(), k]).sum()
        figures["hit"].append(float(closer < max(1, round(NEAR * n))))
        figures["winner"].append(part.max())
        figures["participation"].append(1 / (part**2).sum())
        figures["company"].append(float(mine[:, k].sum()))
    chance = {"hit": NEAR, "winner": 1.0, "participation": 1.0, "company": 1.0}
    found = {name: float(np.mean(v)) if v else chance[name] for name, v in figures.items()}
    alive = mine.any(1)
    right = (cosine.argmax(1) == place)[alive]
    return found | {"nearest": float(right.mean()) if alive.any() else 1 / m}


def _order(
    config: Config, seeds: Sequence[int], students: int, scale: float
) -> dict[str, np.ndarray]:
    """When each teacher node is found, [S, m]; and in which order, [S]."""
    first, matched, teacher, learner, _, x = _train(config, seeds, students, scale)
    nodes = np.arange(first.shape[1])[:, None]
    order = [spearman(nodes, times[:, None]) for times in first]
    return {
        "time": first.astype(float),
        "found": matched.astype(float),
        "order": np.array(order),
        **errors(learner.outputs(x), teacher.outputs(x)),
    }
