"""Closed forms of depth against matrices, slopes of the loss, quadrature and drawn probes."""

import numpy as np
import pytest
from comparing import close, rngs
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from ssl_dynamics.theory import collapse_levels
from ssl_dynamics.theory import depth as theory


def balanced(rng, gains, depth):
    """Layers [d, d] of a random balanced linear network, orthonormal modes, squared gains [d]."""
    size = len(gains)
    bases = [np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(depth + 1)]
    one = np.diag(np.asarray(gains) ** (1 / (2 * depth)))
    return [bases[k + 1] @ one @ bases[k].T for k in range(depth)], bases[0]


def first(layers_, count):
    """Product of the first `count` layers."""
    made = np.eye(len(layers_[0]))
    for one in layers_[:count]:
        made = one @ made
    return made


def route_variance(form):
    for rng in rngs(710):
        depth = int(rng.integers(2, 6))
        kept, moved, nu = rng.uniform(0.2, 3, size=3)
        made, basis = balanced(rng, [nu / (kept + moved), *rng.uniform(0.1, 2, size=3)], depth)
        for count in range(depth + 1):
            along = first(made, count) @ basis[:, 0]
            close((kept + moved) * along @ along, form.numpy(count, depth, nu, kept, moved), 1e-10)


def route_ratio(form):
    for rng in rngs(711):
        depth = int(rng.integers(2, 6))
        coarse, fine, one, two = rng.uniform(0.2, 3, size=4)
        made, basis = balanced(rng, [one, two, 0.3], depth)
        for count in range(depth + 1):
            lengths = ((first(made, count) @ basis) ** 2).sum(0)
            got = form.numpy(count, depth, coarse, fine, one, two)
            close(coarse * lengths[0] / (fine * lengths[1]), got, 1e-10)


def route_flow(form):
    """Layers of one number each; slope of the loss by every layer, by a complex step."""
    for rng in rngs(712):
        depth = int(rng.integers(1, 6))
        kept, moved, s, v = rng.uniform(0.3, 2, size=4)
        w = np.full(depth, rng.uniform(0.3, 1.2))
        slope = np.empty(depth)
        for k in range(depth):
            moving = w.astype(complex)
            moving[k] += 1e-30j
            square = np.prod(moving) ** 2
            loss = 2 * s * square * moved + v * (square * (kept + moved) - 1) ** 2
            slope[k] = loss.imag / 1e-30
        total = np.prod(w)
        nu = (kept + moved) * total**2
        velocity = (kept + moved) * 2 * total * -(slope * total / w).sum()
        close(velocity, form.numpy(nu, depth, kept, moved, s, v), 1e-9)


def drawn_within(rng):
    """Depth and the four numbers of `WITHIN` with its least value inside."""
    while True:
        depth = int(rng.integers(2, 7))
        fine, dead = rng.uniform(0.1, 2, size=2)
        place = (fine, dead, rng.uniform(1.5, 6), rng.uniform(0.05, 0.6))
        slope = [
            fine * np.log(place[2]) * place[2] ** t + dead * np.log(place[3]) * place[3] ** t
            for t in (0, 1)
        ]
        if slope[0] < -0.1 and slope[1] > 0.1:
            return depth, *place


def route_within(form):
    """From the parts of the levels, with the ratio of the chapter on them."""
    for rng in rngs(713):
        depth, fine, dead, up, down = drawn_within(rng)
        gains = np.array([1, up, down]) * rng.uniform(0.2, 2)
        made, basis = balanced(rng, gains, depth)
        for count in range(depth + 1):
            one, two, three = ((first(made, count) @ basis) ** 2).sum(0) * (1, fine, dead)
            close(
                collapse_levels.RATIO_SUPER.numpy(one, two / 2, two / 2, three),
                form.numpy(count, depth, fine, dead, up, down),
                1e-10,
            )


def route_best(form):
    for rng in rngs(714):
        depth, *place = drawn_within(rng)
        found = minimize_scalar(
            lambda x, depth=depth, place=place: theory.WITHIN.numpy(x, depth, *place),
            bounds=(0, depth), method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        close(found.x, form.numpy(depth, *place), 1e-6)


def two_classes(rng):
    return rng.uniform(0.4, 2, size=4)


def score(direction, place):
    """Distance of two classes in deviations of a linear score."""
    gap, spread = np.array(place[:2]), np.array(place[2:])
    return direction @ gap / np.sqrt((direction**2) @ spread**2)


def accuracy_of_centres(place, squeeze):
    """Share on the nearer centre's side, integrated over the second axis."""
    gap, spread = np.array(place[:2]), np.array(place[2:])
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    second = spread[1] * nodes + gap[1] / 2
    # nearer to +gap/2 than to -gap/2 after scaling: x1 gap1 + squeeze^2 x2 gap2 > 0
    edge = -(squeeze**2) * second * gap[1] / gap[0]
    return weights @ norm.sf((edge - gap[0] / 2) / spread[0]) / weights.sum()


def route_centre(form):
    for rng in rngs(715):
        place, squeeze = two_classes(rng), rng.uniform(0.2, 1.5)
        close(accuracy_of_centres(place, squeeze), norm.cdf(form.numpy(*place, squeeze) / 2), 1e-6)


def route_linear(form):
    """The best angle of a score, searched."""
    for rng in rngs(716):
        place = two_classes(rng)
        found = minimize_scalar(
            lambda t, place=place: -score(np.array([np.cos(t), np.sin(t)]), place),
            bounds=(0, np.pi / 2), method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        close(-found.fun, form.numpy(*place), 1e-8)


def route_squeeze(form):
    for rng in rngs(717):
        place = two_classes(rng)
        found = minimize_scalar(
            lambda c, place=place: -theory.CENTRE_DISTANCE.numpy(*place, c),
            bounds=(0.01, 10), method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        close(found.x, form.numpy(*place[2:]), 1e-5)


PROBES = ((30, 3), (30, 12), (60, 20), (40, 25))


def drawn_probes(rng, inputs, width, told, count=1500):
    """Mean explained shares of least squares with an intercept: on its inputs, on new ones."""
    x = np.concatenate([np.ones((count, inputs, 1)), rng.normal(size=(count, inputs, width))], -1)
    noise = np.sqrt(1 - told) * rng.normal(size=(count, inputs))
    gram = np.swapaxes(x, 1, 2) @ x
    fault = np.linalg.solve(gram, (np.swapaxes(x, 1, 2) @ noise[..., None]))[..., 0]
    left = noise - (x @ fault[..., None])[..., 0]
    # errors of the weights do not depend on the true ones; new inputs are normal
    unseen = (1 - told) + (fault**2).sum(-1)
    return 1 - (left**2).mean(), 1 - unseen.mean(), 3 * unseen.std() / np.sqrt(count)


def route_fitted(form):
    for rng, (inputs, width) in zip(rngs(718, len(PROBES)), PROBES, strict=True):
        told = rng.uniform(0.2, 0.6)
        got, _, _ = drawn_probes(rng, inputs, width, told)
        close(got, form.numpy(inputs, width, told), 0.008)


def route_unseen(form):
    for rng, (inputs, width) in zip(rngs(719, len(PROBES)), PROBES, strict=True):
        told = rng.uniform(0.2, 0.6)
        _, got, bound = drawn_probes(rng, inputs, width, told)
        close(got, form.numpy(inputs, width, told), max(bound, 0.005))


def route_narrowed(form):
    for rng in rngs(720):
        full, told = int(rng.integers(6, 20)), rng.uniform(0.2, 0.9)
        width = int(rng.integers(1, full))
        target = rng.normal(size=full)
        target *= np.sqrt(told) / np.linalg.norm(target)
        basis = np.linalg.qr(rng.normal(size=(full, full)))[0]
        # windows of columns, cyclic, are equally likely draws; their mean is exact
        each = [np.roll(basis, k, 1)[:, :width] for k in range(full)]
        close(np.mean([((target @ one) ** 2).sum() for one in each]), form.numpy(width, full, told))


ROUTES = {
    "LAYER_VARIANCE": route_variance,
    "LAYER_RATIO": route_ratio,
    "DEEP_FLOW": route_flow,
    "WITHIN": route_within,
    "BEST_LAYER": route_best,
    "CENTRE_DISTANCE": route_centre,
    "LINEAR_DISTANCE": route_linear,
    "BEST_SQUEEZE": route_squeeze,
    "FITTED": route_fitted,
    "UNSEEN": route_unseen,
    "NARROWED": route_narrowed,
}


@pytest.mark.parametrize("name", ROUTES)
def test_each_form_agrees_with_its_route(name):
    ROUTES[name](theory.FORMS[name])


def test_balance_makes_every_layer_a_power_of_the_whole():
    for rng in rngs(721):
        depth = int(rng.integers(2, 6))
        made, _ = balanced(rng, rng.uniform(0.1, 3, size=5), depth)
        whole = first(made, depth)
        values, vectors = np.linalg.eigh(whole.T @ whole)
        for count in range(depth + 1):
            part = first(made, count)
            close(part.T @ part, vectors * values ** (count / depth) @ vectors.T, 1e-10)
