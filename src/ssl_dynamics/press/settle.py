"""Keep the old output where a new run says the same thing.

Two runs of one notebook differ in what nobody compares: the last digits of a residual, a wall
time, the rounding of one grey pixel. ``settle`` takes the outputs on disk wherever the new ones
agree with them, so that a refresh shows a change only where there is one.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from nbformat import NotebookNode

RELATIVE = 1e-6
"""Two numbers of an output's metadata agree to this relative distance ..."""
NOISE = 1e-9
"""... or when both are rounding noise, smaller than this."""
GREY = 48
"""Two pictures agree when no pixel differs by more than this in any channel (of 255)."""
VOLATILE = frozenset(
    {"seconds", "wall_s", "created", "versions", "platform", "machine", "revision", "device"}
)
"""Keys that may differ freely: they describe a run, not a finding."""
PICTURES = ("image/png", "image/jpeg")


def settle(old: NotebookNode, new: NotebookNode) -> NotebookNode:
    """Put outputs of ``old`` into ``new`` where they agree; both are normal and have equal cells.

    A cell is looked at when its source is the same in both. Returns ``new``.
    """
    before = {cell.id: cell for cell in old.cells if cell.cell_type == "code"}
    for cell in new.cells:
        twin = before.get(cell.id)
        if cell.cell_type != "code" or twin is None or twin.source != cell.source:
            continue
        if len(twin.outputs) != len(cell.outputs):
            continue
        cell.outputs = [
            was if same_output(was, now) else now
            for was, now in zip(twin.outputs, cell.outputs, strict=True)
        ]
    return new


def same_output(old: NotebookNode, new: NotebookNode) -> bool:
    """Whether two outputs say the same: equal text, pictures alike, metadata in agreement."""
    rest = ("data", "metadata")
    if {k: v for k, v in old.items() if k not in rest} != {
        k: v for k, v in new.items() if k not in rest
    }:
        return False
    first, second = old.get("data", {}), new.get("data", {})
    if first.keys() != second.keys():
        return False
    for mime, value in first.items():
        alike = same_picture if mime in PICTURES else _equal
        if not alike(value, second[mime]):
            return False
    return agree(old.get("metadata", {}), new.get("metadata", {}))


def _equal(old: Any, new: Any) -> bool:
    return bool(old == new)


def agree(old: Any, new: Any) -> bool:
    """Whether two JSON values agree up to rounding noise and volatile keys."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = {k for k in old if k not in VOLATILE}
        if keys != {k for k in new if k not in VOLATILE}:
            return False
        return all(agree(old[key], new[key]) for key in keys)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(agree, old, new))
    if isinstance(old, int | float) and isinstance(new, int | float):
        if isinstance(old, bool) or isinstance(new, bool):
            return old is new
        size = max(abs(old), abs(new))
        return bool(old == new or size < NOISE or abs(old - new) <= RELATIVE * size)
    return bool(old == new)


def same_picture(old: str, new: str) -> bool:
    """Whether two base64 pictures have equal size and no pixel that differs visibly."""
    if old == new:
        return True
    first, second = _pixels(old), _pixels(new)
    if first is None or second is None or first.shape != second.shape:
        return False
    return int(np.abs(first - second).max(initial=0)) <= GREY


def _pixels(picture: str) -> np.ndarray | None:
    """The pixels as ``[height, width, 4]`` integers, or None where they cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            return np.asarray(image.convert("RGBA"), dtype=np.int16)
    except (UnidentifiedImageError, ValueError, OSError):
        return None
