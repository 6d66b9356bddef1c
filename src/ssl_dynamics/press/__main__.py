"""``python -m ssl_dynamics.press``: refresh notebooks, write generated pages, run the guards."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ssl_dynamics.press.guards import find_faults
from ssl_dynamics.press.notebooks import find_root, read, toc_notebooks
from ssl_dynamics.press.pages import write_pages
from ssl_dynamics.press.picture import draw
from ssl_dynamics.press.refresh import RefreshError, refresh


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ssl_dynamics.press", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("refresh", "execute and normalise notebooks (default: all, ledger and index last)"),
        ("guard", "say what the book's rules have against these notebooks (default: all)"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("notebook", nargs="*", type=Path)
    commands.add_parser("pages", help="write notation, formulas, execution and API pages")
    commands.add_parser("picture", help="draw the picture of the README")
    options = parser.parse_args(argv)
    try:
        root = find_root()
        if options.command == "pages":
            return _pages(root)
        if options.command == "picture":
            print(f"wrote {draw(root / 'book/assets/two-flows.png').relative_to(root)}")
            return 0
        notebooks = [path.resolve() for path in options.notebook] or toc_notebooks(root)
        missing = [str(path) for path in notebooks if not path.is_file()]
        if missing:
            raise FileNotFoundError(f"no such notebook: {', '.join(missing)}")
    except (FileNotFoundError, ValueError) as error:
        print(f"press: {error}", file=sys.stderr)
        return 2
    if options.command == "guard":
        return _guard(root, notebooks)
    return _refresh(root, notebooks, everything=not options.notebook)


def _refresh(root: Path, notebooks: list[Path], *, everything: bool) -> int:
    """Refresh each notebook; a failure is told and the others still run."""
    failures = 0
    for number, path in enumerate(notebooks, 1):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        print(f"[{number}/{len(notebooks)}] {name} ... ", end="", flush=True)
        start = time.monotonic()
        try:
            changed = refresh(path, root=root)
        except (RefreshError, ValueError) as error:
            failures += 1
            print("failed")
            print(f"press: {error}", file=sys.stderr)
            continue
        print(f"{'changed' if changed else 'unchanged'} ({time.monotonic() - start:.0f} s)")
    if not failures:
        for page in write_pages(root, only=None if everything else ("execution",)):
            print(f"wrote {page.relative_to(root).as_posix()}")
    return 1 if failures else 0


def _pages(root: Path) -> int:
    written = write_pages(root)
    for page in written:
        print(f"wrote {page.relative_to(root).as_posix()}")
    if not written:
        print("the generated pages are current")
    return 0


def _guard(root: Path, notebooks: list[Path]) -> int:
    faults = [
        f"{path.relative_to(root)}: {fault}"
        for path in notebooks
        for fault in find_faults(read(path), name=path.stem)
    ]
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
