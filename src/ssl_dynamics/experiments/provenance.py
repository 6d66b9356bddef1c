"""Turn the figures of a finished run into a record that says where they come from."""

from __future__ import annotations

import dataclasses
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ssl_dynamics.records import Record

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")


def finished(
    experiment: str,
    config: Any,
    seeds: Sequence[int],
    metrics: Mapping[str, np.ndarray],
    *,
    axes: Mapping[str, Sequence] | None = None,
    device: str = "cpu",
    wall_s: float,
    command: str = "",
    files: Mapping[str, str] | None = None,
) -> Record:
    """The record of a finished run.

    `config` is the experiment's dataclass with a field `name`; `metrics` are [S] or [S, T];
    `device` is a torch device or its name, and is recorded by the name of the hardware;
    `wall_s` is in seconds. The command line fills in `command` itself. `files` are the checksums of
    the data files that were read; they stand among the versions.
    """
    return Record(
        experiment=experiment,
        name=config.name,
        config=dataclasses.asdict(config),
        seeds=list(seeds),
        metrics=dict(metrics),
        axes={name: list(places) for name, places in (axes or {}).items()},
        device=device_name(device),
        versions=versions() | dict(files or {}),
        revision=revision(),
        wall_s=round(float(wall_s), 3),
        command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def recorded(
    experiment: str,
    config: Any,
    measure: Callable[[], Mapping[str, np.ndarray]],
    *,
    seeds: Sequence[int] | None = None,
    axes: Mapping[str, Sequence] | None = None,
) -> Record:
    """Call `measure`, time it, and return the record of what it found.

    `config` also has the fields `device` and `seeds`; without `seeds` these are the first ones.
    """
    begin = time.perf_counter()
    metrics = measure()
    return finished(
        experiment,
        config,
        range(config.seeds) if seeds is None else seeds,
        metrics,
        axes=axes,
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def device_name(device: Any) -> str:
    """`cpu`, or the name of the GPU."""
    name = str(device)
    if name == "auto" or name.startswith("cuda"):
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name(None if name == "auto" else torch.device(name))
        return "cpu"
    return name


def versions() -> dict[str, str]:
    """Versions of Python and of the packages the figures depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def revision() -> str:
    """The git revision of the source checkout, with `+changes` when src differs; or `unknown`.

    Git is asked once in a process. The command line asks before the work: commits made while it
    runs are not the code that ran.
    """
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return "unknown"
    try:
        head = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", "src")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return head + ("+changes" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()
