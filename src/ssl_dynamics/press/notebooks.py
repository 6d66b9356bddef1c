"""Where the book's pages are, and how a notebook lies on disk.

A notebook on disk is *normal*: the same content always gives the same bytes. ``normalise`` removes
what differs from run to run (random identifiers, time stamps, widget state, kernel details) and
keeps what is read and compared.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
NOTEBOOK_KEEP = ("mystnb", "ssl_dynamics")
CELL_KEEP = ("tags", "mystnb", "editable")
LAST = ("ledger", "index")
"""Notebooks that are executed after all others: they read what the others show."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def find_root(start: Path | None = None) -> Path:
    """The folder with ``_toc.yml``, at or above ``start`` (default: the current folder)."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file():
            return folder
    raise FileNotFoundError(f"no _toc.yml in {here} or above: run this inside the repository")


def toc_pages(root: Path) -> list[Path]:
    """All pages of the table of contents in reading order, as existing files."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    names: list[str] = [toc["root"]]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "file" in node:
                names.append(node["file"])
            for key in ("parts", "chapters", "sections", "subtrees", "entries"):
                walk(node.get(key, []))
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk({key: value for key, value in toc.items() if key != "root"})
    pages = []
    for name in names:
        hits = [
            root / f"{name}{end}" for end in (".ipynb", ".md") if (root / f"{name}{end}").exists()
        ]
        if not hits:
            raise FileNotFoundError(f"_toc.yml names {name!r}, but there is no such .ipynb or .md")
        pages.append(hits[0])
    return pages


def toc_notebooks(root: Path) -> list[Path]:
    """The notebooks of the book in the order of execution: toc order, ledger and index last."""
    found = [page for page in toc_pages(root) if page.suffix == ".ipynb"]
    return sorted(found, key=lambda page: LAST.index(page.stem) + 1 if page.stem in LAST else 0)


def read(path: Path) -> NotebookNode:
    """Read a notebook; a broken file is named."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise ValueError(f"{path} is no readable notebook: {error}") from error


def text_of(notebook: NotebookNode) -> str:
    """The bytes of a notebook as text; equal notebooks give equal text."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(path: Path, notebook: NotebookNode) -> bool:
    """Write ``notebook`` if that changes the file; returns whether it did. Never half a file."""
    text = text_of(notebook)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    return True


def title_of(notebook: NotebookNode) -> str:
    """The text of the first heading of level one."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            hit = re.search(r"^# +(.+?)\s*$", cell.source, re.MULTILINE)
            if hit:
                return hit[1]
    return ""


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Bring ``notebook`` into its normal form, in place, and return it."""
    kept = {key: notebook.metadata[key] for key in NOTEBOOK_KEEP if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE), **kept}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    section, executed = "start", 0
    numbers: Counter[str] = Counter()
    for cell in notebook.cells:
        section = _section(cell) or section
        numbers[section] += 1
        cell.id = f"{section}-{numbers[section]:02d}"
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_KEEP if cell.metadata.get(key)}
        )
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        if cell.cell_type == "code":
            executed += 1
            cell.execution_count = executed if cell.execution_count is not None else None
            cell.outputs = [_output(item, cell.execution_count) for item in _merged(cell.outputs)]
    return notebook


def _section(cell: NotebookNode) -> str | None:
    """The slug of the last heading of level one or two that the cell opens."""
    if cell.cell_type != "markdown":
        return None
    outside_code = re.sub(r"^(`{3,}|:{3,}|~{3,}).*?^\1", "", cell.source, flags=re.M | re.S)
    headings = re.findall(r"^(#{1,2}) +(.+?)\s*$", outside_code, re.MULTILINE)
    if not headings:
        return None
    level, text = headings[-1]
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return "title" if level == "#" else slug or "section"


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream become one output, as on every faster machine."""
    merged: list[NotebookNode] = []
    for item in outputs:
        last = merged[-1] if merged else None
        if item.output_type == "stream" and last is not None and last.get("name") == item.name:
            last.text += item.text
        else:
            merged.append(item)
    return merged


def _output(item: NotebookNode, count: int | None) -> NotebookNode:
    """One output without what is random in it."""
    if "data" in item:
        item.data.pop(WIDGET_VIEW, None)
        item.data = nbformat.from_dict(dict(sorted(item.data.items())))
    if item.output_type == "execute_result":
        item.execution_count = count
    return item
