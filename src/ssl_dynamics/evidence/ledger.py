"""The ledger: every claim with the verdict that the chapters' committed evidence supports.

It is an index. It reads the outputs stored in the chapters' notebooks and computes each verdict
from all parts of the claim, so it cannot say more than the chapters show.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ssl_dynamics.evidence.claims import Claim, Part, current_claims
from ssl_dynamics.evidence.display import WORDS, rich
from ssl_dynamics.evidence.found import Found, find_evidence

VERDICTS = {
    "proved": "proved",
    "holds": "hold under a stated condition",
    "mixed": "proved in part and observed in part",
    "observed": "observed",
    "refuted": "refuted as stated",
    "open": "open",
}


@dataclass(frozen=True)
class Verdict:
    """`kind` is a key of VERDICTS, `text` the verdict in words."""

    kind: str
    text: str


@dataclass(frozen=True)
class Entry:
    """One claim with the evidence found for it."""

    claim: Claim
    evidence: tuple[Found, ...]

    def of(self, part: Part, kind: str | None = None) -> list[Found]:
        """The sound pieces for one part."""
        return [
            piece
            for piece in self.evidence
            if piece.part == part.ref and not piece.fault and kind in (None, piece.kind)
        ]

    def missing(self, part: Part) -> list[str]:
        """The kinds of evidence a part requires and has not got."""
        return [kind for kind in part.evidence if not self.of(part, kind)]

    @property
    def verdict(self) -> Verdict:
        """Computed from all parts; one part without its evidence leaves the claim open.

        A refuted part makes it *refuted as stated*. Otherwise proofs make it *proved*, or *holds
        under* its condition; parts that rest on experiments alone make it *observed*; both kinds
        together make it proved in part and observed in part. A part that is only checked supports
        the proofs beside it, and counts as observed where there is no proof.
        """
        if any(self.missing(part) for part in self.claim.parts):
            return Verdict("open", "open")
        kinds = {kind for part in self.claim.parts for kind in part.evidence}
        under = f" under {self.claim.condition}" if self.claim.condition else ""
        if "refute" in kinds:
            holds = f"; holds{under}" if under and kinds != {"refute"} else ""
            return Verdict("refuted", "refuted as stated" + holds)
        if "prove" not in kinds:
            return Verdict("observed", "observed" + under)
        if under:
            return Verdict("holds", "holds" + under)
        seen = any("observe" in p.evidence and "prove" not in p.evidence for p in self.claim.parts)
        return Verdict("mixed", VERDICTS["mixed"]) if seen else Verdict("proved", "proved")


@dataclass(frozen=True)
class Ledger:
    """All entries in the order of their rows. Shown as a table."""

    entries: tuple[Entry, ...]
    sources: dict[str, str]
    strays: tuple[Found, ...] = ()

    @property
    def faults(self) -> list[str]:
        """Evidence that does not count, with the reason."""
        pieces = [*self.strays, *(piece for entry in self.entries for piece in entry.evidence)]
        return [f"{p.chapter}: {p.kind} {p.part}: {p.fault}" for p in pieces if p.fault]

    @property
    def totals(self) -> Totals:
        """How many claims have each verdict."""
        counts = Counter(entry.verdict.kind for entry in self.entries)
        pieces = Counter(
            piece.kind for entry in self.entries for piece in entry.evidence if not piece.fault
        )
        return Totals(
            {kind: counts[kind] for kind in VERDICTS}, {kind: pieces[kind] for kind in WORDS}
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    @property
    def text(self) -> str:
        """The ledger as plain text."""
        lines = []
        for entry in self.entries:
            claim = entry.claim
            lines += [
                f"{claim.row}  {claim.title}: {entry.verdict.text}",
                f"    {claim.statement} ({self._source(claim)})",
            ]
            for part in claim.parts:
                done = [WORDS[piece.kind].lower() for piece in entry.of(part)]
                lacking = [f"{kind} missing" for kind in entry.missing(part)]
                lines.append(f"    - {part.sentence}{_marked(part)} [{', '.join(done + lacking)}]")
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """The ledger as an HTML table; every piece of evidence is a link to its place."""
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("Row", "Claim", "Verdict"))
        rows = "\n".join(self._row(entry) for entry in self.entries)
        return (
            '<table class="ledger">\n'
            "<caption>Every claim, its verdict, and links to the evidence</caption>\n"
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
        )

    def _row(self, entry: Entry) -> str:
        claim, verdict = entry.claim, entry.verdict
        parts = "\n".join(
            f"<li>{rich(part.sentence)}{_marked(part)} "
            f'<span class="ledger-links">{_links(entry, part)}</span></li>'
            for part in claim.parts
        )
        return (
            f'<tr id="ledger-{claim.slug}"><th scope="row">{claim.row}</th>\n'
            f'<td><p class="ledger-title">{rich(claim.title)}</p>\n'
            f'<p class="ledger-statement">{rich(claim.statement)} '
            f'<span class="ledger-source">({rich(self._source(claim))})</span></p>\n'
            f'<ul class="ledger-parts">\n{parts}\n</ul></td>\n'
            f'<td class="ledger-verdict ledger-{verdict.kind}">{rich(verdict.text)}</td></tr>'
        )

    def _source(self, claim: Claim) -> str:
        names = [self.sources.get(key, key) for key in re.split(r"[,;]\s*", claim.source)]
        return "; ".join(names) + (f", {claim.place}" if claim.place else "")


@dataclass(frozen=True)
class Totals:
    """Claims by verdict and pieces of evidence by kind. Shown as two sentences."""

    claims: dict[str, int]
    evidence: dict[str, int]

    @property
    def text(self) -> str:
        """The totals in words."""
        verdicts = ", ".join(f"{self.claims[k]} {words}" for k, words in VERDICTS.items())
        pieces = ", ".join(f"{n} {WORDS[kind].lower()}" for kind, n in self.evidence.items())
        return (
            f"Claims: {sum(self.claims.values())} ({verdicts}).\n"
            f"Pieces of evidence: {sum(self.evidence.values())} ({pieces})."
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        lines = "".join(f"<p>{rich(line)}</p>" for line in self.text.split("\n"))
        return {"text/plain": self.text, "text/html": f'<div class="ledger-totals">{lines}</div>'}


def build(book: Path | str | None = None) -> Ledger:
    """The ledger of the book in folder `book`, by default the one at or above the working place."""
    folder = find_book() if book is None else Path(book)
    claims = current_claims()
    chapters = sorted({chapter for claim in claims.values() for chapter in claim.chapters})
    found = [piece for chapter in chapters for piece in find_evidence(folder, chapter, claims)]
    strays = tuple(piece for piece in found if piece.part.partition("/")[0] not in claims)
    entries = tuple(
        Entry(claim, tuple(p for p in found if p.part.partition("/")[0] == claim.slug))
        for claim in sorted(claims.values(), key=_order)
    )
    return Ledger(entries, _sources(folder / "references.bib"), strays)


def totals(book: Path | str | None = None) -> Totals:
    """The totals of the ledger, for the index page."""
    return build(book).totals


def find_book() -> Path:
    """The folder `book` beside `_toc.yml`, at or above the working folder or the checkout."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[3]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder / "book"
    raise FileNotFoundError(f"no folder 'book' with _toc.yml beside it at or above {here}")


def _order(claim: Claim) -> tuple[str, int, str]:
    return claim.row[0], int(re.sub(r"\D", "", claim.row)), claim.slug


def _marked(part: Part) -> str:
    return " (predicate restated)" if part.restated else ""


def _links(entry: Entry, part: Part) -> str:
    links = [
        f'<a class="ledger-link" href="{piece.link}" '
        f'aria-label="{WORDS[piece.kind].lower()}: {piece.part}">{WORDS[piece.kind].lower()}</a>'
        for piece in entry.of(part)
    ]
    lacking = [f'<em class="ledger-missing">{kind} missing</em>' for kind in entry.missing(part)]
    return ", ".join(links + lacking)


@functools.lru_cache(maxsize=4)
def _bibliography(path: Path, stamp: int) -> dict[str, str]:
    names = {}
    for key, body in re.findall(r"@\w+\{([^,\s]+),(.*?)\n\}", path.read_text("utf-8"), re.S):
        fields = dict(re.findall(r"^\s*(author|year)\s*=\s*[{\"](.+?)[}\"],?\s*$", body, re.M))
        authors = [a.strip("{} ") for a in re.split(r"\s+and\s+", fields.get("author", key))]
        last = [a.split(",")[0] if "," in a else a.split()[-1] for a in authors]
        who = last[0] if len(last) == 1 else " and ".join(last) if len(last) == 2 else ""
        names[key] = f"{who or f'{last[0]} et al.'} {fields.get('year', '')}".strip()
    return names


def _sources(path: Path) -> dict[str, str]:
    return _bibliography(path, path.stat().st_mtime_ns) if path.is_file() else {}
