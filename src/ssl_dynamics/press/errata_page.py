"""The page of errata: what the book found wrong or too strong in what it covers.

Its words stand in ``book/errata.toml``; the evidence under each entry is taken from the ledger, so
an entry can name nothing that the chapters do not show.
"""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterator
from pathlib import Path

from ssl_dynamics.evidence import ledger
from ssl_dynamics.evidence.display import WORDS

SECTIONS = {
    "paper": ("In print", "Slips in a published formula. The argument around it stands."),
    "post": (
        "In articles and posts",
        "Shorter and freer than papers, and often ahead of them: the statement holds, under a "
        "condition that is not given there.",
    ),
    "code": (
        "In released code",
        "What a name or a number in the code may lead a reader to believe.",
    ),
    "asked": ("Questions that were asked", "The source asks, and leaves the answer open."),
    "reading": (
        "Readings that go too far",
        "Here the source says less, or says it with its condition. The statement as it is commonly "
        "passed on does not hold.",
    ),
}
FIELDS = {"title", "kind", "claim", "source", "place", "published", "corrected", "evidence"}
LABELS = {"asked": "The question", "reading": "As commonly read"}
INTRODUCTION = """
# Errata of the literature

What this book found wrong or too strong in the work that it covers. Each entry gives the statement
with its place, the statement that holds, and the lines of the [ledger](ledger.ipynb) that show it.
Most of these sources were right about what they set out to show, and none of the entries takes
anything from their ideas: without them there would be nothing here to check. If an entry is unfair
or wrong, please open an issue with the title of the entry.
""".strip()


class ErrataError(ValueError):
    """An entry that the ledger does not support, or that is not complete."""


def errata(root: Path) -> Iterator[tuple[Path, str]]:
    """Path and text of the page; raises :class:`ErrataError` where an entry has no evidence."""
    book = root / "book"
    source = book / "errata.toml"
    if not source.is_file():
        return
    entries = tomllib.loads(source.read_text(encoding="utf-8")).get("entry", [])
    found = ledger.build(book)
    lines = [INTRODUCTION, ""]
    for kind, (heading, about) in SECTIONS.items():
        chosen = [entry for entry in entries if entry.get("kind") == kind]
        if chosen:
            lines += [f"## {heading}", "", about, ""]
        for entry in chosen:
            lines += _entry(entry, found)
    unplaced = [e.get("title", e) for e in entries if e.get("kind") not in SECTIONS]
    if unplaced:
        raise ErrataError(f"errata: kind must be one of {', '.join(SECTIONS)}: {unplaced}")
    yield book / "errata.md", "\n".join(lines)


def _entry(entry: dict, found: ledger.Ledger) -> Iterator[str]:
    """The lines of one entry."""
    if set(entry) != FIELDS or not entry["evidence"]:
        fields = ", ".join(sorted(FIELDS))
        raise ErrataError(f"errata: {entry.get('title', entry)!r} needs exactly {fields}")
    claims = {row.claim.slug: row for row in found.entries}
    if entry["claim"] not in claims:
        raise ErrataError(f"errata: {entry['title']!r}: no claim {entry['claim']!r} in the ledger")
    yield f"### {entry['title']}"
    yield ""
    label = LABELS.get(entry["kind"], "As published")
    yield (f"**{label}** ({{cite:t}}`{entry['source']}`, {entry['place']}). {entry['published']}")
    yield ""
    answer = "The answer" if entry["kind"] == "asked" else "What holds"
    yield f"**{answer}.** {entry['corrected']}"
    yield ""
    for ref in entry["evidence"]:
        yield f"- {_line(ref, claims, entry['title'])}"
    yield ""


def _line(ref: str, claims: dict[str, ledger.Entry], title: str) -> str:
    """The part's sentence with links to the places that settle it."""
    slug = ref.partition("/")[0]
    parts = {part.ref: part for part in claims[slug].claim.parts} if slug in claims else {}
    if ref not in parts:
        raise ErrataError(f"errata: {title!r} names {ref!r}, which the ledger does not list")
    row, part = claims[slug], parts[ref]
    if row.missing(part):
        raise ErrataError(f"errata: {title!r} rests on {ref!r}, which is open: {row.missing(part)}")
    links = ", ".join(
        f'<a href="{html.escape(piece.link)}">{WORDS[piece.kind].lower()}</a>'
        for piece in row.of(part)
    )
    return f"Row {row.claim.row}: {part.sentence} ({links})"
