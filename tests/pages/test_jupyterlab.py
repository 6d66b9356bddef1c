"""The widgets in a real JupyterLab: moved in the browser, read back and set in the kernel."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import widget_table
from held import HELD
from seen import Shown

CELL = """\
import widget_table

shown = {name: kind(forms) for name, (kind, forms) in widget_table.WIDGETS.items()}
display(*shown.values())
"""

# Wait for the notebook, give it its kernel, run it; the kernel dialogue must not come up.
RUN_ALL = """async () => {
  const lab = window.jupyterapp;
  while (!lab.shell.currentWidget?.sessionContext) await new Promise((r) => setTimeout(r, 100));
  const { context, sessionContext } = lab.shell.currentWidget;
  await context.ready;
  await sessionContext.ready;
  if (!sessionContext.session?.kernel) await sessionContext.changeKernel({ name: "python3" });
  await sessionContext.session.kernel.info;
  void lab.commands.execute("notebook:run-all-cells");
}"""


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Kernel:
    """A second client of the notebook's own kernel."""

    def __init__(self, runtime: Path) -> None:
        from jupyter_client import BlockingKernelClient

        files = list(runtime.glob("kernel-*.json"))
        assert len(files) == 1, files
        self.client = BlockingKernelClient(connection_file=str(files[0]))
        self.client.load_connection_file()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)

    def run(self, code: str, value: str = "None") -> object:
        """Run `code`; return the JSON value of the expression `value`."""
        wanted = {"value": f"__import__('json').dumps({value})"}
        message = self.client.execute(code, silent=True, user_expressions=wanted, reply=True)
        result = message["content"]
        assert result["status"] == "ok", result
        found = result["user_expressions"]["value"]
        assert found["status"] == "ok", found
        return json.loads(eval(found["data"]["text/plain"]))

    def eventually(self, value: str, test: Callable[[object], bool]) -> object:
        """The value once `test` accepts it; the browser's message may still be on its way."""
        deadline = time.monotonic() + 10
        while True:
            found = self.run("", value)
            if test(found) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


@pytest.fixture(scope="module")
def lab(browser, need: Callable[[str], str], tmp_path_factory) -> Iterator:
    """A JupyterLab on a free loopback port with one executed notebook, and its page."""
    program = need("jupyterlab")
    home = tmp_path_factory.mktemp("lab")
    work, runtime = home / "work", home / "runtime"
    work.mkdir()
    runtime.mkdir()
    cell = {
        "cell_type": "code", "execution_count": None, "id": "widgets", "metadata": {},
        "outputs": [], "source": CELL,
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    (work / "widgets.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    places = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    places |= {"JUPYTER_RUNTIME_DIR": str(runtime), "OMP_NUM_THREADS": "1"}
    places |= {"PYTHONPATH": str(Path(widget_table.__file__).parent)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    settings = home / "jupyter_config_dir" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "page_config.json").write_text(json.dumps(quiet), encoding="utf-8")
    port, log = _free_port(), home / "lab.log"
    options = [
        "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=",
        "--ServerApp.password=", f"--ServerApp.root_dir={work}", "--expose-app-in-browser",
        "--ServerApp.allow_root=True", "--ServerApp.disable_check_xsrf=True",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with log.open("w") as out:
        server = subprocess.Popen(
            [program, *options], cwd=work, env=os.environ | places | {"PATH": path},
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)
    try:
        _wait(f"{address}/api", server, log)
        page = context.new_page()
        page.goto(f"{address}/lab/tree/widgets.ipynb?reset")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        page.evaluate(RUN_ALL)
        page.locator(f'.sslw[data-widget="{[*widget_table.WIDGETS][-1]}"]').wait_for()
        yield page, Kernel(runtime)
    finally:
        context.close()
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, f"JupyterLab ended at once:\n{log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


def _shown(page, name: str) -> Shown:
    root = page.locator(f'.sslw[data-widget="{name}"]')
    root.scroll_into_view_if_needed()
    return Shown(page, root)


@pytest.mark.parametrize(
    ("name", "trait", "value"),
    [
        ("predictor", "p", 0.9),
        ("ema", "alpha_b", 1.25),
        ("teaser", "sigma_aug", 1.0),
        ("latent_tree", "latent", 7.0),
        ("one_neuron", "spread", 0.5),
        ("info_nce", "temperature", 1.0),
        ("two_layers", "a_1", 1.2),
        ("translation", "corner", 1.0),
    ],
)
def test_a_slider_moves_the_traitlet_and_back(lab, name, trait, value):
    page, kernel = lab
    shown = _shown(page, name)
    HELD[name](shown.state(), shown.numbers(), shown.picture())
    before = shown.state()[trait]
    shown.keys(shown.slider(trait), "ArrowRight", "ArrowRight")
    moved = shown.state()[trait]
    assert moved > before
    found = kernel.eventually(f"shown[{name!r}].{trait}", lambda v: v == moved)
    assert found == moved
    kernel.run(f"shown[{name!r}].{trait} = {value}")
    page.wait_for_function(
        f"() => JSON.parse(document.querySelector('.sslw[data-widget={name}]').dataset.state)"
        f".{trait} === {value}"
    )
    HELD[name](shown.state(), shown.numbers(), shown.picture())


def test_a_dragged_start_arrives_in_the_kernel(lab):
    page, kernel = lab
    shown = _shown(page, "simsiam")
    shown.drag_handle("start", 30, -40)
    state = shown.state()
    assert state["theta"] > 0.3
    values = "shown['simsiam'].values()"
    assert kernel.eventually(values, lambda v: v == state) == state
    kernel.run("shown['simsiam'].flow = 'full'")
    page.wait_for_function(
        "() => JSON.parse(document.querySelector('.sslw[data-widget=simsiam]')"
        ".dataset.state).flow === 'full'"
    )
    HELD["simsiam"](shown.state(), shown.numbers(), shown.picture())


def test_a_dragged_sample_and_a_chosen_layer_arrive_in_the_kernel(lab):
    page, kernel = lab
    shown = _shown(page, "batchnorm")
    shown.root.locator("select").select_option("mudet")
    shown.keys(shown.root.locator('[data-handle="point-1"]'), "ArrowDown", "ArrowRight")
    state = shown.state()
    assert state["variant"] == "mudet"
    values = "shown['batchnorm'].values()"
    assert kernel.eventually(values, lambda v: v == state) == state
    HELD["batchnorm"](state, shown.numbers(), shown.picture())


def test_python_refuses_values_outside_the_scale(lab):
    _, kernel = lab
    code = "try:\n    shown['ema'].gamma = 2.0\nexcept Exception as e:\n    caught = str(e)"
    assert "gamma" in kernel.run(code, "caught")
