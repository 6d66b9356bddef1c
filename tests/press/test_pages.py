"""Generated pages are current, and the table of contents names what exists."""

from __future__ import annotations

from pathlib import Path

from ssl_dynamics.press.notebooks import toc_notebooks, toc_pages
from ssl_dynamics.press.pages import generate


def test_generated_pages_are_current(root: Path) -> None:
    for path, text in generate(root):
        assert path.is_file(), f"{path.name} is missing: run `make pages`"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run `make pages`"


def test_every_page_is_in_the_contents(root: Path) -> None:
    listed = set(toc_pages(root))
    there = {p for p in (root / "book").rglob("*") if p.suffix in {".md", ".ipynb"}}
    there = {p for p in there if ".ipynb_checkpoints" not in p.parts}
    assert there == listed


def test_ledger_and_index_run_last(root: Path) -> None:
    order = [path.stem for path in toc_notebooks(root)]
    assert order[-1] == "index"
    assert "ledger" not in order or order[-2] == "ledger"


def test_no_generated_api_page_is_left_over(root: Path) -> None:
    generated = {path for path, _ in generate(root, only=("api",))}
    assert set((root / "book/api").glob("*.md")) == generated
