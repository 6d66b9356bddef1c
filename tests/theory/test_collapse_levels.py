"""Closed forms of the three levels against samples, slopes, integrators and eigenvalues."""

import itertools

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from ssl_dynamics.measures import classes_of
from ssl_dynamics.theory import collapse_levels as theory


def grouped(rng):
    """Features of an arbitrary encoder on a random balanced tree: [1, N, d] and three labels."""
    supers, classes, samples, views = rng.integers(2, 5, size=4)
    x = sum(
        rng.normal() * np.repeat(rng.normal(size=(count, 6)), inside, 0)
        for count, inside in (
            (supers, classes * samples * views),
            (supers * classes, samples * views),
            (supers * classes * samples, views),
            (supers * classes * samples * views, 1),
        )
    )
    features = np.tanh(x @ rng.normal(size=(6, 5))) @ rng.normal(size=(5, 4))
    rows = np.arange(len(x))
    labels = [rows // (views * inside) for inside in (classes * samples, samples, 1)]
    return torch.tensor(features)[None], [torch.tensor(one) for one in labels]


def parts(features, labels):
    """Variances between super-classes, classes, samples, views, by means of means."""
    f = features[0].numpy()
    middles = [np.broadcast_to(f.mean(0), f.shape)]
    for one in labels:
        means = np.stack([f[one.numpy() == c].mean(0) for c in range(int(one.max()) + 1)])
        middles.append(means[one.numpy()])
    middles.append(f)
    return [((b - a) ** 2).sum(1).mean() for a, b in itertools.pairwise(middles)]


def route_ratio(level):
    def route(form):
        for rng in rngs(300 + level):
            features, labels = grouped(rng)
            found = classes_of(features, labels[level])
            within = found.variance.mean()
            between = found.squared_distances.mean() / 2  # all pairs, equal ones too
            close(float(within / between), form.numpy(*parts(features, labels)))

    return route


def mode(rng):
    """lambda_V, lambda_I, mu_s, mu_v of a mode that grows."""
    while True:
        kept, moved, s, v = rng.uniform(0.3, 2, size=4)
        if v * (kept + moved) > 1.2 * s * moved:
            return kept, moved, s, v


def loss(w, kept, moved, s, v):
    """The squared form of VICReg of one output w x, from the moments of its views."""
    total = kept + moved
    return s * 2 * moved * w**2 + v * (total * w**2 - 1) ** 2


def velocity(nu, place):
    """Of the variance of the output, from the slope of the loss by the weight (complex step)."""
    total = place[0] + place[1]
    w = (nu / total) ** 0.5
    return -2 * total * w * loss(w + 1e-30j, *place).imag / 1e-30


def followed(t, start, place):
    run = solve_ivp(
        lambda _, y: [velocity(max(y[0], 1e-300), place)], (0, t), [start], method="DOP853",
        rtol=1e-10, atol=1e-13,
    )  # fmt: skip
    return run.y[0, -1]


def route_flow(form):
    for rng in rngs(310):
        place, nu = mode(rng), rng.uniform(0.05, 0.9)
        close(velocity(nu, place), form.numpy(nu, *place))


def route_rate(form):
    for rng in rngs(311):
        place = mode(rng)
        close(velocity(1e-9, place) / 1e-9, form.numpy(*place), 1e-7)


def route_end(form):
    for rng in rngs(312):
        place = mode(rng)
        close(brentq(lambda nu, p=place: velocity(nu, p), 1e-3, 1.5), form.numpy(*place), 1e-9)


def route_course(form):
    for rng in rngs(313):
        place, start = mode(rng), rng.uniform(0.01, 0.05)
        t = rng.uniform(0.1, 0.6)
        close(followed(t, start, place), form.numpy(t, start, *place), 1e-7)


def route_time(form):
    """At that time the integrated mode has the share of the end that it comes to later."""
    for rng in rngs(314):
        place, start, share = mode(rng), rng.uniform(0.005, 0.02), rng.uniform(0.3, 0.8)
        end = brentq(lambda nu, p=place: velocity(nu, p), 1e-3, 1.5)
        t = float(form.numpy(share, start, *place))
        assert 0 < t < 20
        close(followed(t, start, place) / end, share, 1e-6)


def route_tie(form):
    """Two modes grow equally fast when they are small."""
    for rng in rngs(315):
        coarse, fine = np.sort(rng.uniform(0.3, 2, size=2))[::-1]
        s, v = rng.uniform(0.5, 2, size=2)
        noise = rng.uniform(0.1, 1)
        tie = float(form.numpy(coarse, fine, noise, s, v))
        rates = [
            -2 * (2 * s * moved - 2 * v * (kept + moved)) * 2
            for kept, moved in ((coarse, tie), (fine, noise))
        ]
        close(rates[0], rates[1], 1e-9)


def route_hinge_time(form):
    """The time as an integral over the deviation, of its velocity by a complex step."""
    for rng in rngs(316):
        kept, moved, s, v = mode(rng)
        width = int(rng.integers(1, 9))
        total = kept + moved
        goal = 0.8 * min(1.0, v * total / (4 * s * moved))

        def slowness(d, moved=moved, s=s, v=v, width=width, total=total):
            w = d / total**0.5 + 1e-30j
            value = (s * 2 * moved * w**2 + v * (1 - w * total**0.5)) / width
            return -1 / (value.imag / 1e-30 * total**0.5)

        close(
            quad(slowness, 0, goal, epsabs=1e-12)[0],
            form.numpy(goal, kept, moved, s, v, width),
            1e-8,
        )


def tree_values(rng):
    """Arguments of a random balanced tree, and the eigenvalues of its covariance, largest first."""
    lengths = rng.uniform(0.4, 2, size=3)
    counts = rng.integers(2, 5, size=3)
    blocks = [
        np.repeat(np.eye(n), inside, 0)
        for n, inside in (
            (counts[0], counts[1] * counts[2]),
            (counts[0] * counts[1], counts[2]),
            (counts.prod(), 1),
        )
    ]
    x = np.concatenate([one * size for one, size in zip(blocks, lengths, strict=True)], 1)
    x -= x.mean(0)
    return (*lengths, *counts), np.sort(np.linalg.eigvalsh(x.T @ x / len(x)))[::-1]


def route_tree(level):
    def route(form):
        for rng in rngs(320):
            place, values = tree_values(rng)
            k1, k2, k3 = place[3:]
            first = [0, k1 - 1, k1 * k2 - 1, k1 * k2 * k3 - 1]
            own = values[first[level] : first[level + 1]]
            close(own, np.full(len(own), float(form.numpy(*place))))

    return route


ROUTES = {
    "RATIO_SUPER": route_ratio(0),
    "RATIO_CLASS": route_ratio(1),
    "RATIO_SAMPLE": route_ratio(2),
    "RATE": route_rate,
    "END": route_end,
    "FLOW": route_flow,
    "COURSE": route_course,
    "TIME": route_time,
    "TIE": route_tie,
    "HINGE_TIME": route_hinge_time,
    "TREE_SUPER": route_tree(0),
    "TREE_CLASS": route_tree(1),
    "TREE_SAMPLE": route_tree(2),
}


@pytest.mark.parametrize("name", ROUTES)
def test_each_form_agrees_with_its_route(name):
    ROUTES[name](theory.FORMS[name])


def test_the_levels_are_nested_for_any_encoder():
    for rng in rngs(330, draws=30):
        features, labels = grouped(rng)
        found = parts(features, labels)
        values = [getattr(theory, f"RATIO_{name}").numpy(*found) for name in
                  ("SAMPLE", "CLASS", "SUPER")]  # fmt: skip
        assert values[0] <= values[1] <= values[2]


def test_parts_that_vanish_make_ties_and_no_other_order():
    ratios = [getattr(theory, f"RATIO_{name}").numpy for name in ("SAMPLE", "CLASS", "SUPER")]
    for zeros in itertools.product((0.0, 1.0), repeat=3):
        for rng in rngs(331, draws=3):
            place = (rng.uniform(0.1, 2), *(rng.uniform(0.1, 2, 3) * zeros))
            values = [ratio(*place) for ratio in ratios]
            assert values[0] <= values[1] <= values[2]
            assert (values[1] == values[2]) == (place[1] == 0)
            assert (values[0] == values[1]) == (place[2] == 0)
