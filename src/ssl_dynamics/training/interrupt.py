"""Ctrl-C between two steps instead of inside one."""

from __future__ import annotations

import signal
import threading
from pathlib import Path


class Interrupt:
    """While active, the first Ctrl-C (or SIGTERM) is noted; the loop obeys it between steps.

    The second one interrupts at once, as usual. Outside the main thread, where Python cannot
    catch signals, nothing is changed.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, *, active: bool = True) -> None:
        self.asked = False
        self.active = active and threading.current_thread() is threading.main_thread()
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupt:
        if self.active:
            self._before = {s: signal.signal(s, self._note) for s in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, *_: object) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def obey(self, path: Path | None) -> None:
        """Raise KeyboardInterrupt when one was asked for; say where the checkpoint lies."""
        if self.asked:
            raise KeyboardInterrupt(f"stopped; the same command goes on from {path}")
