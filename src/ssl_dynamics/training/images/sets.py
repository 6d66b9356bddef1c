"""The images of a run: those trained on, and the labelled ones it is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_dynamics.data import generator
from ssl_dynamics.data.images import (
    FactorWorld,
    ImageSet,
    Recipe,
    augment,
    load_images,
    resample_nuisance,
    standardise,
)
from ssl_dynamics.data.images.augment import DRAWS
from ssl_dynamics.training.images.config import RESAMPLE, ImageConfig


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [N, 3, H, W] with the labels int64 [N] that the evaluation reads."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> Labelled:
        """The same on another device."""
        return Labelled(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class RunImages:
    """Everything a run reads, on its device; `train` is uint8 [N, 3, H, W].

    `view` makes the random views of a step.
    """

    train: Tensor
    train_labels: Tensor
    bank: Labelled
    test: Labelled
    recipes: tuple[Recipe, Recipe]
    content: Tensor | None = None
    """Of latent-factor images that are drawn again under another nuisance: [N, spots, 6]."""

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return self.train.shape[-1]

    def view(self, rows: Tensor, part: slice, number: int, chance: torch.Generator) -> Tensor:
        """View 0 or 1 of the part of a batch that this process encodes: [b, 3, H, W], standardised.

        `rows` are those of the whole batch. What is drawn for an image does not depend on the
        part, so several processes see together what one would.
        """
        shown = self.recipes[number]
        if self.content is None:
            if part.start:  # the draws of the images before this part
                torch.rand(part.start, DRAWS, generator=chance)
            return augment(self.train[rows[part]], shown, chance)
        picture = resample_nuisance(self.content[rows], FactorWorld(), chance)[part]
        return standardise(picture.mul_(255), shown)


def run_images(config: ImageConfig, device: torch.device | str = "cpu") -> RunImages:
    """Load what the settings name; all draws of subsets are the same for every seed.

    STL-10 trains on its labelled and unlabelled images together. DataError when files are missing
    or wrong, ValueError when there are fewer images than asked for.
    """
    train, test = (load_images(config.dataset, split) for split in ("train", "test"))
    pool, labels = train.images, train.labels
    if config.dataset == "stl10":
        more = load_images(config.dataset, "unlabeled")
        pool, labels = torch.cat([pool, more.images]), torch.cat([labels, more.labels])
    rows = _drawn(len(pool), config.images, "images")
    if len(rows) < config.batch:
        raise ValueError(f"batch: got {config.batch}; allowed: at most {len(rows)}, the images")
    content = train.content if config.recipe == RESAMPLE else None
    return RunImages(
        pool[rows].to(device),
        labels[rows].to(device),
        _labelled(train, config, "bank").to(device),
        _labelled(test, config, "test").to(device),
        config.recipes(train.image_size),
        None if content is None else content[rows].to(device),
    )


def _labelled(images: ImageSet, config: ImageConfig, field: str) -> Labelled:
    rows = _drawn(len(images), getattr(config, field), field)
    labels = images.labels
    if config.labels == "coarse" and images.coarse is not None:
        labels = images.coarse
    return Labelled(images.images[rows], labels[rows])


def _drawn(total: int, count: int, field: str) -> Tensor:
    """`count` of `total` rows in random order, 0 for all; the same draw in every run."""
    if count > total:
        raise ValueError(f"{field}: got {count}; allowed: at most {total}, or 0 for all")
    return torch.from_numpy(generator(0, f"images/{field}").permutation(total)[: count or total])
