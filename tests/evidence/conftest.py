"""A small set of claims for the tests of the evidence package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssl_dynamics.evidence import claims_from

TOY = """
[[claim]]
slug = "toy"
row = "B8"
title = "A toy claim"
statement = "Every square is positive."
source = "someone2020"
chapters = ["part/toy"]

[[claim.part]]
id = "square"
sentence = "The square of $a-b$ expands & is <not> negative."
evidence = ["prove", "check"]
tolerance = 1e-12

[[claim.part]]
id = "seen"
sentence = "The mean is above one half."
evidence = ["observe"]
predicate = "mean > 0.5"

[[claim.part]]
id = "share"
sentence = "Most seeds do it."
evidence = ["observe"]
predicate = "> 0.5"
fraction = true

[[claim.part]]
id = "zero"
sentence = "Zero is no positive square."
evidence = ["refute"]
"""


@pytest.fixture
def write_claims(tmp_path: Path) -> Callable[..., Path]:
    """Write a claims file and return its folder."""

    def write(text: str, name: str = "toy.toml") -> Path:
        folder = tmp_path / "claims"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def toy_claims(write_claims: Callable[..., Path]) -> Iterator[Path]:
    """The toy claims, in use."""
    folder = write_claims(TOY)
    with claims_from(folder):
        yield folder
