"""What a verb shows: one block, the same words in `text/html` and `text/plain`.

The block holds only what is equal on every machine: the part, the kind of evidence, the bound that
held, and figures of committed records. Raw residuals and versions go to the output's metadata
under `ssl_dynamics.evidence`.
"""

from __future__ import annotations

import html
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

METADATA_KEY = "ssl_dynamics.evidence"
WORDS = {"prove": "Proved", "check": "Checked", "observe": "Observed", "refute": "Refuted"}
_MATH = re.compile(r"\$([^$]+)\$")


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence that held. `facts` are shown; `details` go to the metadata."""

    kind: str
    part: str
    sentence: str
    anchor: str
    fingerprint: str
    facts: tuple[tuple[str, str], ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The block as plain text."""
        lines = [f"{WORDS[self.kind]}: {self.part}", self.sentence]
        return "\n".join(lines + [f"{label}: {value}" for label, value in self.facts])

    @property
    def html(self) -> str:
        """The block as HTML with an `id` the ledger links to."""
        facts = "".join(
            f"<div><dt>{rich(label)}: </dt><dd>{rich(value)}</dd></div>\n"
            for label, value in self.facts
        )
        return (
            f'<div class="evidence evidence-{self.kind}" id="{self.anchor}" role="group" '
            f'aria-label="{WORDS[self.kind]}: {html.escape(self.part)}">\n'
            f'<p class="evidence-head"><strong class="evidence-word">{WORDS[self.kind]}: '
            f'</strong><code class="evidence-part">{html.escape(self.part)}</code></p>\n'
            f'<p class="evidence-sentence">{rich(self.sentence)}</p>\n'
            f'<dl class="evidence-facts">\n{facts}</dl>\n</div>'
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """What the ledger reads, with the raw figures and the versions that gave them."""
        return {
            "kind": self.kind,
            "part": self.part,
            "anchor": self.anchor,
            "fingerprint": self.fingerprint,
            **self.details,
            "versions": versions(),
        }

    def _ipython_display_(self) -> None:
        """Nothing: the verb has shown it already, and each piece is shown once."""


def rich(text: str) -> str:
    """Escape for HTML; `$…$` becomes mathematics for MathJax."""
    escaped = html.escape(text, quote=False)
    return _MATH.sub(r'<span class="math notranslate nohighlight">\\(\1\\)</span>', escaped)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that computed the evidence."""
    found = {"python": platform.python_version()}
    for package in ("sympy", "numpy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


_shown: dict[str, list[str]] = {}


def show(evidence: Evidence) -> Evidence:
    """Display the evidence when there is a notebook or an IPython prompt; return it.

    A second, different piece of the same kind for the same part gets the anchor ending in `-2`,
    so that every id stands once on its page. Running a cell again keeps its anchor.
    """
    module = sys.modules.get("IPython")
    if module is None or module.get_ipython() is None:
        return evidence
    earlier = _shown.setdefault(evidence.anchor, [])
    if evidence.text not in earlier:
        earlier.append(evidence.text)
    place = earlier.index(evidence.text) + 1
    if place > 1:
        evidence = Evidence(**{**vars(evidence), "anchor": f"{evidence.anchor}-{place}"})
    from IPython.display import display

    display(
        {"text/plain": evidence.text, "text/html": evidence.html},
        raw=True,
        metadata={METADATA_KEY: evidence.metadata},
    )
    return evidence
