"""Sphinx extension of the book: buttons, docstrings, offline pages, and the zip.

Loaded by ``_config.yml``. It does nine small things:

* repository, issue and launch buttons appear when ``repository: url`` is set, and only then;
* the live-code extension that Jupyter Book always loads is silenced: it would put an address of
  another host and a duplicate declaration on every page;
* docstrings, which are plain text with backticks and dollars, become valid reStructuredText;
* constants whose value fills more than a line are listed without it;
* font preloads are dropped from the pages, because a browser refuses them under ``file://``, and
  the folding arrows of the contents get a name that a screen reader can say;
* identifiers that theorem and exercise blocks repeat on a page are dropped;
* a formula keeps the bracket before it and the full stop after it on its line;
* a picture of several panels gets a box in which it can scroll, so that a phone shows its letters;
* after the build, MathJax is reduced to the files that a page can ask for and the whole book is
  packed into one zip beside the pages.
"""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext.autodoc import DataDocumenter

from ssl_dynamics.press.docstrings import to_restructured_text
from ssl_dynamics.press.offline import pack

BARE_ARROW = '<summary><span class="toctree-toggle"'
NAMED_ARROW = BARE_ARROW.replace("<summary>", '<summary aria-label="sections below">')
BARE_TABLE = '<div class="pst-scrollable-table-container">'
# A table that scrolls on a phone must be reachable by keyboard.
NAMED_TABLE = BARE_TABLE.replace(">", ' tabindex="0" role="group" aria-label="table">')
FONT_PRELOAD = re.compile(r"\s*<link\b[^>]*\bas=\"font\"[^>]*>")
REPEATED_ID = re.compile(r"(<section[^>]*?) id=\"(?:proof|exercise|solution)-content\"")
FORMULA = re.compile(
    r"([(“‘]?)(<span class=\"math notranslate nohighlight\">[^<]*</span>)([.,;:!?)”’]+|-\w+)?"
)
PICTURE = re.compile(r"<img\b[^>]*\bsrc=\"[^\"]*?(_images/[^\"/]+\.png)\"[^>]*>")
WIDE = 1.85  # width over height of a picture with several panels side by side
MATHJAX_KEEP = ("tex-chtml.js", "input/tex/extensions", "output/chtml/fonts", "a11y", "ui")
SPEECH_KEEP = ("base.json", "en.json")


def set_buttons(app: Sphinx, config: Config) -> None:
    """Turn every button that needs the public address on or off with the address."""
    options = config.html_theme_options
    address = (options.get("repository_url") or "").rstrip("/")
    options["repository_url"] = address
    options["use_repository_button"] = bool(address)
    options["use_issues_button"] = bool(address)
    options["use_download_button"] = True
    options["logo"] = {"text": config.html_title}
    config.html_context.setdefault("default_mode", "auto")  # without it the theme complains
    options["launch_buttons"] = (
        {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
        }
        if address
        else {}
    )


def drop_live_code(app: Sphinx, config: Config) -> None:
    """Remove all that ``sphinx_thebe`` brings; the widgets of this book need no kernel."""
    for handlers in app.events.listeners.values():
        handlers[:] = [item for item in handlers if item.handler.__module__ != "sphinx_thebe"]
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def plain_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Replace ``lines`` in place by reStructuredText that cannot fail to parse."""
    lines[:] = to_restructured_text("\n".join(lines)).splitlines()


class ShortValues(DataDocumenter):
    """A constant of a module, with its value where that fits into a line."""

    def should_suppress_value_header(self) -> bool:
        """Whether the value is left out."""
        return super().should_suppress_value_header() or len(repr(self.object)) > 90


def finish(app: Sphinx, failure: Exception | None) -> None:
    """Trim what the pages do not need, then pack them."""
    if failure is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = FONT_PRELOAD.sub("", text).replace(BARE_ARROW, NAMED_ARROW)
        lighter = REPEATED_ID.sub(r"\1", lighter).replace(BARE_TABLE, NAMED_TABLE)
        lighter = box_wide_pictures(keep_together(lighter), out)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    trim_mathjax(out / "_static" / "mathjax")
    pack(out)


def keep_together(text: str) -> str:
    """No line break between a formula and the punctuation that belongs to it."""

    def kept(found: re.Match[str]) -> str:
        before, formula, after = found[1], found[2], found[3] or ""
        whole = f"{before}{formula}{after}"
        return f'<span class="kept">{whole}</span>' if before or after else whole

    return FORMULA.sub(kept, text)


def box_wide_pictures(text: str, out: Path) -> str:
    """Put pictures of several panels into a box that scrolls sideways on a narrow screen."""

    def boxed(found: re.Match[str]) -> str:
        with (out / found[1]).open("rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:])
        if width < WIDE * height:
            return found[0]
        return (
            '<div class="wide-picture" tabindex="0" role="group" aria-label="wide picture">'
            f"{found[0]}</div>"
        )

    return PICTURE.sub(boxed, text)


def trim_mathjax(folder: Path) -> None:
    """Keep the one component that is loaded and the files that it can load later."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        kept = any(name == keep or name.startswith(keep + "/") for keep in MATHJAX_KEEP)
        if not kept and not (name.startswith("sre/") and path.name in SPEECH_KEEP):
            path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers; late priorities run after those of other extensions."""
    app.connect("config-inited", set_buttons, priority=900)
    app.connect("config-inited", drop_live_code, priority=901)
    app.connect("autodoc-process-docstring", plain_docstring)
    app.connect("build-finished", finish, priority=950)
    app.add_autodocumenter(ShortValues, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
