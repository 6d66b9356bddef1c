"""What a method groups while it learns: samples, classes, super-classes, in every layer.

The protocol of Ben-Shaul et al. (2023): at the sample level some training images are the classes
and their augmentations the members; at the two others the labelled images are. A published recipe
trains the encoder; nothing here looks at the labels but the measures.

The predicates of ``levels-order``, ``levels-ratio`` and ``levels-gain`` in the claims file were
declared before the record ``vicreg-factors``, after two pilots of one seed each (900, 901); three
failed and were restated there.

With ``layerwise`` every layer is probed at equal dimension. The predicates of ``layers-best``,
``layers-start``, ``layers-step``, ``layers-gain`` and ``layers-ratio`` were declared in the claims
file ``layers.toml`` before the records with that setting, after pilots of supervised training and
of SimCLR (seed 900, four epochs each): the last layer best for classes in random directions, about
as good as an earlier one on the grid without labels (it is better with SimCLR; with BYOL the first
of the two failed, and the gain of samples and the ratio of CDNV too); early layers
ahead on the grid before training; deep layers gaining most; the accuracy of super-classes over that
of classes falling with depth in random directions, and the same ratio of CDNV growing. Those of the
probes of VICReg wait for a record of it with that setting and are not in the file.

Runs on all of CIFAR-100 (records ``vicreg-cifar100``, ``simclr-cifar100``, ``byol-cifar100``,
``supervised-cifar100``, ``supervised-plain-cifar100``): 4 epochs at a constant rate in bf16, the
sample level as published, 500 images with 100 + 20 views (that of ``supervised-plain-cifar100`` is
small and nothing reads it: its views are all the same). The predicates of ``levels-photographs``,
``terms-photographs``, ``layers-photographs`` and ``supervised-photographs`` in the claims files
were declared before any of them, with the measures of one untrained network (seed 900) known; those
of ``compression-read`` and ``targets-photographs`` while the runs were under way, unseen. The
neighbours of BYOL fell in its first epochs in an earlier run, so that a share of its rise would
mean nothing, and it has none.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ssl_dynamics.data import generator
from ssl_dynamics.experiments import pretrain
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training import shard
from ssl_dynamics.training.images import (
    ImageConfig,
    Inputs,
    Level,
    Levels,
    RunImages,
    run_images,
    sample_level,
)
from ssl_dynamics.training.images.config import COARSE, RESAMPLE
from ssl_dynamics.training.settings import at_least, require

NAME = "levels"


@dataclass(frozen=True)
class Config(pretrain.Config):
    """A run on images with super-classes, and the sizes of the sample level."""

    samples: int = 500
    """Training images that are classes of their own."""
    fit_views: int = 100
    """Augmentations of each for fitting."""
    test_views: int = 20
    """New ones of each for testing."""
    normalised: bool = False
    """Whether features are scaled to length one before they are measured."""
    layerwise: int = 0
    """At most that many inputs for fitting of the probes of every layer, at equal dimension; 0: no
    such probes."""
    mapped: int = 0
    """Test inputs of each of ten groups on the 2-D maps, at the epochs of the probe; 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.dataset in COARSE, "dataset", self.dataset, " or ".join(COARSE))
        require(self.labels == "fine", "labels", self.labels, "fine; all levels are measured")
        require(shard.world()[1] == 1, "processes", shard.world()[1], "1")
        at_least(self, 2, "samples", "fit_views")
        at_least(self, 1, "test_views")
        at_least(self, 0, "layerwise", "mapped")


METHODS = ("vicreg", "simclr", "byol", "supervised", "supervised-plain")
SLICES = [
    {
        "record": f"{method}-factors",
        "config": {"seeds": 1, "epochs": 1, "layerwise": 0},
        "metrics": ["sample/output/ncc_test", "class/output/ncc_test", "linear/super/output"],
    }
    for method in METHODS
]
"""What the tests run again beside the records: their learning rate is constant, so that one
epoch is the beginning of six."""

ONCE = tuple(f"{method}-cifar100" for method in METHODS)
"""Records on photographs, which the tests cannot fetch."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every seed; the metrics of `pretrain`, and of `Levels` for sample, class, super."""
    start = time.perf_counter()
    device = shard.device_for(config.device)
    images = run_images(config, device)
    metrics = pretrain.curves(
        config,
        config.seed_list,
        images,
        device=device,
        progress=progress,
        checkpoint_dir=checkpoint_dir,
        also=measured_levels(config, images),
    )
    places = spread_maps(config, metrics)
    return finished(
        NAME,
        config,
        config.seed_list,
        metrics,
        axes=pretrain.axes(config, metrics) | places,
        device=str(device),
        wall_s=time.perf_counter() - start,
        files=images.checksums,
    )


def spread_maps(config: Config, metrics: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """Split "map/<level>" [S, T, 2 P] into "map/<level>/<epoch>/x" and ".../y", [S, P], in place.

    The axes: the numbers of the inputs, "map_<level>".
    """
    axes = {}
    for name in [name for name in metrics if name.startswith("map/")]:
        both = metrics.pop(name).astype(np.float32)
        for place, epoch in enumerate(config.probe_epochs):
            metrics[f"{name}/{epoch}/x"] = both[:, place, ::2]
            metrics[f"{name}/{epoch}/y"] = both[:, place, 1::2]
        axes[name.replace("/", "_")] = list(range(both.shape[2] // 2))
    return axes


def measured_levels(config: Config, images: RunImages) -> Levels:
    """The three levels: a fixed draw of training images, the labelled images, twice."""
    if config.samples > len(images.train):
        raise ValueError(
            f"samples: got {config.samples}; allowed: at most {len(images.train)}, the images"
        )
    rows = generator(0, "images/samples").permutation(len(images.train))[: config.samples]
    content = images.content[rows] if config.recipe == RESAMPLE else None  # type: ignore[index]
    inputs, sample = sample_level(images.train[rows], config.fit_views, config.test_views, content)
    shared = {f.name: getattr(config, f.name) for f in dataclasses.fields(ImageConfig)}
    coarse = run_images(ImageConfig(**shared | {"labels": "coarse"}), images.train.device)
    names = ("images/fit", "images/test")
    plain = {
        name: Inputs(some.images)
        for name, some in zip(names, (images.bank, images.test), strict=True)
    }
    levels = {
        level: Level(names[0], found.bank.labels, names[1], found.test.labels)
        for level, found in (("class", images), ("super", coarse))
    }
    for name, level in ({"sample": sample} | levels).items():
        seen = len(level.train_labels[: config.layerwise].unique())
        if config.layerwise and seen < level.groups:
            raise ValueError(
                f"layerwise: got {config.layerwise}, with {seen} of the {level.groups} groups of "
                f"the {name} level; allowed: 0, or enough for all of them"
            )
    return Levels(
        inputs | plain,
        {"sample": sample} | levels,
        normalised=config.normalised,
        layerwise=config.layerwise,
        mapped=config.mapped,
    )


def maps(record: Record, seed: int = 0) -> list[list[np.ndarray]]:
    """The 2-D maps [P, 2] of one seed: before and after training, each sample, class, super."""
    ends = record.axes["probe_epoch"][0], record.axes["probe_epoch"][-1]
    return [
        [
            np.stack([record[f"map/{level}/{end}/{one}"][seed] for one in "xy"], 1)
            for level in ("sample", "class", "super")
        ]
        for end in ends
    ]


def plan(config: Config) -> str:
    """What `--dry-run` prints; the measures of the levels come on top."""
    return pretrain.plan(config)


def layer_names(metrics: dict[str, object], level: str = "class") -> list[str]:
    """The layers of a record in order, "output" last."""
    found = [name.split("/")[1] for name in metrics if name.startswith(f"{level}/")]
    return list(dict.fromkeys(found))
