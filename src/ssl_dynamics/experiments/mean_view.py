r"""Does a target at the mean view collapse? Seven objectives under four normalisations, on digits.

The encoder F is a small ReLU network with biases; its output is what the loss sees and what is
measured. Every image has nine equally likely views, so the mean view is exact. *Objectives*: two
views, each against the output at the mean view (``mean``) or against each other (``pair``), with
or without stop-gradient on the target (``+stop``) and with or without a predictor before the loss
(``+predictor``); ``pair+predictor+stop`` is SimSiam. *Normalisations*: ``none`` (squared
distance of the outputs as they are), ``l2`` (outputs at length one), ``hidden`` (batch
normalisation inside encoder and predictor, too) and ``output`` (on the encoder's output, too).

Measured on clean images: spread, deviation and effective rank of the outputs, the shares of the
largest covariance eigenvalues, and 5-NN accuracy. At the start and at the end three features are
compared, each for both training and test images: F(x) on the clean image, F at the mean view, and
the mean of F over the nine views. Batch normalisation then uses the statistics of that kind of
input; ``blurred`` is F at the mean view with the statistics of clean images.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ssl_dynamics.data import Digits
from ssl_dynamics.data.digits import SIDE, shifted
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures import (
    covariance_spectrum,
    effective_rank,
    knn_accuracy,
    output_std,
    spread,
)
from ssl_dynamics.networks import population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig, checkpoint
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, multiple, some_of
from ssl_dynamics.training.threads import tuned

NAME = "mean_view"

OBJECTIVES: dict[str, dict] = {
    "mean": {"target_view": "mean", "predictor": "none", "stop_gradient": False},
    "mean+stop": {"target_view": "mean", "predictor": "none", "stop_gradient": True},
    "pair": {"predictor": "none", "stop_gradient": False},
    "pair+stop": {"predictor": "none", "stop_gradient": True},
    "pair+predictor": {"stop_gradient": False},
    "pair+predictor+stop": {"stop_gradient": True},
    "mean+predictor+stop": {"target_view": "mean", "stop_gradient": True},
    "mean+predictor": {"target_view": "mean", "stop_gradient": False},
}
"""By name, as changes to a tower with a predictor."""
TABLE = tuple(OBJECTIVES)[:7]
"""The objectives of the chapter's table; the last one is in the records at other rates only."""
NORMS: dict[str, dict] = {
    "none": {"loss": "squared", "encoder_norm": "none", "norm": "none", "output_norm": "none"},
    "l2": {"loss": "cosine", "encoder_norm": "none", "norm": "none", "output_norm": "none"},
    "hidden": {"loss": "cosine", "encoder_norm": "mu+sigma", "norm": "mu+sigma"},
    "output": {
        "loss": "cosine", "encoder_norm": "mu+sigma", "norm": "mu+sigma",
        "output_norm": "mu+sigma",
    },
}  # fmt: skip
"""By name, each with a normalisation more than the one before."""
SHARES = 8
"""How many of the largest eigenvalues of the output covariance are kept."""
FEATURES = ("x", "mean view", "mean output", "blurred")


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every objective and normalisation."""

    objectives: tuple[str, ...] = TABLE
    norms: tuple[str, ...] = tuple(NORMS)
    width: int = 128
    """Width of the two hidden layers."""
    outputs: int = 32
    steps: int = 800
    batch: int = 64
    lr: float = 0.05
    plain_lr: float = 0.02
    """Learning rate under ``none``, where outputs have any size and SimSiam needs a small one."""
    momentum: float = 0.9
    evaluations: int = 10
    """How many times the encoders are measured after the start."""

    def __post_init__(self) -> None:
        some_of("objectives", self.objectives, OBJECTIVES)
        some_of("norms", self.norms, NORMS)
        at_least(self, 1, "seeds", "width", "steps")
        at_least(self, SHARES, "outputs")
        at_least(self, 0, "first_seed")
        multiple(self, "steps", of="evaluations")
        assert self.towers()  # every TowerConfig checks its own fields

    def towers(self) -> dict[str, TowerConfig]:
        """The runs by name, ``objective/normalisation``."""
        return {
            f"{objective}/{norm}": TowerConfig(
                encoder=(self.width, self.width, self.outputs),
                feature_relu=False,
                projector=(),
                predictor_width=self.outputs,
                ema=None,
                lr=self.plain_lr if norm == "none" else self.lr,
                momentum=self.momentum,
                weight_decay=0.0,
                steps=self.steps,
                batch=self.batch,
                **({"predictor": "mlp"} | OBJECTIVES[objective]),
                **NORMS[norm],
            )
            for norm in self.norms
            for objective in self.objectives
        }

    def places(self) -> list[int]:
        """The steps at which the encoders are measured."""
        every = self.steps // self.evaluations
        return list(range(0, self.steps + 1, every))


def inputs(data: Digits) -> dict[str, tuple[Tensor, Tensor]]:
    """Training and test images by kind: clean [N, 64], mean view [N, 64], all views [N, 9, 64]."""
    empty = data.test.min()  # an empty pixel; shifts bring empty pixels in
    clean = (data.test - empty).cpu().double().reshape(-1, SIDE, SIDE).numpy()
    views = torch.from_numpy(shifted(clean)).flatten(-2).to(data.test) + empty
    return {
        "x": (data.train, data.test),
        "mean view": (data.mean_view, views.mean(1)),
        "mean output": (data.views, views),
    }


@torch.no_grad()
def features(encoder: nn.Module, data: Digits, kind: str, seeds: int) -> tuple[Tensor, Tensor]:
    """One of `FEATURES` for all training and test images: two tensors [S, N, d]."""
    pictures = inputs(data)
    train, test = pictures["mean view" if kind == "blurred" else kind]
    seen = pictures["x"][0] if kind == "blurred" else train.reshape(-1, train.shape[-1])
    with population_statistics(encoder, seen.expand(seeds, *seen.shape)):
        found = [encoder(x.expand(seeds, *x.shape)) for x in (train, test)]
    if kind == "mean output":
        found = [y.mean(-2) for y in found]
    return found[0], found[1]


def compared(encoder: nn.Module, data: Digits, seeds: int) -> dict[str, Tensor]:
    """5-NN accuracy of all of `FEATURES` but the first, each [S]."""
    found = {}
    for kind in FEATURES[1:]:
        train, test = features(encoder, data, kind, seeds)
        found[f"knn of {kind}"] = knn_accuracy(train, data.train_labels, test, data.test_labels)
    return found


def measured(run: Run) -> dict[str, Tensor]:
    """Everything that is followed over training, each [S]."""
    data, encoder = run.data, run.towers.online.encoder
    with torch.no_grad():
        loss = run.loss()
    train, test = features(encoder, data, "x", len(run.seeds))
    values = covariance_spectrum(test)
    total = values.sum(-1).clamp_min(1e-300)
    return {
        "loss": loss.double(),
        "spread": spread(test),
        "deviation": output_std(test),
        "rank": effective_rank(test),
        "knn": knn_accuracy(train, data.train_labels, test, data.test_labels),
        **{f"share {k + 1}": values[:, k] / total for k in range(SHARES)},
    }


def condition(towers: TowerConfig, config: Config, bar: tqdm) -> dict[str, Tensor]:
    """Metrics of all seeds under one objective: [S, T], and [S] for what is compared at the end."""
    run = Run(towers, config.seed_range(), _device(config))
    places = set(config.places())
    history: dict[str, list[Tensor]] = {}
    while True:
        if run.now in places:
            for name, value in measured(run).items():
                history.setdefault(name, []).append(value.cpu())
        if run.now == config.steps:
            break
        run.step()
        bar.update()
    found = {name: torch.stack(values, 1) for name, values in history.items()}
    end = compared(run.towers.online.encoder, run.data, config.seeds)
    found |= {name: value.cpu() for name, value in end.items()}
    found["kept"] = found["deviation"][:, -1] / found["deviation"][:, 0]
    found["knn gain"] = found["knn"][:, -1] - found["knn"][:, 0]
    return found


def _device(config: Config) -> str:
    if config.device != "auto":
        return config.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def kept(path: Path | None, config: Config, towers: TowerConfig, bar: tqdm) -> dict[str, Tensor]:
    """`condition`, read back from its checkpoint when an earlier run has finished it."""
    if path is None:
        return condition(towers, config, bar)
    settings = f"{towers.fingerprint()} {config.seed_range()} {config.places()}"
    mark = hashlib.sha256(settings.encode()).hexdigest()[:16]
    saved = checkpoint.load(path, mark)
    if saved is not None:
        bar.update(config.steps)
        return saved["metrics"]
    found = condition(towers, config, bar)
    checkpoint.save(path, {"fingerprint": mark, "metrics": found}, keep_previous=False)
    return found


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every objective under every normalisation; metrics ``objective/normalisation/metric``.

    [S, T] over training, [S] at the end; those under ``start/`` are of the encoders before it.
    ``kept``: deviation of the outputs at the end over that at the start, [S]; ``knn gain``: 5-NN
    accuracy at the end less that at the start, [S].
    """
    begin = time.perf_counter()
    folder = None if checkpoint_dir is None else checkpoint.prepare(Path(checkpoint_dir))
    metrics: dict[str, Tensor] = {}
    runs = config.towers()
    with tuned(0), tqdm(total=len(runs) * config.steps, unit="step", disable=not progress) as bar:
        for norm in config.norms:
            towers = runs[f"{config.objectives[0]}/{norm}"]
            start = Run(towers, config.seed_range(), _device(config))
            found = compared(start.towers.online.encoder, start.data, config.seeds)
            metrics |= {f"start/{norm}/{key}": value.cpu() for key, value in found.items()}
        for name, towers in runs.items():
            bar.set_description(name)
            path = None if folder is None else folder / f"{name.replace('/', '-')}.checkpoint"
            found = kept(path, config, towers, bar)
            metrics |= {f"{name}/{key}": value for key, value in found.items()}
    return finished(
        NAME,
        config,
        config.seed_range(),
        {name: values.double().numpy() for name, values in metrics.items()},
        axes={"step": config.places()},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 2, "steps": 160, "evaluations": 2, "norms": ("l2",),
                   "objectives": ("mean", "pair+predictor+stop")},
        "metrics": ["mean/l2/spread", "pair+predictor+stop/l2/spread"],
    },
    {
        "record": "fast",
        "config": {"seeds": 2, "steps": 160, "evaluations": 2, "norms": ("l2",),
                   "objectives": ("mean+predictor",)},
        "metrics": ["mean+predictor/l2/spread"],
    },
    {
        "record": "slow",
        "config": {"seeds": 2, "steps": 160, "evaluations": 2, "norms": ("hidden",),
                   "objectives": ("mean",)},
        "metrics": ["mean/hidden/rank"],
    },
    {
        "record": "long",
        "config": {"seeds": 2, "steps": 240, "evaluations": 1, "norms": ("output",),
                   "objectives": ("mean",)},
        "metrics": ["mean/output/rank"],
    },
]  # fmt: skip
"""What the tests run again beside the committed record."""
