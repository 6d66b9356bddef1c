"""The pages that list: symbols, closed forms, and what each notebook takes and shows."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from ssl_dynamics.press.notebooks import read, title_of, toc_notebooks

EVIDENCE = "ssl_dynamics.evidence"
VERBS = ("prove", "check", "observe", "refute")
CONVENTIONS = r"""
## Conventions

- $\mathrm{vec}$ stacks columns: $\mathrm{vec}(AXB) = (B^\top \otimes A)\,\mathrm{vec}(X)$.
- $B$ is the batch size, in the text as in the code. A population that is listed in full has
  $N$ images with $M$ views each.
- In the code every array carries the seeds axis first: activations `[S, B, d]`, weights
  `[S, out, in]`, biases `[S, out]`. Seeds never mix.
- The deviation of a batch is the biased one: it divides by $B$, not by $B - 1$.
- Where a gradient is taken, the text says whether one branch or both are differentiated.
""".strip()


def notation(root: Path) -> Iterator[tuple[Path, str]]:
    """The table of symbols, from the one that the theory modules import."""
    from ssl_dynamics.theory.notation import SYMBOLS

    lines = [
        "# Notation",
        "",
        "One letter means one thing in the whole book. The table is written from",
        "`ssl_dynamics.theory.notation`; every formula takes its symbols from there, and a test",
        "holds that each symbol of each formula stands in it.",
        "",
        "| Symbol | Meaning | What it is | In the code | Chapters |",
        "| :-- | :-- | :-- | :-- | :-- |",
    ]
    for row in SYMBOLS:
        code = f"`{row.code}`" if row.code else ""
        chapters = ", ".join(_chapter_link(root, chapter) for chapter in row.chapters)
        meaning = row.meaning.replace("|", r"\|")
        kind = _assumed(row.symbol)
        if row.shape != "scalar":
            kind += f", ${row.shape.replace('x', chr(92) + 'times')}$ entries"
        lines.append(f"| ${row.latex}$ | {meaning} | {kind} | {code} | {chapters} |")
    lines += ["", *CONVENTIONS.splitlines(), ""]
    yield root / "book" / "notation.md", "\n".join(lines)


def _assumed(symbol: object) -> str:
    """What the proofs may assume about ``symbol``, in a word."""
    for name, word in (("positive", "positive"), ("nonnegative", "at least 0")):
        if getattr(symbol, f"is_{name}", None):
            return word + (", whole" if getattr(symbol, "is_integer", None) else "")
    return "real" if getattr(symbol, "is_real", None) else "complex"


def _chapter_link(root: Path, chapter: str) -> str:
    """A link to the chapter where its page exists, its bare name elsewhere."""
    hits = sorted((root / "book").glob(f"**/{chapter}.ipynb"))
    words = chapter.replace("_", " ")
    return f"[{words}]({hits[0].relative_to(root / 'book').as_posix()})" if hits else words


def formulas(root: Path) -> Iterator[tuple[Path, str]]:
    """Every closed form of the theory: name, statement, formula, source."""
    import sympy as sp

    from ssl_dynamics.theory.notation import CHAPTERS, LATEX

    keys = re.findall(r"^@\w+\{([^,\s]+),", (root / "book/references.bib").read_text("utf-8"), re.M)
    lines = [
        "# Formulas",
        "",
        "Every closed form of the book. Each is one object of `ssl_dynamics.theory`: the chapter",
        "proves that its derivation ends there, the tests change it and must go red, and the",
        "experiment and the widget call functions generated from it.",
        "",
    ]
    for chapter in CHAPTERS:
        if importlib.util.find_spec(f"ssl_dynamics.theory.{chapter}") is None:
            continue
        module = importlib.import_module(f"ssl_dynamics.theory.{chapter}")
        hits = sorted((root / "book").glob(f"**/{chapter}.ipynb"))
        heading = title_of(read(hits[0])) if hits else chapter
        lines += [f"## {heading}", ""]
        for name, form in module.FORMS.items():
            arguments = ", ".join(f"${argument}$" for argument in _latex(form.args))
            statement = " ".join(form.statement.split()).rstrip(".")
            source = form.source.rstrip(".")
            for key in keys:
                source = re.sub(rf"\b{key}\b", f"{{cite:t}}`{key}`", source)
            lines += [
                f"`theory.{chapter}.{name}` of {arguments}",
                f": {statement[:1].upper()}{statement[1:]}.",
                "",
                "  $$",
                f"  {sp.latex(form.expr, symbol_names=LATEX)}",
                "  $$",
                "",
                f"  *{source[:1].upper()}{source[1:]}.*",
                "",
            ]
    yield root / "book" / "formulas.md", "\n".join(lines)


def execution(root: Path) -> Iterator[tuple[Path, str]]:
    """Cells, time and evidence of every notebook, from the notebooks themselves."""
    lines = [
        "# Execution",
        "",
        "Every notebook of this book is committed as it was executed, and the tests run all cells",
        "again and compare. This page is written from the notebooks: how many code cells each",
        "has, the seconds it took when it was last refreshed (two CPU cores, start of the kernel",
        "and imports included), and the pieces of evidence it shows.",
        "",
        "| Notebook | Code cells | Seconds | Proved | Checked | Observed | Refuted |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
    ]
    totals: Counter[str] = Counter()
    for path in sorted(toc_notebooks(root), key=lambda page: page.stem == "index", reverse=True):
        notebook = read(path)
        counts = Counter(_kinds(notebook))
        counts["cells"] = sum(cell.cell_type == "code" for cell in notebook.cells)
        counts["seconds"] = notebook.metadata.get("ssl_dynamics", {}).get("seconds", 0)
        totals.update(counts)
        link = path.relative_to(root / "book").as_posix()
        numbers = " | ".join(str(counts[key]) for key in ("cells", "seconds", *VERBS))
        lines.append(f"| [{title_of(notebook) or path.stem}]({link}) | {numbers} |")
    numbers = " | ".join(f"**{totals[key]}**" for key in ("cells", "seconds", *VERBS))
    lines += [
        f"| **All** | {numbers} |",
        "",
        "Runs that take longer than a few seconds are recorded: a notebook loads the record, shows",
        "its date, device and number of seeds, and runs a small slice of it again.",
        "",
    ]
    yield root / "book" / "execution.md", "\n".join(lines)


def _kinds(notebook: NotebookNode) -> Iterator[str]:
    """The kind of every piece of evidence that the notebook's outputs carry."""
    for cell in notebook.cells:
        for item in cell.get("outputs", []):
            facts = item.get("metadata", {}).get(EVIDENCE)
            if isinstance(facts, dict) and facts.get("kind") in VERBS:
                yield facts["kind"]


def _latex(symbols: tuple[object, ...]) -> list[str]:
    """LaTeX of each symbol as the notation table writes it."""
    import sympy as sp

    from ssl_dynamics.theory.notation import SYMBOLS

    table = {row.symbol: row.latex for row in SYMBOLS}
    return [table.get(symbol, sp.latex(symbol)) for symbol in symbols]
