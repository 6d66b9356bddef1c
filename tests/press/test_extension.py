"""What built pages get after Sphinx: formulas that keep their full stop, pictures that scroll."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from ssl_dynamics.press.extension import box_wide_pictures, keep_together

FORMULA = '<span class="math notranslate nohighlight">\\(a &lt; b\\)</span>'


@pytest.mark.parametrize(
    ("before", "after", "rest"),
    [("", ".", " Next"), ("(", "),", " or"), ("", "-th", " arch"), ("", ";", ""), ("“", "”.", "")],
)
def test_a_formula_keeps_its_punctuation(before, after, rest):
    whole = f"{before}{FORMULA}{after}"
    assert keep_together(f"is {whole}{rest}") == f'is <span class="kept">{whole}</span>{rest}'


def test_a_formula_among_words_is_left_alone():
    text = f"where {FORMULA} holds, and {FORMULA}</p>"
    assert keep_together(text) == text


def png(path: Path, width: int, height: int) -> None:
    """A black picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    signature = b"\x89PNG\r\n\x1a\n"
    path.write_bytes(signature + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def test_only_wide_pictures_get_a_box_that_scrolls(tmp_path):
    (tmp_path / "_images").mkdir()
    png(tmp_path / "_images" / "wide.png", 40, 20)
    png(tmp_path / "_images" / "tall.png", 30, 20)
    wide = '<img alt="two panels" src="../_images/wide.png" />'
    tall = '<img alt="one panel" src="../_images/tall.png" />'
    got = box_wide_pictures(f"<figure>{wide}</figure><figure>{tall}</figure>", tmp_path)
    assert got.count("wide-picture") == 1
    assert f'tabindex="0" role="group" aria-label="wide picture">{wide}</div></figure>' in got
    assert f"<figure>{tall}</figure>" in got
