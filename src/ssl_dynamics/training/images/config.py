"""The settings of a run on images, checked when they are made."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from ssl_dynamics import __version__
from ssl_dynamics.data.images import SPLITS, Recipe, pair, recipe
from ssl_dynamics.methods import Published, method_class
from ssl_dynamics.networks.vision import ENCODER_NORMS, check_encoder
from ssl_dynamics.training.images.optim import OPTIMISERS
from ssl_dynamics.training.settings import (
    at_least,
    keywords,
    not_negative,
    one_of,
    require,
)

PRECISIONS = ("auto", "float32", "bf16")
SCHEDULES = ("cosine", "constant")
PROBES = ("never", "ends", "always")


@dataclass(frozen=True)
class ImageConfig:
    """One method, encoder and set of images; what is None follows the method's published recipe."""

    dataset: str = "cifar100"
    """cifar10, cifar100, stl10 (with its unlabelled images), digits, or factors."""
    labels: Literal["fine", "coarse"] = "fine"
    """Which labels the evaluation reads."""
    images: int = 0
    """Train on that many images, a fixed draw; 0 for all."""
    method: str = "simclr"
    options: tuple[str, ...] = ()
    """Settings of the method as field=value: temperature=0.5 head_norm=none predictor=null."""
    encoder: str = "small"
    """small (for a CPU), tiny (8 px), resnet18, or res-L-H such as res-10-250."""
    encoder_norm: str = "batch"
    """batch, group-ws (GroupNorm and standardised weights), or none."""
    recipe: str | None = None
    """Augmentation of the two views, by name: simclr, byol, simsiam, vicreg, digits, crop-flip,
    plain; resample: on factors, the nuisance is drawn again."""
    epochs: int = 5
    batch: int = 256
    """Images in a step, all processes together."""
    optimiser: str | None = None
    """sgd or lars."""
    lr: float | None = None
    """Peak learning rate for 256 images; it grows with the batch."""
    momentum: float | None = None
    weight_decay: float | None = None
    decay_all: bool | None = None
    """Whether biases and norms decay too (and adapt under LARS)."""
    warmup: float | None = None
    """Epochs of linear warm-up; without a value the published ones, a tenth of the run at most."""
    schedule: str | None = None
    """Of the learning rate after warm-up: cosine or constant."""
    precision: str = "auto"
    """float32, bf16 (autocast; twice as fast on a CPU that has it), or auto: bf16 on a GPU."""
    compile: bool = False
    """Whether the encoder goes through torch.compile."""
    eval_every: int = 1
    """Epochs between evaluations; there is always one before training and one at the end."""
    bank: int = 10_000
    """At most that many labelled training images for neighbours and probe, a fixed draw; 0: all."""
    test: int = 0
    """At most that many test images, a fixed draw; 0 for all."""
    neighbours: int = 20
    probe: str = "ends"
    """When the linear probe is fitted: never, at both ends of training, or always."""

    def __post_init__(self) -> None:
        one_of("dataset", self.dataset, SPLITS)
        one_of("labels", self.labels, ("fine", "coarse"))
        if self.labels == "coarse":
            require(self.dataset in COARSE, "labels", "coarse", f"fine, on {self.dataset}")
        check_encoder(self.encoder)
        kind = method_class(self.method)
        fields = {field.name: field for field in dataclasses.fields(kind.Config)}
        for option in self.method_options:
            allowed = [name for name in fields if name != "seed"]
            one_of("options", option, allowed)
        try:
            kind.Config(**self.method_options)
        except TypeError as error:
            raise ValueError(f"options: got {' '.join(self.options)}; {error}") from None
        one_of("encoder_norm", self.encoder_norm, ENCODER_NORMS)
        one_of("precision", self.precision, PRECISIONS)
        one_of("probe", self.probe, PROBES)
        if self.recipe == RESAMPLE:
            factors = self.dataset == "factors"
            require(factors, "recipe", RESAMPLE, "the other ones; it is for factors")
        elif self.recipe is not None:
            pair(self.recipe, 32)
        if self.optimiser is not None:
            one_of("optimiser", self.optimiser, OPTIMISERS)
        if self.schedule is not None:
            one_of("schedule", self.schedule, SCHEDULES)
        at_least(self, 0, "images", "bank", "test")
        at_least(self, 1, "epochs", "eval_every", "neighbours")
        at_least(self, 2, "batch")
        not_negative(
            self, *(n for n in ("lr", "weight_decay", "warmup") if getattr(self, n) is not None)
        )
        if self.momentum is not None:
            require(0 <= self.momentum < 1, "momentum", self.momentum, "a number in [0, 1)")
        if self.warmup is not None:
            require(
                self.warmup <= self.epochs, "warmup", self.warmup, f"at most {self.epochs} epochs"
            )
        for name in ("images", "bank"):
            value, low = getattr(self, name), self.batch if name == "images" else self.neighbours
            require(value == 0 or value >= low, name, value, f"0 (all) or at least {low}")

    @property
    def published(self) -> Published:
        """The recipe that the unset fields follow."""
        return method_class(self.method).defaults

    @property
    def method_options(self) -> dict[str, Any]:
        """The options as keywords of the method's config."""
        return keywords("options", self.options)

    @property
    def optimiser_options(self) -> dict[str, Any]:
        """Keywords of the optimiser."""
        p = self.published
        return {
            "kind": self.optimiser or p.optimiser,
            "momentum": p.momentum if self.momentum is None else self.momentum,
            "weight_decay": p.weight_decay if self.weight_decay is None else self.weight_decay,
            "trust": p.trust,
            "clip": p.clip,
        }

    @property
    def peak_lr(self) -> float:
        """The learning rate after warm-up."""
        if self.lr is None:
            return self.published.learning_rate(self.batch)
        return self.lr * self.batch / 256

    @property
    def falls(self) -> bool:
        """Whether the learning rate falls along half a cosine, or stays after warm-up."""
        return (self.schedule or self.published.schedule) == "cosine"

    @property
    def warmup_epochs(self) -> float:
        """Epochs of warm-up."""
        if self.warmup is not None:
            return self.warmup
        return min(self.published.warmup_epochs, self.epochs / 10)

    def recipes(self, image_size: int) -> tuple[Recipe, Recipe]:
        """The augmentations of the two views; digits have a recipe of their own."""
        if self.recipe == RESAMPLE:
            return pair("plain", image_size)
        if self.recipe is not None:
            return pair(self.recipe, image_size)
        if self.dataset == "digits":
            return pair("digits", image_size)
        one, two = self.published.augmentations
        return recipe(one, image_size), recipe(two, image_size)

    @property
    def eval_epochs(self) -> tuple[int, ...]:
        """The numbers of epochs after which there is an evaluation."""
        return tuple(sorted({*range(0, self.epochs + 1, self.eval_every), self.epochs}))

    @property
    def probe_epochs(self) -> tuple[int, ...]:
        """Those after which the linear probe is fitted."""
        places = {"never": (), "ends": (0, self.epochs), "always": self.eval_epochs}
        return places[self.probe]

    def fingerprint(self, seed: int) -> str:
        """A short hash of all that decides the numbers, and of the library's version.

        Of what the unset fields follow as well: no run goes on under another published recipe.
        """
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(ImageConfig)}
        kind = method_class(self.method)
        followed = (kind.defaults, kind.Config(**self.method_options), self.recipes(32))
        text = f"{__version__} {seed} {json.dumps(settings, sort_keys=True)} {followed!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


RESAMPLE = "resample"
"""The recipe that is no augmentation: latent-factor images under another nuisance."""

COARSE = ("cifar100", "factors")
"""Sets with super-classes."""
