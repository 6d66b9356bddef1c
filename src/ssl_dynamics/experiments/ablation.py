"""What keeps BYOL from collapsing: nine norms in both heads, with and without predictor and EMA.

The same norm stands after the first linear map of projector and predictor; mean and deviation of
the batch are used, used without gradient, or left out. On the digits all seeds of a cell train
together; on photographs the cells are runs of the image engine, with the heads, rate and decay of
the released code (Tian et al. 2020).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data import Digits
from ssl_dynamics.experiments import pretrain
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures import covariance_spectrum
from ssl_dynamics.networks import VARIANTS, population_statistics
from ssl_dynamics.networks.vision import HEAD_NORMS
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig, Towers, shard, train_towers, tuned
from ssl_dynamics.training.images import ImageConfig, pixel_baseline, run_images, shares
from ssl_dynamics.training.images.plan import described
from ssl_dynamics.training.settings import at_least, require, some_of

NAME = "ablation"
PREDICTORS = {"mlp": "predictor=[{width}]", "linear": "predictor=[]", "none": "predictor=null"}
TARGETS = {"ema": "the target follows slowly", "same": "the target is the online network"}


@dataclass(frozen=True)
class Config:
    """The cells of the grid and what they share."""

    dataset: str = "digits"
    """digits, cifar10, cifar100, stl10."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Norms of both heads: of the nine, and group-ws on photographs."""
    predictors: tuple[str, ...] = ("mlp", "none")
    """mlp, linear, none."""
    targets: tuple[str, ...] = ("ema", "same")
    """ema, or same: the online network itself, without gradient."""
    seeds: int = field(default=16, metadata={"help": "number of seeds"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="", metadata={"help": "name of the record; DATASET if empty"})
    first_seed: int = 0
    """The first of the seeds."""
    width: int = 256
    """Of the hidden layers on the digits; features are half as wide, outputs a quarter."""
    steps: int = 1000
    """Of a run on the digits."""
    eval_at: tuple[int, ...] = (0, 25, 50, 100, 200, 400, 700, 1000)
    """Steps with measurements on the digits, and always 0 and the last."""
    epochs: int = 20
    """Of a run on photographs."""
    eval_every: int = 1
    """Epochs between evaluations on photographs."""
    batch: int = 128
    lr: float = 0.03
    """Learning rate for this very batch."""
    optimiser: str = "sgd"
    """sgd, or lars on photographs."""
    momentum: float = 0.9
    weight_decay: float = 4e-4
    ema: float = 0.996
    """Rate of a target that follows, constant."""
    encoder: str = "small"
    """On photographs: small, resnet18, or res-L-H."""
    encoder_norm: str = "batch"
    """On photographs: batch, group-ws, or none."""
    images: int = 0
    """Train on that many photographs, a fixed draw; 0 for all."""
    bank: int = 10_000
    """Labelled photographs for neighbours and probe; 0 for all."""
    test: int = 0
    """Test photographs; 0 for all."""
    precision: str = "auto"
    """On photographs: float32, bf16, or auto: bf16 on a GPU."""
    compile: bool = False
    """On photographs: whether the encoder goes through torch.compile."""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.dataset)
        allowed = tuple(VARIANTS) if self.dataset == "digits" else HEAD_NORMS
        some_of("variants", self.variants, allowed)
        some_of("predictors", self.predictors, PREDICTORS)
        some_of("targets", self.targets, TARGETS)
        for name in ("variants", "predictors", "targets"):
            given = getattr(self, name)
            require(len(set(given)) == len(given), name, given, "each of them once")
        at_least(self, 1, "seeds", "steps")
        at_least(self, 8, "width")
        at_least(self, 0, "first_seed")
        plain = self.dataset != "digits" or self.optimiser == "sgd"
        require(plain, "optimiser", self.optimiser, "sgd, on digits")
        for cell in self.cells:
            self.tower(*cell) if self.dataset == "digits" else self.image(*cell)

    @property
    def cells(self) -> list[tuple[str, str, str]]:
        """(norm, predictor, target) of every cell."""
        return [(v, p, t) for t in self.targets for p in self.predictors for v in self.variants]

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def tower(self, variant: str, predictor: str, target: str) -> TowerConfig:
        """The run of one cell on the digits."""
        inside = {step for step in self.eval_at if 0 <= step <= self.steps}
        return TowerConfig(
            encoder=(self.width, self.width // 2),
            projector=(self.width, self.width // 4),
            predictor=predictor,
            predictor_width=self.width,
            norm=variant,
            ema=self.ema if target == "ema" else None,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            steps=self.steps,
            batch=self.batch,
            eval_at=tuple(sorted(inside | {0, self.steps})),
            probe_at=(0, self.steps),
        )

    def image(self, variant: str, predictor: str, target: str) -> ImageConfig:
        """The run of one cell on photographs: heads of 512 hidden units, 128 outputs."""
        rate = self.ema if target == "ema" else 0.0
        kept = {f.name for f in dataclasses.fields(ImageConfig)} - {"lr"}
        shared = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return ImageConfig(
            **{name: value for name, value in shared.items() if name in kept},
            method="byol",
            options=(
                "projector=[512,128]",
                PREDICTORS[predictor].format(width=512),
                f"head_norm={variant}",
                "affine=false",
                f"rate={rate}",
                f"rate_end={rate}",
            ),
            recipe="simclr",
            lr=self.lr * 256 / self.batch,
            decay_all=True,
            warmup=0.0,
            schedule="constant",
        )


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every cell for every seed; metrics "<norm>/<predictor>/<target>/<metric>"."""
    start = time.perf_counter()
    work = _digits if config.dataset == "digits" else _photographs
    with shard.process_group():
        metrics, axes, device, files = work(config, progress, checkpoint_dir)
    return finished(
        NAME,
        config,
        config.seed_list,
        metrics,
        axes=axes,
        device=device,
        wall_s=time.perf_counter() - start,
        files=files,
    )


Found = tuple[dict[str, np.ndarray], dict[str, list[int]], str, Mapping[str, str]]
"""Metrics, axes, device, checksums of the files that were read."""


def _digits(config: Config, progress: bool, folder: str | Path | None) -> Found:
    found: dict[str, np.ndarray] = {}
    for cell in config.cells:
        tower = config.tower(*cell)
        history = train_towers(
            tower,
            config.seed_list,
            device=config.device,
            progress=progress,
            checkpoint_dir=folder,
            measures={"spectrum": tower_spectrum},
        )
        history["effective_rank"] = history.pop("rank")
        spectra = history.pop("spectrum").astype(np.float32)
        for place, step in enumerate(tower.eval_steps):
            history[f"spectrum/{step}"] = spectra[:, place]
        found |= {f"{'/'.join(cell)}/{name}": values for name, values in history.items()}
    axes = {
        "step": list(tower.eval_steps),
        "probe_step": list(tower.probe_steps),
        "mode": list(range(1, spectra.shape[-1] + 1)),
    }
    return found, axes, config.device, {}


def tower_spectrum(towers: Towers, data: Digits) -> Tensor:
    """The largest shares of the variance of the outputs on the test digits: [S, modes]."""
    tower, count = towers.online, next(towers.online.parameters()).shape[0]
    train, test = (x.expand(count, -1, -1) for x in (data.train, data.test))
    with population_statistics(tower, train), torch.no_grad():
        return shares(covariance_spectrum(tower.projector(tower.encoder(test))))


def _photographs(config: Config, progress: bool, folder: str | Path | None) -> Found:
    device = shard.device_for(config.device)
    images = run_images(config.image(*config.cells[0]), device)
    found: dict[str, np.ndarray] = {}
    for number, cell in enumerate(config.cells, start=1):
        one = config.image(*cell)
        metrics = pretrain.curves(
            one,
            config.seed_list,
            images,
            device=device,
            progress=progress,
            checkpoint_dir=folder,
            title=f"{'/'.join(cell)} ({number} of {len(config.cells)})",
        )
        found |= {f"{'/'.join(cell)}/{name}": values for name, values in metrics.items()}
    pixels = pixel_baseline(images, one.neighbours)
    axes = pretrain.axes(one, found)
    found["knn_pixels"] = np.full(config.seeds, pixels)
    return found, axes, str(device), images.checksums


SLICES = [
    {
        "record": "digits",
        "config": {
            "seeds": 3, "variants": ("sigma",), "predictors": ("mlp",), "targets": ("ema",),
            "steps": 10,
        },
        "metrics": [f"sigma/mlp/ema/{name}" for name in ("spread", "effective_rank")],
    },
]  # fmt: skip
"""What the tests run again beside the committed record: a cell on digits."""
ONCE = ("cifar100-small",)
"""A record on photographs, which the tests cannot fetch."""


def plan(config: Config) -> str:
    """What `--dry-run` prints: the first cell measured, times the number of cells."""
    if config.dataset == "digits":
        raise ValueError("dataset: got 'digits'; --dry-run measures photographs only")
    device = shard.device_for(config.device)
    first = config.image(*config.cells[0])
    with shard.process_group(), tuned(pretrain.MULTIPLICATIONS):
        text = described(first, run_images(first, device), device, config.seeds * len(config.cells))
    cells = ", ".join("/".join(cell) for cell in config.cells)
    return f"{text}\ncells       {len(config.cells)}, {config.seeds} seed(s) each: {cells}"
