r"""One neuron and two classes: how many starts have a zero operator, and what sampling does.

*Ring.* Two objects, "11" and "101", at every place of a ring of d sites; the class is the object
and augmentation moves it. For thousands of normal starts the gates are exact comparisons and the
operator is a vector of whole numbers, so "zero" means zero.

*Training.* Many neurons a seed, all in one batch, follow the simple contrastive loss by plain
gradient descent on sampled triples (anchor, another view of its class, a view of any class), both
branches differentiated by autograd. Three tasks with two equally likely classes: the ring; normal
classes with mean zero and unlike covariances; normal classes with unlike means. ``ratio`` is the
log of the growth of the class difference over what the population's rate, summed along the very
path, predicts; ``sign`` is the fraction of neurons whose difference has kept its sign.

*Locked.* Neurons that start on the ring with every gate open, at `reach` of the fluctuation that
would close the first one. ``moved`` is the fraction that has moved at all, ``awake`` the fraction
whose operator is no longer zero; with the whole population and with small sampled batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import at_least, one_of, positive, require

NAME = "one_neuron"
TASKS = ("ring", "spread", "means")
PURPOSE = "one_neuron"


@dataclass(frozen=True)
class Config:
    """Settings of the three parts."""

    seeds: int = field(default=16, metadata={"help": "number of seeds, run together"})
    device: str = field(default="cpu", metadata={"help": "cpu: a neuron is seven numbers"})
    name: str = field(default="starts", metadata={"help": "name of the record"})
    sizes: tuple[int, ...] = (5, 6, 7, 8, 9, 10, 11, 12)
    """Sites of the ring, first part."""
    draws: int = 32768
    """Starts per seed and size, first part."""
    neurons: int = 64
    """Neurons per seed and task, second and third part."""
    steps: int = 250
    batch: int = 256
    lr: float = 0.04
    reach: float = 0.9
    """Third part: the fluctuation, in units of the one that closes the first gate."""
    locked_steps: int = 2000
    locked_batch: int = 4

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "draws", "neurons", "steps", "batch")
        at_least(self, 1, "locked_steps", "locked_batch")
        large = len(self.sizes) > 0 and min(self.sizes) >= 5
        require(large, "sizes", self.sizes, "one or more, each at least 5")
        require(0 <= self.reach < 1, "reach", self.reach, "0 to below 1")
        positive(self, "lr")


def ring(sites: int) -> Tensor:
    """Both objects at every place, [2, places, sites], class 0 is "101" and class 1 is "11"."""
    eye = torch.eye(sites, dtype=torch.float64)
    return torch.stack([eye + eye.roll(-step, 0) for step in (2, 1)])


class Task:
    """Two equally likely classes of SIZE-dimensional views, to sample from and to average over."""

    SIZE = 7

    def __init__(self, name: str) -> None:
        if name not in TASKS:
            raise ValueError(f"task: got {name!r}; allowed: {', '.join(TASKS)}")
        self.name = name
        self.views = ring(self.SIZE)
        self.mean = torch.zeros(2, self.SIZE, dtype=torch.float64)
        self.std = torch.full((2, self.SIZE), 0.5, dtype=torch.float64)
        if name == "spread":
            self.std[1, :3] = 1.0
            self.std[0, 3:5] = 1.0
        if name == "means":
            self.mean[1, :3] = 0.4
            self.mean[0, 3:5] = 0.4

    def sample(self, rng: np.random.Generator, classes: np.ndarray) -> np.ndarray:
        """One view of each class in `classes`, [..., SIZE]."""
        if self.name == "ring":
            places = rng.integers(self.SIZE, size=classes.shape)
            return self.views.numpy()[classes, places]
        noise = rng.normal(size=(*classes.shape, self.SIZE))
        return self.mean.numpy()[classes] + self.std.numpy()[classes] * noise

    def gap(self, w: Tensor, *, relu: bool) -> Tensor:
        """u, the exact difference of the class means of the connection, for w [..., SIZE]."""
        if self.name == "ring":
            gates = (w[..., None, None, :] * self.views).sum(-1) > 0 if relu else None
            views = self.views if gates is None else gates[..., None] * self.views
            mean = views.mean(-2)
        elif not relu:
            mean = self.mean.expand(*w.shape[:-1], 2, self.SIZE)
        else:
            m = (w[..., None, :] * self.mean).sum(-1, keepdim=True)
            pulled = w[..., None, :] * self.std**2
            s = (pulled * w[..., None, :]).sum(-1, keepdim=True).sqrt()
            density = torch.exp(-((m / s) ** 2) / 2) / np.sqrt(2 * np.pi)
            mean = self.mean * torch.special.ndtr(m / s) + pulled / s * density
        return mean[..., 1, :] - mean[..., 0, :]


def zero_fractions(config: Config, seeds: list[int]) -> dict[str, np.ndarray]:
    """Per ring size the fraction of starts with a zero operator [S], with all gates alike, and
    with a zero operator although gates differ."""
    found: dict[str, list[float]] = {}
    for sites in config.sizes:
        for seed in seeds:
            rng = generator(seed, f"{PURPOSE}/ring/{sites}/{config.draws}")
            w = rng.normal(size=(config.draws, sites))
            gates = [(w + np.roll(w, -step, -1) > 0).astype(int) for step in (1, 2)]
            one, two = (g + np.roll(g, step, -1) for g, step in zip(gates, (1, 2), strict=True))
            zero = (one == two).all(-1)
            share = np.concatenate(gates, -1).mean(-1)
            alike = (share == 0) | (share == 1)
            for name, values in (("zero", zero), ("alike", alike), ("zero, mixed", zero & ~alike)):
                found.setdefault(f"d={sites}/{name}", []).append(float(values.mean()))
    return {key: np.array(values) for key, values in found.items()}


def descend(
    task: Task, w: Tensor, config: Config, seeds: list[int], *, relu: bool, progress: bool
) -> tuple[Tensor, Tensor]:
    """Train neurons w [S, N, SIZE] on sampled triples; the end, and the sum of the population's
    growth rates along the path times the step, [S, N]."""
    rngs = [generator(seed, f"{PURPOSE}/triples/{task.name}") for seed in seeds]
    exponent = torch.zeros(w.shape[:2], dtype=torch.float64)
    w = w.clone().requires_grad_()
    for _ in tqdm(range(config.steps), disable=not progress, unit="step"):
        drawn = []
        for rng in rngs:
            anchor, other = rng.integers(2, size=(2, config.batch))
            drawn.append(task.sample(rng, np.stack([anchor, anchor, other])))
        x = torch.from_numpy(np.stack(drawn))  # [S, 3, B, SIZE]
        f = torch.einsum("snd,scbd->scnb", w, x)
        f = torch.relu(f) if relu else f
        loss = ((f[:, 0] - f[:, 1]) ** 2 - (f[:, 0] - f[:, 2]) ** 2) / 2
        (gradient,) = torch.autograd.grad(loss.mean(-1).sum(), w)
        with torch.no_grad():
            exponent += config.lr * (task.gap(w, relu=relu) ** 2).sum(-1) / 2
            w -= config.lr * gradient
    return w.detach(), exponent


def training(config: Config, seeds: list[int], *, progress: bool) -> dict[str, np.ndarray]:
    """Ratio and kept signs per task and neuron; the linear neuron of two tasks starts at zero
    difference and is only asked whether one was made."""
    found: dict[str, np.ndarray] = {}
    shape = (config.neurons, Task.SIZE)
    draws = [generator(seed, f"{PURPOSE}/starts").normal(size=shape) for seed in seeds]
    start = torch.from_numpy(np.stack(draws)) / Task.SIZE**0.5
    for name in TASKS:
        task = Task(name)
        for kind in ("relu", "linear"):
            relu = kind == "relu"
            D = (task.gap(start, relu=relu) * start).sum(-1)
            end, exponent = descend(task, start, config, seeds, relu=relu, progress=progress)
            D_end = (task.gap(end, relu=relu) * end).sum(-1)
            key = f"{name}/{kind}"
            found[f"{key}/gap"] = D_end.abs().mean(-1).numpy()
            found[f"{key}/gap at start"] = D.abs().mean(-1).numpy()
            if D.abs().max() < 1e-12:
                continue
            moving = D.abs() > 1e-12
            growth = torch.where(moving, (D_end / D).abs().clamp_min(1e-12).log(), 0.0)
            found[f"{key}/ratio"] = (growth.sum(-1) / exponent.sum(-1)).numpy()
            kept = (torch.sign(D) == torch.sign(D_end)) & moving
            found[f"{key}/sign"] = (kept.sum(-1) / moving.sum(-1)).numpy()
    return found


def locked(config: Config, seeds: list[int], *, progress: bool) -> dict[str, np.ndarray]:
    """What happens to neurons that start with every gate of the ring open."""
    task = Task("ring")
    starts = []
    for seed in seeds:
        noise = generator(seed, f"{PURPOSE}/locked").normal(size=(config.neurons, Task.SIZE))
        pairs = np.concatenate([noise + np.roll(noise, -step, -1) for step in (1, 2)], -1)
        # w = 1 + s noise closes its first gate at s = -2 / (lowest pair); go `reach` of the way
        largest = np.abs(pairs).max(-1, keepdims=True)
        side = -np.sign(np.take_along_axis(pairs, np.abs(pairs).argmax(-1)[:, None], -1))
        starts.append(1 + config.reach * 2 * side * noise / largest)
    start = torch.from_numpy(np.stack(starts))
    population = start.clone().requires_grad_()
    for _ in range(config.locked_steps):
        f = torch.relu(torch.einsum("snd,cpd->sncp", population, task.views))
        D = f[..., 1, :].mean(-1) - f[..., 0, :].mean(-1)
        (gradient,) = torch.autograd.grad((-(D**2) / 4).sum(), population)
        with torch.no_grad():
            population -= config.lr * gradient
    small = replace(config, steps=config.locked_steps, batch=config.locked_batch)
    sampled, _ = descend(task, start, small, seeds, relu=True, progress=progress)
    found = {}
    for name, end in (("population", population.detach()), ("sampled", sampled)):
        moved = (end - start).abs().amax(-1) > 1e-9
        awake = task.gap(end, relu=True).abs().amax(-1) > 1e-9
        found[f"locked/{name}/moved"] = moved.double().mean(-1).numpy()
        found[f"locked/{name}/awake"] = awake.double().mean(-1).numpy()
    return found


def measure(config: Config, seeds: list[int], *, progress: bool = True) -> dict[str, np.ndarray]:
    """All metrics of these seeds, each [S]."""
    return {
        **zero_fractions(config, seeds),
        **training(config, seeds, progress=progress),
        **locked(config, seeds, progress=progress),
    }


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Run the three parts and return the record."""
    seeds = list(range(config.seeds))
    return recorded(NAME, config, partial(measure, config, seeds, progress=progress))


SLICES = [
    {
        "record": "starts",
        "config": {"seeds": 4, "sizes": (5, 7)},
        "metrics": ["d=7/zero", "ring/relu/ratio", "spread/relu/ratio", "locked/sampled/awake"],
    },
]
"""What the tests run again beside the committed record."""
