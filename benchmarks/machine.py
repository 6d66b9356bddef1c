"""On what a benchmark was run, and when: the head of every report."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def now() -> str:
    """The date and time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def surroundings(*packages: str) -> dict:
    """Time, processor, load and versions of Python and of the packages."""
    return {
        "created": now(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "load": [round(value, 1) for value in os.getloadavg()],
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
    }
