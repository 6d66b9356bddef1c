"""Blind features and the pull of combinations: enumerated inputs, projections and autograd."""

import itertools
from math import comb

import numpy as np
import pytest
import torch
from comparing import close, rngs

from ssl_dynamics.theory import top_down


def cube(bits):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=bits)))


def sets(bits, order):
    return [list(A) for A in itertools.combinations(range(bits), order)]


def parities(x, order):
    return np.stack([x[:, A].prod(1) for A in sets(x.shape[1], order)], 1)


def conjunctions(x, order):
    return np.stack([(x[:, A] > 0).all(1) for A in sets(x.shape[1], order)], 1).astype(float)


def left_over(features, targets):
    """Mean squares that least squares leaves of each target."""
    fit = features @ np.linalg.lstsq(features, targets)[0] if features.size else 0
    return np.square(targets - fit).mean(0)


def sizes(rng):
    bits = int(rng.integers(3, 7))
    order = int(rng.integers(1, bits))
    return bits, order, comb(bits, order)


def route_blind_error(form):
    """Features inside the span of the targets reach the bound."""
    for rng in rngs(90):
        bits, order, count = sizes(rng)
        F = parities(cube(bits), order)
        n = int(rng.integers(0, count + 1))
        H = F @ rng.normal(size=(count, n))
        close(left_over(H, F).mean(), form.numpy(n, count))


def route_free_error(form):
    """The features of k bits alone, after all functions of fewer bits."""
    for rng in rngs(91):
        bits, order, count = sizes(rng)
        x = cube(bits)
        low = [parities(x, k) for k in range(1, order)]
        low = np.concatenate([np.ones((len(x), 1)), *low], 1)
        n = int(rng.integers(0, count + 1))
        H = np.concatenate([low, parities(x, order) @ rng.normal(size=(count, n))], 1)
        F = conjunctions(x, order)
        close(left_over(H, F).mean() / F[:, 0].var(), form.numpy(n, count, order))


def route_shared_mean(form):
    for rng in rngs(92):
        bits, order, count = sizes(rng)
        F, names = conjunctions(cube(bits), order), sets(bits, order)
        a, b = rng.integers(count, size=2)
        shared = len(set(names[a]) & set(names[b]))
        close((F[:, a] * F[:, b]).mean(), form.numpy(order, shared))


def route_linear_share(form):
    for rng in rngs(93):
        bits, order, _ = sizes(rng)
        x = cube(bits)
        f = conjunctions(x, order)[:, :1]
        left = left_over(np.concatenate([np.ones((len(x), 1)), x], 1), f)
        close(1 - left[0] / f.var(), form.numpy(order))


def pulls(rng, x, targets):
    """Slopes of one ReLU node's weights for each target alone, by autograd; where it is open."""
    w = torch.tensor(rng.normal(size=x.shape[1]), requires_grad=True)
    h = torch.tensor(x) @ w + float(rng.normal() / 2)
    found = [
        torch.autograd.grad((torch.relu(h) * torch.tensor(f)).mean(), w, retain_graph=True)[0]
        for f in targets.T
    ]
    return np.stack([slope.numpy() for slope in found]), (h > 0).numpy()


def route_own_pull(form):
    for rng in rngs(94):
        bits, order, _ = sizes(rng)
        x = cube(bits)
        F = conjunctions(x, order)[:, :1]
        slope, is_open = pulls(rng, x, F / F.std())
        share = is_open[F[:, 0] > 0].mean() + 1e-300
        close(slope[0, :order], np.full(order, form.numpy(share, order)))


def route_blind_pull(form):
    """All parities together reach the bound: T is then the number of inputs."""
    for rng in rngs(95):
        x = cube(int(rng.integers(2, 6)))
        every = np.concatenate([np.ones((len(x), 1))]
                               + [parities(x, k + 1) for k in range(x.shape[1])], 1)  # fmt: skip
        slope, is_open = pulls(rng, x, every)
        close((slope**2).mean(0), np.full(x.shape[1], form.numpy(is_open.mean(), len(x))))


ROUTES = {
    "BLIND_ERROR": route_blind_error,
    "FREE_ERROR": route_free_error,
    "SHARED_MEAN": route_shared_mean,
    "LINEAR_SHARE": route_linear_share,
    "OWN_PULL": route_own_pull,
    "BLIND_PULL": route_blind_pull,
}


@pytest.mark.parametrize(
    ("bits", "order"), [(4, 1), (5, 2), (6, 3), (6, 5), (4, 4), (7, 4), (8, 2)]
)
def test_the_spectrum_is_that_of_the_enumerated_conjunctions(bits, order):
    F = conjunctions(cube(bits), order)
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(F.T, bias=True)))
    listed = [np.full(times, value) for value, times in top_down.spectrum(bits, order)]
    close(np.sort(values), np.sort(np.concatenate(listed)))


def test_the_best_blind_layer_reaches_the_least_error_and_random_ones_do_not():
    x, rng = cube(6), np.random.default_rng(0)
    F = conjunctions(x, 3)
    F = F - F.mean(0)
    best = np.linalg.svd(F, full_matrices=False)[0]
    least = top_down.least_blind_error(6, 3)
    assert len(least) == 21
    for n in (0, 1, 5, 6, 12, 20):
        found = left_over(best[:, :n], F).mean() / F[:, 0].var()
        assert found == pytest.approx(least[n], abs=1e-12)
        H = rng.normal(size=(64, n))
        if 0 < n < 20:
            assert left_over(H - H.mean(0), F).mean() / F[:, 0].var() > least[n] + 0.01


def test_the_order_must_fit():
    for order in (0, 5):
        with pytest.raises(ValueError, match="order: got"):
            top_down.spectrum(4, order)
