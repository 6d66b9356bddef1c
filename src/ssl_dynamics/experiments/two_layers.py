r"""Do two layers that train together separate digits sooner than one layer alone?

A bias-free network 64, `hidden` (ReLU), `outputs` on `per_digit` images of each digit, chosen by
the seed, with all nine shifts of each as views; every average is an exact finite sum in float64.
The first layer, the second, or both are trained. Starts differ in the ratio of the squared norms
of the layers; their product is the same, so all starts compute the same function.

Three losses: ``simple``, minus the trace of the covariance of the mean outputs, which has no lower
bound; ``unit``, the same of outputs of length one; ``nce``, InfoNCE on outputs of length one, the
image itself against `positives` of its shifts. The last two are bounded below and blind to the
size of the weights.

Gradient flow is followed by Euler steps that change no trained layer by more than `stride` of its
norm. Time is the sum of the step sizes, so it means the same for every run. Recorded are the
times at which the trace has grown by given factors, the times at which the *class separation*, the
share of the variance of unit-length outputs that lies between the ten digits, has gained `gain`,
the separation on the way, what the theorem bounds, and how far conserved quantities have drifted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot
from tqdm import tqdm

from ssl_dynamics.data import PIXELS, VIEWS, digits, generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import effective_rank
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import at_least, one_of, require
from ssl_dynamics.training.threads import tuned

NAME = "two_layers"
LOSSES = ("simple", "unit", "nce")
TRAINED = {"joint": (0, 1), "bottom": (0,), "top": (1,)}
"""Which layers train: both, the bottom one with the top frozen, the top one."""
KAPPA = 2
TEMPERATURE = 0.5


@dataclass(frozen=True)
class Config:
    """Settings of the runs."""

    seeds: int = field(default=16, metadata={"help": "number of seeds, run together"})
    device: str = field(default="cpu", metadata={"help": "cpu: the networks are tiny"})
    name: str = field(default="digits", metadata={"help": "name of the record"})
    per_digit: int = 3
    hidden: int = 16
    outputs: int = 8
    ratios: tuple[float, ...] = (0.0625, 1.0, 16.0)
    """Squared norm of the bottom layer over that of the top layer at the start."""
    decades: int = 6
    """Runs on the simple loss end when the trace has grown by ten to this power."""
    points: int = 4
    """Growth factors recorded per decade."""
    gain: float = 0.03
    """Class separation gained when the clock is read."""
    stride: float = 0.02
    """Largest relative change of a trained layer in one step."""
    steps: int = 400
    """Most steps of a run on a bounded loss, and four times as many on the simple one."""
    positives: int = 2

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "per_digit", "hidden", "outputs", "points", "steps")
        at_least(self, 2, "decades")  # the hundredfold trace is always read
        above = len(self.ratios) > 0 and min(self.ratios) > 0
        require(above, "ratios", self.ratios, "one or more, each above 0")
        for name in ("gain", "stride"):
            value = getattr(self, name)
            require(0 < value < 1, name, value, "between 0 and 1")
        require(1 <= self.positives < VIEWS, "positives", self.positives, f"1 to {VIEWS - 1}")


SLICE = {
    "record": "digits",
    "config": {"seeds": 4, "ratios": (1.0,), "steps": 100},
    "metrics": [
        "simple/ratio=1/speed-up at 10",
        "simple/ratio=1/class speed-up",
        "unit/ratio=1/class speed-up",
        "simple/ratio=1/joint/seen over upper",
    ],
}
"""The small re-run that the tests compare with the committed record."""


class Data:
    """`per_digit` training images of every digit for each seed, with their views and labels."""

    def __init__(self, seeds: range, per_digit: int) -> None:
        table = digits()
        rows = []
        for seed in seeds:
            order = generator(seed, "two_layers/images").permutation(len(table.views))
            labels = table.train_labels.numpy()[order]
            rows.append(np.concatenate([order[labels == d][:per_digit] for d in range(10)]))
        index = torch.from_numpy(np.stack(rows))
        self.views = table.views[index]  # [S, N, M, 64]
        self.labels = one_hot(table.train_labels[index], 10).double()  # [S, N, 10]

    def spread(self) -> Tensor:
        """Trace of the covariance of the views, [S]."""
        return between(self.views.flatten(1, 2))


def between(means: Tensor) -> Tensor:
    """Trace of the covariance over the second axis: [S, N, d] -> [S]."""
    return means.var(1, correction=0).sum(-1)


def forward(weights: list[Tensor], views: Tensor) -> Tensor:
    """Outputs [S, N, M, outputs]."""
    hidden = torch.relu(torch.einsum("shi,snvi->snvh", weights[0], views))
    return torch.einsum("soh,snvh->snvo", weights[1], hidden)


def loss_of(name: str, f: Tensor, positives: int = 2) -> Tensor:
    """One loss per seed [S] of the outputs [S, N, M, d]."""
    if name == "simple":
        return -between(f.mean(2))
    unit = normalize(f, dim=-1)
    if name == "unit":
        return -between(unit.mean(2))
    if name != "nce":
        raise ValueError(f"loss: got {name!r}; allowed: {', '.join(LOSSES)}")
    anchor, other = unit[:, :, 0], unit[:, :, 1 : 1 + positives]
    logits = torch.einsum("sno,smvo->svnm", anchor, other) / TEMPERATURE
    own = logits.diagonal(dim1=-2, dim2=-1)
    return (torch.logsumexp(logits, -1) - own).mean((-1, -2))


def class_separation(f: Tensor, labels: Tensor) -> Tensor:
    """Share of the variance of the unit-length outputs that lies between classes, [S].

    f [S, N, M, d], labels [S, N, C] as zeros and ones with equally many images of each class.
    """
    unit = normalize(f, dim=-1)
    means = torch.einsum("snc,snd->scd", labels, unit.mean(2)) / labels.sum(1).unsqueeze(-1)
    return between(means) / between(unit.flatten(1, 2))


def squared_norms(weights: list[Tensor]) -> Tensor:
    """[S, 2]."""
    return torch.stack([w.square().sum((1, 2)) for w in weights], -1)


def start(seeds: range, config: Config, ratio: float) -> list[Tensor]:
    """Weights with the wanted ratio of squared norms; the product of the norms is the draw's."""
    net = ReluNet(seeds, (PIXELS, config.hidden, config.outputs), purpose="two_layers")
    weights = [w.detach().clone() for w in net.weights]
    norms = squared_norms(weights)
    factor = (ratio * norms[:, 1] / norms[:, 0]) ** 0.25
    return [weights[0] * factor[:, None, None], weights[1] / factor[:, None, None]]


def log_mean_time(norms: Tensor) -> Tensor:
    """The integral of 1/((N_1 + s)(N_2 + s)) over s > 0, for norms [S, 2]."""
    one, two = norms.unbind(-1)
    apart = one - two
    near = apart.abs() < 1e-9 * two
    safe = torch.where(near, 1.0, apart)
    return torch.where(near, 1 / one, (one / two).log() / safe)


def descend(
    config: Config, data: Data, loss: str, ratio: float, mode: str, seeds: range
) -> dict[str, Tensor]:
    """One run; `time`, `trace`, `separation`, `rank` (effective, of the mean outputs), `norms` and
    `push` along the steps, and the drift."""
    weights, trained = start(seeds, config, ratio), TRAINED[mode]
    first = [w.clone() for w in weights]
    clock = torch.zeros(len(seeds), dtype=torch.float64)
    rows: dict[str, list[Tensor]] = {}
    most = config.steps * (4 if loss == "simple" else 1)
    for _ in range(most + 1):
        leaves = [w.requires_grad_() for w in weights]
        f = forward(leaves, data.views)
        slopes = torch.autograd.grad(loss_of(loss, f, config.positives).sum(), leaves)
        weights, f = [w.detach() for w in weights], f.detach()
        row = {
            "time": clock.clone(),
            "trace": between(f.mean(2)),
            "separation": class_separation(f, data.labels),
            "rank": effective_rank(f.mean(2)),
            "norms": squared_norms(weights),
            "push": torch.stack([g.square().sum((1, 2)) for g in slopes], -1),
        }
        for key, value in row.items():
            rows.setdefault(key, []).append(value)
        if loss == "simple":
            done = row["trace"] >= 10.0**config.decades * rows["trace"][0]
        else:
            done = row["separation"] >= config.gain + rows["separation"][0]
        if done.all():
            break
        sizes = row["norms"].sqrt() / row["push"].sqrt().clamp_min(1e-300)
        step = config.stride * sizes[:, list(trained)].amin(-1)
        for layer in trained:
            weights[layer] = weights[layer] - step[:, None, None] * slopes[layer]
        clock = clock + step
    found = {key: torch.stack(values, 1) for key, values in rows.items()}
    grown = [
        (w.square() - w_0.square()).sum(2 - layer)  # per hidden neuron
        for layer, (w, w_0) in enumerate(zip(weights, first, strict=True))
    ]
    scale = grown[0].sum(-1).clamp_min(1e-300)
    found["drift"] = (grown[0] - grown[1]).abs().amax(-1) / scale
    return found


def crossing(clock: Tensor, values: Tensor, level: Tensor) -> Tensor:
    """First time [S] at which values [S, T] reach the level [S], on straight lines between the
    steps; infinite if never."""
    there = values >= level[:, None]
    after = there.int().argmax(1)
    before = (after - 1).clamp_min(0)
    rows = torch.arange(len(values))
    low, high = values[rows, before], values[rows, after]
    part = torch.where(after > 0, (level - low) / (high - low).clamp_min(1e-300), 0.0)
    when = clock[rows, before] + part * (clock[rows, after] - clock[rows, before])
    return torch.where(there.any(1), when, math.inf)


def growth_factors(config: Config) -> list[float]:
    """The factors at which the runs on the simple loss are read."""
    count = config.decades * config.points
    return [float(10 ** (k / config.points)) for k in range(count + 1)]


def along_growth(config: Config, run: dict[str, Tensor]) -> dict[str, Tensor]:
    """Time, class separation and rank [S, G] where the trace has grown by each factor."""
    levels = torch.tensor(growth_factors(config), dtype=torch.float64)
    found: dict[str, list[np.ndarray]] = {"time": [], "separation": [], "rank": []}
    for seed, trace in enumerate(run["trace"]):
        # the trace rises; a step that lowers it would be an error of the steps
        log = torch.cummax(trace, 0)[0].log().numpy()
        place = (levels * trace[0]).log().numpy()
        for key, rows in found.items():
            rows.append(np.interp(place, log, run[key][seed].numpy(), right=np.nan))
    return {key: torch.from_numpy(np.stack(rows)) for key, rows in found.items()}


def theorem(data: Data, run: dict[str, Tensor]) -> dict[str, Tensor]:
    """How the run on the simple loss compares with what the theorem says, [S]."""
    ratio = run["trace"] / run["norms"].prod(-1)
    rising = (ratio[:, 1:] >= ratio[:, :-1]).double().mean(-1)
    upper = log_mean_time(run["norms"][:, 0]) / (2 * KAPPA * ratio[:, 0])
    lower = log_mean_time(run["norms"][:, 0]) / (2 * KAPPA * data.spread())
    rest = log_mean_time(run["norms"][:, -1]) / (2 * KAPPA * ratio[:, -1])
    seen = run["time"][:, -1]
    return {
        "rising": rising,
        "seen": seen,
        "seen over upper": (seen + rest) / upper,
        "lower over seen": lower / seen,
        "rest over seen": rest / seen,
    }


def measure(config: Config, *, progress: bool = True) -> dict[str, np.ndarray]:
    """All metrics, [S] or [S, G]."""
    seeds = range(config.seeds)
    data, found = Data(seeds, config.per_digit), {}
    jobs = [(loss, ratio) for loss in LOSSES for ratio in config.ratios]
    for loss, ratio in tqdm(jobs, disable=not progress, desc="losses and starts"):
        clocks: dict[str, Tensor] = {}
        key = f"{loss}/ratio={ratio:g}"
        for mode in TRAINED:
            run = descend(config, data, loss, ratio, mode, seeds)
            wanted = run["separation"][:, 0] + config.gain
            when = crossing(run["time"], run["separation"], wanted)
            clocks[f"class/{mode}"] = found[f"{key}/{mode}/class time"] = when
            found[f"{key}/{mode}/reached"] = torch.isfinite(when).double()
            if mode == "joint":
                push = run["push"][:, 0]
                found[f"{key}/share of bottom"] = push[:, 0] / push.sum(-1)
            if loss == "simple":
                rows = along_growth(config, run)
                clocks[f"10/{mode}"] = rows["time"][:, config.points]
                clocks[f"100/{mode}"] = rows["time"][:, 2 * config.points]
                rows["best"] = run["separation"].amax(1)
                rows["at the end"] = run["separation"][:, -1]
                found |= {f"{key}/{mode}/{name}": value for name, value in rows.items()}
            if loss == "simple" and mode == "joint":
                rows = theorem(data, run) | {"drift": run["drift"]}
                found |= {f"{key}/joint/{name}": value for name, value in rows.items()}
        joint, alone = clocks["class/joint"], clocks["class/bottom"]
        found[f"{key}/class speed-up"] = alone / joint
        found[f"{key}/matched class speed-up"] = alone / joint * found[f"{key}/share of bottom"]
        if loss == "simple":
            for level in ("10", "100"):
                gained = clocks[f"{level}/bottom"] / clocks[f"{level}/joint"]
                share = found[f"{key}/share of bottom"]
                found[f"{key}/speed-up at {level}"] = gained
                found[f"{key}/matched speed-up at {level}"] = gained * share
                found[f"{key}/speed-up over top at {level}"] = (
                    clocks[f"{level}/top"] / clocks[f"{level}/joint"]
                )
    return {name: value.numpy() for name, value in found.items()}


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All runs; metrics along the growth of the trace have the axis `growth`."""
    axes = {"growth": growth_factors(config)}
    with tuned(0):
        return recorded(NAME, config, partial(measure, config, progress=progress), axes=axes)
