"""The page of errata says only what the ledger shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ssl_dynamics.evidence import ledger
from ssl_dynamics.press.errata_page import SECTIONS, ErrataError, errata

ENTRY = {
    "title": "A title",
    "kind": "paper",
    "claim": "ema-threshold",
    "source": "tian2020post",
    "place": "on the moving average",
    "published": "Only if.",
    "corrected": "If.",
    "evidence": ["ema-threshold/as-stated"],
}


@pytest.fixture
def book(tmp_path: Path, root: Path) -> Path:
    """A book with the real chapters and an errata file of its own."""
    folder = tmp_path / "book"
    folder.mkdir()
    for item in (root / "book").iterdir():
        if item.name not in {"errata.toml", "errata.md"}:
            (folder / item.name).symlink_to(item)
    return folder


def write(book: Path, **changes: object) -> str:
    entry = {key: value for key, value in (ENTRY | changes).items() if value is not None}
    lines = [f"{key} = {value!r}" for key, value in entry.items()]
    (book / "errata.toml").write_text("[[entry]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    ((_, text),) = errata(book.parent)
    return text


def test_an_entry_links_to_its_evidence(book: Path) -> None:
    text = write(book)
    assert "### A title" in text
    assert "{cite:t}`tian2020post`" in text
    assert "no_negatives/ema.html#evidence-ema-threshold-as-stated-refute" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evidence": ["ema-threshold/no-such"]}, "does not list"),
        ({"evidence": ["no-such/part"]}, "does not list"),
        ({"evidence": []}, "needs exactly"),
        ({"place": None}, "needs exactly"),
        ({"claim": "no-such"}, "no claim"),
        ({"kind": "gossip"}, "must be one of"),
    ],
)
def test_what_the_ledger_does_not_support_is_refused(
    book: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ErrataError, match=message):
        write(book, **changes)


def test_open_evidence_is_refused(book: Path) -> None:
    (book / "no_negatives").unlink()
    (book / "no_negatives").mkdir()
    with pytest.raises(ErrataError, match="is open"):
        write(book)


def test_every_correction_of_print_posts_and_code_rests_on_a_refuted_claim(root: Path) -> None:
    entries = tomllib.loads((root / "book/errata.toml").read_text(encoding="utf-8"))["entry"]
    verdicts = {e.claim.slug: e.verdict.kind for e in ledger.build(root / "book").entries}
    wrong = {e["claim"] for e in entries if e["kind"] in {"paper", "post", "code"}}
    assert {verdicts[slug] for slug in wrong} == {"refuted"}
    keys = re.findall(r"^@\w+\{([^,\s]+),", (root / "book/references.bib").read_text("utf-8"), re.M)
    assert {e["source"] for e in entries} <= set(keys)
    assert {e["kind"] for e in entries} <= set(SECTIONS)
