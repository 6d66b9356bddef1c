"""What counts as the same output, and what does not."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

from ssl_dynamics.press.settle import agree, same_output, same_picture


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ({"residual": 2e-13}, {"residual": 7e-14}, True),
        ({"residual": 2e-13}, {"residual": 2e-4}, False),
        ({"value": 1.0}, {"value": 1.0 + 1e-9}, True),
        ({"value": 1.0}, {"value": 1.001}, False),
        ({"value": 1}, {"value": True}, False),
        ({"versions": {"torch": "a"}, "n": 3}, {"versions": {"torch": "b"}, "n": 3}, True),
        ({"n": 3}, {"n": 4}, False),
        ({"n": 3}, {"m": 3}, False),
        ([1, 2], [1, 2, 3], False),
    ],
)
def test_metadata_agree(old: object, new: object, same: bool) -> None:
    assert agree(old, new) is same


def test_text_is_compared_exactly() -> None:
    old = new_output("display_data", data={"text/plain": "a 1e-12"})
    assert same_output(old, new_output("display_data", data={"text/plain": "a 1e-12"}))
    assert not same_output(old, new_output("display_data", data={"text/plain": "a 1e-11"}))
    assert not same_output(old, new_output("display_data", data={"text/html": "a 1e-12"}))
    assert not same_output(old, new_output("execute_result", data={"text/plain": "a 1e-12"}))


def test_pictures_by_their_pixels() -> None:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 200, (20, 30, 3))
    grey = pixels.copy()
    grey[3, 4] += 20
    moved = pixels.copy()
    moved[3, 4] += 55
    assert same_picture(png(pixels), png(grey))
    assert not same_picture(png(pixels), png(moved))
    assert not same_picture(png(pixels), png(np.full_like(pixels, 255)))
    assert not same_picture(png(pixels), png(pixels[:-1]))
    assert not same_picture("not a picture", png(pixels))
