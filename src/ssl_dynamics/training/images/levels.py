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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ssl_dynamics.measures import (
    cdnv,
    classes_of,
    directional_cdnv,
    linear_accuracy,
    ncc_accuracy,
    over_pairs,
)
from ssl_dynamics.training.images.maps import mapped_rows, placed
from ssl_dynamics.training.images.readings import Inputs, readings
from ssl_dynamics.training.images.run import ImageRun

LARGE = 2**22
"""Inputs times groups of a linear probe from which on float32 is exact enough: half the time."""


@dataclass(frozen=True)
class Level:
    """Names of the inputs for fitting and for testing, and their labels [N]."""

    train: str
    train_labels: Tensor
    test: str
    test_labels: Tensor

    @property
    def groups(self) -> int:
        """How many there are."""
        return int(self.train_labels.max()) + 1


@dataclass(frozen=True)
class Levels:
    """What `pretrain(..., also=)` measures at every evaluation.

    Metrics "<level>/<layer>/<measure>": ncc_train, ncc_test, cdnv, directional, variance, distance
    (the means over classes and over pairs of classes), all of the inputs for fitting but ncc_test;
    "linear/<level>/<layer>" at the epochs of the probe, for `probed` layers, in float32 where
    inputs times groups are more than `LARGE`. `normalised`: features are scaled to length one
    first, as in the authors' scratch code. `layerwise`: if not 0, the number of inputs for fitting,
    the first ones, of "<reading>/<level>/<layer>/linear" and ".../ncc_test" of every layer at equal
    dimension, at the epochs of the probe, for the readings "grid" and "narrow"; the linear probe in
    float32. `mapped`: if not 0, how many test inputs of each of the first ten groups have a place
    in "map/<level>", at the epochs of the probe: the two coordinates of each by t-SNE of the
    features "output", one input after another.
    """

    inputs: Mapping[str, Inputs]
    levels: Mapping[str, Level]
    probed: tuple[str, ...] = ("output",)
    normalised: bool = False
    layerwise: int = 0
    mapped: int = 0

    @property
    def key(self) -> str:
        """A short hash of all that decides the numbers, for the checkpoint's name."""
        parts: list = [self.probed, self.normalised]
        if self.layerwise:
            parts.append(self.layerwise)
        if self.mapped:
            parts.append(f"mapped {self.mapped}")
        for name, one in self.inputs.items():
            parts += [name, one.views, one.purpose, _hash(one.images)]
        for name, level in self.levels.items():
            labels = (_hash(level.train_labels), _hash(level.test_labels))
            parts += [name, level.train, level.test, *labels]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]

    def __call__(self, run: ImageRun, probe: bool) -> dict[str, Any]:
        """All metrics at this moment."""
        equal = probe and self.layerwise > 0
        read = {name: readings(run, one, equal) for name, one in self.inputs.items()}
        features = {name: one.pop("pooled") for name, one in read.items()}
        found: dict[str, Any] = {}
        for name, level in self.levels.items():
            if probe and self.mapped:
                rows = mapped_rows(level.test_labels, self.mapped)
                found[f"map/{name}"] = placed(features[level.test]["output"][rows])
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
                    large = len(level.train_labels) * level.groups > LARGE
                    dtype = torch.float32 if large else torch.float64
                    accuracy = linear_accuracy(*sets, dtype=dtype)
                    found[f"linear/{name}/{layer}"] = float(accuracy)
            for reading in read[level.train]:
                fit, new = read[level.train][reading], read[level.test][reading]
                for layer, measures in self._equal(fit, new, level).items():
                    found |= {f"{reading}/{name}/{layer}/{m}": v for m, v in measures.items()}
        return found

    def _equal(
        self, train: Mapping[str, Tensor], test: Mapping[str, Tensor], level: Level
    ) -> dict[str, dict[str, float]]:
        """Measures of layers of one dimension, all at once."""
        labels = level.train_labels[: self.layerwise]
        fitted = torch.stack([x[: self.layerwise] for x in train.values()])
        tested = torch.stack(list(test.values()))
        if self.normalised:
            fitted, tested = normalize(fitted, dim=-1), normalize(tested, dim=-1)
        means = classes_of(fitted, labels).mean
        sets = (fitted, labels, tested, level.test_labels)
        values = {
            "linear": linear_accuracy(*sets, dtype=torch.float32).tolist(),
            "ncc_test": ncc_accuracy(tested, level.test_labels, means).tolist(),
        }
        return {
            layer: {measure: each[place] for measure, each in values.items()}
            for place, layer in enumerate(train)
        }


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
