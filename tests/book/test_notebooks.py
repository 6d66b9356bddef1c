"""The rules of the book, held against every notebook, and proved able to fail."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ssl_dynamics.press import guards
from ssl_dynamics.press.notebooks import find_root, normalise, read, text_of, toc_notebooks

ROOT = find_root(Path(__file__))
NOTEBOOKS = {path.relative_to(ROOT / "book").as_posix(): path for path in toc_notebooks(ROOT)}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_keeps_the_rules(name: str) -> None:
    faults = guards.find_faults(read(NOTEBOOKS[name]), name=Path(name).stem)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_in_normal_form(name: str) -> None:
    path = NOTEBOOKS[name]
    normal = text_of(normalise(read(path)))
    assert path.read_text(encoding="utf-8") == normal, "run `make refresh NB=...`"


def test_few_cells_are_excused_from_comparison() -> None:
    cells = [cell for path in NOTEBOOKS.values() for cell in guards.code_cells(read(path))]
    assert sum(map(guards.excused, cells)) <= guards.MAX_EXCUSED


def test_labels_and_names_are_unique() -> None:
    """Labels of directives and names of figures, over all notebooks and pages."""
    found: Counter[str] = Counter()
    for path in NOTEBOOKS.values():
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                found.update(labels(cell.source))
            else:
                name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
                found.update([name] if name else [])
    for page in (ROOT / "book").rglob("*.md"):
        found.update(labels(page.read_text(encoding="utf-8")))
    repeated = sorted(label for label, times in found.items() if times > 1)
    assert not repeated


def labels(text: str) -> list[str]:
    """The labels that a text sets: directive options and targets."""
    return re.findall(r"^:(?:label|name): *(\S+)\s*$", text, re.MULTILINE) + re.findall(
        r"^\(([A-Za-z][\w:.-]*)\)=\s*$", text, re.MULTILINE
    )


# --- each rule bites ---------------------------------------------------------------------------


def good() -> NotebookNode:
    """A notebook without faults."""
    cells = [new_markdown_cell("# Title")]
    for section in guards.SECTIONS:
        cells.append(new_markdown_cell(f"## {section}"))
    cell = new_code_cell("fig", execution_count=1)
    cell.outputs = [new_output("display_data", data={"image/png": "aa", "text/plain": "<Figure>"})]
    cell.metadata["mystnb"] = {
        "image": {"alt": "The curve falls below one after ten steps."},
        "figure": {"caption": "A falling curve.", "name": "fig-a"},
    }
    cells.insert(2, cell)
    derivation = new_code_cell("x = sp.Rational(1, 2)", execution_count=2)
    cells.insert(4, derivation)
    return normalise(new_notebook(cells=cells))


def break_count(book: NotebookNode) -> None:
    book.cells[2].execution_count = None


def break_error(book: NotebookNode) -> None:
    book.cells[4].outputs = [new_output("error", ename="E", evalue="bad", traceback=[])]


def break_stderr(book: NotebookNode) -> None:
    book.cells[4].outputs = [new_output("stream", name="stderr", text="Warning")]


def break_semicolon(book: NotebookNode) -> None:
    book.cells[4].source = "ax.plot(x);  # quiet"


def break_tag(book: NotebookNode) -> None:
    book.cells[4].metadata["tags"] = ["nbval-skip"]


def break_comment(book: NotebookNode) -> None:
    book.cells[4].source = "# NBVAL_IGNORE_OUTPUT\nx"


def break_alt(book: NotebookNode) -> None:
    book.cells[2].metadata["mystnb"]["image"]["alt"] = "A plot"


def break_caption(book: NotebookNode) -> None:
    del book.cells[2].metadata["mystnb"]["figure"]["caption"]


def break_picture(book: NotebookNode) -> None:
    del book.cells[2].outputs[0]["data"]["image/png"]


def break_lonely(book: NotebookNode) -> None:
    book.cells[2].outputs.append(new_output("stream", name="stdout", text="3"))


def break_list(book: NotebookNode) -> None:
    book.cells[-1].source += "\n```{bibliography}\n```"


def break_name(book: NotebookNode) -> None:
    book.cells[2].metadata["mystnb"]["figure"]["name"] = "plot"


def break_path(book: NotebookNode) -> None:
    book.cells[4].outputs = [new_output("stream", name="stdout", text="in /home/me/x.npz")]


def break_address(book: NotebookNode) -> None:
    book.cells[4].outputs = [new_output("stream", name="stdout", text="<A object at 0x7f3355dca>")]


def break_star(book: NotebookNode) -> None:
    book.cells[4].source = "from sympy import *"


def break_interact(book: NotebookNode) -> None:
    book.cells[4].source = "from ipywidgets import interact"


def break_order(book: NotebookNode) -> None:
    book.cells[1].source, book.cells[3].source = book.cells[3].source, book.cells[1].source


def break_missing(book: NotebookNode) -> None:
    book.cells[-1].source = "nothing"


def break_float(book: NotebookNode) -> None:
    book.cells[4].source = "x = 0.5 * y"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (break_count, "execution count None"),
        (break_error, "stored error"),
        (break_stderr, "stderr"),
        (break_semicolon, "trailing ';'"),
        (break_tag, "not compared"),
        (break_comment, "nbval comment"),
        (break_alt, "alt text must be a sentence"),
        (break_caption, "without a caption"),
        (break_picture, "shows no picture"),
        (break_lonely, "one caption"),
        (break_list, "page References"),
        (break_name, "without a name"),
        (break_path, "/home/me"),
        (break_address, "0x7f3355dca"),
        (break_star, "import *"),
        (break_interact, "dead without a kernel"),
        (break_order, "sections are"),
        (break_missing, "sections are"),
        (break_float, "float 0.5"),
    ],
)
def test_every_rule_bites(change, said: str) -> None:  # type: ignore[no-untyped-def]
    book = good()
    assert guards.find_faults(book, name="x") == []
    change(book)
    assert said in "\n".join(guards.find_faults(book, name="x"))


def test_a_reason_excuses() -> None:
    book = good()
    book.cells[4].metadata["tags"] = ["nbval-ignore-output"]
    book.cells[4].source = "# not compared: the wall time differs from run to run\nx"
    assert guards.find_faults(book, name="x") == []


NBVAL = ("-p", "no:xdist", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "-q")


def test_dropped_stored_output_is_red(tmp_path: Path, root: Path) -> None:
    """nbval itself: green as stored, red with one output deleted, red with one changed."""
    import subprocess
    import sys

    cells = [
        new_code_cell("1 + 1", execution_count=1),
        new_code_cell("print(3)", execution_count=2),
    ]
    cells[0].outputs = [new_output("execute_result", data={"text/plain": "2"}, execution_count=1)]
    cells[1].outputs = [new_output("stream", name="stdout", text="3\n")]
    whole = new_notebook(cells=cells)
    dropped = nbformat.reads(nbformat.writes(whole), as_version=4)
    dropped.cells[1].outputs = []
    changed = nbformat.reads(nbformat.writes(whole), as_version=4)
    changed.cells[0].outputs[0].data["text/plain"] = "3"
    for name, notebook in {"whole": whole, "dropped": dropped, "changed": changed}.items():
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *NBVAL, "-rA", "--color=no", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    ).stdout
    assert "4 passed" in told, told
    assert re.search(r"FAILED dropped\.ipynb::Cell 1", told), told
    assert re.search(r"FAILED changed\.ipynb::Cell 0", told), told
    assert "2 failed" in told, told
