"""Closed forms of the lottery against quadrature, enumeration and Hermite integrals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from comparing import close, rngs
from scipy import stats
from scipy.integrate import quad

from ssl_dynamics.theory import lottery, luck, recovery


def route_again(form):
    """Best of n against best of N for a skew law: the chance is an integral over its density."""
    for rng in rngs(170):
        n, N = rng.integers(1, 30, size=2)
        law = stats.gamma(rng.uniform(0.5, 3))
        chance = quad(
            lambda x, n=n, N=N, law=law: n * law.cdf(x) ** (n - 1) * law.pdf(x) * law.cdf(x) ** N,
            0, np.inf, epsabs=1e-11,
        )[0]  # fmt: skip
        close(chance, form.numpy(n, N), 1e-8)


def route_best_angle(form):
    for n in range(1, 9):
        close(quad(lambda t, n=n: (1 - t / np.pi) ** n, 0, np.pi)[0], form.numpy(n), 1e-10)


def route_best_cosine(form):
    for n in range(1, 9):
        close(luck.best_cosine(3, n), form.numpy(n), 1e-9)


def route_sine_step(form):
    for rng in rngs(171):
        power, angle = int(rng.integers(2, 12)), rng.uniform(0.2, 3.0)
        below, here = (
            quad(lambda t, p=p: np.sin(t) ** p, 0, angle, epsabs=1e-13)[0]
            for p in (power - 2, power)
        )
        close(here, form.numpy(power, below, angle), 1e-10)


def route_unclaimed(form):
    """All ways to give n students their nearest of m teacher nodes."""
    for m, n in ((1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (5, 2), (2, 6)):
        ways = list(itertools.product(range(m), repeat=n))
        empty = sum(m - len(set(way)) for way in ways)
        close(float(Fraction(empty, len(ways) * m)), form.numpy(m, n))


def hermite_shares(bias):
    """Linear and quadratic share of the variance of a ReLU node, by integrals."""

    def mean(value):
        return quad(
            lambda z: stats.norm.pdf(z) * max(z + bias, 0) * value(z), -bias, 12, epsabs=1e-13
        )[0]

    first, second = mean(lambda z: z), mean(lambda z: (z * z - 1) / 2**0.5)
    variance = mean(lambda z: z + bias) - mean(lambda z: 1.0) ** 2
    return first**2 / variance, second**2 / variance


def route_linear(form):
    for rng in rngs(172):
        b = rng.uniform(-1.5, 1.5)
        close(hermite_shares(b)[0], form.numpy(b, stats.norm.cdf(b), stats.norm.pdf(b)), 1e-9)


def route_quadratic(form):
    for rng in rngs(173):
        b = rng.uniform(-1.5, 1.5)
        close(hermite_shares(b)[1], form.numpy(b, stats.norm.cdf(b), stats.norm.pdf(b)), 1e-9)


ROUTES = {
    "AGAIN": route_again,
    "BEST_ANGLE": route_best_angle,
    "BEST_COSINE": route_best_cosine,
    "SINE_STEP": route_sine_step,
    "UNCLAIMED": route_unclaimed,
    "LINEAR": route_linear,
    "QUADRATIC": route_quadratic,
}


@pytest.mark.parametrize("inputs", [2, 3, 6, 7])
def test_the_recursion_gives_the_probability_of_a_cap(inputs):
    for theta in (0.4, 1.5, 2.2):
        found = []
        for end in (theta, np.pi):
            value = end if inputs % 2 == 0 else 1 - np.cos(end)
            for power in range(2 + inputs % 2, inputs - 1, 2):
                value = lottery.SINE_STEP.numpy(power, value, end)
            found.append(value)
        close(found[0] / found[1], luck.cap(theta, inputs), 1e-12)


def test_the_mean_time_falls_with_the_draws_and_with_the_dimension_left():
    times = [lottery.mean_time(10, n, start=0.2, goal=0.1) for n in (1, 2, 10, 100)]
    assert np.all(np.diff(times) < 0)
    apart = [
        lottery.mean_time(d, 5, start=0.2, goal=0.1) / lottery.mean_time(d, 50, start=0.2, goal=0.1)
        for d in (5, 10, 20, 50)
    ]
    assert np.all(np.diff(apart) < 0)
    assert min(apart) > 1


def test_the_mean_time_is_that_of_drawn_directions():
    rng = np.random.default_rng(174)
    w = rng.normal(size=(20_000, 6, 5))
    best = np.arccos((w[..., 0] / np.linalg.norm(w, axis=-1)).max(1))
    goal, start = 0.2, 0.3
    begins = np.maximum(best, goal)
    times = recovery.TIME.numpy(goal, begins, start, 1.0)
    error = times.std() / len(times) ** 0.5
    assert abs(times.mean() - lottery.mean_time(5, 6, start=start, goal=goal)) < 4 * error
