"""How the files of an image archive reach the data folder, and which are taken as they are.

An archive is downloaded once, checked against its published checksum and unpacked file by file:
only the listed names are taken out of it, and nothing is ever unpickled. Files that are already
in the data folder are taken as they are when their size is exact.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ssl_dynamics.data.images.archives import ARCHIVES, VARIABLE, Archive, data_folder
from ssl_dynamics.data.images.download import DataError, check_archive, fetch


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
            f"Delete this file, then {_again(archive)}: it is made anew from {archive.name}",
        )


def _again(archive: Archive) -> str:
    """What fetches and unpacks the archive, in words."""
    key = next((key for key, known in ARCHIVES.items() if known is archive), "NAME")
    return f"`python -m ssl_dynamics.data.images {key}` or download=True"


def _obtain(
    archive: Archive, names: tuple[str, ...], home: Path, folder: Path, download: bool
) -> None:
    """Make the missing files from the archive, which is downloaded if that is allowed."""
    packed = home / archive.name
    if not packed.is_file() and not download:
        missing = folder / _missing(folder, names)[0]
        raise DataError(
            missing,
            f"{archive.files[missing.name]} bytes",
            "no such file",
            f"Fetch it with {_again(archive)} ({archive.size / 1e6:.0f} MB), "
            f"or put {archive.name} from {archive.address} into {home}, "
            f"or let ${VARIABLE} name the folder that holds {archive.folder}/",
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
