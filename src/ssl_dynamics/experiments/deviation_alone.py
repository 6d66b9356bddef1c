"""What decides whether BYOL survives with the deviation alone: one setting changed at a time.

The base is the experiment `ablation` on digits at a width of 64, with a predictor and a slow
target. Every condition changes one thing: rate, batch, weight decay and what decays, gain and
offset, the rate of the predictor, the size of the mean that reaches the heads, or the rows of the
weights. The conditions of `ENGINE` run a small convolutional network with batch normalisation in
the encoder, under SGD, LARS, and with GroupNorm and standardised weights.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data import Digits
from ssl_dynamics.experiments import ablation, pretrain
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig, Towers, shard, train_towers
from ssl_dynamics.training.images import ImageConfig, run_images
from ssl_dynamics.training.settings import at_least, some_of

NAME = "deviation_alone"
VARIANTS = ("mu+sigma", "sigma", "sigma(det)", "none")
CONDITIONS: dict[str, dict] = {
    "base": {},
    "rate 0.003": {"lr": 0.003},
    "rate 0.3": {"lr": 0.3},
    "batch 32": {"batch": 32},
    "batch 512": {"batch": 512},
    "no decay": {"weight_decay": 0.0},
    "decay 0.01": {"weight_decay": 0.01},
    "decay 0.01 of rows": {"weight_decay": 0.01, "decay": "rows"},
    "decay 0.01 of biases": {"weight_decay": 0.01, "decay": "biases"},
    "affine": {"affine": True},
    "slow predictor": {"predictor_lr": 0.1},
    "fast predictor": {"predictor_lr": 10.0},
    "small mean": {"encoder_norm": "mu+sigma", "feature_relu": False},
    "standardised rows": {"weight_standardisation": True},
}
"""What each condition changes in the settings of the towers."""
COMPARED = ("base", "rate 0.003", "rate 0.3", "batch 32", "small mean", "standardised rows")
"""Conditions under which every norm of `VARIANTS` runs; under the others the deviation alone."""
ENGINE: dict[str, dict] = {
    "convolutions": {},
    "convolutions, LARS": {
        "optimiser": "lars", "lr": 1.0, "weight_decay": 1e-5, "decay_all": False,
    },
}  # fmt: skip
"""The same for the image engine; LARS at the rate and decay of solo-learn's file for BYOL."""
HEADS = ("mu+sigma", "sigma", "none", "group-ws")
"""Norms of the heads under the conditions of `ENGINE`; group-ws is in the encoder, too."""


@dataclass(frozen=True)
class Config:
    """Conditions and what they share."""

    conditions: tuple[str, ...] = (*CONDITIONS, *ENGINE)
    variants: tuple[str, ...] = VARIANTS
    """Norms of both heads under the conditions `COMPARED`."""
    heads: tuple[str, ...] = HEADS
    """Norms of both heads under the conditions of `ENGINE`."""
    seeds: int = field(default=8, metadata={"help": "number of seeds"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="digits", metadata={"help": "name of the record"})
    first_seed: int = 200
    """The first of the seeds."""
    steps: int = 300
    eval_at: tuple[int, ...] = (0, 3, 10, 30, 100, 300)
    """Steps with measurements, and always 0 and the last."""
    epochs: int = 4
    """Of the conditions of `ENGINE`."""

    def __post_init__(self) -> None:
        some_of("conditions", self.conditions, (*CONDITIONS, *ENGINE))
        some_of("variants", self.variants, VARIANTS)
        some_of("heads", self.heads, HEADS)
        at_least(self, 1, "seeds", "steps", "epochs")
        at_least(self, 0, "first_seed")
        for condition, norm in self.cells:
            (self.image if condition in ENGINE else self.tower)(condition, norm)

    @property
    def cells(self) -> list[tuple[str, str]]:
        """(condition, norm) of every run."""
        norms = {c: self.variants if c in COMPARED else ("sigma",) for c in self.conditions}
        norms |= {c: self.heads for c in self.conditions if c in ENGINE}
        return [(condition, norm) for condition, several in norms.items() for norm in several]

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def tower(self, condition: str, norm: str) -> TowerConfig:
        """The two towers of one cell."""
        base = ablation.Config(width=64, steps=self.steps, eval_at=self.eval_at)
        changed = {"probe_at": (), **CONDITIONS[condition]}
        return dataclasses.replace(base.tower(norm, "mlp", "ema"), **changed)

    def image(self, condition: str, norm: str) -> ImageConfig:
        """The run of the image engine of one cell: heads of 64 hidden units, 16 outputs."""
        base = ablation.Config(encoder="tiny", bank=0, eval_every=1, epochs=self.epochs)
        shared = base.image(norm, "mlp", "ema")
        options = ("projector=[64,16]", "predictor=[64]", *shared.options[2:])
        changed = {"recipe": "digits", "probe": "never", "options": options, **ENGINE[condition]}
        inside = {"encoder_norm": "group-ws"} if norm == "group-ws" else {}
        return dataclasses.replace(shared, **changed, **inside)


def ratio(towers: Towers, data: Digits) -> Tensor:
    """Root mean square over the projector's hidden features of mean over deviation: [S]."""
    tower, seeds = towers.online, next(towers.online.parameters()).shape[0]
    with torch.no_grad():
        x = tower.projector[0](tower.encoder(data.test.expand(seeds, -1, -1)))
        return (x.mean(1).square() / x.var(1, correction=0)).mean(-1).sqrt()


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every cell for every seed; metrics "<condition>/<norm>/<metric>", [S, T]."""
    start = time.perf_counter()
    device = shard.device_for(config.device)
    found: dict[str, np.ndarray] = {}
    axes: dict[str, list[int]] = {}
    files: dict[str, str] = {}
    common = {"progress": progress, "checkpoint_dir": checkpoint_dir}
    with shard.process_group():
        for condition, norm in config.cells:
            if condition in ENGINE:
                one = config.image(condition, norm)
                images = run_images(one, device)
                files |= images.checksums
                history = pretrain.curves(
                    one, config.seed_list, images, device=device, title=condition, **common
                )
                axes["epoch"] = list(one.eval_epochs)
            else:
                tower = config.tower(condition, norm)
                history = train_towers(
                    tower,
                    config.seed_list,
                    device=config.device,
                    measures={"ratio": ratio},
                    **common,
                )
                history["effective_rank"] = history.pop("rank")
                axes["step"] = list(tower.eval_steps)
            kept = ("spread", "effective_rank", "ratio", "knn", "loss")
            found |= {f"{condition}/{norm}/{key}": history[key] for key in kept if key in history}
    return finished(
        NAME,
        config,
        config.seed_list,
        found,
        axes=axes,
        device=str(device),
        wall_s=time.perf_counter() - start,
        files=files,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 3, "conditions": ("base",), "variants": ("sigma",), "steps": 10},
        "metrics": ["base/sigma/spread", "base/sigma/ratio"],
    },
    {
        "record": "digits",
        "config": {
            "seeds": 3, "conditions": ("convolutions",), "heads": ("sigma",), "epochs": 1
        },
        "metrics": ["convolutions/sigma/spread"],
    },
]  # fmt: skip
"""What the tests run again beside the committed record."""
