"""Closed forms of graded targets against quadrature, directions on a circle and pairs of rows."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

from ssl_dynamics.measures import classes_of, over_pairs
from ssl_dynamics.theory import random_targets

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def half_normal(integrand):
    """Mean over a standard normal number, of its size."""
    return quad(lambda x: 2 * integrand(x) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), 0, 12)[0]


def route_agreement(form):
    """Given the first logit difference the second is normal: its sign by the normal law."""
    for rng in rngs(900):
        rho = rng.uniform(-0.9, 0.9)
        same = half_normal(lambda x, r=rho: ndtr(r * x / np.sqrt(1 - r**2)))
        close(same, form.numpy(rho), 1e-8)


def route_majority(form):
    for rng in rngs(901):
        r = rng.uniform(0.1, 4)
        close(half_normal(lambda x, r=r: ndtr(r * x)), form.numpy(r), 1e-8)


def route_score(form):
    """Errors counted: those that the constant guess makes and the probe does not."""
    for rng in rngs(902):
        n = 60
        asked = rng.choice(3, size=n, p=[0.6, 0.3, 0.1])
        said = np.where(rng.random(n) < 0.7, asked, rng.integers(3, size=n))
        wrong, constant = (said != asked).sum(), (asked != np.bincount(asked).argmax()).sum()
        got = form.numpy((said == asked).mean(), np.bincount(asked).max() / n)
        close(1 - wrong / constant, got)


def route_score_error(form):
    """The deviation over the binomial law of right guesses, term by term."""
    for rng in rngs(903):
        n, p, m = int(rng.integers(5, 40)), rng.uniform(0.5, 0.95), rng.uniform(0.1, 0.8)
        chances = np.array([1.0])
        for _ in range(n):
            chances = np.convolve(chances, [1 - p, p])
        scores = (np.arange(n + 1) / n - m) / (1 - m)
        deviation = np.sqrt(chances @ scores**2 - (chances @ scores) ** 2)
        close(deviation, form.numpy(p, m, n), 1e-10)


def model(rng):
    angle = rng.uniform(0.15, 1.4)
    v_s, v_n, noise = np.exp(rng.uniform(-1, 1, size=3))
    return angle, v_s, v_n, noise


def told(angle, v_s, v_n, noise):
    """Squared correlation of the target's direction with its least-squares fit."""
    gain = np.diag(np.sqrt([v_s, v_n]))
    target = np.array([np.cos(angle), np.sin(angle)])
    with_target = gain @ target
    whole = gain @ gain + noise**2 * np.eye(2)
    return with_target @ np.linalg.solve(whole, with_target)


def route_accuracy(form):
    """Given the fit, of variance q, the direction is normal with the variance 1 - q."""
    for rng in rngs(904):
        at = model(rng)
        q = told(*at)
        right = half_normal(lambda x, q=q: ndtr(np.sqrt(q) * x / np.sqrt(1 - q)))
        close(right, form.numpy(*at), 1e-8)


def route_stop_angle(form):
    for rng in rngs(905):
        v_s0, v_n0, noise = np.exp(rng.uniform(-1, 1, size=3))
        v_s, v_n = v_s0 * rng.uniform(1.2, 3), v_n0 * rng.uniform(0.1, 0.8)
        after = (v_s, v_n, noise)
        root = brentq(
            lambda a, e=after, s=(v_s0, v_n0, noise): told(a, *e) - told(a, *s), 0, np.pi / 2
        )
        close(root, form.numpy(v_s, v_n, v_s0, v_n0, noise), 1e-9)


def route_share(form):
    """The mean of the representation where the target is positive, over half a circle."""
    for rng in rngs(906):
        angle, v_s, v_n, noise = model(rng)
        s, n = np.meshgrid(NODES, NODES, indexing="ij")
        weight = WEIGHTS[:, None] * WEIGHTS
        radius = quad(lambda y: y**2 * np.exp(-(y**2) / 2), 0, 12)[0]
        ends = angle - np.pi / 2, angle + np.pi / 2
        along = np.array([radius * quad(way, *ends)[0] / np.pi for way in (np.cos, np.sin)])
        along *= np.sqrt([v_s, v_n])
        total = (weight * (v_s * s**2 + v_n * n**2)).sum() + 2 * noise**2
        close((along**2).sum() / total, form.numpy(angle, v_s, v_n, noise), 1e-8)


def drawn_classes(rng, classes):
    """Features of classes of one size, and the measures of the library on them."""
    size = int(rng.integers(3, 7))
    features = rng.normal(size=(classes * size, 4))
    features += np.repeat(rng.normal(size=(classes, 4)), size, axis=0)
    labels = torch.arange(classes).repeat_interleave(size)
    found = classes_of(torch.tensor(features)[None], labels)
    variance = found.variance.mean().item()
    distance = over_pairs(found.squared_distances).item()
    total = ((features - features.mean(0)) ** 2).sum(1).mean()
    return features, variance, distance, 1 - variance / total


def route_cdnv_of_share(form):
    for rng in rngs(907):
        classes = int(rng.integers(2, 7))
        _, variance, distance, share = drawn_classes(rng, classes)
        close(variance / distance, form.numpy(share, classes))


def route_distance_ratio(form):
    """One set of features, two targets of classes of one size."""
    for rng in rngs(908):
        classes = int(rng.integers(2, 6))
        features, variance, distance, _ = drawn_classes(rng, classes)
        size = len(features) // classes
        other = torch.tensor(rng.permutation(np.repeat(np.arange(classes), size)))
        found = classes_of(torch.tensor(features)[None], other)
        total = ((features - features.mean(0)) ** 2).sum(1).mean()
        share = 1 - found.variance.mean().item() / total
        ratio = variance / found.variance.mean().item()
        wanted = distance / over_pairs(found.squared_distances).item()
        close(wanted, form.numpy(ratio, share), 1e-9)


ROUTES = {name: globals()[f"route_{name.lower()}"] for name in random_targets.FORMS}


@pytest.mark.parametrize("name", ROUTES)
def test_the_form_is_what_its_route_finds(name):
    ROUTES[name](random_targets.FORMS[name])


def test_without_noise_a_contraction_loses_nothing():
    clean = random_targets.ACCURACY.numpy(np.array([0.3, 1.2]), 1.0, 1e-3, 1e-9)
    close(clean, [1, 1], 1e-4)
