"""The API reference: one page for each part of the package, from its docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGES = {
    "symbolic": "Exact algebra: zero tests, closed forms, batch vectors, code generation",
    "theory": "The book's results as closed forms, one module a chapter",
    "networks": "Layers with a leading seeds axis, and networks for images",
    "losses": "Losses",
    "data": "Data and streams of randomness",
    "measures": "What is measured on a trained network",
    "training": "The training loop and what it needs",
    "methods": "Ways to train an encoder on images",
    "experiments": "The experiments, one module each",
    "evidence": "The four verbs and the claims",
    "live": "Widgets that work with and without a kernel",
    "figures": "One style for all figures",
    "records": "Recorded runs",
    "cli": "The command line",
    "press": "Making the book",
}
"""The parts in the order of the API pages, each with its one-line title; others follow."""


def api(root: Path) -> Iterator[tuple[Path, str]]:
    """One page for each part of the package, and an index of them."""
    folder = root / "book" / "api"
    source = root / "src" / "ssl_dynamics"
    titles = {**PACKAGES, **_unlisted(source)}
    names = [name for name in titles if _modules(source, name)]
    index = [
        "# API reference",
        "",
        "What the package `ssl_dynamics` offers, from its docstrings. Imports run one way:",
        "`symbolic` to `theory`; `networks`, `losses`, `data` and `measures` to `methods` and",
        "`training` to `experiments` to `cli`. The notebooks use `evidence`, `live` and `figures`.",
        "",
        "| Part | What it is |",
        "| :-- | :-- |",
        *[f"| [`{name}`]({name}.md) | {titles[name]} |" for name in names],
        "",
    ]
    yield folder / "index.md", "\n".join(index)
    for name in names:
        lines = [f"# {name}", "", f"{titles[name]}.", ""]
        if name == "theory":
            lines += [
                "Written out, the closed forms fill [a page of their own](../formulas.md).",
                "",
            ]
        for module in _modules(source, name):
            short = module.removeprefix("ssl_dynamics.")
            if short != name:
                lines += [f"## {short}", ""]
            package = (source / short.replace(".", "/")).is_dir()
            options = [] if package else ["   :members:", "   :ignore-module-all:"]
            lines += ["```{eval-rst}", f".. automodule:: {module}", *options, "```", ""]
        yield folder / f"{name}.md", "\n".join(lines)


def _unlisted(source: Path) -> dict[str, str]:
    """Parts without a line in ``PACKAGES``, titled by the first line of their docstring."""
    found = {}
    for path in sorted(source.iterdir()):
        file = path / "__init__.py" if path.is_dir() else path
        if path.stem in PACKAGES or path.stem.startswith("_") or file.suffix != ".py":
            continue
        if file.is_file():
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or path.stem
            found[path.stem] = text.splitlines()[0].rstrip(".")
    return found


def _modules(source: Path, name: str) -> list[str]:
    """Dotted names of the modules of part ``name``: the package first, then all inside it."""
    package = source / name
    if (source / f"{name}.py").is_file():
        return [f"ssl_dynamics.{name}"]
    if not (package / "__init__.py").is_file():
        return []
    inner = []
    for path in package.rglob("*.py"):
        place = path.relative_to(package).with_suffix("")
        names = place.parts[:-1] if place.name == "__init__" else place.parts
        private = any(part.startswith("_") for part in names)
        if names and not private and _has_docstring(path):
            inner.append(".".join(names))
    inner.sort()
    if not inner and not _has_docstring(package / "__init__.py"):
        return []
    head = [f"ssl_dynamics.{name}"] if _has_docstring(package / "__init__.py") else []
    return head + [f"ssl_dynamics.{name}.{dotted}" for dotted in inner]


def _has_docstring(path: Path) -> bool:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is not None
