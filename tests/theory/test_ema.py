"""Closed forms of the EMA chapter against simulated recursions and numerical eigenvalues.

The independent side never sees a closed form: `simulate` takes single steps, as a training loop
does, and everything else (step matrix, poles, slopes, crossings) is read off from those steps.
"""

import numpy as np
import pytest
from comparing import DRAWS, close
from scipy import integrate, optimize

from ssl_dynamics.theory import ema


def simulate(alpha, a, b, gamma, w, target, steps, lagged):
    """Online weight and target after `steps` single updates."""
    for _ in range(steps):
        new = w + alpha * (-a * w + b * target)
        target = gamma * target + (1 - gamma) * (w if lagged else new)
        w = new
    return w, target


def matrix(gains, lagged):
    """The step as a matrix: where it sends the two unit vectors."""
    return np.array([simulate(*gains, *unit, 1, lagged) for unit in np.eye(2)]).T


def poles(gains, lagged):
    """Smaller and larger eigenvalue of the step (they are real, see the chapter)."""
    values = np.linalg.eigvals(matrix(gains, lagged))
    assert np.abs(values.imag).max() < 1e-12
    return np.sort(values.real)


def draws():
    """Gains on both sides of both exits, away from the double point where slopes blow up."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([8, seed])
        alpha = rng.uniform(0.1, 1.5)
        yield alpha, rng.uniform(0.1, 2.5), rng.uniform(0.2, 2.5), rng.uniform(0.1, 0.95)


def against(value, tolerance=1e-11):
    """A route: `value(gains)` from simulation, compared on every draw."""

    def route(form):
        for gains in draws():
            close(value(gains), form.numpy(*gains), tolerance)

    return route


def at(point, lagged):
    """The characteristic polynomial det(z - step) at a real point."""
    return lambda gains: np.linalg.det(point * np.eye(2) - matrix(gains, lagged))


def first_exit(form):
    for lagged in (False, True):
        against(at(1, lagged))(form)


def critical_gain(lagged):
    def route(form):
        for alpha, _, b, gamma in draws():

            def below(gain, alpha=alpha, b=b, gamma=gamma):
                return poles((alpha, gain / alpha, b, gamma), lagged)[0] + 1

            crossing = optimize.brentq(below, 0.0, 2 + 3 * alpha * b, xtol=1e-13)
            close(crossing, form.numpy(alpha, b, gamma), 1e-10)

    return route


def drift(lagged):
    def route(form):
        h = 1e-5
        for alpha, a, b, gamma in draws():
            up, down = (poles((alpha, a, b, gamma + e), lagged)[1] for e in (h, -h))
            low, high = poles((alpha, a, b, gamma), lagged)
            close((up - down) / (2 * h), form.numpy(alpha, b, gamma, high, low), 1e-6)

    return route


def speed(lagged):
    """The form is linear in b - a: its slope is that of the larger pole where b = a."""

    def route(form):
        h = 1e-5
        for alpha, a, b, gamma in draws():
            up, down = (poles((alpha, a, a + e, gamma), lagged)[1] for e in (h, -h))
            slope = (up - down) / (2 * h)
            close((b - a) * slope, form.numpy(alpha, a, b, gamma), 1e-6)

    return route


def flow_rate(form):
    """Growth rate of an integrated trajectory, after the faster mode has died out."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([88, seed])
        a, b, beta = rng.uniform(0.5, 2.0, size=3)
        flow = np.array([[-a, b], [beta, -beta]])
        run = integrate.solve_ivp(
            lambda _, y, flow=flow: flow @ y, (0, 13), [1, 1], rtol=1e-10, atol=1e-13,
            t_eval=[12, 13],
        )  # fmt: skip
        close(np.log(run.y[0, 1] / run.y[0, 0]), form.numpy(a, b, beta), 1e-6)


def response(form):
    for k, gains in enumerate(draws()):
        rng = np.random.default_rng([888, k])
        w, target = rng.normal(size=2)
        for lagged in (False, True):
            low, high = poles(gains, lagged)
            steps = int(rng.integers(3, 15))
            simulated = simulate(*gains, w, target, steps, lagged)[0]
            close(form.numpy(*gains[:3], w, target, high, low, steps), simulated, 1e-10)


ROUTES = {
    "STEP": against(lambda g: matrix(g, lagged=False)),
    "STEP_LAGGED": against(lambda g: matrix(g, lagged=True)),
    "TRACE": against(lambda g: poles(g, lagged=False).sum()),
    "TRACE_LAGGED": against(lambda g: poles(g, lagged=True).sum()),
    "DETERMINANT": against(lambda g: poles(g, lagged=False).prod()),
    "DETERMINANT_LAGGED": against(lambda g: poles(g, lagged=True).prod()),
    "FIRST_EXIT": first_exit,
    "SECOND_EXIT": against(at(-1, lagged=False)),
    "SECOND_EXIT_LAGGED": against(at(-1, lagged=True)),
    "CRITICAL_GAIN": critical_gain(lagged=False),
    "CRITICAL_GAIN_LAGGED": critical_gain(lagged=True),
    "LARGER_POLE": against(lambda g: poles(g, lagged=False)[1]),
    "SMALLER_POLE": against(lambda g: poles(g, lagged=False)[0]),
    "LARGER_POLE_LAGGED": against(lambda g: poles(g, lagged=True)[1]),
    "SMALLER_POLE_LAGGED": against(lambda g: poles(g, lagged=True)[0]),
    "DRIFT": drift(lagged=False),
    "DRIFT_LAGGED": drift(lagged=True),
    "SPEED": speed(lagged=False),
    "SPEED_LAGGED": speed(lagged=True),
    "FLOW_RATE": flow_rate,
    "RESPONSE": response,
}


@pytest.mark.parametrize("name", ema.FORMS)
def test_form_agrees_with_an_independent_route(name):
    ROUTES[name](ema.FORMS[name])


def test_numbers_of_the_chapter():
    """The worked example: growth per step with and without the EMA, and the second exit."""
    gains = (0.03, 1.0, 1.1)
    for gamma, lagged, growth in (
        (0.0, False, 1.003),
        (0.0, True, 1.002904),
        (0.996, False, 1.000351),
        (0.996, True, 1.000349),
    ):
        form = ema.LARGER_POLE_LAGGED if lagged else ema.LARGER_POLE
        assert float(form.numpy(*gains, gamma)) == pytest.approx(growth, abs=5e-7)
    low, high = poles((1.0, 2.5, 0.5, 0.9), lagged=False)
    assert (low, high) == pytest.approx((-1.469, 0.919), abs=5e-4)


@pytest.mark.parametrize("lagged", [False, True])
def test_a_layer_takes_the_step_of_every_weight(lagged):
    """`layer_step` against single updates of a row of weights, for operators of sizes 1 to 5."""
    for size in range(1, 6):
        rng = np.random.default_rng([80, size])
        a, b = rng.normal(size=(2, size, size))
        w, target = rng.normal(size=(2, size))
        new = w + 0.3 * (-a @ w + b @ target)
        average = 0.8 * target + 0.2 * (w if lagged else new)
        step = ema.layer_step(0.3, a, b, 0.8, lagged=lagged)
        close(step @ np.concatenate([w, target]), np.concatenate([new, average]))


@pytest.mark.parametrize("lagged", [False, True])
def test_exits_count_the_poles_outside(lagged):
    """On a grid: above +1 iff b > a, below -1 iff the second form is negative, never complex."""
    second = ema.SECOND_EXIT_LAGGED if lagged else ema.SECOND_EXIT
    for gains in np.random.default_rng(5).uniform([0.1, 0, 0, 0], [2, 4, 4, 1], size=(300, 4)):
        low, high = poles(tuple(gains), lagged)
        assert (high > 1) == (ema.FIRST_EXIT.numpy(*gains) < 0) == (gains[2] > gains[1])
        assert (low < -1) == (second.numpy(*gains) < 0)
