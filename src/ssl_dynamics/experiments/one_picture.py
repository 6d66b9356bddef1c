r"""Do the laws of linear modes order the modes of networks with ReLUs, trained on digits?

A mode is one of the leading eigenvectors :math:`u_j` of the covariance :math:`X` of the mean views
(nine shifts an image). Its numbers are :math:`\lambda_{V,j}`, the variance of the mean views along
it, and :math:`\lambda_{I,j}`, the mean variance of the views of an image. Its measured strength in
a network is that of the best linear reading, :math:`s_j=\lVert\mathrm{Cov}_x(\bar f,u_j^\top\bar
x)\rVert^2/\lambda_{V,j}^2`, with the mean output :math:`\bar f` over the views of an image; for a
linear encoder this is :math:`\lVert Wu_j\rVert^2`. Eight methods train the same network from the
same weights on the same images. ``order`` is Spearman's rank correlation over the modes of the
measured strengths with what the method's law predicts; ``between`` and ``best`` are those with
:math:`\lambda_{V,j}` and with the best predictor :math:`p_j^*` for every method; ``kept`` is the
sum of the strengths over that at the start.

Two methods need a word. ``simple``: its loss has no minimum and its flow runs to infinity in finite
time, so its step shrinks as the loss grows, which changes the clock and not the direction.
``relative``: DirectPred with eigenvalues divided by the largest one, as in its released code, under
the squared loss of the law.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import Digits, digits
from ssl_dynamics.experiments import directpred
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import pair_nce, vicreg_terms
from ssl_dynamics.records import Record
from ssl_dynamics.theory.one_picture import SIMCLR_END, VICREG_END
from ssl_dynamics.theory.predictor import THRESHOLD, between_within
from ssl_dynamics.training import TowerConfig
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, multiple, one_of, positive, require
from ssl_dynamics.training.shard import device_for
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.towers import Towers

NAME = "one_picture"

LEARNING_RATES = {
    "simclr": 0.05,
    "simple": 0.002,
    "small": 0.04,
    "vicreg": 0.005,
    "barlow": 0.01,
    "byol": 0.05,
    "simsiam": 0.05,
    "directpred": 0.05,
    "relative": 0.05,
}
"""One learning rate a method: losses differ in scale. Taken so that the loss falls steadily."""
SLOW_FROM = 0.05
"""Size of the simple loss from which its steps shrink."""
METHODS = tuple(LEARNING_RATES)
PREDICTED_BY = ("byol", "simsiam", "directpred", "relative")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every method but for its learning rate."""

    methods: tuple[str, ...] = METHODS
    modes: int = 12
    """Leading eigenvectors of X that are ranked."""
    steps: int = 400
    batch: int = 128
    momentum: float = 0.9
    weight_decay: float = 4e-4
    ema: float = 0.99
    width: int = 128
    outputs: int = 16
    warm: float = 20.0
    """Temperature of ``small``: distances stay below it, so weights are small."""
    predictor_start: float = 0.3
    evaluations: int = 4

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "steps")
        at_least(self, 2, "width", "outputs", "batch")
        at_least(self, 0, "first_seed")
        require(3 <= self.modes <= 40, "modes", self.modes, "3 to 40")
        multiple(self, "steps", of="evaluations")
        for method in self.methods:
            one_of("methods", method, METHODS)
        positive(self, "warm")

    def towers(self, method: str) -> TowerConfig:
        """The settings of one method; encoder and data are the same for all."""
        predicted = method in PREDICTED_BY
        losses = {"simclr": "info_nce", "vicreg": "vicreg", "barlow": "barlow_twins"}
        return TowerConfig(
            encoder=(self.width, self.width // 2),
            projector=(self.outputs,),
            output_norm="mu",
            predictor="linear" if predicted else "none",
            predictor_scale=self.predictor_start if predicted else None,
            predictor_lr=0.0 if method in ("directpred", "relative") else 1.0,
            ema=self.ema if method == "byol" else None,
            stop_gradient=predicted,
            symmetric=predicted,
            loss="squared" if predicted else losses.get(method, "simple_contrastive"),  # type: ignore[arg-type]
            lr=LEARNING_RATES[method],
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            steps=self.steps,
            batch=self.batch,
            eval_at=tuple(range(0, self.steps + 1, self.steps // self.evaluations)),
            probe_at=(),
        )


class Warm(Run):
    """A run under InfoNCE of half squared distances at a high temperature."""

    temperature: float

    def loss(self) -> Tensor:
        """The loss of each seed [S]; the outputs are taken as they come."""
        z = self.towers.online(self.sampler.at(self.now))
        return pair_nce(z[:, 0], z[:, 1], self.temperature)


class Slowed(Run):
    """A run whose step is divided, seed by seed, by 1 + |loss| / `SLOW_FROM`."""

    def loss(self) -> Tensor:
        """The loss of each seed [S] over that divisor, which is held."""
        value = super().loss()
        return value / (1 + value.detach().abs() / SLOW_FROM)


@dataclass(frozen=True)
class _Rule(directpred.Config):
    """The settings of the chapter on DirectPred, with the towers of this one."""

    here: Config = field(default_factory=Config)

    def towers(self, rule: str, target: str) -> TowerConfig:
        return self.here.towers("directpred")


class Raw(directpred.Rule):
    """DirectPred with the roots of the eigenvalues as they are, as in the law."""

    relative = False


def start(config: Config, method: str) -> tuple[Run, Callable[[], None]]:
    """The run of a method and what makes one step of it."""
    if method in ("directpred", "relative"):
        settings = _Rule(
            seeds=config.seeds,
            first_seed=config.first_seed,
            device=config.device,
            lr=LEARNING_RATES[method],
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            here=config,
        )
        kind = Raw if method == "directpred" else directpred.Rule
        rule = kind(settings, "directpred", "online")
        return rule.run, rule.step
    seeds = tuple(config.seed_range())
    kinds: dict[str, type[Run]] = {"small": Warm, "simple": Slowed}
    run = kinds.get(method, Run)(config.towers(method), seeds, device_for(config.device))
    if isinstance(run, Warm):
        run.temperature = config.warm
    return run, run.step


@dataclass(frozen=True)
class Modes:
    """The leading modes of the digits: directions [64, K] and their two variances [K]."""

    directions: np.ndarray
    between: np.ndarray
    within: np.ndarray

    @classmethod
    def of(cls, data: Digits, count: int) -> Modes:
        X, X_prime = between_within(data.views.numpy())
        values, vectors = np.linalg.eigh(X)
        u = vectors[:, ::-1][:, :count]
        return cls(u, values[::-1][:count], np.einsum("dk,de,ek->k", u, X_prime, u))

    def predicted(self, method: str) -> np.ndarray:
        """A number whose order over the modes is that of their strengths under the law."""
        if method in ("simple", "small"):
            return self.between
        if method == "simclr":
            return SIMCLR_END.numpy(self.between, self.within, 1.0)
        if method == "vicreg":
            return VICREG_END.numpy(self.between, self.within, 25.0, 25.0, 1e-4)
        return self.best

    @property
    def best(self) -> np.ndarray:
        """The best predictor of each mode."""
        return THRESHOLD.numpy(self.between, self.within)


@torch.no_grad()
def strengths(towers: Towers, data: Digits, modes: Modes) -> np.ndarray:
    """Measured strength of every mode, [S, K]."""
    count, (images, views, pixels) = len(towers.seeds), data.views.shape
    flat = data.views.reshape(1, -1, pixels).expand(count, -1, -1)
    f = towers.online(flat).double().view(count, images, views, -1).mean(2)
    along = data.mean_view.double() @ torch.tensor(modes.directions.copy(), device=f.device)
    along = along - along.mean(0)
    read = (f - f.mean(1, keepdim=True)).mT @ along / images  # [S, d, K]
    return (read.square().sum(1) / along.square().mean(0).square()).cpu().numpy()


def train(config: Config, method: str, modes: Modes, *, progress: bool = True) -> dict:
    """Metrics [S, T] of one method, and the strengths at start and end [S, K]."""
    targets = {
        "order": modes.predicted(method),
        "between": modes.between,
        "best": modes.best,
    }
    found: dict[str, list[np.ndarray]] = {}
    with tuned(0):
        run, step = start(config, method)
        places = run.config.eval_steps
        courses = []
        for now in trange(config.steps + 1, disable=not progress, desc=method):
            if now in places:
                s = strengths(run.towers, run.data, modes)
                courses.append(s)
                with torch.no_grad():
                    found.setdefault("loss", []).append(run.loss().double().cpu().numpy())
                    if method == "vicreg":
                        views = run.sampler.at(0)
                        z = run.towers.online(views)
                        for key, value in vicreg_terms(z[:, 0], z[:, 1]).items():
                            found.setdefault(key, []).append(value.double().cpu().numpy())
                for key, target in targets.items():
                    ranks = [spearmanr(row, target).statistic for row in s]
                    found.setdefault(key, []).append(np.array(ranks))
            if now < config.steps:
                step()
    metrics = {key: np.stack(values, 1) for key, values in found.items()}
    totals = np.stack([s.sum(1) for s in courses], 1)
    metrics["kept"] = totals / totals[:, :1]
    if method == "vicreg":
        regulariser = 25 * metrics["variance"] + metrics["covariance"]
        metrics["invariance ratio"] = metrics["invariance"][:, -1] / metrics["invariance"][:, 1]
        metrics["regulariser ratio"] = regulariser[:, -1] / regulariser[:, 1]
    return metrics | {"strength/start": courses[0], "strength/end": courses[-1]}


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All methods; metrics ``method/metric`` [S, T] and ``method/strength/end`` [S, K]."""
    begin = time.perf_counter()
    modes = Modes.of(digits(), config.modes)
    metrics: dict[str, np.ndarray] = {}
    for method in config.methods:
        found = train(config, method, modes, progress=progress)
        metrics |= {f"{method}/{key}": value for key, value in found.items()}
    every = config.steps // config.evaluations
    return finished(
        NAME,
        config,
        config.seed_range(),
        metrics,
        axes={
            "step": list(range(0, config.steps + 1, every)),
            "mode": list(range(1, config.modes + 1)),
            "between": modes.between.tolist(),
            "within": modes.within.tolist(),
        },
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "methods": ("simple", "byol"), "steps": 100, "evaluations": 1},
        "metrics": ["simple/order", "byol/order"],
    },
]  # fmt: skip
"""What the tests run again beside the committed record."""
