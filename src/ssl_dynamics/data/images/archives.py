"""Where the image archives come from, and how their files reach the data folder.

An archive is downloaded once, checked against its published checksum and unpacked file by file:
only the listed names are taken out of it, and nothing is ever unpickled. Files that are already
in the data folder are taken as they are when their size is exact. The data folder is `root`, else
`$SSL_DYNAMICS_DATA`, else `~/.cache/ssl_dynamics`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ssl_dynamics.data.images.download import DataError, check_archive, fetch

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


def located(
    archive: Archive,
    names: Iterable[str],
    root: str | Path | None = None,
    *,
    download: bool = False,
) -> Path:
    """The folder that holds the data files `names` of an archive, each of exact size.

    They may lie in the data folder itself or in the archive's folder inside it. What is missing
    is unpacked from the archive if that is there, and with `download` the archive is fetched
    first. Raises `DataError` with file, expected and found size, and what to do about it.
    """
    names, home = tuple(names), data_folder(root)
    folder = home / archive.folder
    if not _any(folder, names) and _any(home, names):
        folder = home
    if _missing(folder, names):
        _obtain(archive, names, home, folder, download)
    for name in names:
        _check_size(archive, folder / name, archive.files[name])
    return folder


def _any(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)


def _missing(folder: Path, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not (folder / name).is_file()]


def _check_size(archive: Archive, path: Path, size: int) -> None:
    found = path.stat().st_size
    if found != size:
        raise DataError(
            path,
            f"{size} bytes",
            f"{found} bytes",
            f"Delete this file; the next call with download=True makes it anew from {archive.name}",
        )


def _obtain(
    archive: Archive, names: tuple[str, ...], home: Path, folder: Path, download: bool
) -> None:
    """Make the missing files from the archive, which is downloaded if that is allowed."""
    packed = home / archive.name
    if not packed.is_file() and not download:
        missing = folder / _missing(folder, names)[0]
        key = next((key for key, known in ARCHIVES.items() if known is archive), "NAME")
        raise DataError(
            missing,
            f"{archive.files[missing.name]} bytes",
            "no such file",
            f"Fetch it with `python -m ssl_dynamics.data.images {key}` or download=True "
            f"({archive.size / 1e6:.0f} MB), or put {archive.name} from {archive.address} into "
            f"{home}, or let ${VARIABLE} name the folder that holds {archive.folder}/",
        )
    with _alone(home, archive):
        if not _missing(folder, names):  # another process was faster
            return
        if download:
            fetch(archive.address, packed, archive.size, archive.md5)
        else:
            check_archive(packed, archive.size, archive.md5)
        unpack(archive, packed, folder)


@contextmanager
def _alone(home: Path, archive: Archive) -> Iterator[None]:
    """Hold the archive's lock in the data folder; a second process waits for the first."""
    lock = FileLock(home / f".{archive.name}.lock")
    try:
        home.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"another process is preparing {archive.name}; waiting", file=sys.stderr)
            lock.acquire()
    except OSError as error:
        raise _unwritable(home, error) from error
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        raise _unwritable(home, error) from error
    finally:
        lock.release()


def _unwritable(home: Path, error: OSError) -> DataError:
    return DataError(
        home,
        "a folder that can be written to, with room for the data",
        error.strerror or str(error),
        f"Let ${VARIABLE} name another folder",
    )


def unpack(archive: Archive, packed: Path, folder: Path) -> None:
    """Take the listed files out of the archive; each appears under its name only when whole."""
    wanted = {f"{archive.folder}/{name}": name for name in (*archive.files, *archive.texts)}
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            name = wanted.get(member.name.removeprefix("./"))
            content = tar.extractfile(member) if name and member.isfile() else None
            if content is None or name is None:
                continue
            part = folder / f"{name}.part"
            with content, part.open("wb") as target:
                shutil.copyfileobj(content, target, 1 << 20)
            if name in archive.files:
                _check_size(archive, part, archive.files[name])
            os.replace(part, folder / name)
    missing = _missing(folder, tuple(archive.files))
    if missing:
        raise DataError(
            packed, f"{archive.folder}/{missing[0]} in it", "none", "Is this the binary version?"
        )
