"""The exact flow on the ring and its experiment: corners, ends, the rule, seeds, refusals."""

import numpy as np
import pytest

from ssl_dynamics.experiments import translation
from ssl_dynamics.experiments.translation import Config
from ssl_dynamics.training.ring_flow import class_gap, ring_flow, rule, selectivity, shortest

SMALL = Config(
    seeds=2, sizes=(5, 7), neurons=40, pair_sites=9, pairs=(3,), sampled_sizes=(5,), sampled=6,
    steps=20,
)  # fmt: skip


def test_a_path_by_hand():
    path = ring_flow(np.array([[2.0, -1.0, 0.0, 3.0, 2.0]]))
    assert path.liked.tolist() == [1]
    np.testing.assert_allclose(path.clock[:, 0], [0, 5, 7.5, 10], atol=1e-12)
    np.testing.assert_allclose(5 * path.velocity[0, 0], [0, -1, -1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(5 * path.direction[0], [0, -2 / 3, 0, 2 / 3, 2 / 3], atol=1e-9)
    assert path.sliding[:, 0].sum(-1).tolist() == [0, 0, 0, 2]
    assert path.ended.all()
    assert selectivity(path.direction, path.liked, (1, 2))[0] == pytest.approx(0.5)


@pytest.mark.parametrize("steps", [(1, 2), (2, 1), (1, 3), (3, 2)])
def test_small_euler_steps_reach_the_same_place(steps):
    w = np.random.default_rng(4).normal(size=(6, 8))
    path, x, until, count = ring_flow(w, steps), w.copy(), 6.0, 12000
    for _ in range(count):
        push = 0
        for step, sign in zip(steps, (1, -1), strict=True):
            gates = (x + np.roll(x, -step, -1) > 0).astype(float)
            push = push + sign * (gates + np.roll(gates, step, -1))
        x = x + until / count * path.liked[:, None] * push / 8
    for n in range(len(w)):
        beyond = max(until - path.clock[-1, n], 0) * path.direction[n]
        there = beyond + [
            np.interp(until, path.clock[:, n], path.weights[:, n, i]) for i in range(8)
        ]
        np.testing.assert_allclose(x[n], there, atol=5e-3)


def test_the_shortest_vector_is_that_of_a_bounded_least_squares():
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(2)
    for d, step in ((6, 1), (7, 2), (9, 3)):
        up = rng.integers(0, 3, (5, d)).astype(float)
        pictures = np.eye(d) + np.roll(np.eye(d), step, 1)
        gates = shortest(up, np.zeros((5, d)), np.ones((5, d), bool), step)
        for row, found in zip(up, gates, strict=True):
            best = lsq_linear(pictures.T, row, (0, 1), tol=1e-14)
            np.testing.assert_allclose(found @ pictures, pictures.T @ best.x, atol=1e-6)


def test_the_gap_only_grows_and_keeping_nothing_changes_nothing():
    w = np.random.default_rng(3).normal(size=(50, 9))
    path, short = ring_flow(w), ring_flow(w, keep=False)
    gaps = np.stack([class_gap(corner, (1, 2)) for corner in path.weights])
    assert (np.diff(np.abs(gaps), axis=0) >= -1e-12).all()
    assert (np.sign(gaps[-1]) == np.sign(gaps[0])).all()
    np.testing.assert_array_equal(path.direction, short.direction)
    np.testing.assert_array_equal(path.corners, short.corners)


def test_equal_weights_rest():
    path = ring_flow(np.ones((1, 6)))
    assert path.liked[0] == path.corners[0] == 0
    assert path.ended.all()
    assert not path.direction.any()
    assert np.isnan(selectivity(path.direction, path.liked, (1, 2))[0])


def test_a_tie_rests_with_gates_that_would_not_last():
    w = np.array([[2.0, 2.0, -1.0, 0.0, -1.0]])
    path = ring_flow(w)
    assert path.liked[0] == path.corners[0] == 0
    up, down = ring_flow(w + 1e-6 * np.eye(5)[[3]]), ring_flow(w - 1e-6 * np.eye(5)[[3]])
    assert up.liked[0] * down.liked[0] == -1
    assert min(up.corners[0], down.corners[0]) > 0


@pytest.mark.parametrize(("sites", "factor"), [(11, 5), (7, 3), (8, 3)])
def test_multiplying_the_places_carries_paths_into_paths(sites, factor):
    w = np.random.default_rng(sites).normal(size=(60, sites))
    places = factor * np.arange(sites) % sites
    carried = np.empty_like(w)
    carried[:, places] = w
    short = [min(factor * c % sites, -factor * c % sites) for c in (1, 2)]
    one, two = ring_flow(w), ring_flow(carried, (short[0], short[1]))
    np.testing.assert_array_equal(one.liked, two.liked)
    np.testing.assert_allclose(two.direction[:, places], one.direction, atol=1e-9)


def test_the_rule_counts_places_on_five_sites():
    w = np.random.default_rng(6).normal(size=(400, 5))
    path = ring_flow(w, keep=False)
    told = selectivity(rule(w), path.liked, (1, 2))
    for sign, step in ((1, 1), (-1, 2)):
        rows = path.liked == sign
        places = (w[rows] + np.roll(w[rows], -step, -1) > 0).sum(-1)
        np.testing.assert_array_equal(told[rows] == 0, places <= 2)


def test_seeds_are_independent_of_their_neighbours():
    both = translation.measure(SMALL, [0, 1], progress=False)
    alone = translation.measure(SMALL, [1], progress=False)
    for key, values in alone.items():
        np.testing.assert_allclose(both[key][1:], values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seeds", 0), ("neurons", 0), ("sizes", (4,)), ("sampled_sizes", ()), ("pairs", (6,)),
        ("low", 0.5), ("lr", 0.0), ("device", "cuda"), ("batch", 0),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: got .*allowed"):
        Config(**{field: value})


@pytest.mark.parametrize(("w", "steps"), [(np.ones(5), (1, 2)), (np.ones((2, 6)), (1, 3))])
def test_wrong_neurons_and_objects_are_refused(w, steps):
    with pytest.raises(ValueError, match=r"got .*allowed"):
        ring_flow(w, steps)
