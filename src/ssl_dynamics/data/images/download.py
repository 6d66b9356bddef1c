"""Download of one file whose size and checksum are known; it resumes where it stopped."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

ATTEMPTS = 4
"""Connections tried in one call before it gives up (the part stays)."""
PAUSE = 1.0
"""Seconds before the second connection; each later wait is one pause longer."""
TIMEOUT = (10.0, 60.0)
"""Seconds allowed to connect, and between two pieces of data."""
PIECE = 1 << 14
"""Bytes read at a time; a broken connection loses no more than this."""


class DataError(ValueError):
    """A data file is missing or wrong: which one, what was expected and found, what to do."""

    def __init__(self, file: str | Path, expected: str, found: str, remedy: str) -> None:
        self.file, self.expected, self.found, self.remedy = Path(file), expected, found, remedy
        super().__init__(f"{file}: expected {expected}, found {found}. {remedy}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.file, self.expected, self.found, self.remedy)


def checksum(path: Path) -> str:
    """The MD5 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_archive(path: Path, size: int, md5: str) -> None:
    """Raise `DataError` unless the file has this size and MD5."""
    remedy = "Delete this file and give the command that downloads again, or download=True"
    found = path.stat().st_size
    if found != size:
        raise DataError(path, f"{size} bytes", f"{found} bytes", remedy)
    digest = checksum(path)
    if digest != md5:
        raise DataError(path, f"MD5 {md5}", f"MD5 {digest}", remedy)


def fetch(address: str, target: Path, size: int, md5: str) -> None:
    """Download `address` to `target`, unless it is there already and whole.

    What has arrived waits in `target` + ".part" and is added to by the next call. A file of the
    wrong checksum is removed. One process at a time: the caller holds the lock.
    """
    try:
        import pooch
    except ImportError:
        raise DataError(
            target,
            f"{size} bytes",
            "no such file",
            f"Downloads need pooch: pip install 'ssl-dynamics[data]'; or save {address} there",
        ) from None
    pooch.retrieve(
        address,
        known_hash=f"md5:{md5}",
        fname=target.name,
        path=target.parent,
        downloader=_Resuming(target.with_name(target.name + ".part"), size, md5),
    )


class _Resuming:
    """A downloader for pooch that goes on from the part of an earlier try."""

    def __init__(self, part: Path, size: int, md5: str) -> None:
        self.part, self.size, self.md5 = part, size, md5

    @property
    def arrived(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
        import requests

        reason = "the server closed the connection"
        for attempt in range(ATTEMPTS):
            if self.arrived > self.size:
                self.part.unlink()
            if self.arrived == self.size:
                break
            if attempt:
                time.sleep(attempt * PAUSE)
            try:
                self._stream(url, self.arrived)
            except requests.RequestException as error:
                reason = f"{type(error).__name__} from {url}"
        if self.arrived != self.size:
            raise DataError(
                self.part,
                f"{self.size} bytes",
                f"{self.arrived} bytes ({reason})",
                "What has arrived is kept: the same call goes on from there",
            )
        try:
            check_archive(self.part, self.size, self.md5)
        except DataError:
            self.part.unlink()
            raise
        os.replace(self.part, output_file)

    def _stream(self, url: str, start: int) -> None:
        """Add to the part what the server sends from byte `start` on."""
        import requests

        # "identity": a proxy that packed the answer would change what a byte range means.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code not in (200, 206):
                raise DataError(
                    self.part,
                    f"{self.size} bytes from {url}",
                    f"HTTP status {answer.status_code}",
                    "Try again later, or save the archive there by hand (without .part)",
                )
            if answer.status_code == 200:  # the whole file: the server cannot resume
                start = 0
            offered = start + int(answer.headers.get("Content-Length", self.size - start))
            if offered != self.size:
                raise DataError(
                    self.part,
                    f"{self.size} bytes from {url}",
                    f"{offered} bytes offered",
                    "The file at this address is not the published one",
                )
            with (
                self.part.open("ab" if start else "wb") as file,
                tqdm(
                    total=self.size,
                    initial=start,
                    desc=url.rpartition("/")[2],
                    unit="B",
                    unit_scale=True,
                    disable=None,
                ) as bar,
            ):
                for piece in answer.iter_content(PIECE):
                    file.write(piece)
                    bar.update(len(piece))
