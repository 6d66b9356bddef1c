"""The book's rules for notebooks, as functions that return what is wrong in words.

Each rule takes a notebook and yields faults; ``find_faults`` joins the rules that hold for every
notebook with those for chapters. ``tests/book`` runs them on the book, and
``python -m ssl_dynamics.press guard NOTEBOOK`` on one's own work.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

SECTIONS = (
    "Question",
    "Derivation",
    "Check",
    "Experiment",
    "Play",
    "Where it breaks",
    "Takeaways",
    "Exercises",
    "References",
)
NO_CHAPTERS = ("index", "ledger", "reproducing", "published")
"""Pages and short notes that do without the sections of a chapter."""
MAX_CELLS = 40
MAX_SECONDS = 60
MAX_EXCUSED = 5
EXCUSED_TAGS = ("nbval-ignore-output", "nbval-skip")
REASON = re.compile(r"#\s*not compared:\s*\S+(\s+\S+){3,}")
MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users|work|tmp|opt|var|usr|mnt)/[\w.\-]+"
    r"|\bat 0x[0-9a-fA-F]+|\b0x[0-9a-fA-F]{10,}\b"
    r"|[A-Za-z]:\\\\?Users\\"
)
UNREADABLE = ("image/png", "image/jpeg")


def find_faults(notebook: NotebookNode, *, name: str, chapter: bool | None = None) -> list[str]:
    """All faults of one notebook; ``chapter`` says whether the chapter rules hold too.

    By default every notebook is a chapter except those of :data:`NO_CHAPTERS`.
    """
    is_chapter = name not in NO_CHAPTERS if chapter is None else chapter
    rules = [*EVERY_NOTEBOOK, *(EVERY_CHAPTER if is_chapter else ())]
    return [fault for rule in rules for fault in rule(notebook)]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def executed_in_order(notebook: NotebookNode) -> Iterator[str]:
    """Every code cell was executed, first to last, in one go, without an error."""
    for number, cell in enumerate(code_cells(notebook), 1):
        if not cell.source.strip():
            yield f"cell {cell.id}: empty code cell"
        if cell.execution_count != number:
            yield f"cell {cell.id}: execution count {cell.execution_count}, expected {number}"
        for item in cell.outputs:
            if item.output_type == "error":
                yield f"cell {cell.id}: stored error {item.ename}: {item.evalue}"
            if item.output_type == "stream" and item.name == "stderr":
                yield f"cell {cell.id}: writes to stderr: {item.text.strip()[:80]!r}"


def nothing_silenced(notebook: NotebookNode) -> Iterator[str]:
    """No trailing ``;``, no comment that switches the comparison off, tags only with a reason."""
    for cell in code_cells(notebook):
        lines = [line.split("#")[0].rstrip() for line in cell.source.rstrip().splitlines()]
        if any(line.endswith(";") for line in lines):
            yield f"cell {cell.id}: a trailing ';' silences nothing here, write `_ = ...`"
        if re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE)", cell.source):
            yield f"cell {cell.id}: nbval comment; use a tag and a reason"
        if re.search(r"^\s*%%?(capture|xmode)", cell.source, re.MULTILINE):
            yield f"cell {cell.id}: %%capture hides what is to be compared"
        if excused(cell) and not REASON.search(cell.source):
            yield f"cell {cell.id}: tag without `# not compared: the reason in a few words`"
        if {"raises-exception", "nbval-raises-exception"} & set(cell.metadata.get("tags", [])):
            yield f"cell {cell.id}: raises-exception hides failures; use try/except and assert"


def excused(cell: NotebookNode) -> bool:
    """Whether nbval does not compare this cell."""
    return bool(set(EXCUSED_TAGS) & set(cell.metadata.get("tags", [])))


def pictures_described(notebook: NotebookNode) -> Iterator[str]:
    """Every picture has an alt sentence that is not its caption's copy, a caption and a name."""
    for cell in code_cells(notebook):
        pictures = [item for item in cell.outputs if set(item.get("data", {})) & set(UNREADABLE)]
        if not pictures:
            if "figure" in cell.metadata.get("mystnb", {}):
                yield f"cell {cell.id}: has a caption, but shows no picture"
            continue
        if len(cell.outputs) > 1:
            yield f"cell {cell.id}: a picture and other output in one cell, one caption; split it"
        settings = cell.metadata.get("mystnb", {})
        alt = settings.get("image", {}).get("alt", "")
        figure = settings.get("figure", {})
        if len(alt.split()) < 5:
            yield f"cell {cell.id}: alt text must be a sentence (mystnb.image.alt), got {alt!r}"
        if len(figure.get("caption", "").split()) < 3:
            yield f"cell {cell.id}: picture without a caption (mystnb.figure.caption)"
        if not figure.get("name", "").startswith("fig-"):
            yield f"cell {cell.id}: picture without a name fig-... (mystnb.figure.name)"
        if alt and alt == figure.get("caption"):
            yield f"cell {cell.id}: alt text repeats the caption"


def nothing_of_this_machine(notebook: NotebookNode) -> Iterator[str]:
    """No machine path and no memory address in what the reader sees."""
    for cell in notebook.cells:
        texts = [cell.source] if cell.cell_type == "markdown" else []
        for item in cell.get("outputs", []):
            texts.append(str(item.get("text", "")))
            texts += [str(v) for k, v in item.get("data", {}).items() if k not in UNREADABLE]
        for text in texts:
            hit = MACHINE.search(text)
            if hit:
                yield f"cell {cell.id}: shows {hit[0]!r}"


def imports_are_clean(notebook: NotebookNode) -> Iterator[str]:
    """No star import, no widget that is dead without a kernel, no path tricks."""
    for cell in code_cells(notebook):
        tree = parse(cell)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                if "*" in names:
                    yield f"cell {cell.id}: from {node.module} import *"
                if (node.module or "").startswith("ipywidgets") and names & {"interact", "Output"}:
                    yield f"cell {cell.id}: interact and Output are dead without a kernel"
            if isinstance(node, ast.Attribute) and node.attr in {"interact", "set_title"}:
                yield f"cell {cell.id}: .{node.attr} is not used in this book"


def headings_in_order(notebook: NotebookNode) -> Iterator[str]:
    """One title, then the sections of a chapter in their order."""
    levels = list(headings(notebook))
    if sum(level == 1 for level, _ in levels) != 1 or not levels or levels[0][0] != 1:
        yield "a chapter has exactly one heading of level one, and it comes first"
    found = tuple(text for level, text in levels if level == 2)
    if found != SECTIONS:
        yield f"sections are {', '.join(found)}; expected {', '.join(SECTIONS)}"


def headings(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """Level and text of every heading outside code blocks and directives."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"^ *(`{3,}|~{3,}).*?^ *\1 *$", "", cell.source, flags=re.M | re.S)
        for hashes, title in re.findall(r"^(#{1,6}) +(.+?)\s*$", text, re.MULTILINE):
            yield len(hashes), title


def one_reference_list(notebook: NotebookNode) -> Iterator[str]:
    """Chapters cite; the list stands once, on the page References."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "{bibliography}" in cell.source:
            yield f"cell {cell.id}: cite with {{cite:t}}; the list is on the page References"


def small_enough(notebook: NotebookNode) -> Iterator[str]:
    """A chapter fits one sitting and one minute of two cores."""
    if len(notebook.cells) > MAX_CELLS + 10:
        yield f"{len(notebook.cells)} cells, the aim is {MAX_CELLS}"
    seconds = notebook.metadata.get("ssl_dynamics", {}).get("seconds", 0)
    if seconds > MAX_SECONDS * 2:
        yield f"ran {seconds} s, at most {MAX_SECONDS} s on two free cores"


def exact_derivation(notebook: NotebookNode) -> Iterator[str]:
    """No float literal in the code of the section Derivation."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for found in re.findall(r"^## +(.+?)\s*$", cell.source, re.MULTILINE):
                section = found
        elif section == "Derivation":
            for node in ast.walk(parse(cell)):
                if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
                    yield f"cell {cell.id}: float {node.value} in a derivation; use sp.Rational"
                if isinstance(node, ast.Attribute) and node.attr in {"evalf", "sympify"}:
                    yield f"cell {cell.id}: .{node.attr} in a derivation"


def parse(cell: NotebookNode) -> ast.Module:
    """The syntax tree of a code cell; lines that only IPython understands are left out."""
    source = re.sub(r"^\s*[%!].*$", "pass", cell.source, flags=re.MULTILINE)
    return ast.parse(source)


EVERY_NOTEBOOK = (
    executed_in_order,
    nothing_silenced,
    pictures_described,
    nothing_of_this_machine,
    imports_are_clean,
    one_reference_list,
)
EVERY_CHAPTER = (headings_in_order, small_enough, exact_derivation)
