"""A small set of claims for the tests of the evidence package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssl_dynamics.evidence import claims_from

TOY = (Path(__file__).parent / "toy.toml").read_text(encoding="utf-8")


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
