"""Every part of every claim has its evidence in the committed chapters, and nothing else does."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ssl_dynamics.evidence import Claim, ledger, load_claims
from ssl_dynamics.evidence.claims import FOLDER

CLAIMS = load_claims()
NAMES = sorted(CLAIMS)
VERBS = re.compile(r"\b(?:prove|check|observe|refute)\(\s*[\"']([a-z0-9-]+/[a-z0-9-]+)[\"']")


@pytest.fixture(scope="module")
def book(root: Path) -> Path:
    return root / "book"


@pytest.fixture(scope="module")
def entries(book: Path) -> dict[str, ledger.Entry]:
    return {entry.claim.slug: entry for entry in ledger.build(book).entries}


def notebooks(book: Path) -> list[Path]:
    return [p for p in sorted(book.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]


def test_there_are_claims():
    assert NAMES
    assert list(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("slug", NAMES)
def test_every_part_has_the_evidence_it_asks_for(slug, entries):
    entry = entries[slug]
    missing = {part.ref: entry.missing(part) for part in entry.claim.parts if entry.missing(part)}
    assert missing == {}
    assert entry.verdict.kind != "open"


def test_no_evidence_is_unsound(book):
    assert ledger.build(book).faults == []


def test_no_evidence_names_an_unlisted_part(book):
    listed = {part.ref for claim in CLAIMS.values() for part in claim.parts}
    for path in notebooks(book):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        named = set(VERBS.findall(sources))
        shown = {
            output["metadata"]["ssl_dynamics.evidence"]["part"]
            for cell in cells
            for output in cell.get("outputs", [])
            if "ssl_dynamics.evidence" in output.get("metadata", {})
        }
        assert named | shown <= listed, path.name


@pytest.mark.parametrize("slug", NAMES)
def test_sources_and_chapters_exist(slug, book):
    claim: Claim = CLAIMS[slug]
    for chapter in claim.chapters:
        assert (book / f"{chapter}.ipynb").is_file(), chapter
    keys = re.findall(r"^@\w+\{([^,\s]+),", (book / "references.bib").read_text("utf-8"), re.M)
    assert set(re.split(r"[,;]\s*", claim.source)) <= set(keys)


@pytest.mark.parametrize("slug", NAMES)
def test_the_claims_statement_stands_in_a_chapter_under_its_slug(slug, book):
    label = re.compile(rf"^:label: {re.escape(slug)}$", re.MULTILINE)
    texts = []
    for chapter in CLAIMS[slug].chapters:
        cells = json.loads((book / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
        texts += ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    assert any(label.search(text) for text in texts), f"no prf: block has :label: {slug}"


class Ids(HTMLParser):
    """All ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "id" and value]


def test_every_evidence_link_has_its_anchor_on_the_built_page(html, book):
    ids: dict[Path, list[str]] = {}
    links = re.findall(r'href="([^"#]+)#([^"]+)"', ledger.build(book).html)
    assert links
    for page, anchor in links:
        path = html / "book" / page
        if path not in ids:
            reader = Ids()
            reader.feed(path.read_text(encoding="utf-8"))
            ids[path] = reader.found
        assert ids[path].count(anchor) == 1, f"{page}#{anchor}"


def test_the_ledger_page_shows_the_ledger_of_today(book):
    today = ledger.build(book)
    shown = json.loads((book / "ledger.ipynb").read_text(encoding="utf-8"))
    outputs = [o for cell in shown["cells"] for o in cell.get("outputs", [])]
    texts = ["".join(output["data"]["text/plain"]) for output in outputs]
    assert texts == [today.totals.text, today.text]
