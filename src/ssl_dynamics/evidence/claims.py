"""Claims and their parts, read from `claims/<chapter>.toml` and validated in full.

A claim is settled by its parts. Each part is one checkable sentence with the kinds of evidence it
requires and the tolerance or predicate that evidence must meet, declared here, before any run. A
predicate that was changed after a first look at data says so: `restated` tells what was declared
first, when it was changed and why, and every block of that part shows it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ssl_dynamics.evidence.predicates import Predicate

KINDS = ("prove", "check", "observe", "refute")
FOLDER = Path(__file__).parent / "claims"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ROW = re.compile(r"[A-Z]\d+[a-z]?")
_CHAPTER = re.compile(r"([a-z][a-z0-9_]*/)?[a-z][a-z0-9_]*")
_HOMES = {"teaser": "index"}
_CLAIM_KEYS = {"slug", "row", "title", "statement", "source", "chapters", "part"}
_CLAIM_OPTIONS = {"place", "condition"}
_PART_KEYS = {"id", "sentence", "evidence"}
_PART_OPTIONS = {"tolerance", "predicate", "fraction", "restated"}


class ClaimError(Exception):
    """A claims file is not valid, or a part is not listed. The message names file and field."""


@dataclass(frozen=True)
class Part:
    """One checkable sentence of a claim and the evidence it requires."""

    slug: str
    id: str
    sentence: str
    evidence: tuple[str, ...]
    tolerance: float | None = None
    predicate: Predicate | None = None
    fraction: bool = False
    restated: str = ""

    @property
    def bound(self) -> float:
        """The declared tolerance of a part that asks for a check."""
        if self.tolerance is None:
            raise ClaimError(f"{self.ref} declares no tolerance")
        return self.tolerance

    @property
    def expected(self) -> Predicate:
        """The declared predicate of a part that asks for an observation."""
        if self.predicate is None:
            raise ClaimError(f"{self.ref} declares no predicate")
        return self.predicate

    @property
    def ref(self) -> str:
        """`slug/id`, the name used in code."""
        return f"{self.slug}/{self.id}"

    def anchor(self, kind: str) -> str:
        """The HTML id of this part's evidence of one kind."""
        return f"evidence-{self.slug}-{self.id}-{kind}"

    @property
    def fingerprint(self) -> str:
        """Changes when what the part says or demands changes: older evidence is then void."""
        text = [self.ref, self.sentence, self.tolerance, str(self.predicate), self.fraction]
        text += [self.restated] if self.restated else []
        return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Claim:
    """A statement with its source, the chapters that treat it, and the parts that settle it."""

    slug: str
    row: str
    title: str
    statement: str
    source: str
    chapters: tuple[str, ...]
    parts: tuple[Part, ...]
    place: str = ""
    condition: str = ""


def load_claims(folder: Path | str = FOLDER) -> dict[str, Claim]:
    """Every claim of every `*.toml` in `folder`, by slug; raises ClaimError at the first fault."""
    folder = Path(folder)
    stamps = tuple((p.name, p.stat().st_mtime_ns) for p in sorted(folder.glob("*.toml")))
    return dict(_load(folder, stamps))


@functools.lru_cache(maxsize=8)
def _load(folder: Path, stamps: tuple) -> Mapping[str, Claim]:
    claims: dict[str, Claim] = {}
    anchors: dict[str, str] = {}
    for name, _ in stamps:
        for claim in read_claims(folder / name):
            if claim.slug in claims:
                raise ClaimError(f"{folder / name}: slug {claim.slug!r} is used twice")
            claims[claim.slug] = claim
            for part in claim.parts:
                anchor = part.anchor("")
                if anchor in anchors:
                    raise ClaimError(
                        f"{folder / name}: {part.ref} and {anchors[anchor]} share the anchor "
                        f"{anchor!r}; rename one"
                    )
                anchors[anchor] = part.ref
    return claims


def read_claims(path: Path) -> list[Claim]:
    """The claims of one file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ClaimError(f"{path}: {error}") from None
    entries = data.get("claim", [])
    if set(data) - {"claim"} or not isinstance(entries, list):
        raise ClaimError(f"{path}: only [[claim]] tables are allowed, given {sorted(data)}")
    return [_claim(f"{path}", path.stem, entry) for entry in entries]


def current_claims() -> dict[str, Claim]:
    """The claims in use: the package's own, or those of an enclosing `claims_from`."""
    return load_claims(_in_use[-1])


def find_part(ref: str) -> tuple[Claim, Part]:
    """The claim and the part named `slug/part-id`, among the claims in use."""
    claims = current_claims()
    slug, _, part_id = str(ref).partition("/")
    if slug not in claims:
        raise ClaimError(f"no claim {slug!r} is listed; listed: {', '.join(sorted(claims))}")
    for part in claims[slug].parts:
        if part.id == part_id:
            return claims[slug], part
    listed = ", ".join(part.ref for part in claims[slug].parts)
    raise ClaimError(f"no part {ref!r} is listed; claim {slug!r} has: {listed}")


_in_use: list[Path] = [FOLDER]


@contextlib.contextmanager
def claims_from(folder: Path | str) -> Iterator[None]:
    """Use the claims of another folder inside a `with` block; the tests need this."""
    _in_use.append(Path(folder))
    try:
        yield
    finally:
        _in_use.pop()


def _claim(where: str, stem: str, entry: Mapping) -> Claim:
    given = entry.get("slug") if isinstance(entry, Mapping) else None
    where = f"{where}: claim {given!r}"
    _keys(where, entry, _CLAIM_KEYS, _CLAIM_OPTIONS)
    _texts(where, entry, (_CLAIM_KEYS | _CLAIM_OPTIONS) - {"chapters", "part"})
    slug = str(given)
    if not _ID.fullmatch(slug):
        raise ClaimError(f"{where}: slug must be lower-case words joined by '-'")
    if not _ROW.fullmatch(entry["row"]):
        raise ClaimError(f"{where}: row = {entry['row']!r}; allowed: a letter and a number, as B8")
    chapters = entry["chapters"]
    if not isinstance(chapters, list) or not chapters:
        raise ClaimError(
            f"{where}: chapters = {chapters!r}; allowed: a list such as ['part/topic']"
        )
    for chapter in chapters:
        if not isinstance(chapter, str) or not _CHAPTER.fullmatch(chapter):
            raise ClaimError(f"{where}: chapters: {chapter!r} is not of the form 'part/topic'")
    if _HOMES.get(stem, stem) not in [chapter.rpartition("/")[2] for chapter in chapters]:
        raise ClaimError(
            f"{where}: unknown chapter: file {stem}.toml holds the claims of a chapter named "
            f"{_HOMES.get(stem, stem)!r}, given chapters = {chapters}"
        )
    if not isinstance(entry["part"], list) or not entry["part"]:
        raise ClaimError(f"{where}: at least one [[claim.part]] is needed")
    parts = tuple(_part(where, slug, part) for part in entry["part"])
    ids = [part.id for part in parts]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise ClaimError(f"{where}: part id {sorted(twice)[0]!r} is used twice")
    return Claim(
        slug=slug,
        row=entry["row"],
        title=entry["title"],
        statement=entry["statement"],
        source=entry["source"],
        chapters=tuple(chapters),
        parts=parts,
        place=entry.get("place", ""),
        condition=entry.get("condition", ""),
    )


def _part(where: str, slug: str, entry: Mapping) -> Part:
    where = f"{where}, part {entry.get('id') if isinstance(entry, Mapping) else None!r}"
    _keys(where, entry, _PART_KEYS, _PART_OPTIONS)
    _texts(where, entry, {"id", "sentence", "predicate", "restated"})
    kinds = entry["evidence"]
    if not isinstance(kinds, list) or not kinds or len(set(map(str, kinds))) != len(kinds):
        raise ClaimError(f"{where}: evidence = {kinds!r}; allowed: a list of {', '.join(KINDS)}")
    for kind in kinds:
        if kind not in KINDS:
            raise ClaimError(
                f"{where}: unknown evidence kind {kind!r}; allowed: {', '.join(KINDS)}"
            )
    if not _ID.fullmatch(entry["id"]):
        raise ClaimError(f"{where}: id must be lower-case words joined by '-'")
    for kind, field in (("check", "tolerance"), ("observe", "predicate")):
        if (kind in kinds) != (field in entry):
            missing = "is missing" if kind in kinds else f"is given, but {kind!r} is not required"
            raise ClaimError(f"{where}: {field} {missing}")
    tolerance = entry.get("tolerance")
    if tolerance is not None and (
        isinstance(tolerance, bool)
        or not isinstance(tolerance, int | float)
        or not 0 < tolerance <= 0.1
    ):
        raise ClaimError(f"{where}: tolerance = {tolerance!r}; allowed: 0 < tolerance <= 0.1")
    fraction = entry.get("fraction", False)
    if not isinstance(fraction, bool) or (fraction and "observe" not in kinds):
        raise ClaimError(f"{where}: fraction = {fraction!r}; allowed: true or false, with observe")
    restated = entry.get("restated", "").strip()
    if restated and "observe" not in kinds:
        raise ClaimError(f"{where}: restated is given, but 'observe' is not required")
    predicate = None
    if "predicate" in entry:
        try:
            predicate = Predicate.parse(entry["predicate"])
        except ValueError as error:
            raise ClaimError(f"{where}: predicate: {error}") from None
    return Part(
        slug,
        entry["id"],
        entry["sentence"],
        tuple(kinds),
        tolerance,
        predicate,
        fraction,
        restated,
    )


def _keys(where: str, entry: Mapping, needed: set[str], optional: set[str]) -> None:
    if not isinstance(entry, Mapping):
        raise ClaimError(f"{where}: a table is needed, given {entry!r}")
    if missing := sorted(needed - set(entry)):
        raise ClaimError(f"{where}: {missing[0]} is missing")
    if unknown := sorted(set(entry) - needed - optional):
        raise ClaimError(
            f"{where}: unknown key {unknown[0]!r}; allowed: {', '.join(sorted(needed | optional))}"
        )


def _texts(where: str, entry: Mapping, keys: set[str]) -> None:
    for key in sorted(keys & set(entry)):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ClaimError(f"{where}: {key} = {entry[key]!r}; allowed: a non-empty text")
