"""Docstrings become reStructuredText that cannot fail to parse, with their words kept."""

from __future__ import annotations

import docutils.core
import pytest
from docutils.parsers.rst import roles
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_dynamics.press.docstrings import to_restructured_text


def parse(text: str) -> tuple[str, str]:
    """Plain text of ``text`` and the warnings of docutils."""
    from docutils import nodes

    warnings = []
    roles.register_local_role("math", roles.math_role)
    tree = docutils.core.publish_doctree(
        text, settings_overrides={"report_level": 2, "warning_stream": _Sink(warnings)}
    )
    assert not list(tree.findall(nodes.problematic)), text
    return tree.astext(), "".join(warnings)


class _Sink:
    def __init__(self, store: list[str]) -> None:
        self.store = store

    def write(self, text: str) -> None:
        self.store.append(text)


@pytest.mark.parametrize(
    ("docstring", "words"),
    [
        ("Mean of |x| and y_ and *args.", ["|x|", "y_", "*args"]),
        ("Shape `[S, B, d]`, see ``run()`` and $\\mu$.", ["[S, B, d]", "run()", r"\mu"]),
        ("The :data:`~a.SYMBOLS` and :math:`z^2`.", ["a.SYMBOLS", "z^2"]),
        ("Two:\n\n* one\n  goes on\n* two", ["one goes on", "two"]),
        ("Args:\n    x: the input,\n        long.\n    lr: step", ["x", "the input, long.", "lr"]),
        ("Code:\n\n    a = b * c\n    d = e", ["a = b * c"]),
        ("At *one* sample, not a * b * c.", ["At one sample", "a * b * c"]),
        (
            "So\n\n.. math:: y = (x - m) / s, \\qquad\n    s > 0,\n\nwhere",
            ["m) / s, \\qquad s > 0,"],
        ),
        ("So\n\n.. math::\n\n    y_1 = x, \\\\\n    z = 1\n\nhere", ["y_1 = x, \\\\ z = 1"]),
        ("A line\n    then an indent\nback", ["then an indent", "back"]),
        ("\\\\", ["\\\\"]),
        ("Before\n\n----\n\nafter", ["Before", "----", "after"]),
    ],
)
def test_words_are_kept(docstring: str, words: list[str]) -> None:
    text, warnings = parse(to_restructured_text(docstring))
    assert not warnings
    for word in words:
        assert word in text


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab *|_`$\\:.-\n<>[]{}()'\"", max_size=80))
def test_nothing_breaks_the_parser(docstring: str) -> None:
    _, warnings = parse(to_restructured_text(docstring))
    assert not warnings
