"""The built book in a browser without a network, from disk: search, mathematics, both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

WIDTHS = (1300, 390)
THEMES = ("light", "dark")
PAGES = ("book/index", "book/formulas", "book/notation", "book/reading_paths", "book/api/symbolic")


class Watch:
    """What a page asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error {error}"))
        page.on("requestfailed", lambda request: self.faults.append(f"failed {request.url}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message) -> None:  # type: ignore[no-untyped-def]
        if message.type == "error":
            self.faults.append(f"console {message.text}")

    def _request(self, request) -> None:  # type: ignore[no-untyped-def]
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"asks for {request.url}")


def open_page(browser: Browser, file: Path, width: int, theme: str) -> tuple[Page, Watch]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, offline=True
    )
    context.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
    page = context.new_page()
    watch = Watch(page)
    page.goto(file.as_uri())
    page.wait_for_function("!window.MathJax || !MathJax.startup || !!MathJax.startup.document")
    page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
    return page, watch


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_pages_are_clean_and_fit(browser: Browser, html: Path, width: int, theme: str) -> None:
    for name in PAGES:
        page, watch = open_page(browser, html / f"{name}.html", width, theme)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide on a screen of {width} px"
        assert not watch.faults, f"{name}: {watch.faults}"
        page.context.close()


def test_mathematics_is_set_offline(browser: Browser, html: Path) -> None:
    page, watch = open_page(browser, html / "book/formulas.html", 1300, "light")
    assert page.locator("mjx-container").count() > 10
    assert page.locator("mjx-merror").count() == 0
    assert not watch.faults
    page.context.close()


def test_search_works_from_disk(browser: Browser, html: Path) -> None:
    page, _ = open_page(browser, html / "search.html", 1300, "light")
    page.goto((html / "search.html").as_uri() + "?q=notation")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    hits = page.locator("#search-results li a").all_inner_texts()
    assert any("Notation" in hit for hit in hits), hits
    page.context.close()


@pytest.mark.parametrize("theme", THEMES)
def test_accessibility(browser: Browser, html: Path, theme: str) -> None:
    for name in ("book/index", "book/reading_paths", "book/notation"):
        page, _ = open_page(browser, html / f"{name}.html", 1300, theme)
        found = Axe().run(page, context="article").response["violations"]
        serious = [
            f"{item['id']}: {item['help']}: {node['html'][:120]}"
            for item in found
            if item["impact"] in {"serious", "critical"}
            for node in item["nodes"]
        ]
        assert not serious, f"{name}: " + "\n".join(serious)
        page.context.close()
