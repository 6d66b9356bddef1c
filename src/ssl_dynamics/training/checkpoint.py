"""Checkpoints: written whole or not at all, verified when read, one older copy kept."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

MAGIC = b"ssl-dynamics checkpoint 1\n"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written or read, or belongs to other settings."""


def prepare(folder: Path) -> Path:
    """Make the folder and try to write in it, before any work; CheckpointError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise CheckpointError(
            f"checkpoints cannot be written in {folder} ({error.strerror}); "
            "name another folder or make this one writable"
        ) from error


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Inside, no other process works on this checkpoint; CheckpointError where one does.

    The system frees the lock of a process that was killed.
    """
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CheckpointError(
            f"another process is at work on {path}; wait for it, or name another checkpoint folder"
        ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def save(path: Path, state: dict[str, Any], *, keep_previous: bool = True) -> None:
    """Write `state` (tensors, numbers, strings, lists, dicts) so that no crash can spoil it.

    The bytes go to a temporary file first; the file that stood at `path` becomes
    `<name>.previous`. When writing fails (full disk) both old files stay as they were.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        if keep_previous and path.exists():
            os.replace(path, previous(path))
        os.replace(temporary, path)
        if not keep_previous:
            previous(path).unlink(missing_ok=True)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CheckpointError(
                f"{path} could not be written ({error.strerror}); an earlier checkpoint, if "
                "any, is untouched. Free some space and give the same command again"
            ) from error
        raise


def sweep(path: Path) -> None:
    """Remove what writes of this checkpoint left behind when their process was killed."""
    for part in path.parent.glob(f"{path.name}*.part"):
        part.unlink(missing_ok=True)


def previous(path: Path) -> Path:
    """Where the checkpoint before the last one is kept."""
    return path.with_name(path.name + ".previous")


def read(path: Path, fingerprint: str) -> dict[str, Any]:
    """The state in one file; CheckpointError when it is damaged or of other settings."""
    data = path.read_bytes()
    head, digest = data[: len(MAGIC)], data[len(MAGIC) : len(MAGIC) + 64]
    payload = data[len(MAGIC) + 65 :]
    if head != MAGIC:
        raise CheckpointError(f"{path} is not a checkpoint of this library")
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise CheckpointError(f"{path} is damaged (its checksum does not match its content)")
    try:
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} cannot be unpacked: {error}") from error
    if state.get("fingerprint") != fingerprint:
        raise CheckpointError(
            f"{path} was made with other settings "
            f"({state.get('fingerprint')} there, {fingerprint} here)"
        )
    return state


def load(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The newest sound checkpoint at `path`, or None when there is none.

    A damaged newest file is passed over, with a warning, when the one before it is sound. When
    no sound one is left, CheckpointError names the file and what to do.
    """
    faults = []
    for candidate in (path, previous(path)):
        if not candidate.exists():
            continue
        try:
            state = read(candidate, fingerprint)
        except CheckpointError as error:
            faults.append(str(error))
            continue
        if faults:
            warnings.warn(f"{faults[0]}; going on from {candidate}", stacklevel=2)
        return state
    if faults:
        raise CheckpointError(
            f"{'; '.join(faults)}. Delete {path} (and {previous(path).name}) to start this run "
            "again from step 0, or name another checkpoint folder"
        )
    return None
