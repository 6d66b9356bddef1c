"""Learning-rate schedule: its ends, its middle, and what is refused."""

import itertools

import pytest

from ssl_dynamics.training.images import half_cosine, warmup_cosine


def test_warm_up_rises_in_equal_steps_to_one_and_the_cosine_falls_to_zero():
    rising = [warmup_cosine(step, 20, 4) for step in range(4)]
    assert rising == pytest.approx([0.25, 0.5, 0.75, 1.0])
    falling = [warmup_cosine(step, 20, 4) for step in range(4, 21)]
    assert falling[0] == 1.0
    assert falling[-1] == 0.0
    assert falling[8] == pytest.approx(0.5)
    assert all(a > b for a, b in itertools.pairwise(falling))


def test_half_cosine_is_symmetric():
    for x in (0.0, 0.1, 0.3, 0.5):
        assert half_cosine(x) + half_cosine(1 - x) == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "steps", "warmup"), [(5, 4, 0), (-1, 4, 0), (0, 4, 5), (0, 4, -1)]
)
def test_places_outside_the_run_are_refused(step, steps, warmup):
    with pytest.raises(ValueError, match="allowed: 0 <= step <= steps"):
        warmup_cosine(step, steps, warmup)
