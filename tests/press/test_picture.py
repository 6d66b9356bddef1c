"""The picture of the README says what the closed forms say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ssl_dynamics.press.picture import START, draw, orbit
from ssl_dynamics.theory import simsiam


def test_orbits_end_where_the_closed_forms_say() -> None:
    for flow, limit in (
        (simsiam.FLOW_STOP, simsiam.LIMIT_STOP),
        (simsiam.FLOW_FULL, simsiam.LIMIT_FULL),
    ):
        end = orbit(flow)[-1, 1] ** 2
        assert abs(end - float(limit.numpy(*START))) < 1e-6
    assert np.isclose(orbit(simsiam.FLOW_STOP)[-1, 1], 0.81, atol=0.01), "as the alt text says"


def test_it_is_drawn(tmp_path: Path) -> None:
    assert draw(tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
