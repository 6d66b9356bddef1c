"""The settings every method has, and checks of settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ssl_dynamics.networks.vision import HEAD_NORMS


@dataclass(frozen=True)
class MethodConfig:
    """The settings every method has; widths are those of the linear maps, input left out."""

    least_projector: ClassVar[int] = 1
    projector: tuple[int, ...] = (2048, 256)
    """Widths of the projector's layers; the last is the output."""
    head_norm: str = "mu+sigma"
    """Normalisation of the hidden layers of all heads: one of `HEAD_NORMS`."""
    output_norm: str = "none"
    """Normalisation of the projector's output."""
    affine: bool = True
    """Whether the hidden norms have gain and offset."""
    output_affine: bool = True
    """Whether the output norm has."""
    seed: int = 0
    """Of the heads' initial weights."""

    def __post_init__(self) -> None:
        allowed_widths("projector", self.projector, least=self.least_projector)
        for name in ("head_norm", "output_norm"):
            if getattr(self, name) not in HEAD_NORMS:
                given = getattr(self, name)
                raise ValueError(f"{name}: got {given!r}; allowed: {', '.join(HEAD_NORMS)}")


def allowed_widths(name: str, widths: Sequence[int], *, least: int = 1) -> None:
    """Refuse widths that are no positive integers, or fewer than `least`."""
    if len(widths) < least or any(not isinstance(w, int) or w < 1 for w in widths):
        raise ValueError(f"{name}: got {widths!r}; allowed: {least} or more positive integers")


def allowed_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside [low, high]."""
    if not low <= value <= high:
        raise ValueError(f"{name}: got {value}; allowed: {low} to {high}")
