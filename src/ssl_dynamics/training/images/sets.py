"""The images of a run: those trained on, and the labelled ones it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """Images uint8 [N, 3, H, W] with the labels int64 [N] that the evaluation reads.

    content: as in `RunImages`, of these images.
    """

    images: Tensor
    labels: Tensor
    content: Tensor | None = None

    def to(self, device: torch.device | str) -> Labelled:
        """The same on another device."""
        content = None if self.content is None else self.content.to(device)
        return Labelled(self.images.to(device), self.labels.to(device), content)


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
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Of the files that were read, by set and name."""

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return self.train.shape[-1]

    def view(self, rows: Tensor, part: slice, number: int, chance: torch.Generator) -> Tensor:
        """View 0 or 1 of the part of a batch that this process encodes: [b, 3, H, W], standardised.

        `rows` are those of the whole batch. What is drawn for an image does not depend on the
        part, so several processes see together what one would.
        """
        if self.content is not None:
            return self._again(self.content[rows], number, chance)[part]
        if part.start:  # the draws of the images before this part
            torch.rand(part.start, DRAWS, generator=chance)
        return augment(self.train[rows[part]], self.recipes[number], chance)

    def views_of(
        self, images: Tensor, content: Tensor | None, chance: torch.Generator, number: int = 0
    ) -> Tensor:
        """A view of each image, or of its content under another nuisance where that is given."""
        if content is not None:
            return self._again(content, number, chance)
        return augment(images, self.recipes[number], chance)

    def test_view(self, count: int, number: int, chance: torch.Generator) -> Tensor:
        """View 0 or 1 of the first test images, `count` of them: [count, 3, H, W], standardised."""
        content = None if self.test.content is None else self.test.content[:count]
        return self.views_of(self.test.images[:count], content, chance, number)

    def _again(self, content: Tensor, number: int, chance: torch.Generator) -> Tensor:
        """Pictures of the contents under another nuisance."""
        picture = resample_nuisance(content, FactorWorld(), chance)
        return standardise(picture.mul_(255), self.recipes[number])


def run_images(config: ImageConfig, device: torch.device | str = "cpu") -> RunImages:
    """Load what the settings name; all draws of subsets are the same for every seed.

    STL-10 trains on its labelled and unlabelled images together, the supervised method on the
    labelled ones. DataError when files are missing or wrong, ValueError when there are fewer images
    to train on than asked for.
    """
    train, test = (load_images(config.dataset, split) for split in ("train", "test"))
    pool, labels, read = train.images, train.labels, [train, test]
    if config.dataset == "stl10" and config.method != "supervised":
        more = load_images(config.dataset, "unlabeled")
        pool, labels = torch.cat([pool, more.images]), torch.cat([labels, more.labels])
        read.append(more)
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
        {f"{config.dataset}/{n}": v for part in read for n, v in part.checksums.items()},
    )


def _labelled(images: ImageSet, config: ImageConfig, field: str) -> Labelled:
    rows = _drawn(len(images), getattr(config, field), field)
    labels = images.labels
    if config.labels == "coarse" and images.coarse is not None:
        labels = images.coarse
    content = images.content if config.recipe == RESAMPLE else None
    return Labelled(images.images[rows], labels[rows], None if content is None else content[rows])


def _drawn(total: int, count: int, field: str) -> Tensor:
    """`count` of `total` rows in random order, 0 for all; the same draw in every run.

    Fewer than asked for are refused for training alone: there they would change the run's length.
    """
    if count > total and field == "images":
        raise ValueError(f"{field}: got {count}; allowed: at most {total}, or 0 for all")
    return torch.from_numpy(generator(0, f"images/{field}").permutation(total)[: count or total])
