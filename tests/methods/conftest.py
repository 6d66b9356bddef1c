"""A small method in float64, and two views of twelve images."""

import pytest
import torch

from ssl_dynamics.methods import build_method, method_class
from ssl_dynamics.networks.vision import encoder

SMALL = {
    "projector": (16, 8),
    "byol": {"predictor": (12,)},
    "simsiam": {"predictor": (12,)},
    "mean_view": {"predictor": (12,)},
    "supervised": {"projector": (), "classes": 5},
}


def small_method(name, norm="batch", dtype=torch.float64, **options):
    """The method on the encoder for 8 px, with narrow heads unless told otherwise."""
    narrow = {"projector": SMALL["projector"], **SMALL.get(name, {})}
    assert method_class(name).name == name
    made = build_method(name, encoder("tiny", 8, norm=norm, seed=1), **{**narrow, **options})
    return made.to(dtype)


@pytest.fixture
def views():
    """(one, two, labels): float64 [12, 3, 8, 8] twice, the second close to the first."""
    generator = torch.Generator().manual_seed(0)
    one, noise = torch.randn(2, 12, 3, 8, 8, dtype=torch.float64, generator=generator)
    return one, one + 0.5 * noise, torch.arange(12) % 5


@pytest.fixture
def build():
    """`small_method`."""
    return small_method
