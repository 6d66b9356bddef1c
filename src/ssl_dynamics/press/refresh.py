"""Execute notebooks and put the result on disk in its normal form.

The notebook on disk is replaced only after every cell ran. Running twice changes nothing.
"""

from __future__ import annotations

import copy
import importlib.util
import re
import time
from pathlib import Path

from nbformat import NotebookNode

from ssl_dynamics.press.notebooks import KERNEL, normalise, read, write
from ssl_dynamics.press.settle import settle

CELL_TIMEOUT = 600
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class RefreshError(RuntimeError):
    """A notebook could not be executed; the message names notebook, cell and reason."""


def refresh(path: Path, *, root: Path) -> bool:
    """Execute and normalise the notebook at ``path``; returns whether the file changed.

    Raises :class:`RefreshError` and leaves the file untouched when the kernel is missing, a cell
    fails, or a cell takes longer than ``CELL_TIMEOUT`` seconds.
    """
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    before = read(path)
    old = normalise(copy.deepcopy(before))
    start = time.monotonic()
    new = normalise(execute(copy.deepcopy(old), folder=path.parent, name=name))
    seconds = time.monotonic() - start
    new = settle(old, new)
    _stamp(new, old, seconds)
    return write(path, new)


def _stamp(new: NotebookNode, old: NotebookNode, seconds: float) -> None:
    """Note the whole seconds the run took; an old note that is about right stays."""
    noted = old.metadata.get("ssl_dynamics", {}).get("seconds")
    if noted is not None and (new.cells == old.cells or noted / 1.5 <= seconds <= noted * 1.5):
        seconds = noted
    new.metadata["ssl_dynamics"] = {"seconds": max(1, round(seconds))}


def execute(notebook: NotebookNode, *, folder: Path, name: str) -> NotebookNode:
    """Run all cells in a fresh kernel of this very environment, in ``folder``."""
    if (
        importlib.util.find_spec("ipykernel") is None
        or importlib.util.find_spec("nbclient") is None
    ):
        raise RefreshError(
            f"{name}: no Python kernel in this environment (ipykernel is not installed). "
            "Run `make setup`, or `pip install -r requirements.txt`. The file is unchanged."
        )
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_manager_class=_kernel_of_this_environment(),
        kernel_name=KERNEL["name"],
        timeout=CELL_TIMEOUT,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise RefreshError(_describe(notebook, name, f"{error.ename}: {error.evalue}")) from None
    except CellTimeoutError:
        reason = f"took longer than {CELL_TIMEOUT} s"
        raise RefreshError(_describe(notebook, name, reason)) from None
    except DeadKernelError:
        raise RefreshError(_describe(notebook, name, "the kernel died (out of memory?)")) from None
    except Exception as error:
        raise RefreshError(
            f"{name}: the kernel did not start or stopped answering: {error}. "
            "Run `make setup` to mend the environment. The file is unchanged."
        ) from error
    return notebook


def _kernel_of_this_environment() -> type:
    """A kernel manager whose kernel is this interpreter, whatever kernels are registered."""
    import ipykernel.kernelspec
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class Specs(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(
                resource_dir=ipykernel.kernelspec.RESOURCES,
                **ipykernel.kernelspec.get_kernel_dict(),
            )

    class Here(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _specs(self) -> KernelSpecManager:
            return Specs(parent=self)

    return Here


def _describe(notebook: NotebookNode, name: str, reason: str) -> str:
    """The message for a cell that failed: the last cell that was started."""
    started = [c for c in notebook.cells if c.cell_type == "code"]
    failed = next((c for c in started if any(o.output_type == "error" for o in c.outputs)), None)
    if failed is None:
        ran = [c for c in started if c.execution_count is not None]
        failed = started[min(len(ran), len(started) - 1)]
    source = "\n".join("    | " + line for line in failed.source.splitlines()[:12])
    return (
        f"{name}, cell {failed.id} (code cell {started.index(failed)}): "
        f"{COLOUR.sub('', reason)}\n{source}\n    The file is unchanged."
    )
