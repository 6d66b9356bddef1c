"""The experiments, found by name among the modules of this package and imported only when asked.

An experiment module holds

- `NAME`, its name on the command line, equal to the module's name;
- `Config`, a frozen dataclass with `name: str`, `seeds: int` and `device: str` among its fields,
  whose `__post_init__` raises ValueError with the field, the value and what is allowed;
- `run(config, *, progress=True, checkpoint_dir=None) -> Record`;
- `plan(config) -> str`, if it has an answer to `--dry-run`;
- `SLICES`, a list of small re-runs that the tests hold against the committed records, each a dict
  with `record` (the record's name), `config` (fields changed from the record's own config, for
  example fewer seeds and steps) and `metrics` (the metrics compared; those [S, T] are compared at
  the last place of their axis that both runs have). A single one may be named `SLICE`;
- `ONCE`, if there are any, the names of records of one long run that has no small re-run.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from ssl_dynamics.experiments.provenance import finished

_NEEDED = ("NAME", "Config", "run")


class UnknownExperiment(LookupError):
    """No experiment of this name; the message lists the known ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def catalogue() -> dict[str, str]:
    """Name and first docstring line of every experiment, read without importing any."""
    found = {}
    for folder in __path__:
        for module in pkgutil.iter_modules([folder]):
            tree = ast.parse((Path(folder) / f"{module.name}.py").read_text(encoding="utf-8"))
            if _assigns(tree, "NAME"):
                found[module.name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return dict(sorted(found.items()))


def get(name: str) -> ModuleType:
    """The module of one experiment."""
    known = catalogue()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownExperiment(
            f"unknown experiment {name!r}; known: {', '.join(known) or 'none'}.{hint}"
        )
    module = importlib.import_module(f"{__name__}.{name}")
    missing = [field for field in _NEEDED if not hasattr(module, field)]
    if missing or name != module.NAME:
        raise TypeError(f"{module.__name__}: NAME, Config and run are needed, and NAME = {name!r}")
    return module


def slices(module: ModuleType) -> list[dict[str, Any]]:
    """The declared small re-runs of an experiment."""
    return [*getattr(module, "SLICES", []), *([module.SLICE] if hasattr(module, "SLICE") else [])]


def _assigns(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == name
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )


__all__ = ["UnknownExperiment", "catalogue", "finished", "get", "slices"]
