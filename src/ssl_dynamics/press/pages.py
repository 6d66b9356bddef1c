"""The pages that are written by a program: notation, execution, API.

They are committed, so that the book builds from what is in the repository; a test holds that they
are current. ``python -m ssl_dynamics.press pages`` writes them.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from nbformat import NotebookNode

from ssl_dynamics.press.notebooks import read, title_of, toc_notebooks

EVIDENCE = "ssl_dynamics.evidence"
VERBS = ("prove", "check", "observe", "refute")
HEAD = "<!-- Written by `make pages`; changes made here are lost. -->\n\n"

PACKAGES = {
    "symbolic": "Exact algebra: zero tests, closed forms, batch vectors, code generation",
    "theory": "The book's results as closed forms, one module a chapter",
    "networks": "Layers with a leading seeds axis",
    "losses": "Losses",
    "data": "Data and streams of randomness",
    "measures": "What is measured on a trained network",
    "training": "The training loop and what it needs",
    "experiments": "The experiments, one module each",
    "evidence": "The four verbs and the claims",
    "live": "Widgets that work with and without a kernel",
    "figures": "One style for all figures",
    "records": "Recorded runs",
    "cli": "The command line",
    "press": "Making the book",
}
"""Top-level modules in the order of the API pages, each with its one-line title."""


def write_pages(root: Path, *, only: Collection[str] | None = None) -> list[Path]:
    """Write the generated pages (``only`` some of them); returns those that changed."""
    written = []
    for path, text in generate(root, only=only):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def generate(root: Path, *, only: Collection[str] | None = None) -> Iterator[tuple[Path, str]]:
    """Path and text of every generated page, without writing it."""
    makers: dict[str, Callable[[Path], Iterator[tuple[Path, str]]]] = {
        "notation": _notation,
        "formulas": _formulas,
        "execution": _execution,
        "api": _api,
    }
    for name, maker in makers.items():
        if only is None or name in only:
            yield from maker(root)


def _notation(root: Path) -> Iterator[tuple[Path, str]]:
    """The table of symbols, from the one that the theory modules import."""
    from ssl_dynamics.theory.notation import SYMBOLS

    lines = [
        "# Notation",
        "",
        "One letter means one thing in the whole book. The table is written from",
        "`ssl_dynamics.theory.notation`; every formula takes its symbols from there, and a test",
        "holds that each symbol of each formula stands in it.",
        "",
        "| Symbol | Meaning | Shape | Assumed | In the code | Chapters |",
        "| :-- | :-- | :-- | :-- | :-- | :-- |",
    ]
    for row in SYMBOLS:
        code = f"`{row.code}`" if row.code else ""
        chapters = ", ".join(_chapter_link(root, chapter) for chapter in row.chapters)
        meaning = row.meaning.replace("|", r"\|")
        lines.append(
            f"| ${row.latex}$ | {meaning} | {row.shape} | {_assumed(row.symbol)} "
            f"| {code} | {chapters} |"
        )
    lines += [
        "",
        "## Conventions",
        "",
        r"- $\mathrm{vec}$ stacks columns: $\mathrm{vec}(AXB) = (B^\top \otimes A)\,\mathrm{vec}(X)$.",
        "- $B$ is the batch size, in the text as in the code. A population that is listed in full",
        "  has $N$ images with $M$ views each.",
        "- In the code every array carries the seeds axis first: activations `[S, B, d]`, weights",
        "  `[S, out, in]`, biases `[S, out]`. Seeds never mix.",
        "- The deviation of a batch is the biased one: it divides by $B$, not by $B - 1$.",
        "- In a sentence about gradients, it is said whether one branch or both are differentiated.",
        "",
    ]
    yield root / "book" / "notation.md", HEAD + "\n".join(lines)


def _assumed(symbol: object) -> str:
    """What the proofs may assume about ``symbol``, in a word."""
    for name, word in (("positive", "positive"), ("nonnegative", "at least 0")):
        if getattr(symbol, f"is_{name}", None):
            return word + (", whole" if getattr(symbol, "is_integer", None) else "")
    return "real" if getattr(symbol, "is_real", None) else "complex"


def _chapter_link(root: Path, chapter: str) -> str:
    """A link to the chapter where its page exists, its bare name elsewhere."""
    hits = sorted((root / "book").glob(f"*/{chapter}.ipynb"))
    return f"[{chapter}]({hits[0].relative_to(root / 'book').as_posix()})" if hits else chapter


def _formulas(root: Path) -> Iterator[tuple[Path, str]]:
    """Every closed form of the theory: name, statement, formula, source."""
    from ssl_dynamics.theory.notation import CHAPTERS

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
        try:
            module = importlib.import_module(f"ssl_dynamics.theory.{chapter}")
        except ModuleNotFoundError:
            continue
        hits = sorted((root / "book").glob(f"*/{chapter}.ipynb"))
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
                f"  {form.latex()}",
                "  $$",
                "",
                f"  *{source}.*",
                "",
            ]
    yield root / "book" / "formulas.md", HEAD + "\n".join(lines)


def _execution(root: Path) -> Iterator[tuple[Path, str]]:
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
    yield root / "book" / "execution.md", HEAD + "\n".join(lines)


def _kinds(notebook: NotebookNode) -> Iterator[str]:
    """The kind of every piece of evidence that the notebook's outputs carry."""
    for cell in notebook.cells:
        for item in cell.get("outputs", []):
            facts = item.get("metadata", {}).get(EVIDENCE)
            if isinstance(facts, dict) and facts.get("kind") in VERBS:
                yield facts["kind"]


def _api(root: Path) -> Iterator[tuple[Path, str]]:
    """One page for each part of the package, and an index of them."""
    folder = root / "book" / "api"
    source = root / "src" / "ssl_dynamics"
    names = [name for name in PACKAGES if _modules(source, name)]
    unlisted = {
        path.stem
        for path in source.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").is_file())
        and not path.stem.startswith("_")
    } - set(PACKAGES)
    if unlisted:
        raise ValueError(f"ssl_dynamics.{sorted(unlisted)[0]} has no line in press.pages.PACKAGES")
    index = [
        "# API reference",
        "",
        "What the package `ssl_dynamics` offers, from its docstrings. Imports run one way:",
        "`symbolic` to `theory`; `networks`, `losses`, `data` and `measures` to `training` to",
        "`experiments` to `cli`. The notebooks use `evidence`, `live` and `figures`.",
        "",
        "| Part | What it is |",
        "| :-- | :-- |",
        *[f"| [`{name}`]({name}.md) | {PACKAGES[name]} |" for name in names],
        "",
    ]
    yield folder / "index.md", HEAD + "\n".join(index)
    for name in names:
        lines = [f"# {name}", "", f"{PACKAGES[name]}.", ""]
        if name == "theory":
            lines += ["Written out, the closed forms fill [a page of their own](../formulas.md).", ""]
        for module in _modules(source, name):
            short = module.removeprefix("ssl_dynamics.")
            if short != name:
                lines += [f"## {short}", ""]
            package = (source / module.removeprefix("ssl_dynamics.").replace(".", "/")).is_dir()
            options = [] if package else ["   :members:", "   :ignore-module-all:"]
            lines += ["```{eval-rst}", f".. automodule:: {module}", *options, "```", ""]
        yield folder / f"{name}.md", HEAD + "\n".join(lines)


def _modules(source: Path, name: str) -> list[str]:
    """Dotted names of the modules of part ``name``: the package first, then its public modules."""
    package = source / name
    if (source / f"{name}.py").is_file():
        return [f"ssl_dynamics.{name}"]
    if not (package / "__init__.py").is_file():
        return []
    inner = [
        path.stem
        for path in sorted(package.glob("*.py"))
        if not path.stem.startswith("_") and _has_docstring(path)
    ]
    if not inner and not _has_docstring(package / "__init__.py"):
        return []
    head = [f"ssl_dynamics.{name}"] if _has_docstring(package / "__init__.py") else []
    return head + [f"ssl_dynamics.{name}.{stem}" for stem in inner]


def _has_docstring(path: Path) -> bool:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is not None


def _latex(symbols: tuple[object, ...]) -> list[str]:
    """LaTeX of each symbol as the notation table writes it."""
    import sympy as sp

    from ssl_dynamics.theory.notation import SYMBOLS

    table = {row.symbol: row.latex for row in SYMBOLS}
    return [table.get(symbol, sp.latex(symbol)) for symbol in symbols]
