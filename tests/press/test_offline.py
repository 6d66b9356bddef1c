"""The zip for reading offline."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ssl_dynamics.press.offline import NAME, pack


def test_zip_is_whole_and_does_not_hold_itself(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "index.html").write_text("<p>hello</p>")
    (tmp_path / "_static" / "a.css").write_text("p {}")
    first = pack(tmp_path).read_bytes()
    assert pack(tmp_path).read_bytes() == first, "equal pages give an equal zip"
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        assert archive.namelist() == [
            "ssl-dynamics-book/_static/a.css",
            "ssl-dynamics-book/index.html",
        ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["_static", "index.html", NAME]


def test_built_zip_has_every_page(html: Path) -> None:
    with zipfile.ZipFile(html / NAME) as archive:
        packed = {name.removeprefix("ssl-dynamics-book/") for name in archive.namelist()}
    pages = {p.relative_to(html).as_posix() for p in html.rglob("*.html")}
    assert pages <= packed
    assert not any(name.endswith(".zip") for name in packed)
