"""Handwritten digits (8x8, bundled with scikit-learn) with an enumerated augmentation.

Every image has exactly nine views: itself and its eight one-pixel shifts, all equally likely.
So the mean view, and every expectation over views, is an exact finite sum. A stronger
augmentation (random contrast, pixel noise) can be laid over the shifts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from ssl_dynamics.data.streams import StepStream

SIDE = 8
PIXELS = SIDE * SIDE
SHIFTS = tuple((dy, dx) for dy in (0, -1, 1) for dx in (0, -1, 1))  # the identity comes first
VIEWS = len(SHIFTS)
TEST_SHARE = 0.25


@dataclass(frozen=True)
class Digits:
    """A fixed stratified split of the 1797 digits, standardised with the training images.

    train, test: images [N, 64]; train_labels, test_labels: [N]; views: the nine shifts of each
    training image [N, 9, 64], the identity first. Pixels are in units of the training standard
    deviation (one mean and one scale for all pixels, so shifting and standardising commute).
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    views: Tensor

    @property
    def mean_view(self) -> Tensor:
        """The exact mean over the nine views of each training image, [N, 64]."""
        return self.views.mean(1)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Digits:
        """The same data on another device, with images in another floating type."""
        return replace(
            self,
            train=self.train.to(device, dtype),
            train_labels=self.train_labels.to(device),
            test=self.test.to(device, dtype),
            test_labels=self.test_labels.to(device),
            views=self.views.to(device, dtype),
        )


def shifted(images: np.ndarray) -> np.ndarray:
    """The nine shifts of images [N, 8, 8] over an empty (zero) background: [N, 9, 8, 8]."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    rows = [padded[:, 1 - dy : 1 - dy + SIDE, 1 - dx : 1 - dx + SIDE] for dy, dx in SHIFTS]
    return np.stack(rows, axis=1)


def raw_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images [1797, 8, 8] from 0 to 16, labels, and the training and test images' numbers."""
    bunch = load_digits()
    images, labels = bunch.images.astype(np.float64), bunch.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SHARE, stratify=labels, random_state=0
    )
    return images, labels, np.sort(train), np.sort(test)


@cache
def digits() -> Digits:
    """The digits in float64 on the CPU; the split never changes."""
    images, labels, train, test = raw_split()
    mean, std = images[train].mean(), images[train].std()

    def flat(x: np.ndarray) -> Tensor:
        return torch.from_numpy((x - mean) / std).flatten(-2)

    return Digits(
        train=flat(images[train]),
        train_labels=torch.from_numpy(labels[train]),
        test=flat(images[test]),
        test_labels=torch.from_numpy(labels[test]),
        views=flat(shifted(images[train])),
    )


@cache
def views_of_test() -> Tensor:
    """The nine shifts of each test image, [450, 9, 64] in float64, the identity first."""
    images, _, train, test = raw_split()
    mean, std = images[train].mean(), images[train].std()
    return torch.from_numpy((shifted(images[test]) - mean) / std).flatten(-2)


class PairSampler:
    """Two views of each of B random training images, for every seed and step.

    `at(step)` is [S, 2, B, 64]: images are drawn with replacement, and so are the two views of
    an image. With `noise > 0` independent normal noise of that standard deviation is added to
    each pixel; with `contrast > 0` each view is first scaled by exp(contrast * normal).
    """

    def __init__(
        self,
        data: Digits,
        seeds: Sequence[int],
        batch: int,
        *,
        noise: float = 0.0,
        contrast: float = 0.0,
        purpose: str = "train",
    ) -> None:
        self.shape = (len(seeds), 2, batch, PIXELS)
        self.table = data.views.reshape(-1, PIXELS)
        self.means = data.mean_view
        self.noise, self.contrast = noise, contrast
        images, device = len(data.views), data.views.device

        def indices(rng: np.random.Generator, length: int) -> np.ndarray:
            image = rng.integers(images, size=(length, 1, batch))
            return image * VIEWS + rng.integers(VIEWS, size=(length, 2, batch))

        def normals(*tail: int) -> Callable[[np.random.Generator, int], np.ndarray]:
            def draw(rng: np.random.Generator, length: int) -> np.ndarray:
                return rng.standard_normal((length, 2, batch, *tail), dtype=np.float32)

            return draw

        self._indices = StepStream(seeds, f"{purpose}/views", indices, device=device)
        self._contrast = StepStream(seeds, f"{purpose}/contrast", normals(1), device=device)
        self._noise = StepStream(seeds, f"{purpose}/noise", normals(PIXELS), device=device)

    def at(self, step: int) -> Tensor:
        """The views of this step, [S, 2, B, 64]."""
        index = self._indices.at(step).flatten()
        views = self.table.index_select(0, index).view(self.shape)
        if self.contrast:
            views = views * (self.contrast * self._contrast.at(step)).exp().to(views.dtype)
        if self.noise:
            views = views + self.noise * self._noise.at(step).to(views.dtype)
        return views

    def images_at(self, step: int) -> Tensor:
        """The numbers of the training images of this step, [S, B]."""
        return self._indices.at(step)[:, 0] // VIEWS

    def mean_at(self, step: int) -> Tensor:
        """The exact mean view of the images of this step, [S, B, 64]."""
        index = self.images_at(step)
        seeds, _, batch, pixels = self.shape
        return self.means.index_select(0, index.flatten()).view(seeds, batch, pixels)
