"""The ledger against real, executed notebooks: it never says more than they show."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest

from ssl_dynamics.evidence import ledger
from ssl_dynamics.evidence.claims import Claim, Part
from ssl_dynamics.evidence.display import METADATA_KEY
from ssl_dynamics.evidence.found import Found
from ssl_dynamics.evidence.ledger import Entry
from ssl_dynamics.press.refresh import execute
from ssl_dynamics.records import Record, save

TOY = (Path(__file__).parent / "toy.toml").read_text(encoding="utf-8")
CELLS = [
    "import numpy as np, sympy as sp\n"
    "from ssl_dynamics.evidence import check, observe, prove, refute\n"
    "a, b = sp.symbols('a b', real=True)",
    "prove('toy/square', (a - b)**2, a**2 - 2*a*b + b**2)",
    "m = [np.arange(k) + 1.5 for k in range(1, 9)]\n"
    "check('toy/square', m, [x + 1e-14 for x in m], varied='length 1..8')",
    "observe('toy/seen', 'toy/run', 'x')",
    "observe('toy/share', 'toy/run', 'ones')",
    "observe('toy/changed', 'toy/run', 'threes')",
    "refute('toy/zero', {a: 0}, a**2 <= 0)",
]


REPEATED = [
    CELLS[1],
    "prove('toy/square', (a - b)**2 - a**2, b**2 - 2*a*b, assumptions=[a > 0])",
    CELLS[1],
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """All cells, run once in a real kernel, with their outputs."""
    folder = tmp_path_factory.mktemp("chapter")
    run = Record(
        experiment="toy",
        name="run",
        config={},
        seeds=list(range(12)),
        metrics={"x": 0.6 + 0.01 * np.arange(12), "ones": np.ones(12), "threes": np.full(12, 3.0)},
        axes={},
        device="cpu",
        versions={},
        revision="unknown",
        wall_s=1.0,
        command="",
        created="",
    )
    save(run, folder / "results")
    (folder / "claims").mkdir()
    (folder / "claims" / "toy.toml").write_text(TOY, encoding="utf-8")
    start = (
        "from ssl_dynamics.evidence import claims_from\nu = claims_from('claims')\nu.__enter__()"
    )
    sources = [start, *CELLS, *REPEATED]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    done = execute(notebook, folder=folder, name="toy.ipynb")
    return json.loads(nbformat.writes(done))["cells"]


@pytest.fixture
def cells(executed: list[dict], toy_claims: Path) -> list[dict]:
    """The executed cells of a chapter that settles every part of the toy claim."""
    return copy.deepcopy(executed[1 : len(CELLS) + 1])


def book_of(tmp_path: Path, cells: list[dict]) -> Path:
    """A book with one chapter made of these cells."""
    book = tmp_path / "book"
    (book / "part").mkdir(parents=True, exist_ok=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (book / "part" / "toy.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (book / "references.bib").write_text(
        "@article{someone2020,\n  author = {One, Some and Two, A and Three, B},\n"
        "  year = {2020},\n}\n",
        encoding="utf-8",
    )
    return book


def verdict(tmp_path: Path, cells: list[dict]) -> str:
    return ledger.build(book_of(tmp_path, cells)).entries[0].verdict.text


def test_each_verb_shows_one_display_with_anchor_and_metadata(cells):
    assert [len(cell["outputs"]) for cell in cells] == [0, *[1] * 6]
    for cell in cells[1:]:
        output = cell["outputs"][0]
        assert output["output_type"] == "display_data"
        facts = output["metadata"][METADATA_KEY]
        assert set(output["data"]) == {"text/plain", "text/html"}
        assert f'id="{facts["anchor"]}"' in "".join(output["data"]["text/html"])
        assert facts["versions"]["numpy"] == np.__version__


def test_a_second_piece_gets_its_own_anchor_and_a_repeated_cell_keeps_it(executed):
    outputs = [cell["outputs"][0] for cell in executed[-3:]]
    anchors = [output["metadata"][METADATA_KEY]["anchor"] for output in outputs]
    first = "evidence-toy-square-prove"
    assert anchors == [first, f"{first}-2", first]


def test_a_full_chapter_settles_the_claim(cells, tmp_path):
    book = ledger.build(book_of(tmp_path, cells))
    assert book.faults == []
    assert book.entries[0].verdict.text == "refuted as stated"
    assert book.totals.claims["refuted"] == 1
    assert book.totals.evidence == {"prove": 1, "check": 1, "observe": 3, "refute": 1}
    assert 'href="part/toy.html#evidence-toy-square-check"' in book.html
    assert "One et al. 2020" in book.html
    assert [text.count("(predicate restated)") for text in (book.text, book.html)] == [1, 1]
    for text in (book.text, book.html):
        assert "missing" not in text


def test_no_chapter_or_one_piece_less_leaves_it_open(cells, tmp_path):
    assert verdict(tmp_path, []) == "open"
    for number in range(1, len(cells)):
        fewer = cells[:number] + cells[number + 1 :]
        assert verdict(tmp_path, fewer) == "open"
    assert "observe missing" in ledger.build(book_of(tmp_path, cells[:3])).text


def spoil(cell: dict, **facts) -> None:
    cell["outputs"][0]["metadata"][METADATA_KEY].update(facts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c[2].update(execution_count=None), "not executed"),
        (lambda c: spoil(c[2], part="toy/none"), "no such part"),
        (lambda c: spoil(c[2], part="none/none"), "no such part"),
        (lambda c: spoil(c[2], kind="refute"), "does not ask"),
        (lambda c: spoil(c[2], part="toy/seen", kind="observe"), "does not belong"),
        (lambda c: spoil(c[2], fingerprint="0"), "has changed since"),
        (lambda c: spoil(c[2], residuals=[1e-3] * 8), "not below"),
        (lambda c: spoil(c[2], residuals=[]), "incomplete"),
        (lambda c: spoil(c[3], low=0.1), "does not meet"),
        (lambda c: spoil(c[3], n=2), "does not meet"),
        (lambda c: spoil(c[2], anchor="evidence-toy-square-prove"), "does not belong"),
        (lambda c: c.append(copy.deepcopy(c[2])), "used twice"),
        (lambda c: c[2]["outputs"][0]["data"].pop("text/html"), "does not belong"),
        (
            lambda c: c[2]["outputs"].append(
                {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
            ),
            "raised an error",
        ),
    ],
)
def test_evidence_that_does_not_stand_is_a_fault(cells, tmp_path, change, reason):
    change(cells)
    faults = ledger.build(book_of(tmp_path, cells)).faults
    assert len(faults) == 1
    assert reason in faults[0]


def entry(condition: str, *kinds: tuple[str, ...]) -> Entry:
    """A claim with one part for each tuple of kinds, all of them settled."""
    parts = tuple(Part("toy", f"p{i}", "Text.", kind) for i, kind in enumerate(kinds))
    claim = Claim("toy", "B1", "T", "S.", "x", ("part/toy",), parts, condition=condition)
    pieces = [Found("part/toy", p.ref, k, p.anchor(k), {}) for p in parts for k in p.evidence]
    return Entry(claim, tuple(pieces))


@pytest.mark.parametrize(
    ("condition", "kinds", "expected"),
    [
        ("", [("prove",)], "proved"),
        ("", [("prove", "check"), ("check",)], "proved"),
        ("", [("prove", "observe")], "proved"),
        ("", [("prove",), ("observe",)], "proved in part and observed in part"),
        ("", [("check",)], "observed"),
        ("", [("observe",)], "observed"),
        ("small steps", [("prove",)], "holds under small steps"),
        ("small steps", [("observe",)], "observed under small steps"),
        ("", [("prove",), ("refute",)], "refuted as stated"),
        ("small steps", [("prove",), ("refute",)], "refuted as stated; holds under small steps"),
        ("small steps", [("refute",)], "refuted as stated"),
    ],
)
def test_the_verdict_follows_from_all_parts(condition, kinds, expected):
    settled = entry(condition, *kinds)
    assert settled.verdict.text == expected
    for piece in settled.evidence:
        rest = tuple(other for other in settled.evidence if other is not piece)
        assert Entry(settled.claim, rest).verdict.text == "open"
