r"""How a network in training groups its inputs, layer by layer, by several kinds of labels at once.

A *level* is a set of labelled inputs for fitting and another for testing: which image a view shows
(the sample level), the class, the super-class, or any other targets. At every evaluation the
pooled output of each layer is measured at each level: nearest class centres (fitted on the one set,
read on both), the class-distance normalised variance and its two parts, and at the epochs of the
probe a linear classifier. The sample level is built as by Ben-Shaul et al. (2023, section 4): some
training images are the classes, many augmentations of each are for fitting and some new ones for
testing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ssl_dynamics.data import generator
from ssl_dynamics.data.images import standardise
from ssl_dynamics.measures import (
    cdnv,
    classes_of,
    directional_cdnv,
    linear_accuracy,
    ncc_accuracy,
    over_pairs,
)
from ssl_dynamics.training.images.evaluate import AT_ONCE
from ssl_dynamics.training.images.run import ImageRun


@dataclass(frozen=True)
class Inputs:
    """Images uint8 [N, 3, H, W] as they are, or `views` random views of each, view by view.

    Views are those of the run's first recipe, or the content [N, spots, 6] of latent-factor images
    under another nuisance; a function of (purpose, number of the view), the same at every
    evaluation and for every seed.
    """

    images: Tensor
    views: int = 0
    purpose: str = ""
    content: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images) * max(1, self.views)

    def batches(self, run: ImageRun) -> Iterator[Tensor]:
        """Standardised batches [b, 3, H, W] in order."""
        if not self.views:
            for some in self.images.split(AT_ONCE):
                yield standardise(some, run.images.recipes[0])
        for number in range(self.views):
            chance = torch.Generator().manual_seed(
                int(generator(0, f"images/levels/{self.purpose}", number).integers(2**63))
            )
            yield from run.images.views_of(self.images, self.content, chance).split(AT_ONCE)


@dataclass(frozen=True)
class Level:
    """Names of the inputs for fitting and for testing, and their labels [N]."""

    train: str
    train_labels: Tensor
    test: str
    test_labels: Tensor


@dataclass(frozen=True)
class Levels:
    """What `pretrain(..., also=)` measures at every evaluation.

    Metrics "<level>/<layer>/<measure>": ncc_train, ncc_test, cdnv, directional, variance, distance
    (the means over classes and over pairs of classes), all of the inputs for fitting but ncc_test;
    "linear/<level>/<layer>" at the epochs of the probe, for `probed` layers. `normalised`: features
    are scaled to length one first, as in the authors' scratch code.
    """

    inputs: Mapping[str, Inputs]
    levels: Mapping[str, Level]
    probed: tuple[str, ...] = ("output",)
    normalised: bool = False

    @property
    def key(self) -> str:
        """A short hash of all that decides the numbers, for the checkpoint's name."""
        parts: list = [self.probed, self.normalised]
        for name, one in self.inputs.items():
            parts += [name, one.views, one.purpose, _hash(one.images)]
        for name, level in self.levels.items():
            labels = (_hash(level.train_labels), _hash(level.test_labels))
            parts += [name, level.train, level.test, *labels]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]

    def __call__(self, run: ImageRun, probe: bool) -> dict[str, float]:
        """All metrics at this moment."""
        features = {name: layers(run, one) for name, one in self.inputs.items()}
        found: dict[str, float] = {}
        for name, level in self.levels.items():
            for layer, fitted in features[level.train].items():
                train, test = fitted[None], features[level.test][layer][None]
                if self.normalised:
                    train, test = normalize(train, dim=-1), normalize(test, dim=-1)
                found |= {
                    f"{name}/{layer}/{measure}": float(value)
                    for measure, value in _measured(train, test, level).items()
                }
                if probe and layer in self.probed:
                    sets = (train, level.train_labels, test, level.test_labels)
                    accuracy = linear_accuracy(*sets)
                    found[f"linear/{name}/{layer}"] = float(accuracy)
        return found


@torch.no_grad()
def layers(run: ImageRun, inputs: Inputs) -> dict[str, Tensor]:
    """The pooled output of every stage, [N, C], and the features "output" [N, features].

    float32 and in evaluation mode, as in `encoded`; one process alone.
    """
    encoder, was = run.method.encoder, run.method.training
    run.method.eval()
    each = [encoder.stages(x) for x in inputs.batches(run)]
    run.method.train(was)
    return {name: torch.cat([one[name] for one in each]) for name in each[0]}


def sample_level(
    images: Tensor, fit: int, test: int, content: Tensor | None = None
) -> tuple[dict[str, Inputs], Level]:
    """The level where every image is a class of its own: `fit` and `test` views of each."""
    sets = {
        f"views/{purpose}": Inputs(images, count, purpose, content)
        for purpose, count in (("fit", fit), ("test", test))
    }
    own = torch.arange(len(images), device=images.device)
    return sets, Level("views/fit", own.repeat(fit), "views/test", own.repeat(test))


def _measured(train: Tensor, test: Tensor, level: Level) -> dict[str, Tensor]:
    found = classes_of(train, level.train_labels)
    return {
        "ncc_train": ncc_accuracy(train, level.train_labels, found.mean),
        "ncc_test": ncc_accuracy(test, level.test_labels, found.mean),
        "cdnv": over_pairs(cdnv(found)),
        "directional": over_pairs(directional_cdnv(train, level.train_labels, found)),
        "variance": found.variance.mean(-1),
        "distance": over_pairs(found.squared_distances),
    }


def _hash(values: Tensor) -> str:
    return hashlib.sha256(values.cpu().contiguous().numpy().tobytes()).hexdigest()[:16]
