"""Ctrl-C between two steps instead of inside one."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

ONE_REQUEST = 2.0
"""Seconds within which several signals are one request: torchrun passes on what the terminal has
already sent to everyone."""


class Interrupt:
    """While active, Ctrl-C (or SIGTERM) is noted; the loop obeys it between two steps.

    Another one, later than `ONE_REQUEST`, interrupts at once, as usual. Outside the main thread,
    where Python cannot catch signals, nothing is changed.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, *, active: bool = True) -> None:
        self.active = active and threading.current_thread() is threading.main_thread()
        self._first: float | None = None
        self._before: dict[int, object] = {}

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._first is not None

    def __enter__(self) -> Interrupt:
        if self.active:
            self._before = {s: signal.signal(s, self._note) for s in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, _: object) -> None:
        if self._first is None:
            self._first = time.monotonic()
        elif time.monotonic() - self._first > ONE_REQUEST:
            self._restore()
            os.kill(os.getpid(), number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def obey(self, path: Path) -> None:
        """Raise KeyboardInterrupt when one was asked for; say where the checkpoint lies."""
        if self.asked:
            raise KeyboardInterrupt(f"stopped; the same command goes on from {path}")
