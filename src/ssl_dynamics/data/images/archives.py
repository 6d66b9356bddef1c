"""Where the image archives come from: addresses, sizes, checksums, what is taken out of them.

The data folder is `root`, else `$SSL_DYNAMICS_DATA`, else `~/.cache/ssl_dynamics`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "SSL_DYNAMICS_DATA"
"""The environment variable that names the data folder."""


@dataclass(frozen=True)
class Archive:
    """One published archive: address, name, size in bytes, MD5, and what to take out of it.

    `files` maps each data file to its exact size in bytes; `texts` are small files of class names,
    taken along but not required. Both lie in `folder` inside the archive.
    """

    address: str
    size: int
    md5: str
    folder: str
    files: Mapping[str, int]
    texts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The archive's file name."""
        return self.address.rpartition("/")[2]


_CIFAR, _STL = 3 * 32 * 32, 3 * 96 * 96
ARCHIVES: dict[str, Archive] = {
    "cifar10": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        170_052_171,
        "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin",
        {
            name: 10_000 * (1 + _CIFAR)
            for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
        },
        ("batches.meta.txt",),
    ),
    "cifar100": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        168_513_733,
        "03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-binary",
        {"train.bin": 50_000 * (2 + _CIFAR), "test.bin": 10_000 * (2 + _CIFAR)},
        ("fine_label_names.txt", "coarse_label_names.txt"),
    ),
    "stl10": Archive(
        "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        2_640_397_119,
        "91f7769df0f17e558f3565bffb0c7dfb",
        "stl10_binary",
        {
            "train_X.bin": 5_000 * _STL,
            "train_y.bin": 5_000,
            "test_X.bin": 8_000 * _STL,
            "test_y.bin": 8_000,
            "unlabeled_X.bin": 100_000 * _STL,
        },
        ("class_names.txt",),
    ),
}
"""The archives by name, in their official binary layout."""


def data_folder(root: str | Path | None = None) -> Path:
    """`root`, else `$SSL_DYNAMICS_DATA`, else `~/.cache/ssl_dynamics`."""
    chosen = root or os.environ.get(VARIABLE) or Path.home() / ".cache" / "ssl_dynamics"
    return Path(chosen).expanduser()
