"""The experiment with two layers: its losses, its clocks, what it conserves, and its refusals."""

import math

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import two_layers
from ssl_dynamics.experiments.two_layers import Config, Data
from ssl_dynamics.losses import simple_contrastive

SEEDS = range(2)
SMALL = Config(seeds=2, ratios=(4.0,), per_digit=1, decades=2, points=2, steps=30)


def outputs():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(size=(2, 5, 3, 4)))


def test_the_simple_loss_is_the_mean_over_all_pairs():
    f = outputs()
    near = [
        simple_contrastive(f[:, :, a], f[:, :, b]) for a in range(3) for b in range(3)
    ]  # positives of images, negatives of all pairs of images, for each pair of views
    found = two_layers.loss_of("simple", f)
    torch.testing.assert_close(found, torch.stack(near).mean(0))


def test_bounded_losses_do_not_see_the_size_of_the_outputs():
    f = outputs()
    for name in ("unit", "nce"):
        torch.testing.assert_close(two_layers.loss_of(name, 7 * f), two_layers.loss_of(name, f))
    with pytest.raises(ValueError, match="allowed: simple, unit, nce"):
        two_layers.loss_of("triplet", f)


def test_separation_is_one_for_classes_apart_and_zero_for_classes_alike():
    labels = torch.eye(2, dtype=torch.float64).repeat(1, 1, 1)
    apart = torch.tensor([[[[1.0, 0.0]] * 3, [[0.0, 2.0]] * 3]], dtype=torch.float64)
    assert two_layers.class_separation(apart, labels).item() == pytest.approx(1)
    one = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    alike = torch.stack([one, 5 * one])[None]
    assert two_layers.class_separation(alike, labels).item() == pytest.approx(0)


def test_starts_have_the_ratio_and_compute_one_function():
    data = Data(SEEDS, 1)
    found = []
    for ratio in (0.25, 9.0):
        weights = two_layers.start(SEEDS, SMALL, ratio)
        norms = two_layers.squared_norms(weights)
        torch.testing.assert_close(norms[:, 0] / norms[:, 1], torch.full((2,), ratio).double())
        found.append(two_layers.forward(weights, data.views))
    torch.testing.assert_close(found[0], found[1])


def test_a_run_keeps_the_frozen_layer_and_raises_the_trace():
    data = Data(SEEDS, 1)
    for mode, trained in two_layers.TRAINED.items():
        run = two_layers.descend(SMALL, data, "simple", 4.0, mode, SEEDS)
        assert (run["trace"][:, 1:] > run["trace"][:, :-1]).all()
        moved = run["norms"][:, -1] - run["norms"][:, 0]
        assert [bool((moved[:, k] > 0).all()) for k in (0, 1)] == [k in trained for k in (0, 1)]
        if mode == "joint":
            assert run["drift"].max() < 0.01


def test_a_crossing_is_read_between_the_steps():
    clock = torch.tensor([[0.0, 1.0, 3.0]] * 3)
    values = torch.tensor([[1.0, 2.0, 4.0], [1.0, 1.0, 1.5], [5.0, 5.0, 5.0]])
    found = two_layers.crossing(clock, values, torch.tensor([3.0, 2.0, 5.0]))
    assert found.tolist() == [2.0, math.inf, 0.0]


def test_the_time_of_the_theorem_is_continuous_at_balance():
    norms = torch.tensor([[2.0, 2.0], [2.0 + 1e-6, 2.0], [1.0, math.e]], dtype=torch.float64)
    found = two_layers.log_mean_time(norms)
    wanted = torch.tensor([0.5, 0.5, 1 / (math.e - 1)], dtype=torch.float64)
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)


def test_seeds_are_independent_of_their_neighbours():
    both = two_layers.descend(SMALL, Data(SEEDS, 1), "unit", 4.0, "joint", SEEDS)
    alone = two_layers.descend(SMALL, Data(range(1), 1), "unit", 4.0, "joint", range(1))
    steps = min(both["trace"].shape[1], alone["trace"].shape[1])
    torch.testing.assert_close(both["trace"][:1, :steps], alone["trace"][:, :steps])


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("ratios", (0.0,)), ("gain", 1.0), ("stride", 0.0), ("device", "cuda"),
     ("positives", 9), ("decades", 1)],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: got .*allowed"):
        Config(**{field: value})


def test_class_times_of_every_way_are_recorded_and_make_the_speed_up():
    found = two_layers.measure(SMALL, progress=False)
    for loss in two_layers.LOSSES:
        key = f"{loss}/ratio=4"
        times = [found[f"{key}/{mode}/class time"] for mode in two_layers.TRAINED]
        reached = [found[f"{key}/{mode}/reached"] for mode in two_layers.TRAINED]
        assert all((np.isfinite(t) == (r == 1)).all() for t, r in zip(times, reached, strict=True))
        there = (reached[0] == 1) & (reached[1] == 1)
        assert there.any()
        np.testing.assert_allclose(
            (times[1] / times[0])[there], found[f"{key}/class speed-up"][there]
        )
