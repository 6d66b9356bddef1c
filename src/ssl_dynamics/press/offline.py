"""The whole built book as one zip, for reading without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path

NAME = "ssl-dynamics-book.zip"
LEAVE_OUT = {".buildinfo", "objects.inv", NAME}
FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # equal pages give an equal zip


def pack(html: Path) -> Path:
    """Zip the folder ``html`` into ``html/ssl-dynamics-book.zip`` and return that path.

    Inside, everything lies under ``ssl-dynamics-book/``; open its ``index.html``. The zip does
    not hold itself. It is written beside its final name first, so a stop leaves no half zip.
    """
    target = html / NAME
    partial = target.with_suffix(".part")
    files = sorted(p for p in html.rglob("*") if p.is_file() and p.name not in LEAVE_OUT)
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files:
            if path == partial:
                continue
            name = f"{Path(NAME).stem}/{path.relative_to(html).as_posix()}"
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    partial.replace(target)
    return target
