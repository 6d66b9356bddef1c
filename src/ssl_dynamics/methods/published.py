"""How a method was trained where it was published: what a comparison should follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Published:
    """One published recipe; what it leaves out is not ours to fill in.

    The learning rate follows the batch: lr * B / per. `options` are the settings of the method
    itself, as keywords of its config. `augmentations` name the recipe of each view. With
    `exclude_bias_and_norm` biases, gains and offsets have no weight decay and are not rescaled by
    LARS. `trust` is the coefficient of LARS; `clip` limits its factor so that no layer moves
    further than with plain SGD.
    """

    source: str
    optimiser: str
    lr: float
    weight_decay: float
    batch: int
    epochs: int
    per: int = 256
    momentum: float = 0.9
    warmup_epochs: int = 10
    schedule: str = "cosine"
    exclude_bias_and_norm: bool = False
    trust: float = 0.001
    clip: bool = False
    augmentations: tuple[str, str] = ("simclr", "simclr")
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.optimiser not in ("sgd", "lars"):
            raise ValueError(f"optimiser: got {self.optimiser!r}; allowed: 'sgd', 'lars'")

    def learning_rate(self, batch: int) -> float:
        """The peak learning rate for a batch of that size."""
        return self.lr * batch / self.per


def cifar_lars(lr: float, weight_decay: float, **rest: Any) -> Published:
    """LARS on CIFAR-10/100 with ResNet-18, as in the files of solo-learn, da Costa et al. (2022).

    Batch 256, 1000 epochs, ten of them warm-up, trust coefficient 0.02, clipped, biases and norms
    left out. Views are named by each method; they are not always those of the files.
    """
    return Published(
        source="solo-learn (da Costa et al. 2022), scripts/pretrain/cifar",
        optimiser="lars",
        lr=lr,
        weight_decay=weight_decay,
        batch=256,
        epochs=1000,
        exclude_bias_and_norm=True,
        trust=0.02,
        clip=True,
        **rest,
    )


STL10_SGD = Published(
    source="Tian et al. (2020, 2021), released code, STL-10",
    optimiser="sgd",
    lr=0.03,
    per=128,
    weight_decay=4e-4,
    batch=128,
    epochs=100,
    warmup_epochs=0,
    schedule="constant",
    options={
        "projector": (512, 128),
        "predictor": (512,),
        "affine": False,
        "rate": 0.996,
        "rate_end": 0.996,
    },
)
"""BYOL as the studies of its BatchNorm and of its predictor trained it: plain SGD, small heads."""
