"""The table of symbols is complete, free of double meanings, and names the right chapters."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest
import sympy as sp

from ssl_dynamics import theory
from ssl_dynamics.theory import notation

BOOK = Path(__file__).parents[2] / "book"
THEORY_OF = {"layers": "depth", "index": "teaser", "measures": "clustering_measures"}
"""Theory module of a page where the two names differ."""
TOPICS = sorted(
    module.name for module in pkgutil.iter_modules(theory.__path__) if module.name != "notation"
)


def forms(topic: str) -> dict:
    return getattr(importlib.import_module(f"ssl_dynamics.theory.{topic}"), "FORMS", {})


def free_symbols(form) -> set[sp.Symbol]:
    return set(form.args) | set(form.expr.free_symbols)


def test_no_symbol_and_no_latex_has_two_meanings():
    for key in (lambda r: r.symbol.name, lambda r: r.latex, lambda r: r.meaning):
        values = [key(row) for row in notation.SYMBOLS]
        assert len(values) == len(set(values))


def test_every_row_is_complete():
    for row in notation.SYMBOLS:
        assert all((row.latex, row.meaning, row.shape, row.chapters)), row
        assert set(row.chapters) <= set(notation.CHAPTERS), row


def test_a_second_meaning_is_refused():
    with pytest.raises(ValueError, match="already means"):
        notation._row("varphi", r"\phi_2", "something else", "simsiam")
    with pytest.raises(ValueError, match="already means"):
        notation._row("phi_2", r"\varphi", "something else", "simsiam")
    with pytest.raises(ValueError, match="unknown chapter"):
        notation._row("phi_2", r"\phi_2", "something else", "no-such-chapter")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_free_symbol_of_every_form_is_in_the_table(topic):
    table = {row.symbol for row in notation.SYMBOLS}
    for name, form in forms(topic).items():
        missing = sorted(map(str, free_symbols(form) - table))
        assert not missing, f"{topic}.{name}: not in theory/notation.py: {missing}"


@pytest.mark.parametrize("chapter", notation.CHAPTERS)
def test_every_row_is_used_in_the_chapters_it_names(chapter):
    (notebook,) = BOOK.rglob(f"{chapter}.ipynb")
    text = "".join("".join(cell["source"]) for cell in json.loads(notebook.read_text())["cells"])
    own = forms(THEORY_OF.get(chapter, chapter)).values()
    used = {symbol for form in own for symbol in free_symbols(form)}
    unused = [
        row.symbol.name
        for row in notation.SYMBOLS
        if chapter in row.chapters and row.symbol not in used and row.latex not in text
    ]
    assert not unused, f"notation.py says {chapter} uses {unused}, but it does not"
