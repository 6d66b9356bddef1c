r"""Which term of VICReg falls in training, and which one goes with the probe? On digits.

An encoder with an expander, VICReg on views that are shifted, scaled and noisy. Arms from one
start: ``both`` terms with the released weights, ``invariance`` alone, ``regulariser`` alone, and
four other settings of the weights; from other starts: ``small`` and ``large``, the last layer times
`SMALL` or `LARGE`. All terms are those of 1024 fixed pairs of views, without their weights:
``invariance``, ``variance``, ``covariance``; ``regulariser`` is 25 variance + covariance in every
arm. ``active`` is the mean over outputs of variance over deviation where the hinge is active;
``balance`` is (2 m_s invariance + 4 m_c covariance) / (m_v active) with the weights of the arm,
1 where the length of the last layer rests. ``share`` is the mean variance within an image over the
whole variance of the outputs. ``linear``, ``knn``, ``ncc`` (nearest class centre) are accuracies on
test images, read from the encoder's features; with `` out`` from the outputs.

``tracks/TERM/READING`` is Spearman's correlation, within a run of ``both`` and over the
evaluations from step `LATE` on, of the accuracy with the *decrease* of a term; ``tracks all/...``
is over all evaluations; ``across/TERM/READING`` is, seed by seed, over the seven settings with one
start, of the accuracy at the end with the decrease of the term. ``ratio`` is the value at the end
over that at step `LATE` (at the start for ``small`` and ``large``), ``gain`` the end less the
start, ``early`` the value at step `LATE` less the start; ``both/part`` is the regulariser's part of
the decrease of 25 invariance + regulariser from step `LATE` on.

Declared before the run, with the claims file, after pilots with the seeds 900 to 903:

* both: regulariser ratio < 0.8, invariance ratio between 0.6 and 1, part > 0.7, balance at the end
  between 0.9 and 1.1, ``linear out`` early < -0.05;
* share at the end: both < 0.15, invariance alone > 0.7, regulariser alone > 0.7;
* invariance alone: ``linear`` gain < -0.02; regulariser alone less both, ``linear out`` at the
  end: > 0;
* small: invariance ratio > 100, regulariser ratio < 0.6; large: invariance ratio < 0.1,
  regulariser ratio > 1, ``linear out`` gain < 0;
* tracks/regulariser > 0.3 for ``linear out``, > 0.5 for ``knn out`` and ``ncc``, and more than
  tracks/invariance by > 0.1 for each; tracks/regulariser/linear < 0.4: nothing to follow there;
* across/regulariser/linear out > 0.5, across/invariance/linear out < -0.5.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor
from tqdm import trange

from ssl_dynamics.data import PairSampler
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import vicreg_terms
from ssl_dynamics.losses.redundancy import EPSILON
from ssl_dynamics.measures import knn_accuracy, linear_accuracy
from ssl_dynamics.measures.clustering import class_means, ncc_accuracy
from ssl_dynamics.networks import population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, positive, require, some_of
from ssl_dynamics.training.shard import device_for
from ssl_dynamics.training.threads import tuned

NAME = "two_terms"
SMALL, LARGE = 0.01, 3.0
"""What the last layer is multiplied with at the start of two arms."""
LATE = 80
"""Step from which on decreases and accuracies are ranked."""

RELEASED = (25.0, 25.0, 1.0)
WEIGHTS: dict[str, tuple[float, float, float]] = {
    "both": RELEASED,
    "invariance": (25.0, 0.0, 0.0),
    "regulariser": (0.0, 25.0, 1.0),
    "less variance": (25.0, 5.0, 1.0),
    "less invariance": (5.0, 25.0, 1.0),
    "more covariance": (25.0, 25.0, 5.0),
    "less covariance": (25.0, 25.0, 0.2),
    "small": RELEASED,
    "large": RELEASED,
}
"""Weights of invariance, variance and covariance in every arm."""
SCALES = {"small": SMALL, "large": LARGE}
WATCHED = ("both", "invariance", "regulariser", "small", "large")
"""Arms that are evaluated all along; the others at the end."""
TERMS = ("invariance", "regulariser")
READINGS = ("linear", "knn", "ncc", "linear out", "knn out", "ncc out")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every arm but for the weights and the scale at the start."""

    arms: tuple[str, ...] = tuple(WEIGHTS)
    steps: int = 800
    every: int = 80
    """Steps between two evaluations; two early ones come on top."""
    batch: int = 128
    lr: float = 0.02
    momentum: float = 0.9
    noise: float = 0.4
    contrast: float = 0.25
    encoder: tuple[int, ...] = (128, 64)
    expander: tuple[int, ...] = (64, 32)
    pairs: int = 1024
    """Pairs of views on which the terms are measured."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "steps", "every")
        at_least(self, 2, "batch", "pairs")
        at_least(self, 0, "first_seed", "noise", "contrast")
        positive(self, "lr")
        some_of("arms", self.arms, tuple(WEIGHTS))
        require(self.steps % self.every == 0, "every", self.every, f"a divisor of {self.steps}")

    @property
    def places(self) -> tuple[int, ...]:
        """Steps at which a watched arm is evaluated."""
        early = (self.every // 4, self.every // 2)
        return tuple(sorted({*early, *range(0, self.steps + 1, self.every)}))

    def towers(self) -> TowerConfig:
        """The settings of the network."""
        return TowerConfig(
            encoder=self.encoder,
            projector=self.expander,
            norm="mu+sigma",
            predictor="none",
            stop_gradient=False,
            symmetric=False,
            ema=None,
            loss="vicreg",
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=0.0,
            noise=self.noise,
            contrast=self.contrast,
            steps=self.steps,
            batch=self.batch,
            eval_at=(0,),
            probe_at=(),
        )


class Weighted(Run):
    """A run under VICReg with weights of its own."""

    weights: tuple[float, float, float] = RELEASED

    def loss(self) -> Tensor:
        """The loss of each seed [S]."""
        z = self.towers.online(self.sampler.at(self.now))
        parts = zip(self.weights, vicreg_terms(z[:, 0], z[:, 1]).values(), strict=True)
        return torch.stack([weight * term for weight, term in parts]).sum(0)


def start(config: Config, arm: str) -> Weighted:
    """The run of an arm, before its first step."""
    run = Weighted(config.towers(), config.seed_range(), device_for(config.device))
    run.weights = WEIGHTS[arm]
    with torch.no_grad():
        run.towers.online.projector[-1].weight.mul_(SCALES.get(arm, 1.0))
    return run


def terms(z: Tensor, weights: tuple[float, float, float]) -> dict[str, Tensor]:
    """The terms of outputs [S, 2, B, d], what balances them, and the share of noise: each [S]."""
    z = z.double()
    found = vicreg_terms(z[:, 0], z[:, 1])
    variance = z.var(-2)  # [S, 2, d]
    deviation = (variance + EPSILON).sqrt()
    active = torch.where(deviation < 1, variance / deviation, 0.0).mean((-2, -1))
    pulls = 2 * weights[0] * found["invariance"] + 4 * weights[2] * found["covariance"]
    push = weights[1] * active  # without a push there is no balance: 0
    within = z.shape[-1] * found["invariance"] / 2
    return found | {
        "regulariser": RELEASED[1] * found["variance"] + RELEASED[2] * found["covariance"],
        "active": active,
        "balance": torch.where(push > 0, pulls / push.clamp_min(1e-9), 0.0),
        "share": within / variance.mean(1).sum(-1),
    }


@torch.no_grad()
def measured(run: Weighted, views: Tensor) -> dict[str, np.ndarray]:
    """All metrics [S] of the present step; the terms on these views [S, 2, B, 64]."""
    found = terms(run.towers.online(views), run.weights)
    data, tower = run.data, run.towers.online
    whole = (data.train.expand(len(run.seeds), -1, -1), data.test.expand(len(run.seeds), -1, -1))
    with population_statistics(tower, whole[0]):
        features = [tower.encoder(x) for x in whole]
        outputs = [tower.projector(x) for x in features]
    for words, (fit, test) in (("", features), (" out", outputs)):
        sets = (fit, data.train_labels, test, data.test_labels)
        centres = class_means(fit, data.train_labels)
        found |= {
            f"linear{words}": linear_accuracy(*sets),
            f"knn{words}": knn_accuracy(*sets),
            f"ncc{words}": ncc_accuracy(test, data.test_labels, centres),
        }
    return {key: value.double().cpu().numpy() for key, value in found.items()}


def train(config: Config, arm: str, *, progress: bool = True) -> dict[str, np.ndarray]:
    """Metrics of one arm: [S, T] if it is watched, else [S] at the end."""
    places = config.places if arm in WATCHED else (config.steps,)
    found: dict[str, list[np.ndarray]] = {}
    with tuned(0):
        run = start(config, arm)
        views = PairSampler(
            run.data,
            run.seeds,
            config.pairs,
            noise=config.noise,
            contrast=config.contrast,
            purpose="evaluation",
        ).at(0)
        for now in trange(config.steps + 1, disable=not progress, desc=arm):
            if now in places:
                for key, value in measured(run, views).items():
                    found.setdefault(key, []).append(value)
            if now < config.steps:
                run.step()
    return {
        key: (np.stack(value, 1) if arm in WATCHED else value[0]).astype(np.float32)
        for key, value in found.items()
    }


def at_end(values: np.ndarray) -> np.ndarray:
    """A metric [S, T] or [S] at its last place."""
    return values[:, -1] if values.ndim == 2 else values


def correlations(metrics: dict[str, np.ndarray], config: Config) -> dict[str, np.ndarray]:
    """The rank correlations within the runs of ``both`` and, if all are there, across settings."""
    found: dict[str, np.ndarray] = {}
    late = next((at for at, step in enumerate(config.places) if step >= LATE), -1)
    same = [arm for arm in WEIGHTS if arm not in SCALES]

    def ranked(decrease: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
        rows = zip(decrease, accuracy, strict=True)
        return np.array([spearmanr(one, other).statistic for one, other in rows])

    for term in TERMS:
        for reading in READINGS:
            if "both" in config.arms and 0 <= late < len(config.places) - 2:
                pair = -metrics[f"both/{term}"], metrics[f"both/{reading}"]
                found[f"tracks/{term}/{reading}"] = ranked(*(x[:, late:] for x in pair))
                found[f"tracks all/{term}/{reading}"] = ranked(*pair)
            if set(same) <= set(config.arms):
                ends, accuracy = (
                    np.stack([at_end(metrics[f"{arm}/{key}"]) for arm in same], 1)
                    for key in (term, reading)
                )
                found[f"across/{term}/{reading}"] = ranked(-ends, accuracy)
    for arm in (arm for arm in WATCHED if arm in config.arms):
        first = 0 if arm in SCALES else late
        for term in TERMS:
            course = metrics[f"{arm}/{term}"].astype(float)
            found[f"{arm}/{term} ratio"] = course[:, -1] / course[:, first]
        for reading in READINGS:
            course = metrics[f"{arm}/{reading}"].astype(float)
            found[f"{arm}/{reading} gain"] = course[:, -1] - course[:, 0]
            found[f"{arm}/{reading} early"] = course[:, late] - course[:, 0]
    if "both" in config.arms and 0 <= late < len(config.places) - 1:
        kept, fell = (
            weight * (course[:, late] - course[:, -1])
            for weight, course in (
                (RELEASED[0], metrics["both/invariance"].astype(float)),
                (1.0, metrics["both/regulariser"].astype(float)),
            )
        )
        found["both/part"] = fell / (fell + kept)
    return found


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All arms; metrics ``arm/metric`` [S, T] or [S], ratios, gains and correlations [S]."""
    begin = time.perf_counter()
    metrics: dict[str, np.ndarray] = {}
    for arm in config.arms:
        found = train(config, arm, progress=progress)
        metrics |= {f"{arm}/{key}": value for key, value in found.items()}
    metrics |= correlations(metrics, config)
    return finished(
        NAME,
        config,
        config.seed_range(),
        metrics,
        axes={"step": list(config.places)},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "arms": ("both",), "steps": 80, "every": 80},
        "metrics": ["both/share", "both/linear"],
    },
]  # fmt: skip
"""What the tests run again beside the committed record."""
