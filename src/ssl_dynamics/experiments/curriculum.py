r"""A linear encoder on the digits behind targets of several speeds: alignment and growth.

The matrix flow of the DirectPred chapter with the two matrices of the digits: ``X`` the covariance
of the mean views over the training images (the mean image removed), ``X'`` the mean covariance of
the nine views of an image, both over the largest eigenvalue of ``X``. That is gradient descent on
all images and all views at once with a squared loss, in the limit of small steps. Predictor kept
symmetric, equal learning rates. The target is the encoder itself (``online``) or starts at zero
and follows at a rate ``beta``. ``commutator`` is the size of [F, W_p] over those of F and W_p with
F = W Wᵀ; ``strength`` the trace of F. ``half_time`` is the first time with half the strength that
the ``online`` run of the same seed has at its end, ``half_commutator`` the commutator then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import trange

from ssl_dynamics.data import digits
from ssl_dynamics.data.streams import generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import at_least, not_negative

NAME = "curriculum"
TARGETS = {"online": None, "0.1": 0.1, "0.03": 0.03}
"""Rates beta of the targets by their names in the record."""


@dataclass(frozen=True)
class Config:
    """Settings, the same for every target."""

    seeds: int = field(default=16, metadata={"help": "number of starts"})
    first_seed: int = field(default=0, metadata={"help": "seeds are this one and those after it"})
    device: str = field(default="cpu", metadata={"help": "cpu; the flow is small"})
    name: str = field(default="digits", metadata={"help": "name of the record"})
    outputs: int = 16
    encoder_scale: float = 0.2
    """Deviation of the encoder's weights at the start, times the root of the number of pixels."""
    predictor_scale: float = 0.1
    """The predictor starts at this multiple of R Rᵀ, R normal with variance 1 / outputs."""
    weight_decay: float = 0.02
    end: float = 400.0
    per_unit: int = 10
    """Runge-Kutta steps per unit of time; the state is measured once a unit."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "per_unit", "end")
        at_least(self, 2, "outputs")
        at_least(self, 0, "first_seed")
        not_negative(self, "encoder_scale", "predictor_scale", "weight_decay")


def moments() -> tuple[np.ndarray, np.ndarray]:
    """X and X' of the training digits, [64, 64] each, in units of the top eigenvalue of X."""
    data = digits()
    centre = data.mean_view.numpy()
    apart = (data.views - data.mean_view[:, None]).flatten(0, 1).numpy()
    images = centre - centre.mean(0)
    between, within = images.T @ images / len(images), apart.T @ apart / len(apart)
    unit = np.linalg.eigvalsh(between)[-1]
    return between / unit, within / unit


State = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Predictor [S, d, d], encoder [S, d, 64], target [S, d, 64]."""


def start(config: Config) -> State:
    """The state at time 0, with the target at zero."""
    size, pixels = config.outputs, moments()[0].shape[0]
    encoders, predictors = [], []
    for seed in range(config.first_seed, config.first_seed + config.seeds):
        rng = generator(seed, "curriculum/start")
        encoders.append(rng.normal(size=(size, pixels)) * config.encoder_scale / np.sqrt(pixels))
        root = rng.normal(size=(size, size)) / np.sqrt(size)
        predictors.append(config.predictor_scale * root @ root.T)
    encoder = np.stack(encoders)
    return np.stack(predictors), encoder, np.zeros_like(encoder)


def velocity(
    state: State, data: tuple[np.ndarray, np.ndarray], beta: float | None, decay: float
) -> State:
    """Velocities of predictor, encoder and target; without `beta` the encoder is its own target."""
    predictor, encoder, follower = state
    target = encoder if beta is None else follower
    between, within = data
    error = target @ between - predictor @ encoder @ (between + within)
    push = error @ encoder.swapaxes(1, 2)
    push = (push + push.swapaxes(1, 2)) / 2
    return (
        push - decay * predictor,
        predictor @ error - decay * encoder,
        (beta or 0.0) * (encoder - follower),
    )


def measured(state: State) -> tuple[np.ndarray, np.ndarray]:
    """Relative size of the commutator of F and the predictor, and the trace of F: [S] each."""
    predictor, encoder, _ = state
    strength = encoder @ encoder.swapaxes(1, 2)
    apart = strength @ predictor - predictor @ strength
    sizes = (np.linalg.norm(m, axis=(1, 2)) for m in (apart, strength, predictor))
    top, one, two = sizes
    return top / one / two, np.trace(strength, axis1=1, axis2=2)


def course(config: Config, beta: float | None, *, progress: bool = True) -> np.ndarray:
    """Commutator and strength at every unit of time, [2, S, T]; Runge and Kutta's order four."""
    data, state, step = moments(), start(config), 1 / config.per_unit

    def ahead(share: float, change: State) -> State:
        (p, w, a), (p_dot, w_dot, a_dot) = state, change
        return p + share * p_dot, w + share * w_dot, a + share * a_dot

    def speed(at: State) -> State:
        return velocity(at, data, beta, config.weight_decay)

    found = [measured(state)]
    for number in trange(int(config.end) * config.per_unit, disable=not progress):
        one = speed(state)
        two = speed(ahead(step / 2, one))
        three = speed(ahead(step / 2, two))
        four = speed(ahead(step, three))
        for slope, share in ((one, 1 / 6), (two, 1 / 3), (three, 1 / 3), (four, 1 / 6)):
            state = ahead(step * share, slope)
        if (number + 1) % config.per_unit == 0:
            found.append(measured(state))
    return np.moveaxis(np.array(found), 0, -1)


def at_half(found: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First time with the strength `half` [S], and the commutator then; NaN where never."""
    commutator, strength = found
    reached = strength >= half[:, None]
    first = reached.argmax(1)
    ever = reached.any(1)
    there = np.take_along_axis(commutator, first[:, None], 1)[:, 0]
    return np.where(ever, first, np.nan), np.where(ever, there, np.nan)


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All targets; metrics ``target/commutator``, ``target/strength`` and the two at half."""
    begin = time.perf_counter()
    courses = {name: course(config, beta, progress=progress) for name, beta in TARGETS.items()}
    half = courses["online"][1][:, -1] / 2
    metrics: dict[str, np.ndarray] = {}
    for name, found in courses.items():
        moment, commutator = at_half(found, half)
        metrics |= {
            f"{name}/commutator": found[0],
            f"{name}/strength": found[1],
            f"{name}/half_time": moment,
            f"{name}/half_commutator": commutator,
        }
    return finished(
        NAME,
        config,
        range(config.first_seed, config.first_seed + config.seeds),
        metrics,
        axes={"time": list(range(int(config.end) + 1))},
        device="cpu",
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "end": 40.0},
        "metrics": ["online/commutator", "0.03/strength"],
    },
]
"""What the tests run again beside the committed record."""
