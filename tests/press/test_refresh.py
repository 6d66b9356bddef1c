"""Refreshing a notebook: idempotent, minimal, and harmless when it fails."""

from __future__ import annotations

import importlib.util
import random
import uuid
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ssl_dynamics.press import refresh as module
from ssl_dynamics.press.__main__ import main
from ssl_dynamics.press.notebooks import normalise, read, text_of, write
from ssl_dynamics.press.refresh import RefreshError, refresh

NOISY = """\
import random
from IPython.display import display, HTML
noise = random.random()
display(
    HTML("<b>settled</b>"),
    metadata={"ssl_dynamics.evidence": {"kind": "check", "residual": noise * 1e-13,
                                        "seconds": noise, "bound": 1e-12}},
)
2 + 3"""


def noisy_notebook(path: Path, *sources: str) -> Path:
    """A notebook as an editor leaves it: random ids, time stamps, no outputs."""
    cells = [new_markdown_cell("# Title\n\nText.  \n"), new_markdown_cell("## Check")]
    cells += [new_code_cell(source) for source in sources]
    for cell in cells:
        cell.id = uuid.uuid4().hex[:8]
        cell.metadata["execution"] = {"iopub.execute_input": str(random.random())}
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"display_name": "mine", "language": "python", "name": "mine"}
    notebook.metadata["widgets"] = {"state": uuid.uuid4().hex}
    nbformat.write(notebook, path)
    return path


def test_twice_changes_nothing(tmp_path: Path) -> None:
    path = noisy_notebook(tmp_path / "small.ipynb", NOISY, "print('a')\nprint('b')")
    assert refresh(path, root=tmp_path)
    first = path.read_bytes()
    stamp = path.stat().st_mtime_ns
    assert not refresh(path, root=tmp_path)
    assert path.read_bytes() == first
    assert path.stat().st_mtime_ns == stamp, "an unchanged notebook is not even written"


def test_a_change_shows_and_nothing_else_does(tmp_path: Path) -> None:
    path = noisy_notebook(tmp_path / "small.ipynb", NOISY, "print(6 * 7)")
    refresh(path, root=tmp_path)
    before = read(path)
    after = read(path)
    after.cells[-1].source = "print(6 * 8)"
    write(path, after)
    assert refresh(path, root=tmp_path)
    after = read(path)
    assert after.cells[-1].outputs[0].text == "48\n"
    assert after.cells[:-1] == before.cells[:-1]


def test_normal_form_is_small_and_stable(tmp_path: Path) -> None:
    path = noisy_notebook(tmp_path / "small.ipynb", NOISY)
    one = normalise(read(path))
    assert [cell.id for cell in one.cells] == ["title-01", "check-01", "check-02"]
    assert set(one.metadata) == {"kernelspec", "language_info"}
    assert one.metadata.kernelspec.name == "python3"
    assert all(not cell.metadata for cell in one.cells)
    assert text_of(normalise(read(path))) == text_of(one)


def test_widget_views_and_split_streams_are_normalised() -> None:
    cell = new_code_cell("x", execution_count=7)
    cell.metadata["tags"] = ["hide-input"]
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a\n"),
        nbformat.v4.new_output("stream", name="stdout", text="b\n"),
        nbformat.v4.new_output(
            "display_data",
            data={"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/html": "h"},
        ),
    ]
    shown = normalise(new_notebook(cells=[cell])).cells[0]
    assert shown.execution_count == 1
    assert shown.metadata == {"tags": ["hide-input"]}
    assert [item.get("text") for item in shown.outputs] == ["a\nb\n", None]
    assert set(shown.outputs[1].data) == {"text/html"}


def test_failing_cell_is_named_and_the_file_stays(tmp_path: Path) -> None:
    path = noisy_notebook(tmp_path / "bad.ipynb", "x = 1", "x / 0")
    before = path.read_bytes()
    with pytest.raises(
        RefreshError, match=r"bad\.ipynb, cell check-03 .*ZeroDivisionError"
    ) as told:
        refresh(path, root=tmp_path)
    assert "x / 0" in str(told.value)
    assert "\x1b" not in str(told.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_kernel_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = noisy_notebook(tmp_path / "small.ipynb", "1")
    before = path.read_bytes()
    real = importlib.util.find_spec
    monkeypatch.setattr(
        module.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "ipykernel" else real(name, *rest),
    )
    with pytest.raises(RefreshError, match=r"ipykernel is not installed.*make setup"):
        refresh(path, root=tmp_path)
    assert path.read_bytes() == before


def test_command_line_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refresh", "book/no_such.ipynb"]) == 2
    assert "no such notebook" in capsys.readouterr().err


def test_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken\.ipynb is no readable notebook"):
        refresh(path, root=tmp_path)
    assert path.read_text(encoding="utf-8") == "{"
