"""The pages that are written by a program: notation, formulas, errata, execution, API.

They are committed, so that the book builds from what is in the repository; a test holds that they
are current. ``python -m ssl_dynamics.press pages`` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ssl_dynamics.press.api_pages import api
from ssl_dynamics.press.errata_page import errata
from ssl_dynamics.press.table_pages import execution, formulas, notation

HEAD = "<!-- Written by `make pages`; changes made here are lost. -->\n\n"
MAKERS: dict[str, Callable[[Path], Iterator[tuple[Path, str]]]] = {
    "notation": notation,
    "formulas": formulas,
    "execution": execution,
    "api": api,
    "errata": errata,
}


def write_pages(root: Path, *, only: Collection[str] | None = None) -> list[Path]:
    """Write the generated pages (``only`` some of them); returns those that changed."""
    written = []
    for path, text in generate(root, only=only):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def generate(root: Path, *, only: Collection[str] | None = None) -> Iterator[tuple[Path, str]]:
    """Path and text of every generated page, without writing it."""
    for name, maker in MAKERS.items():
        if only is None or name in only:
            for path, text in maker(root):
                yield path, HEAD + text
