"""The settings of a two-tower run, checked when they are made."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from typing import Literal

import torch

from ssl_dynamics import __version__
from ssl_dynamics.losses import LOSSES
from ssl_dynamics.networks import PREDICTORS, variant
from ssl_dynamics.training.settings import not_negative, one_of, require

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class TowerConfig:
    """Two towers on the digits: online (encoder, projector, predictor) and target.

    Without EMA the target is the online tower itself; `stop_gradient` says whether its output
    sends gradient. With EMA it is a second network that only follows the online one.
    """

    encoder: tuple[int, ...] = (256, 128)
    """Widths after the 64 pixels."""
    encoder_norm: str = "none"
    """Normalisation after every encoder layer but the last."""
    feature_relu: bool = True
    """Whether the features, the encoder's output, pass a ReLU."""
    projector: tuple[int, ...] = (256, 64)
    """Widths of the projector; () for none, one width for a linear one."""
    predictor: Literal["none", "linear", "mlp"] = "mlp"
    predictor_width: int = 256
    predictor_scale: float | None = None
    """Linear predictor only: start at this multiple of the identity."""
    norm: str = "mu+sigma"
    """Normalisation inside both heads, after every layer but the last (one of the nine)."""
    output_norm: str = "none"
    """Normalisation of the projector's output (of the encoder's without projector)."""
    affine: bool = False
    """Whether the norms inside the heads have gain and offset."""
    weight_standardisation: bool = False
    """Whether every linear layer uses rows without mean and of length one (no batch involved)."""
    stop_gradient: bool = True
    ema: float | None = 0.996
    """Rate g of target <- g target + (1 - g) online; None: the target is the online tower."""
    target_start: Literal["copy", "independent"] = "copy"
    """Whether an EMA target starts as a copy or from its own random weights."""
    target_view: Literal["other", "mean"] = "other"
    """What the target sees: the other view, or the exact mean of all nine views."""
    loss: Literal[
        "byol",
        "cosine",
        "squared",
        "simple_contrastive",
        "info_nce",
        "vicreg",
        "barlow_twins",
    ] = "byol"
    symmetric: bool = True
    """Both directions (summed; averaged for "cosine"), or only view 1 -> view 2."""
    lr: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 4e-4
    decay: Literal["all", "rows", "biases"] = "all"
    """What decays: everything, all but biases (and gains and offsets), or those alone."""
    predictor_lr: float = 1.0
    """Learning rate of the predictor over that of the rest; 0 freezes it."""
    noise: float = 0.0
    """Deviation of the pixel noise laid over the shifts."""
    contrast: float = 0.0
    """Deviation of the log contrast laid over the shifts."""
    steps: int = 2000
    batch: int = 128
    eval_at: tuple[int, ...] | None = None
    """Steps at which metrics are taken, increasing; None: at 0 and at the end."""
    probe_at: tuple[int, ...] | None = None
    """Steps, among eval_at, with kNN and linear probes; None: all of eval_at."""
    dtype: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        for field in ("encoder_norm", "norm", "output_norm"):
            try:
                variant(getattr(self, field))
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from None
        one_of("predictor", self.predictor, PREDICTORS)
        one_of("loss", self.loss, LOSSES)
        one_of("target_start", self.target_start, ("copy", "independent"))
        one_of("target_view", self.target_view, ("other", "mean"))
        one_of("dtype", self.dtype, DTYPES)
        one_of("decay", self.decay, ("all", "rows", "biases"))
        require(len(self.encoder) > 0, "encoder", self.encoder, "at least one width")
        for field in ("encoder", "projector"):
            widths = getattr(self, field)
            require(all(w >= 1 for w in widths), field, widths, "widths of at least 1")
        for field, low in (("predictor_width", 1), ("steps", 0), ("batch", 2)):
            value = getattr(self, field)
            require(value >= low, field, value, f"an integer of at least {low}")
        not_negative(self, "lr", "weight_decay", "predictor_lr", "noise", "contrast")
        require(0 <= self.momentum < 1, "momentum", self.momentum, "a number in [0, 1)")
        if self.ema is not None:
            require(0 <= self.ema <= 1, "ema", self.ema, "None or a number in [0, 1]")
            require(
                self.stop_gradient, "stop_gradient", False, "True, since an EMA target has none"
            )
        elif self.target_start == "independent":
            raise ValueError("target_start: 'independent' needs an EMA target; ema is None")
        if self.predictor_scale is not None and self.predictor != "linear":
            raise ValueError(f"predictor_scale: needs predictor 'linear', not {self.predictor!r}")
        for field, values in (("eval_at", self.eval_steps), ("probe_at", self.probe_steps)):
            rising = all(a < b for a, b in itertools.pairwise(values))
            inside = all(0 <= step <= self.steps for step in values)
            require(rising and inside, field, values, f"increasing steps in 0..{self.steps}")
        extra = sorted(set(self.probe_steps) - set(self.eval_steps))
        require(not extra, "probe_at", self.probe_steps, f"steps of eval_at; {extra} are not")

    @property
    def eval_steps(self) -> tuple[int, ...]:
        """The steps at which metrics are taken."""
        if self.eval_at is None:
            return (0, self.steps) if self.steps else (0,)
        return tuple(self.eval_at)

    @property
    def probe_steps(self) -> tuple[int, ...]:
        """The steps at which kNN and linear probes are fitted."""
        return self.eval_steps if self.probe_at is None else tuple(self.probe_at)

    @property
    def torch_dtype(self) -> torch.dtype:
        """The floating type of weights and data."""
        return DTYPES[self.dtype]

    def fingerprint(self) -> str:
        """A short hash of all settings and the library's version."""
        text = f"{__version__} {json.dumps(asdict(self), sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
