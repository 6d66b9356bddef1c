"""Exact errors of nearest centres, fits of noisy views and negatives, each by another route."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import quad
from scipy.special import betainc
from scipy.stats import ncx2

from ssl_dynamics.losses import info_nce, negatives_only
from ssl_dynamics.theory import supervised


def design(count):
    """Row k: how sample k of the first class and the two means come from the 2 N_c samples.

    A sample of the first class, seen from the middle of the means; the same for a new feature
    (last column); the difference of the means.
    """
    means = np.zeros((2, 2 * count + 1))
    means[0, :count], means[1, count : 2 * count] = 1 / count, 1 / count
    own, new = np.eye(2 * count + 1)[[0, -1]] - means.mean(0)
    return own, new, means[0] - means[1]


def moments(distance, count):
    """Mean and deviation of these three on the line of the means."""
    truth = np.r_[np.full(count, distance / 2), np.full(count, -distance / 2), distance / 2]
    return [(row @ truth, np.sqrt(row @ row)) for row in design(count)]


def drawn(key):
    for rng in rngs(key):
        yield rng, float(rng.uniform(0.2, 3)), int(rng.integers(2, 9))


def route_own_correlation(form):
    for _, _, count in drawn(900):
        own, _, line = design(count)
        close(own @ line / np.sqrt((own @ own) * (line @ line)), form.numpy(count))


def place(key, which, form):
    for _, distance, count in drawn(key):
        mean, deviation = moments(distance, count)[which]
        close(mean / deviation, form.numpy(distance, count))


def characteristic(rho, a, b, t):
    """E exp(i t u w) by a determinant and an inverse."""
    swap, own = np.array([[0, 1], [1, 0]]), np.array([[1, rho], [rho, 1]])
    mean, inside = np.array([a, b]), np.eye(2) - 1j * t * swap @ own
    power = 0.5j * t * mean @ np.linalg.solve(inside, swap @ mean)
    return np.exp(power) / np.sqrt(np.linalg.det(inside))


def pairs(key):
    for rng in rngs(key):
        yield rng, (rng.uniform(-0.8, 0.8), *rng.uniform(-2, 2, size=2), rng.uniform(0.1, 2))


def route_phase(form):
    for _, values in pairs(904):
        close(np.sin(np.angle(characteristic(*values)) - form.numpy(*values)), 0.0)
        close(np.cos(np.angle(characteristic(*values)) - form.numpy(*values)), 1.0)


def route_log_modulus(form):
    for _, values in pairs(905):
        close(np.log(abs(characteristic(*values))), form.numpy(*values))


def route_integrand(form):
    for rng, (rho, a, b, t) in pairs(906):
        others, left = int(rng.integers(0, 6)), rng.uniform(0.2, 1)
        whole = characteristic(rho, a, b, t) * characteristic(rho, 0, 0, left**2 * t) ** others
        close(whole.imag / (np.pi * t), form.numpy(others + 1, left, rho, a, b, t))


def nothing(key, dimension, form):
    """The larger of two independent chi-squares with weights: a beta law."""
    for _, _, count in drawn(key):
        share = (1 - 1 / np.sqrt(2 * count - 1)) / 2
        close(betainc(dimension / 2, dimension / 2, share), form.numpy(count))


def fitted(rng):
    """A direction of the inputs, independent targets, and a ridge fit along it, by sums."""
    x, y, added = rng.normal(size=30), rng.normal(size=30), rng.uniform(0.1, 2)
    views = np.sqrt(added) * np.array([-1, 1])  # exact noise of this variance
    wide = (x[:, None] + views).ravel()
    weight = (wide @ y.repeat(2)) / (wide @ wide)
    return x, y, added, weight


def route_given_up(form):
    for rng in rngs(909):
        x, y, added, weight = fitted(rng)
        best = (x @ y) / (x @ x)
        more = np.mean((y - weight * x) ** 2) - np.mean((y - best * x) ** 2)
        close(more, form.numpy(np.mean(x * y), np.mean(x * x), added))


def route_fooled(form):
    for rng in rngs(910):
        x, y, added, weight = fitted(rng)
        signs = np.array([[-1], [1]])  # the target no longer depends on the direction
        more = np.mean((y - weight * signs * x) ** 2) - np.mean(y**2)
        close(more, form.numpy(np.mean(x * y), np.mean(x * x), added))


def excess(outputs, other, labels, temperature):
    both = torch.as_tensor(outputs)[None], torch.as_tensor(other)[None]
    whole = info_nce(*both, temperature)
    return float(whole - negatives_only(*both, torch.as_tensor(labels), temperature))


def alike(classes, count):
    return np.arange(classes).repeat(count)


def route_excess(form):
    """One anchor at a time, its share by softmax."""
    for rng in rngs(911):
        scores, same = rng.normal(size=12), np.r_[False, rng.random(11) < 0.4]
        share = (np.exp(scores) * same).sum() / np.exp(scores).sum()
        whole = np.log(np.exp(scores).sum()) - scores[0]
        without = np.log(np.exp(scores[~same]).sum()) - scores[0]
        close(whole - without, form.numpy(share))


def route_excess_most(form):
    """All but the negatives of the class opposite to the anchor."""
    for rng in rngs(912):
        same, other = int(rng.integers(1, 9)), int(rng.integers(1, 30))
        temperature = rng.uniform(0.2, 2)
        scores = np.r_[-np.ones(1 + other), np.ones(same)] / temperature
        more = np.log(np.exp(scores).sum()) - np.log(np.exp(scores[: 1 + other]).sum())
        close(more, form.numpy(temperature, same, other), 1e-10)


def route_excess_classes(form):
    """The limit of many images, and never below the largest value."""
    for rng in rngs(913):
        classes, temperature = int(rng.integers(2, 20)), rng.uniform(0.3, 2)
        most = supervised.EXCESS_MOST.numpy
        for count in (1, 2, 5, 100):
            value = most(temperature, count - 1, count * (classes - 1))
            assert value <= form.numpy(temperature, classes)
        many = 1e9
        value = most(temperature, many - 1, many * (classes - 1))
        close(value, form.numpy(temperature, classes), 1e-7)


def route_excess_flat(form):
    for rng in rngs(914):
        classes, count = int(rng.integers(2, 6)), int(rng.integers(1, 6))
        outputs = np.tile(rng.normal(size=4), (classes * count, 1))
        close(excess(outputs, outputs, alike(classes, count), 0.5), form.numpy(classes, count))


def route_excess_collapsed(form):
    for rng in rngs(915):
        classes, count = int(rng.integers(2, 6)), int(rng.integers(1, 6))
        temperature = rng.uniform(0.2, 2)
        corners = (np.eye(classes) - 1 / classes).repeat(count, 0)
        value = excess(corners, corners, alike(classes, count), temperature)
        close(value, form.numpy(temperature, classes, count), 1e-10)


ROUTES = {
    "OWN_CORRELATION": route_own_correlation,
    "CENTRES_PLACE": lambda form: place(901, 2, form),
    "OWN_PLACE": lambda form: place(902, 0, form),
    "NEW_PLACE": lambda form: place(903, 1, form),
    "PHASE": route_phase,
    "LOG_MODULUS": route_log_modulus,
    "INTEGRAND": route_integrand,
    "NOTHING_TWO": lambda form: nothing(907, 2, form),
    "NOTHING_FOUR": lambda form: nothing(908, 4, form),
    "GIVEN_UP": route_given_up,
    "FOOLED": route_fooled,
    "EXCESS": route_excess,
    "EXCESS_MOST": route_excess_most,
    "EXCESS_CLASSES": route_excess_classes,
    "EXCESS_FLAT": route_excess_flat,
    "EXCESS_COLLAPSED": route_excess_collapsed,
}


@pytest.mark.parametrize("own", [True, False])
def test_the_error_is_that_of_two_non_central_chi_squares(own):
    for _, distance, count in list(drawn(916))[:4]:
        for dimension in (2, 5, 40):
            rho = supervised.OWN_CORRELATION.numpy(count) if own else 0.0
            a = supervised.CENTRES_PLACE.numpy(distance, count)
            b = (supervised.OWN_PLACE if own else supervised.NEW_PLACE).numpy(distance, count)
            found = supervised.accuracy(distance, dimension, count, own=own)
            up, down = (a + b) ** 2 / (2 * (1 + rho)), (a - b) ** 2 / (2 * (1 - rho))
            if rho == 1:
                continue
            ratio = (1 - rho) / (1 + rho)

            def wrong(x, d=dimension, up=up, down=down, ratio=ratio):
                return ncx2.pdf(x, d, down) * ncx2.cdf(x * ratio, d, up)

            error = quad(wrong, 0, np.inf, limit=300, epsabs=1e-11)[0]
            assert found == pytest.approx(1 - error, abs=1e-7)


def test_the_error_is_that_of_a_simulation():
    rng = np.random.default_rng(917)
    distance, dimension, count, left = 1.0, 20, 5, 0.4
    scale = np.r_[1, np.full(dimension - 1, left)]
    x = scale * rng.normal(size=(4000, 2, count, dimension))
    new = scale * rng.normal(size=(4000, dimension))
    x[:, 0, :, 0] += distance / 2
    x[:, 1, :, 0] -= distance / 2
    new[:, 0] += distance / 2
    means = x.mean(2)
    line, middle = means[:, 0] - means[:, 1], means.mean(1)
    hits = ((x[:, 0] - middle[:, None]) * line[:, None]).sum(-1) > 0
    found = {True: hits.mean(), False: (((new - middle) * line).sum(-1) > 0).mean()}
    for own, value in found.items():
        exact = supervised.accuracy(distance, dimension, count, left, own=own)
        assert value == pytest.approx(exact, abs=0.02)


def test_one_sample_of_each_class_is_always_its_own_nearest_centre():
    assert supervised.OWN_CORRELATION.numpy(1) == 1
    assert supervised.accuracy(1.0, 3, 1, own=True) == 1
