"""What a method has learned so far, measured without its augmentation on images it is judged by.

Neighbours and probe read the encoder's features; spread, rank, alignment and uniformity look at the
projector's outputs too, because that is where collapse shows first. Everything runs in evaluation
mode: BatchNorm uses its running averages.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ssl_dynamics.data import generator
from ssl_dynamics.data.images import standardise
from ssl_dynamics.measures import (
    alignment,
    covariance_spectrum,
    effective_rank,
    knn_accuracy,
    spread,
    tuned_linear_accuracy,
    uniformity,
)
from ssl_dynamics.measures.collapse import rank_of
from ssl_dynamics.training.images import distributed
from ssl_dynamics.training.images.run import ImageRun
from ssl_dynamics.training.images.sets import RunImages
from ssl_dynamics.training.shard import world

AT_ONCE = 1000
"""Images in one pass."""
MODES = 32
"""Eigenvalues that are kept."""
PAIRS = 2000
"""Test images of which two views are compared."""
TEMPERATURE = 0.1
"""Neighbours vote with weight e^{cos / 0.1}, as in Wu, Xiong, Yu and Lin (2018), who take 0.07."""


def evaluate(run: ImageRun, *, probe: bool = False) -> dict[str, Any]:
    """The measures at this moment; `probe` adds the linear probe (`linear`, `linear_penalty`).

    knn: weighted vote of the nearest images of the bank on the test images. spread,
    effective_rank: of the projector's outputs on the test images; feature_spread, feature_rank: of
    the features. alignment, uniformity: of the outputs on `PAIRS` test images in two random views.
    """
    bank, test = run.images.bank, run.images.test
    fitted, _ = encoded(run, bank.images)
    features, outputs = encoded(run, test.images)
    sets = (fitted[None], bank.labels, features[None], test.labels)
    values = covariance_spectrum(outputs[None])
    found = {
        "knn": knn_accuracy(*sets, run.config.neighbours, temperature=TEMPERATURE),
        "spread": spread(outputs[None]),
        "effective_rank": rank_of(values),
        "feature_spread": spread(features[None]),
        "feature_rank": effective_rank(features[None]),
    }
    one, two = (encoded(run, _view(run, number))[1][None] for number in (0, 1))
    found |= {"alignment": alignment(one, two), "uniformity": uniformity(one)}
    if probe:
        found["linear"], found["linear_penalty"] = tuned_linear_accuracy(*sets, dtype=torch.float32)
    modes = shares(values)[0].tolist()
    return {name: float(value) for name, value in found.items()} | {"spectrum": modes}


def shares(values: Tensor) -> Tensor:
    """The largest eigenvalues over the sum of all: [S, d] -> [S, MODES]."""
    total = values.sum(-1, keepdim=True)
    return (values / torch.where(total > 0, total, 1.0))[:, :MODES]


@torch.no_grad()
def encoded(run: ImageRun, images: Tensor) -> tuple[Tensor, Tensor]:
    """Features [N, features] and projector outputs [N, d], float32, in evaluation mode.

    Of images uint8, or of views that are standardised already. Where training is in bf16 this is
    not: its rounding, 1 in 256, would hide or imitate the rank of collapsed outputs. Several
    processes share the work.
    """
    method, rank, processes = run.method, *world()
    was = method.training
    method.eval()
    both = []
    for some in images[rank::processes].split(AT_ONCE):
        x = standardise(some, run.images.recipes[0]) if some.dtype == torch.uint8 else some
        features = method.represent(x)
        both.append((features, method.projector(features)))
    method.train(was)
    features, outputs = (torch.cat(parts) for parts in zip(*both, strict=True))
    shared = distributed.shared_rows
    return shared(features, len(images)), shared(outputs, len(images))


def _view(run: ImageRun, number: int) -> Tensor:
    """One random view of each of the first test images, the same at every evaluation."""
    chance = torch.Generator().manual_seed(
        int(generator(run.seed, f"images/evaluate-{number}").integers(2**63))
    )
    return run.images.test_view(PAIRS, number, chance)


def pixel_baseline(images: RunImages, neighbours: int) -> float:
    """The vote of the nearest neighbours by the pixels themselves."""
    bank, test = (
        standardise(some.images, images.recipes[0]).flatten(1)[None]
        for some in (images.bank, images.test)
    )
    sets = (bank, images.bank.labels, test, images.test.labels)
    return float(knn_accuracy(*sets, neighbours, temperature=TEMPERATURE))
