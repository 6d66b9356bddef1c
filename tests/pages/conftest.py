"""Pages of the built book that remember what went wrong on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from seen import Watched


@pytest.fixture(scope="session")
def built(need: Callable[[str], str]) -> Path:
    """Folder of the built book; ``$SSL_DYNAMICS_HTML`` names another one to look at."""
    named = os.environ.get("SSL_DYNAMICS_HTML")
    return Path(named) if named else Path(need("book")).parent


@pytest.fixture(scope="module")
def visit(browser, built: Path) -> Iterator[Callable[[str], Watched]]:
    """``visit("book/no_negatives/ema")``: the page, loaded from ``file://`` once for the module."""
    pages: dict[str, Watched] = {}
    # without motion no colour is caught halfway between two themes
    context = browser.new_context(
        viewport={"width": 1300, "height": 900}, offline=True, reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)

    def open_page(name: str) -> Watched:
        if name not in pages:
            path = built / f"{name}.html"
            assert path.is_file(), f"{path} is missing: is {name} in _toc.yml? then run `make book`"
            pages[name] = Watched(context.new_page(), path.as_uri())
        pages[name].page.bring_to_front()  # a page in the background is slow to take input
        return pages[name]

    yield open_page
    context.close()
