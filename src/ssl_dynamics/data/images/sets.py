"""Image sets as whole tensors of bytes: CIFAR-10, CIFAR-100, STL-10, digits, latent factors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.digits import raw_split
from ssl_dynamics.data.images.archives import ARCHIVES
from ssl_dynamics.data.images.download import DataError, checksum
from ssl_dynamics.data.images.factors import FactorWorld
from ssl_dynamics.data.images.unpacking import located

SPLITS: dict[str, tuple[str, ...]] = {
    "cifar10": ("train", "test"),
    "cifar100": ("train", "test"),
    "stl10": ("train", "test", "unlabeled"),
    "digits": ("train", "test"),
    "factors": ("train", "test"),
}
"""The sets and their splits."""
FACTOR_SAMPLES = {"train": 125, "test": 25}
"""Latent-factor images of each class in a split."""


@dataclass(frozen=True)
class ImageSet:
    """One split of a set, whole and on one device.

    images: uint8 [N, 3, H, W]; labels: int64 [N], the finest classes, -1 where there are none;
    coarse: int64 [N], super-classes, or None; classes, coarse_classes: their names, or None;
    content: [N, spots, 6], what the nuisance of latent-factor images leaves alone, else None;
    checksums: MD5 of each file it was read from, for a run's record.
    """

    name: str
    split: str
    images: Tensor
    labels: Tensor
    coarse: Tensor | None = None
    classes: tuple[str, ...] | None = None
    coarse_classes: tuple[str, ...] | None = None
    content: Tensor | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_size(self) -> int:
        """Pixels along a side."""
        return self.images.shape[-1]

    def to(self, device: torch.device | str) -> ImageSet:
        """The same set on another device."""
        return replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            coarse=None if self.coarse is None else self.coarse.to(device),
            content=None if self.content is None else self.content.to(device),
        )


def load_images(
    name: str, split: str = "train", root: str | Path | None = None, download: bool = False
) -> ImageSet:
    """One split of a set of images.

    "cifar10", "cifar100" and "stl10" are read from the data folder (`root`, else
    `$SSL_DYNAMICS_DATA`, else `~/.cache/ssl_dynamics`) in their official binary layout, and with
    `download` fetched into it first. "digits" (scikit-learn's) and "factors" (the default
    `FactorWorld`) need no files. Raises `ValueError` for an unknown
    set or split and `DataError` for files that are missing or wrong.
    """
    if name not in SPLITS:
        raise ValueError(f"dataset: got {name!r}; allowed: {', '.join(SPLITS)}")
    if split not in SPLITS[name]:
        raise ValueError(f"split of {name}: got {split!r}; allowed: {', '.join(SPLITS[name])}")
    if name == "digits":
        return _digits(split)
    if name == "factors":
        return _factors(split)
    names = _files(name, split)
    folder = located(ARCHIVES[name], names, root, download=download)
    read: dict[str, Callable[[str, str, Path], ImageSet]] = {"stl10": _stl}
    loaded = read.get(name, _cifar)(name, split, folder)
    return replace(loaded, checksums={n: f"md5:{checksum(folder / n)}" for n in names})


def factor_images(world: FactorWorld, split: str, samples: int) -> ImageSet:
    """Latent-factor images of any world, `samples` of each class, each under one nuisance."""
    images, content, labels, coarse = world.images(split, samples)
    return ImageSet("factors", split, images, labels, coarse, content=content)


@cache
def _factors(split: str) -> ImageSet:
    """A split of the default world; drawing it takes seconds, so it is kept."""
    return factor_images(FactorWorld(), split, FACTOR_SAMPLES[split])


def _files(name: str, split: str) -> list[str]:
    """The data files of a split, in order."""
    prefix = "data" if (name, split) == ("cifar10", "train") else split
    return [file for file in ARCHIVES[name].files if file.startswith(prefix)]


def _cifar(name: str, split: str, folder: Path) -> ImageSet:
    """Records of one label byte (CIFAR-100: coarse, then fine), then the red, green, blue plane."""
    heads = 2 if name == "cifar100" else 1
    records = []
    for file in _files(name, split):
        raw = np.fromfile(folder / file, dtype=np.uint8).reshape(-1, heads + 3 * 32 * 32)
        _check_labels(folder / file, raw[:, heads - 1], 0, 99 if heads == 2 else 9)
        if heads == 2:
            _check_labels(folder / file, raw[:, 0], 0, 19)
        records.append(raw)
    raw = np.concatenate(records) if len(records) > 1 else records[0]
    labels = torch.from_numpy(raw[:, :heads].astype(np.int64))
    texts = [_names(folder / text) for text in ARCHIVES[name].texts]
    return ImageSet(
        name,
        split,
        torch.from_numpy(np.ascontiguousarray(raw[:, heads:]).reshape(-1, 3, 32, 32)),
        labels[:, -1].contiguous(),
        labels[:, 0].contiguous() if heads == 2 else None,
        texts[0],
        texts[1] if heads == 2 else None,
    )


def _stl(name: str, split: str, folder: Path) -> ImageSet:
    """Planes are stored column after column, and labels count from 1 to 10."""
    stored = np.memmap(folder / f"{split}_X.bin", dtype=np.uint8, mode="r").reshape(-1, 3, 96, 96)
    images = torch.empty(stored.shape, dtype=torch.uint8)
    for start in range(0, len(stored), 1000):
        block = np.ascontiguousarray(stored[start : start + 1000].swapaxes(-1, -2))
        images[start : start + 1000] = torch.from_numpy(block)
    if split == "unlabeled":
        labels = torch.full((len(images),), -1)
    else:
        raw = np.fromfile(folder / f"{split}_y.bin", dtype=np.uint8)
        _check_labels(folder / f"{split}_y.bin", raw, 1, 10)
        labels = torch.from_numpy(raw.astype(np.int64) - 1)
    return ImageSet(name, split, images, labels, classes=_names(folder / "class_names.txt"))


def _digits(split: str) -> ImageSet:
    """Scikit-learn's digits, 8 x 8, their one channel three times; the split of `data.digits`."""
    images, labels, train, test = raw_split()
    index = train if split == "train" else test
    grey = torch.from_numpy(np.rint(images[index] * (255 / 16)).astype(np.uint8))
    return ImageSet(
        "digits",
        split,
        grey.unsqueeze(1).repeat(1, 3, 1, 1),
        torch.from_numpy(labels[index]),
        classes=tuple("0123456789"),
    )


def _check_labels(path: Path, labels: np.ndarray, low: int, high: int) -> None:
    wrong = np.flatnonzero((labels < low) | (labels > high))
    if wrong.size:
        raise DataError(
            path,
            f"labels from {low} to {high}",
            f"label {labels[wrong[0]]} in record {wrong[0]}",
            "This is another set or a damaged file: delete it and unpack the archive again",
        )


def _names(path: Path) -> tuple[str, ...] | None:
    """The class names in a text file, one a line, or None without such a file."""
    if not path.is_file():
        return None
    return tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
