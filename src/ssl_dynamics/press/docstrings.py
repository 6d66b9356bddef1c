r"""Plain docstrings to reStructuredText that always parses.

The code's docstrings are written for people: paragraphs, dashes for lists, single or double
backticks for code, dollars for mathematics, stars around a word that is stressed, indented blocks
for shapes and examples, ``.. math::`` before a formula on its own. This module turns that into
markup which cannot raise a warning: everything that is not one of those things is escaped.
"""

from __future__ import annotations

import re
import textwrap

TOKEN = re.compile(
    r":(?P<role>[a-z][a-z:]*):`(?P<body>[^`]+?)`"
    r"|``(?P<double>.+?)``"
    r"|`(?P<single>[^`]+?)`(?!`)"
    r"|\$(?P<math>[^$\n]+?)\$"
    r"|(?<![\w*])\*(?P<stress>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
)
BULLET = re.compile(r"^[-*•] +")
FORMULA = re.compile(r"^\s*\.\. math::(?P<body>.*)$", re.DOTALL)
UNSAFE = re.compile(r"([\\*|`_])")
RULE = re.compile(r"([^\w\s])\1{3,}")
SECTION = re.compile(r"^(Args|Arguments|Attributes|Parameters|Raises|Returns|Yields|Fields):$")
ENTRY = re.compile(r"^(?P<name>[A-Za-z_][\w.,* ]{0,40}): +(?P<text>.*)$")


def to_restructured_text(docstring: str) -> str:
    """Return valid reStructuredText with the words of ``docstring``."""
    blocks = re.split(r"\n[ \t]*\n", textwrap.dedent(docstring.expandtabs()).strip("\n"))
    parts: list[str] = []
    formula = False  # the last block said that a formula follows
    for block in blocks:
        found = FORMULA.match(block)
        body = " ".join((found["body"] if found else block).split())
        if body and (found or (formula and block.startswith(" "))):
            parts.append(f".. math::\n\n    {body}")
        elif not found:
            parts.append(_block(block))
        formula = bool(found) and not body
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: str) -> str:
    """One block between blank lines: list, indented text, or paragraph."""
    lines = [line.rstrip() for line in block.splitlines() if line.strip()]
    if not lines:
        return ""
    if all(line.startswith(" ") for line in lines):
        body = textwrap.dedent("\n".join(lines))
        return "::\n\n" + textwrap.indent(body, "    ")
    if SECTION.match(lines[0]) and len(lines) > 1:
        return f"**{lines[0]}**\n\n" + _entries(textwrap.dedent("\n".join(lines[1:])))
    parts: list[str] = []
    paragraph: list[str] = []
    item: list[str] = []
    literal: list[str] = []

    def flush() -> None:
        if paragraph:
            parts.append(_inline(" ".join(paragraph)))
        if item:
            parts.append("* " + _inline(" ".join(item)))
        if literal:
            body = textwrap.dedent("\n".join(literal))
            parts.append("::\n\n" + textwrap.indent(body, "    "))
        for store in (paragraph, item, literal):
            store.clear()

    for line in lines:
        stripped = line.strip()
        bullet = BULLET.match(stripped)
        if bullet:
            flush()
            item.append(stripped[bullet.end() :])
        elif item and line.startswith(" "):
            item.append(stripped)
        elif line.startswith(" "):
            if not literal:
                flush()
            literal.append(line)
        else:
            if item or literal:
                flush()
            paragraph.append(stripped)
    flush()
    return "\n\n".join(parts)


def _entries(body: str) -> str:
    """``name: text`` lines, with their indented continuations, as a list."""
    items: list[str] = []
    for line in body.splitlines():
        if items and line.startswith(" "):
            items[-1] += " " + line.strip()
        else:
            items.append(line.strip())
    shown = []
    for item in items:
        entry = ENTRY.match(item)
        name = f"{_role('code', entry['name'])}: " if entry else ""
        shown.append("* " + (name + _inline(entry["text"] if entry else item)).strip())
    return "\n\n".join(shown)


def _inline(text: str) -> str:
    """Escape ``text`` outside code and mathematics."""
    result: list[str] = []
    end = 0
    for match in TOKEN.finditer(text):
        result.append(_escape(text[end : match.start()]))
        maths = match["body"] if match["role"] == "math" else match["math"]
        code = match["double"] or match["single"] or match["body"]
        if match["stress"] is not None:
            result.append(_role("emphasis", match["stress"]))
        elif maths is not None:
            result.append(_role("math", maths.strip()))
        else:
            result.append(_role("code", code.strip().lstrip("~")))
        end = match.end()
    result.append(_escape(text[end:]))
    # two colons at the end would announce a literal block, four equal characters a rule
    words = re.sub(r":(\s*)$", r"\\:\1", "".join(result))
    return rf"\ {words}" if RULE.fullmatch(words.strip()) else words


def _role(role: str, body: str) -> str:
    """A role on ``body``, set off so that it may touch letters on both sides."""
    if not body or "`" in body:
        return _escape(body)
    inner = body if role == "math" else body.replace("\\", "\\\\")
    return rf"\ :{role}:`{inner}`\ "


def _escape(text: str) -> str:
    return UNSAFE.sub(r"\\\1", text)
