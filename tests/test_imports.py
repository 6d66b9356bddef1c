"""Imports run one way: no package of the library imports one that stands above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "ssl_dynamics"
ALLOWED = {
    "symbolic": set(),
    "records": set(),
    "figures": set(),
    "theory": {"symbolic"},
    "data": set(),
    "networks": {"data"},
    "losses": set(),
    "measures": {"networks"},
    "methods": {"losses", "networks"},
    "training": {"data", "losses", "measures", "methods", "networks"},
    "experiments": {"data", "losses", "measures", "methods", "networks", "records", "symbolic"}
    | {"theory", "training"},
    "evidence": {"records", "symbolic"},
    "live": {"records", "symbolic"},
    "press": {"evidence", "figures", "symbolic", "theory"},
    "cli": {"experiments", "records"},
    "__main__": {"cli"},
}
"""What each package may import of the others. Written down once more, on purpose: the graph of the
code is compared with it, so a new arrow has to be drawn here too."""


def imported(path: Path) -> Iterator[str]:
    """The packages of this library that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            names = [f"{PACKAGE}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == PACKAGE and len(parts) > 1 and not parts[1].startswith("__version"):
                yield parts[1]


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_run_one_way(package: str, root: Path) -> None:
    source = root / "src" / PACKAGE
    modules = [*source.glob(f"{package}.py"), *source.glob(f"{package}/**/*.py")]
    assert modules, f"{package} is gone: take it out of ALLOWED"
    for path in modules:
        beyond = set(imported(path)) - ALLOWED[package] - {package}
        assert not beyond, f"{path.relative_to(source)} imports {', '.join(sorted(beyond))}"


def test_every_package_is_listed(root: Path) -> None:
    source = root / "src" / PACKAGE
    there = {p.stem for p in source.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert there - {"__init__"} == set(ALLOWED)


def test_nothing_allowed_makes_a_circle() -> None:
    left = dict(ALLOWED)
    while left:
        free = [name for name, needs in left.items() if not needs & set(left)]
        assert free, f"a circle among {sorted(left)}"
        for name in free:
            del left[name]
