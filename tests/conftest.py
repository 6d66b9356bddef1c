"""What every test may ask for: a tool, or a clear reason why the test cannot run here.

``need("node")`` returns the path of a tool, or skips the test and says how to get the tool. With
``CI=true`` a skip is a failure, so that a test cannot fall silent on the machine that decides. The
one exception is hardware: ``need("gpu")`` skips everywhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "_build" / "html" / "index.html"
HARDWARE = "no such hardware: "
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A background job of a shell ignores Ctrl-C, and its children with it; some tests send one.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _program(*names: str) -> str | None:
    """The first program of ``names`` on the path or beside this Python."""
    beside = Path(sys.executable).parent
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=str(beside))
        if found:
            return found
    return None


def _chromium() -> str | None:
    """A Chromium: the one named in ``$CHROMIUM``, the system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    found = _program("chromium", "chromium-browser", "google-chrome")
    if found:
        return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    hits = sorted(cache.glob("chromium-*/chrome-linux*/chrome"))
    hits += sorted(cache.glob("chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium"))
    return str(hits[-1]) if hits else None


def _gpu() -> str | None:
    import torch

    return "cuda" if torch.cuda.is_available() else None


TOOLS: dict[str, tuple[Callable[[], str | None], str]] = {
    "node": (lambda: _program("node", "nodejs"), "install Node.js (Debian: nodejs)"),
    "chromium": (_chromium, "install Chromium (Debian: chromium), or set $CHROMIUM to one"),
    "jupyterlab": (lambda: _program("jupyter-lab"), "pip install -r requirements.txt"),
    "make": (lambda: _program("make"), "install make"),
    "book": (lambda: str(BUILT) if BUILT.is_file() else None, "run `make book` first"),
    "gpu": (_gpu, HARDWARE + "a CUDA GPU"),
}


def find(tool: str) -> str | None:
    """The path of ``tool``, or None where it is missing. Unknown names are refused."""
    if tool not in TOOLS:
        raise ValueError(f"need({tool!r}): unknown tool; known are {', '.join(TOOLS)}")
    return TOOLS[tool][0]()


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """``path = need("chromium")``: the tool's path, or a skip with the reason."""

    def ask(tool: str) -> str:
        found = find(tool)
        if found is None:
            hint = TOOLS[tool][1]
            pytest.skip(hint if hint.startswith(HARDWARE) else f"{tool} is missing: {hint}")
        return found

    return ask


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def html(need: Callable[[str], str]) -> Path:
    """The folder of the built book."""
    return Path(need("book")).parent


@pytest.fixture(scope="session")
def browser(need: Callable[[str], str]) -> Iterator:
    """Headless Chromium, started once for each test process: Playwright allows no second one."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = need("chromium")
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


def _strict() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure, except for missing hardware and expected failures."""
    if not (_strict() and report.skipped) or hasattr(report, "wasxfail"):
        return
    where = report.longrepr
    reason = str(where[2] if isinstance(where, tuple) else where)
    if HARDWARE in reason or ".ipynb" in report.nodeid:
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, and CI=true allows no skip. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With CI=true a skipped test fails."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """With CI=true a module skipped at import fails."""
    report = yield
    _refuse(report)
    return report
