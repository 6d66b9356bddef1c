"""Read the evidence that the committed notebooks show.

A piece counts only when its cell was executed without an error, when the words and the anchor that
strict nbval compares belong to it, when what its part demands has not changed since, and when its
figures meet that demand. Everything else is a fault, and said in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssl_dynamics.evidence.claims import Claim, Part
from ssl_dynamics.evidence.display import METADATA_KEY, WORDS
from ssl_dynamics.records import Interval


@dataclass(frozen=True)
class Found:
    """One piece of evidence in a chapter, and what is wrong with it, if anything."""

    chapter: str
    part: str
    kind: str
    anchor: str
    facts: Mapping[str, Any]
    fault: str = ""

    @property
    def link(self) -> str:
        """Address of the piece, relative to the book's folder."""
        return f"{self.chapter}.html#{self.anchor}"


def find_evidence(book: Path, chapter: str, claims: Mapping[str, Claim]) -> list[Found]:
    """All pieces of evidence in one chapter's notebook; none when it does not exist yet."""
    path = book / f"{chapter}.ipynb"
    if not path.exists():
        return []
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = {part.ref: part for claim in claims.values() for part in claim.parts}
    homes = {part.ref: claim.chapters for claim in claims.values() for part in claim.parts}
    found: list[Found] = []
    for cell in cells:
        for facts, output in _pieces(cell):
            ref, kind = str(facts.get("part")), str(facts.get("kind"))
            anchor = str(facts.get("anchor"))
            fault = _fault(cell, facts, output, parts.get(ref))
            if not fault and chapter not in homes[ref]:
                fault = f"the claim lists {', '.join(homes[ref])}, not {chapter}"
            if not fault and anchor in {piece.anchor for piece in found}:
                fault = f"the anchor {anchor} is used twice on the page"
            found.append(Found(chapter, ref, kind, anchor, facts, fault))
    return found


def _pieces(cell: Mapping) -> Iterator[tuple[Mapping, Mapping]]:
    for output in cell.get("outputs", []):
        facts = output.get("metadata", {}).get(METADATA_KEY)
        if isinstance(facts, Mapping):
            yield facts, output


def _fault(cell: Mapping, facts: Mapping, output: Mapping, part: Part | None) -> str:
    kind, anchor = facts.get("kind"), str(facts.get("anchor"))
    if part is None:
        return f"no such part is listed: {facts.get('part')!r}"
    if kind not in part.evidence:
        return f"the part does not ask for {kind!r}"
    if cell.get("execution_count") is None:
        return "the cell was not executed"
    if any(item.get("output_type") == "error" for item in cell["outputs"]):
        return "the cell raised an error"
    plain, html = (_joined(output, mime) for mime in ("text/plain", "text/html"))
    if not plain.startswith(f"{WORDS[kind]}: {part.ref}\n") or f'id="{anchor}"' not in html:
        return "what is shown does not belong to its metadata"
    if not anchor.startswith(part.anchor(kind)):
        return f"the anchor {anchor} belongs to another part"
    if facts.get("fingerprint") != part.fingerprint:
        return "the part has changed since; execute the chapter again"
    return _figures(kind, facts, part)


def _joined(output: Mapping, mime: str) -> str:
    value = output.get("data", {}).get(mime, "")
    return value if isinstance(value, str) else "".join(value)


def _figures(kind: str, facts: Mapping, part: Part) -> str:
    try:
        if kind == "check" and not max(facts["residuals"]) < part.bound:
            return f"residual {max(facts['residuals'])} is not below {part.bound}"
        if kind == "observe":
            interval = Interval(facts["mean"], facts["low"], facts["high"], facts["n"])
            if interval.n < 3 or not part.expected.holds_throughout(interval):
                return f"{interval} does not meet '{part.expected}'"
    except (KeyError, TypeError, ValueError) as error:
        return f"its figures are incomplete: {error!r}"
    return ""
