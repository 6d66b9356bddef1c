"""Closed forms of one student and one teacher against quadrature, integrators and moments."""

import numpy as np
import pytest
from comparing import close, rngs
from scipy.integrate import solve_ivp
from scipy.stats import chi2

from ssl_dynamics.theory import recovery

NODES, SHARES = np.polynomial.legendre.leggauss(12)


def plane(*rows):
    """Directions and shares that average exactly over the normal plane, for gates of these rows;
    the squared length of the inputs is its mean, 2."""
    edges = np.sort(
        np.mod([np.arctan2(w[1], w[0]) + s * np.pi / 2 for w in rows for s in (-1, 1)], 2 * np.pi)
    )
    edges = np.append(edges, edges[0] + 2 * np.pi)
    half = np.diff(edges)[:, None] / 2
    at = (edges[:-1, None] + half * (NODES + 1)).ravel()
    x = 2**0.5 * np.stack([np.cos(at), np.sin(at)], 1)
    return x, (half * SHARES).ravel() / (2 * np.pi)


def leaky(h, q):
    return np.where(h > 0, h, q * h)


def slope(w, teacher, q=0.0):
    """Minus the gradient of the population loss by the student's weights, by quadrature."""
    x, shares = plane(w, teacher)
    h = x @ w
    error = leaky(x @ teacher, q) - leaky(h, q)
    return (shares * error * np.where(h > 0, 1.0, q)) @ x


def followed(w, teacher, times, q=0.0, rtol=1e-11):
    """The gradient flow at these times, by a method of order 8: [T, 2]."""
    run = solve_ivp(
        lambda t, y: slope(y, teacher, q), (0, times[-1]), w, t_eval=times, method="DOP853",
        rtol=rtol, atol=1e-2 * rtol,
    )  # fmt: skip
    return run.y.T


def angle(w, teacher):
    along, across = w @ teacher, np.cross(np.append(teacher, 0), np.append(w, 0))[2]
    return np.arctan2(abs(across), along)


def pairs(key):
    """Start and teacher in the plane, with their angle and lengths, away from 0 and 180 degrees."""
    for rng in rngs(key):
        start = rng.uniform(0.3, 2.8)
        r, u = rng.uniform(0.4, 2, size=2)
        turn = rng.uniform(0, 2 * np.pi)
        w, teacher = (
            m * np.array([np.cos(a), np.sin(a)]) for m, a in ((r, turn + start), (u, turn))
        )
        yield w, teacher, (start, r, u)


def outputs(w, teacher):
    x, shares = plane(w, teacher)
    return np.maximum(x @ w, 0), np.maximum(x @ teacher, 0), shares


def route_overlap(form):
    for w, teacher, place in pairs(90):
        f, f_star, shares = outputs(w, teacher)
        close((shares * f * f_star).sum(), form.numpy(*place))


def route_loss(form):
    for w, teacher, place in pairs(91):
        f, f_star, shares = outputs(w, teacher)
        close((shares * (f_star - f) ** 2).sum() / 2, form.numpy(*place))


def route_flow(form):
    """Change of length and angle under a small step, symmetric in its sign."""
    for w, teacher, place in pairs(92):
        step = 1e-5 * slope(w, teacher)
        ends = [(angle(w + s * step, teacher), np.linalg.norm(w + s * step)) for s in (1, -1)]
        change = (np.array(ends[0]) - ends[1]) / 2e-5
        close(change[:, None], form.numpy(*place), 1e-8)


TIMES = np.array([0.3, 1.0, 2.5])


def route_angle(form):
    for w, teacher, place in pairs(93):
        found = [angle(y, teacher) for y in followed(w, teacher, TIMES)]
        close(found, form.numpy(TIMES, *place), 1e-9)


def route_norm(form):
    for w, teacher, place in pairs(94):
        found = np.linalg.norm(followed(w, teacher, TIMES), axis=1)
        close(found, form.numpy(TIMES, *place), 1e-9)


def route_orbit(form):
    """The tangent of the angle at which v = w / (share of open inputs) goes to the teacher."""
    for w, teacher, place in pairs(95):
        for y in followed(w, teacher, TIMES):
            f, f_star, shares = outputs(y, teacher)
            v = y / (shares[(f > 0) & (f_star > 0)].sum() / shares[f > 0].sum())
            gap = teacher - v
            across = abs(v[0] * teacher[1] - v[1] * teacher[0])
            close(gap @ teacher / across, form.numpy(*place), 1e-8)


def route_time(form):
    """The integrated angle has reached the goal at the time predicted."""
    for w, teacher, place in pairs(96):
        goal = 0.4 * place[0]
        t = form.numpy(goal, *place)
        assert 0 < t < 50
        close(angle(followed(w, teacher, np.array([t]))[0], teacher), goal, 1e-9)


def late(w, teacher, t):
    return followed(w, teacher, np.array([t]), rtol=1e-8)[0], np.exp(t / 2)


def route_late_angle(form):
    for w, teacher, place in pairs(97):
        y, growth = late(w, teacher, 16.0)
        close(angle(y, teacher) * growth, form.numpy(*place), 1e-2)


def route_late_distance(form):
    for w, teacher, place in pairs(98):
        y, growth = late(w, teacher, 16.0)
        close(np.linalg.norm(y - teacher) * growth, form.numpy(*place), 1e-2)


def route_angle_leaky(form):
    for index, (w, teacher, place) in enumerate(pairs(99)):
        q = (0.1, 0.3, 0.7, -0.4)[index % 4]
        found = [angle(y, teacher) for y in followed(w, teacher, TIMES[:2], q)]
        close(found, form.numpy(TIMES[:2], *place, q), 1e-9)


def route_noise(form):
    """Mean of (I - step M)^2 from moments of chi-square; M is a mean of open x x^T."""
    for rng in rngs(100):
        batch, inputs = (int(k) for k in rng.integers(1, 9, size=2))
        step = rng.uniform(0.05, 1.0)
        same = chi2(inputs).moment(2) / inputs / 2  # E |x|^2 x x^T over the open half
        other = 0.25
        square = (batch * same + batch * (batch - 1) * other) / batch**2
        close(1 - 2 * step * 0.5 + step**2 * square, form.numpy(step, batch, inputs))


ROUTES = {
    "OVERLAP": route_overlap,
    "LOSS": route_loss,
    "FLOW": route_flow,
    "ANGLE": route_angle,
    "NORM": route_norm,
    "ORBIT": route_orbit,
    "TIME": route_time,
    "LATE_ANGLE": route_late_angle,
    "LATE_DISTANCE": route_late_distance,
    "ANGLE_LEAKY": route_angle_leaky,
    "NOISE": route_noise,
}


@pytest.mark.parametrize("degrees", [0.0, 180.0])
def test_a_start_on_the_line_of_the_teacher_stays_on_it(degrees):
    start, times = np.deg2rad(degrees), np.array([0.0, 1.0, 20.0])
    close(recovery.ANGLE.numpy(times, start, 0.5, 1.0), np.full(3, start))
    if degrees == 0:
        found = recovery.NORM.numpy(times, start, 0.5, 1.0)
        close(found, 1 - 0.5 * np.exp(-times / 2))


def test_no_slope_below_zero_is_the_relu_and_slope_one_is_linear():
    times, place = np.array([0.5, 2.0]), (2.0, 0.7, 1.3)
    close(recovery.ANGLE_LEAKY.numpy(times, *place, 0.0), recovery.ANGLE.numpy(times, *place))
    straight = [
        0.7 * np.exp(-t) * np.array([np.cos(2.0), np.sin(2.0)])
        + (1 - np.exp(-t)) * np.array([1.3, 0.0])
        for t in times
    ]
    linear = [np.arctan2(w[1], w[0]) for w in straight]
    close(recovery.ANGLE_LEAKY.numpy(times, *place, 1.0), linear)


def test_the_edge_of_a_stable_step_is_where_the_factor_is_one():
    for batch, inputs in ((1, 1), (4, 10), (64, 10)):
        edge = 4 * batch / (2 * inputs + 3 + batch)
        close(recovery.NOISE.numpy(edge, batch, inputs), 1.0)
