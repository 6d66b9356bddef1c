"""Methods by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ssl_dynamics.methods.barlow_twins import BarlowTwins
from ssl_dynamics.methods.base import Method
from ssl_dynamics.methods.byol import BYOL
from ssl_dynamics.methods.directpred import DirectPred
from ssl_dynamics.methods.mean_view import MeanView
from ssl_dynamics.methods.simclr import SimCLR
from ssl_dynamics.methods.simple_contrastive import SimpleContrastive
from ssl_dynamics.methods.simsiam import SimSiam
from ssl_dynamics.methods.soft_triplet import SoftTriplet
from ssl_dynamics.methods.supervised import Supervised
from ssl_dynamics.methods.vicreg import VICReg
from ssl_dynamics.networks.vision import Encoder

METHODS: dict[str, type[Method]] = {
    kind.name: kind
    for kind in (
        SimCLR,
        SimpleContrastive,
        SoftTriplet,
        BYOL,
        SimSiam,
        MeanView,
        DirectPred,
        VICReg,
        BarlowTwins,
        Supervised,
    )
}
"""Every method by its name."""


def method_class(name: str) -> type[Method]:
    """The method of that name; an unknown name is refused with the list of all."""
    if name not in METHODS:
        raise ValueError(f"method: got {name!r}; allowed: {', '.join(METHODS)}")
    return METHODS[name]


def build_method(name: str, encoder: Encoder, **options: Any) -> Method:
    """The method of that name on `encoder`; `options` are fields of its config.

    Unknown names and options are refused with what is allowed.
    """
    kind = method_class(name)
    allowed = [field.name for field in fields(kind.Config)]
    for option in options:
        if option not in allowed:
            raise ValueError(f"{name}: unknown option {option!r}; allowed: {', '.join(allowed)}")
    return kind(encoder, kind.Config(**options))
