r"""The predictor read off the correlation of its inputs, beside predictors trained by gradient.

*Networks* on digits, BYOL's normalised loss, both directions, equal terms for every rule: the same
images in the same order, the same weights at the start, learning rate and weight decay. Each rule
runs with a moving-average target (``ema``) and with the online tower itself behind a stop-gradient
(``online``):

- ``linear``: a linear predictor without bias, trained with the rest;
- ``symmetric``: the same, made symmetric after every step;
- ``directpred``: not trained. F is a moving average of the uncentred correlation of the outputs;
  with its eigenvectors U and eigenvalues s the predictor is ``U diag(√s + ε max s) Uᵀ``, with s
  divided by its largest value first, as in the authors' code;
- ``two layers``: a hidden layer with batch normalisation and ReLU, trained;
- ``best`` (not among the defaults): not trained. The linear predictor of least squares from the
  outputs to those of the target, from moving averages of both correlations, set at every step.

*Flows*: the matrix equations of the linear model in eight dimensions, with and without the
assumptions of the alignment theorem. ``commutator`` is the size of [F, W_p] over those of F and
W_p.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import Digits
from ssl_dynamics.data.streams import generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.networks import population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import SGD, TowerConfig
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, multiple, not_negative, one_of, require
from ssl_dynamics.training.shard import device_for
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.towers import Towers

NAME = "directpred"

RULES = ("linear", "symmetric", "directpred", "two layers", "best")
READ_OFF = ("directpred", "best")
"""Rules whose predictor is set and not trained."""
TARGETS = ("ema", "online")
FLOWS = ("assumed", "regular", "unequal", "ema")
METRICS = ("loss", "spread", "rank", "knn", "linear")
FLOW_SIZE = 8
RIDGE = 1e-3


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every rule."""

    rules: tuple[str, ...] = RULES[:4]
    targets: tuple[str, ...] = TARGETS
    steps: int = 600
    batch: int = 128
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 4e-4
    ema: float = 0.99
    rho: float = 0.3
    """Weight kept by the moving average of the correlation."""
    boost: float = 0.1
    """The constant added to every eigenvalue of the predictor, ε."""
    width: int = 128
    outputs: int = 32
    evaluations: int = 6
    flow_end: float = 20.0
    """Time to which the matrix flows run."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "steps")
        at_least(self, 2, "width", "outputs", "batch")
        at_least(self, 0, "first_seed")
        multiple(self, "steps", of="evaluations")
        for name, allowed in (("rules", RULES), ("targets", TARGETS)):
            for value in getattr(self, name):
                one_of(name, value, allowed)
        require(0 <= self.rho < 1, "rho", self.rho, "a number in [0, 1)")
        not_negative(self, "lr", "boost", "weight_decay", "flow_end")

    def towers(self, rule: str, target: str) -> TowerConfig:
        """The settings of one rule; only the predictor and the target differ between rules."""
        places = tuple(range(0, self.steps + 1, self.steps // self.evaluations))
        return TowerConfig(
            encoder=(self.width, self.width // 2),
            encoder_norm="mu+sigma",
            projector=(self.outputs,),
            predictor="mlp" if rule == "two layers" else "linear",
            predictor_width=self.outputs,
            predictor_lr=0.0 if rule in READ_OFF else 1.0,
            ema=self.ema if target == "ema" else None,
            loss="byol",
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            steps=self.steps,
            batch=self.batch,
            eval_at=places,
            probe_at=(0, self.steps),
        )


def read_off(correlation: Tensor, boost: float, *, relative: bool = True) -> Tensor:
    """The predictor of a correlation matrix: [S, d, d] -> [S, d, d], symmetric.

    The roots of the eigenvalues plus `boost`; with `relative` the eigenvalues are first divided by
    the largest one.
    """
    values, vectors = torch.linalg.eigh(correlation)
    share = values.clamp_min(0)
    if relative:
        share = share / values[:, -1:].clamp_min(1e-12)
    scale = share.sqrt() + boost
    return (vectors * scale.unsqueeze(-2)) @ vectors.mT


def least_squares(cross: Tensor, correlation: Tensor) -> Tensor:
    """The best linear predictor of E t zᵀ and E z zᵀ, [S, d, d], with a ridge of 1e-3 max s."""
    top = torch.linalg.eigvalsh(correlation)[:, -1].clamp_min(1e-12)
    ridge = RIDGE * top[:, None, None] * torch.eye(correlation.shape[-1]).to(correlation)
    return torch.linalg.solve(correlation + ridge, cross.mT).mT


class Rule:
    """A run whose linear predictor has no bias and follows the rule's own update."""

    relative = True
    """Whether DirectPred divides the eigenvalues by the largest one."""

    def __init__(self, config: Config, rule: str, target: str) -> None:
        self.config, self.rule = config, rule
        seeds = tuple(config.seed_range())
        self.run = Run(config.towers(rule, target), seeds, device_for(config.device))
        towers = self.run.towers
        if rule == "two layers":
            return
        layer = towers.predictor[0]
        layer.register_parameter("bias", None)
        trained = [(towers.online.parameters(), config.lr)]
        if rule not in READ_OFF:
            trained.append((towers.predictor.parameters(), config.lr))
        self.run.optimiser = SGD(
            trained, momentum=config.momentum, weight_decay=config.weight_decay
        )
        if rule == "symmetric":
            make_symmetric(layer.weight)
        self.correlation: Tensor | None = None
        self.cross: Tensor | None = None
        if rule == "directpred":
            towers.predictor.register_forward_pre_hook(self._seen)

    @torch.no_grad()
    def _seen(self, module: torch.nn.Sequential, inputs: tuple[Tensor]) -> None:
        """Take the outputs on their way to the predictor into F, then set the predictor."""
        (z,) = inputs
        if not torch.is_grad_enabled() and not z.requires_grad:
            return  # a measurement, not a training step
        flat = z.detach().flatten(1, -2)
        self.correlation = self._averaged(self.correlation, flat, flat)
        module[0].weight.copy_(
            read_off(self.correlation, self.config.boost, relative=self.relative)
        )

    def _averaged(self, old: Tensor | None, left: Tensor, right: Tensor) -> Tensor:
        """The moving average of the correlation of two batches of outputs [S, B, d]."""
        now = left.mT @ right / left.shape[1]
        return now if old is None else self.config.rho * old + (1 - self.config.rho) * now

    @torch.no_grad()
    def _set_best(self) -> None:
        """Set the best linear predictor of the coming step's views."""
        towers, views = self.run.towers, self.run.sampler.at(self.run.now)
        z = towers.online(views)
        t = (z if towers.target is None else towers.target(views)).flip(1)
        flat, wanted = z.flatten(1, -2), t.flatten(1, -2)
        self.correlation = self._averaged(self.correlation, flat, flat)
        self.cross = self._averaged(self.cross, wanted, flat)
        towers.predictor[0].weight.copy_(least_squares(self.cross, self.correlation))

    def step(self) -> None:
        """One step of every seed."""
        if self.rule == "best":
            self._set_best()
        self.run.step()
        if self.rule == "symmetric":
            make_symmetric(self.run.towers.predictor[0].weight)


@torch.no_grad()
def make_symmetric(weight: Tensor) -> None:
    """W <- (W + Wᵀ)/2 in place: [S, d, d]."""
    weight.copy_((weight + weight.mT) / 2)


@torch.no_grad()
def alignment(towers: Towers, data: Digits) -> Tensor:
    """How much the predictor keeps the eigenvectors of the correlation of its inputs: [S].

    The mean of |cos(u, W_p u)| over these eigenvectors, weighted by their eigenvalues.
    """
    images = data.train.expand(len(towers.seeds), -1, -1)
    with population_statistics(towers.online, images):
        z = towers.online(images)
    strengths, vectors = torch.linalg.eigh(z.mT @ z / z.shape[1])
    moved = towers.predictor[0].weight @ vectors
    cosine = torch.nn.functional.cosine_similarity(moved, vectors, dim=1).abs()
    return (cosine * strengths).sum(-1) / strengths.sum(-1)


@torch.no_grad()
def asymmetry(towers: Towers, data: Digits) -> Tensor:
    """Size of the antisymmetric part of the predictor over its own size: [S]."""
    weight = towers.predictor[0].weight
    return ((weight - weight.mT) / 2).norm(dim=(1, 2)) / weight.norm(dim=(1, 2))


def train(config: Config, rule: str, target: str, *, progress: bool = True) -> dict:
    """Metrics [S, T] of one rule; probes [S, 2] at start and end."""
    measures: dict[str, Callable] = (
        {} if rule == "two layers" else {"alignment": alignment, "asymmetry": asymmetry}
    )
    found: dict[str, list[Tensor]] = {}
    with tuned(0):
        own = Rule(config, rule, target)
        towers = own.run.config
        for step in trange(config.steps + 1, disable=not progress, desc=f"{rule}, {target}"):
            if step in towers.eval_steps:
                probe = step in towers.probe_steps
                for key, value in own.run.metrics(probe=probe, measures=measures).items():
                    found.setdefault(key, []).append(value)
            if step < config.steps:
                own.step()
    return {key: torch.stack(values, 1).numpy() for key, values in found.items()}


def flow(config: Config, kind: str, points: int = 21) -> np.ndarray:
    """Relative size of [F, W_p] along the matrix flow, [S, points]; Runge-Kutta of order four.

    Weight decay 0.02, X' of size 0.3, equal learning rates. ``assumed``: X the identity, X' a
    multiple of it, predictor kept symmetric, target the online tower. ``regular``: a predictor
    that is not symmetric. ``unequal``: X and X' of full rank that do not commute. ``ema``: a
    target that starts at zero and follows at the rate 0.4.
    """
    size, per_point = FLOW_SIZE, 40
    step = config.flow_end / ((points - 1) * per_point)
    courses = []
    for seed in config.seed_range():
        rng = generator(seed, "directpred/flow")
        W = rng.normal(size=(size, size)) / np.sqrt(size) * 0.5
        root = rng.normal(size=(size, size)) / np.sqrt(size)
        W_p = 0.5 * root @ root.T
        X, X_prime = np.eye(size), 0.3 * np.eye(size)
        if kind == "regular":
            W_p = W_p + 0.2 * rng.normal(size=(size, size)) / np.sqrt(size)
        if kind == "unequal":
            one, two = (rng.normal(size=(size, 2 * size)) / np.sqrt(2 * size) for _ in range(2))
            X, X_prime = one @ one.T, 0.3 * two @ two.T
        state = np.stack([W_p, W, np.zeros_like(W) if kind == "ema" else W])
        course = [commutator(state)]
        for _ in range(points - 1):
            for _ in range(per_point):
                state = runge_kutta(state, step, X, X_prime, kind)
            course.append(commutator(state))
        courses.append(course)
    return np.array(courses)


def commutator(state: np.ndarray) -> float:
    """Size of [F, W_p] over the product of the sizes of F and W_p."""
    W_p, W, _ = state
    F = W @ W.T
    return float(np.linalg.norm(F @ W_p - W_p @ F) / np.linalg.norm(F) / np.linalg.norm(W_p))


def velocity(
    state: np.ndarray, X: np.ndarray, X_prime: np.ndarray, kind: str, decay: float = 0.02
) -> np.ndarray:
    """The flow of predictor, encoder and target, [3, d, d]."""
    W_p, W, W_a = state
    target = W_a if kind == "ema" else W
    E = target @ X - W_p @ W @ (X + X_prime)
    predictor = E @ W.T
    if kind != "regular":
        predictor = (predictor + predictor.T) / 2
    return np.stack([predictor - decay * W_p, W_p.T @ E - decay * W, 0.4 * (W - W_a)])


def runge_kutta(
    state: np.ndarray, step: float, X: np.ndarray, X_prime: np.ndarray, kind: str
) -> np.ndarray:
    """One step of the flow."""
    one = velocity(state, X, X_prime, kind)
    two = velocity(state + step / 2 * one, X, X_prime, kind)
    three = velocity(state + step / 2 * two, X, X_prime, kind)
    four = velocity(state + step * three, X, X_prime, kind)
    return state + step / 6 * (one + 2 * two + 2 * three + four)


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All flows and all rules; metrics ``rule/target/metric`` and ``flow/kind/commutator``."""
    begin = time.perf_counter()
    metrics: dict[str, np.ndarray] = {}
    for kind in FLOWS:
        metrics[f"flow/{kind}/commutator"] = flow(config, kind)
    for rule in config.rules:
        for target in config.targets:
            found = train(config, rule, target, progress=progress)
            kept = (*METRICS, *(k for k in ("alignment", "asymmetry") if k in found))
            metrics |= {f"{rule}/{target}/{key}": found[key] for key in kept}
    every = config.steps // config.evaluations
    return finished(
        NAME,
        config,
        config.seed_range(),
        metrics,
        axes={
            "step": list(range(0, config.steps + 1, every)),
            "probe": [0, config.steps],
            "flow_time": np.linspace(0, config.flow_end, 21).tolist(),
        },
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "rules": ("directpred",), "targets": ("online",), "steps": 100,
                   "evaluations": 1},
        "metrics": ["flow/assumed/commutator", "flow/unequal/commutator",
                    "directpred/online/rank"],
    },
    {
        "record": "best",
        "config": {"seeds": 4, "rules": ("best",), "targets": ("ema",), "steps": 100,
                   "evaluations": 1, "flow_end": 20.0},
        "metrics": ["best/ema/rank"],
    },
]  # fmt: skip
"""What the tests run again beside the committed record."""
