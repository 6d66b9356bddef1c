r"""Growth of one mode in BYOL networks on digits, against the poles of the EMA chapter.

Three networks, each trained by the common loop with squared loss, centred outputs, both directions:

``linear``  one layer, predictor fixed at ``p`` times the identity. The mean step is then exactly
            :math:`W \to W(1 - \alpha a) + \alpha W' b` with matrices :math:`a = p^2 (C_V + C_I)`
            and :math:`b = p\,C_V`, the covariances of the enumerated views. Followed: the mode with
            the largest pole, and the fastest shrinking one of those above the EMA rate.
``large``   the same with a large predictor and step: the exit at -1.
``relu``    two layers and the predictor trained. The poles are those of the last layer, with the
            covariances of the hidden features before training.

A mode is followed by the projection of (W, W') on the left eigenvector of its pole: in the mean
that number is multiplied by the pole in every step, from the first step on, whatever the start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data import Digits, digits
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.theory.ema import layer_step
from ssl_dynamics.theory.predictor import between_within
from ssl_dynamics.training import TowerConfig, Towers, train_towers
from ssl_dynamics.training.settings import at_least, multiple, require, some_of

NAME = "ema"
KINDS = ("linear", "large", "relu")


@dataclass(frozen=True)
class Config:
    """Settings of one record; the step size of the recursion is 2 lr (1 - 1/batch)."""

    seeds: int = 16
    """Number of seeds, 0 to n - 1."""
    device: str = "auto"
    name: str = "digits"
    kinds: tuple[str, ...] = KINDS
    """Which of the networks linear, large, relu to run."""
    gammas: tuple[float, ...] = (0.0, 0.9, 0.99)
    """EMA rates of the linear and the ReLU network."""
    p: float = 0.3
    """Scale of their predictor (where the ReLU network's starts)."""
    lr: float = 0.025
    steps: int = 300
    falling_steps: int = 50
    """Steps over which the shrinking mode is measured; later only noise is left of it."""
    large_p: float = 3.0
    large_lr: float = 0.015
    large_gamma: float = 0.9
    large_steps: int = 40
    relu_lr: float = 0.1
    relu_steps: int = 800
    relu_early: int = 50
    """Steps of the ReLU network that count as early training."""
    hidden: int = 128
    outputs: int = 8
    batch: int = 256
    every: int = 10
    """Steps between two measurements."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds")
        some_of("kinds", self.kinds, KINDS)
        for gamma in (*self.gammas, self.large_gamma):
            require(0 <= gamma < 1, "gammas", gamma, "numbers in [0, 1)")
        for field in ("steps", "falling_steps", "large_steps", "relu_steps", "relu_early"):
            multiple(self, field, of="every")
        for part, whole in (("falling_steps", "steps"), ("relu_early", "relu_steps")):
            value = getattr(self, part)
            require(value <= getattr(self, whole), part, value, f"at most {whole}")


SLICE = {
    "record": "digits",
    "config": {"seeds": 4, "kinds": ("linear",), "gammas": (0.99,)},
    "metrics": [
        f"linear gamma=0.99/{mode}/{metric}"
        for mode in ("growing", "shrinking")
        for metric in ("rate", "relative rate")
    ],
}
"""The small re-run that the tests compare with the committed record."""


class Mode(NamedTuple):
    """A pole of a layer and the left eigenvector [2, n] that reads its mode from (W, W')."""

    pole: float
    reader: np.ndarray


def modes(step: np.ndarray) -> list[Mode]:
    """All modes of a layer, largest pole first. The poles are real: the operators are symmetric."""
    poles, vectors = np.linalg.eig(step.T)
    if np.abs(poles.imag).max() > 1e-9:
        raise ValueError("complex poles: a and b are not symmetric and non-negative")
    order = np.argsort(-poles.real)
    return [Mode(poles[k].real, vectors[:, k].real.reshape(2, -1)) for k in order]


class Follower:
    """Measures for the training loop: the size and the signed factor of one mode per seed.

    `modes[seed]` is the mode to follow in that seed; `layer` names the weight in both towers.
    """

    def __init__(self, modes: dict[int, Mode], layer: str) -> None:
        self.modes, self.layer = modes, layer
        self.starts: dict[int, Tensor] = {}

    def read(self, towers: Towers) -> Tensor:
        """The mode in every output: [S, d]."""
        w, target = (
            tower.get_parameter(self.layer).double().cpu()
            for tower in (towers.online, towers.target)
        )
        readers = np.stack([self.modes[seed].reader for seed in towers.seeds])
        left, right = torch.from_numpy(readers).unbind(1)
        return torch.einsum("sdn,sn->sd", w, left) + torch.einsum("sdn,sn->sd", target, right)

    def size(self, towers: Towers, data: Digits) -> Tensor:
        """Norm over the outputs, [S]."""
        return self.read(towers).norm(dim=1)

    def alignment(self, towers: Towers, data: Digits) -> Tensor:
        """Cosine between the mode now and the mode in the untrained network, [S]."""
        now = self.read(towers)
        start = self.read(Towers(towers.config, towers.seeds))
        return torch.nn.functional.cosine_similarity(now, start, dim=1)


def _tower(config: Config, kind: str, gamma: float) -> TowerConfig:
    relu = kind == "relu"
    steps = {"linear": config.steps, "large": config.large_steps, "relu": config.relu_steps}[kind]
    return TowerConfig(
        encoder=(config.hidden, config.outputs) if relu else (config.outputs,),
        feature_relu=False,
        projector=(),
        output_norm="mu",
        predictor="linear",
        predictor_scale=config.large_p if kind == "large" else config.p,
        predictor_lr=1.0 if relu else 0.0,
        ema=gamma,
        loss="squared",
        lr={"linear": config.lr, "large": config.large_lr, "relu": config.relu_lr}[kind],
        momentum=0.0,
        weight_decay=0.0,
        steps=steps,
        batch=config.batch,
        eval_at=tuple(range(0, steps + 1, 1 if kind == "large" else config.every)),
        probe_at=(),
        dtype="float64",
    )


def _step_matrix(tower: TowerConfig, views: np.ndarray) -> np.ndarray:
    """The mean step of the layer that sees `views`: both directions add, batch means cost 1/B."""
    between, within = between_within(views)
    alpha, p = 2 * tower.lr * (1 - 1 / tower.batch), tower.predictor_scale
    return layer_step(alpha, p**2 * (between + within), p * between, tower.ema)


def _modes_of(kind: str, tower: TowerConfig, seeds: range) -> dict[str, dict[int, Mode]]:
    """The modes to follow, by name and seed, from the exact statistics of the views."""
    views = digits().views
    if kind != "relu":
        found = modes(_step_matrix(tower, views.numpy()))
        if kind == "large":
            return {"outside": dict.fromkeys(seeds, found[-1])}
        count = views.shape[-1]  # as many poles as pixels lie above the EMA rate
        return {
            "growing": dict.fromkeys(seeds, found[0]),
            "shrinking": dict.fromkeys(seeds, found[count - 1]),
        }
    leading = {}
    for seed in seeds:
        linear, relu, *_ = Towers(tower, (seed,)).online.encoder.children()
        with torch.no_grad():
            features = relu(linear(views.unsqueeze(0)))[0]
        leading[seed] = modes(_step_matrix(tower, features.numpy()))[0]
    return {"growing": leading}


def measure(
    config: Config,
    kind: str,
    gamma: float,
    *,
    progress: bool = True,
    checkpoint_dir: str | Path | None = None,
) -> tuple[dict[str, np.ndarray], list[int]]:
    """Train one network; metrics of its modes ([S] and [S, T]) and the T steps.

    Per mode: ``size`` (norm of the projection, 1 at the start), ``factor`` (growth factor per step,
    negative when the mode flips sign every step), ``pole``, ``rate`` (log of the size per step)
    and ``relative rate`` (rate over that of the pole). For the ReLU network ``early ...``, too.
    """
    tower, seeds = _tower(config, kind, gamma), range(config.seeds)
    followed = _modes_of(kind, tower, seeds)
    layer = "encoder.2.weight" if kind == "relu" else "encoder.0.weight"
    followers = {name: Follower(found, layer) for name, found in followed.items()}
    history = train_towers(
        tower,
        list(seeds),
        device=config.device,
        progress=progress,
        checkpoint_dir=checkpoint_dir,
        measures={f"{n}/size": f.size for n, f in followers.items()}
        | {f"{n}/alignment": f.alignment for n, f in followers.items()},
    )
    steps = list(tower.eval_steps)
    metrics: dict[str, np.ndarray] = {}
    for name, found in followed.items():
        size = history[f"{name}/size"] / history[f"{name}/size"][:, :1]
        pole = np.array([found[seed].pole for seed in seeds])
        last = config.falling_steps if name == "shrinking" else steps[-1]
        rate = np.log(size[:, steps.index(last)]) / last
        metrics[f"{name}/size"] = size
        metrics[f"{name}/pole"] = pole
        metrics[f"{name}/rate"] = rate
        metrics[f"{name}/relative rate"] = rate / np.log(np.abs(pole))
        turns = np.sign(history[f"{name}/alignment"])
        metrics[f"{name}/factor"] = np.exp(rate) * turns[:, -1] * turns[:, -2]
        if kind == "relu":
            early = np.log(size[:, steps.index(config.relu_early)]) / config.relu_early
            metrics[f"{name}/early rate"] = early
            metrics[f"{name}/early relative rate"] = early / np.log(pole)
    return metrics, steps


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train all networks; metrics ``"<kind> gamma=<rate>/<mode>/<metric>"``, axes of steps."""
    start = time.monotonic()
    metrics: dict[str, np.ndarray] = {}
    axes: dict[str, list[int]] = {}
    for kind in config.kinds:
        for gamma in (config.large_gamma,) if kind == "large" else config.gammas:
            found, steps = measure(
                config, kind, gamma, progress=progress, checkpoint_dir=checkpoint_dir
            )
            axes[f"{kind} step"] = steps
            metrics |= {f"{kind} gamma={gamma:g}/{key}": value for key, value in found.items()}
    return finished(
        NAME,
        config,
        range(config.seeds),
        metrics,
        axes=axes,
        device=config.device,
        wall_s=time.monotonic() - start,
    )
