"""Closed forms of the competition for a teacher node against autograd, flows and quadrature."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy import stats
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from ssl_dynamics.theory import luck


def route_rate(form):
    """Autograd on a two-layer network and one input of length one; only lengths may change."""
    for rng in rngs(140):
        n, d = rng.integers(2, 6), 4
        x = rng.normal(size=d)
        x /= np.linalg.norm(x)
        W = rng.normal(size=(n, d))
        W *= (
            np.sign(W @ x)[:, None]
            * rng.uniform(0.1, 1, (n, 1))
            / np.linalg.norm(W, axis=1, keepdims=True)
        )
        length = np.linalg.norm(W, axis=1)
        weights, top = (torch.tensor(v, requires_grad=True) for v in (W, length))
        missing = 1 - top @ torch.relu(weights @ torch.tensor(x))
        slopes = torch.autograd.grad(missing**2 / 2, (weights, top))
        longer = -(slopes[0].numpy() * W).sum(1) / length
        change = length * (longer - slopes[1].numpy())
        close(change, form.numpy(W @ x / length, length**2, missing.item()))


def route_strength(form):
    for rng in rngs(141):
        start, a = rng.uniform(0.1, 1, 2)
        end = solve_ivp(
            lambda t, m, a=a: 2 * a * m * np.cos(t), (0, 1), [start], rtol=1e-11, atol=1e-13
        )
        close(end.y[0, -1], form.numpy(start, a, 2 * np.sin(1)), 1e-9)


def route_unbalanced(form):
    for rng in rngs(142):
        length, top, a = rng.uniform(0.1, 1), rng.normal(), rng.uniform(0.1, 1)
        end = solve_ivp(
            lambda t, y, a=a: a * np.cos(t) * y[::-1], (0, 1), [length, top], rtol=1e-11, atol=1e-13
        )
        close(end.y[:, -1].prod(), form.numpy(length, top, a, 2 * np.sin(1)), 1e-9)


def route_loser(form):
    """The best alone explains the node; the other grows on the same clock."""
    for rng in rngs(143):
        best, ratio, start = rng.uniform(0.3, 2), rng.uniform(0.1, 0.9), 10 ** -rng.uniform(1, 6)
        clock = brentq(lambda t, b=best, e=start: b * e * np.exp(b * t) - 1, 0, 200, xtol=1e-13)
        other = best * ratio
        close(other * start * np.exp(other * clock), form.numpy(other, best, start), 1e-9)


def route_two_best(form):
    for rng in rngs(144):
        best, start = rng.uniform(0.3, 2), 10 ** -rng.uniform(0, 5)
        (u,) = (r for r in np.roots([best * start, best * start / 2, -1]) if r > 0)
        close(best * start * u**2, form.numpy(best, start), 1e-9)


def felt(angle):
    """Mean of x relu(w* x) where the student is open, along and across the student's weights."""
    low, high = angle - np.pi / 2, np.pi / 2  # with the student along the first axis
    return [
        quad(lambda p: np.cos(p - angle) * part(p), low, high, epsabs=1e-13)[0] / np.pi
        for part in (np.cos, np.sin)
    ]


def route_turn(form):
    for rng in rngs(145):
        angle = rng.uniform(0.1, 3)
        close(-felt(angle)[1] / 2, form.numpy(angle), 1e-10)  # d tau = 2 R dt


def route_head_start(form):
    """How much faster an aligned student grows, per angle turned."""
    for rng in rngs(146):
        angle = rng.uniform(0.1, 3)
        along, across = felt(angle)
        close((along - felt(0.0)[0]) / (across / 2), form.numpy(angle), 1e-9)


def route_kept(form):
    """From a right angle on it stays 4 / pi^2 times the strength that the student had there."""
    for rng in rngs(147, 8):
        start, end = rng.uniform(0.1, 1), rng.uniform(1, 3)

        def flow(t, y):
            return [-felt(y[0])[1] * np.cos(t), 2 * felt(y[0])[0] * np.cos(t) * y[1]]

        # a clock that stops: the same factor in front of both
        path = solve_ivp(flow, (0, end / 2), [np.pi / 2, start], rtol=1e-9, atol=1e-11)
        angle, strength = path.y[:, -1]
        close(form.numpy(strength, angle), 4 / np.pi**2 * start, 1e-7)


def route_at_least_one(form):
    for rng in rngs(148):
        p, n = rng.uniform(0.01, 0.5), rng.integers(1, 40)
        close(stats.binom(n, p).sf(0), form.numpy(p, n))


def route_tickets(form):
    for rng in rngs(149):
        p, n = rng.uniform(0.01, 0.5), rng.integers(1, 20)
        close(n, form.numpy(p, stats.binom(n, p).sf(0)), 1e-8)


def route_cap_upper(form):
    """Student's t law times what the bound adds: the root in the integral at its largest."""
    for rng in rngs(150):
        angle, d = rng.uniform(0.1, 1.5), int(rng.integers(2, 30))
        p = stats.t.sf(np.sqrt(d - 1) / np.tan(angle), d - 1)
        part, whole = (  # u = sin(q), where 1 / root is finite at the end
            quad(
                lambda q, s=s, d=d: np.sin(q) ** (d - 2)
                * np.cos(q) / np.sqrt(1 - (s * np.sin(q)) ** 2),
                0, np.pi / 2,
            )[0]
            for s in (np.sin(angle), 1.0)
        )  # fmt: skip
        assert p < form.numpy(angle, d) * (1 + 1e-12)
        close(p * whole / part, form.numpy(angle, d), 1e-7)


def route_kink(form):
    for rng in rngs(151):
        w, coefficient, step = rng.normal(size=4), rng.normal(), rng.uniform(0.1, 1)
        length = np.linalg.norm(w)
        offset = rng.normal()
        on = -offset * w / length**2
        values = [
            coefficient * max(w @ (on + s * step * w / length) + offset, 0) for s in (-1, 0, 1)
        ]
        close(values[0] - 2 * values[1] + values[2], form.numpy(coefficient, length, step))


ROUTES = {
    "RATE": route_rate,
    "STRENGTH": route_strength,
    "UNBALANCED": route_unbalanced,
    "LOSER": route_loser,
    "TWO_BEST": route_two_best,
    "KEPT": route_kept,
    "TURN": route_turn,
    "HEAD_START": route_head_start,
    "AT_LEAST_ONE": route_at_least_one,
    "TICKETS": route_tickets,
    "CAP_UPPER": route_cap_upper,
    "KINK": route_kink,
}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_final_shares_are_where_the_flow_ends(count):
    for rng in rngs(152, 4):
        a, start = rng.uniform(0.3, 1, count), 10 ** -rng.uniform(-1, 4, count)
        end = solve_ivp(
            lambda t, m, a=a: 2 * a * m * (1 - a @ m), (0, 300), start,
            method="LSODA", rtol=1e-11, atol=1e-14,
        )  # fmt: skip
        close(a * end.y[:, -1], luck.final_shares(a, start), 1e-7)


def test_final_shares_refuse_what_has_no_end():
    for a, start in (([0.5, -0.1], [1.0, 1.0]), ([0.5], [0.0]), ([0.5, 0.5], [1.0])):
        with pytest.raises(ValueError, match="allowed"):
            luck.final_shares(a, start)


def test_the_head_start_is_where_the_flow_of_one_student_ends():
    for angle in (0.0, 0.5, 1.5, 2.5):
        end = solve_ivp(
            lambda t, y: [luck.TURN.numpy(y[0]), felt(y[0])[0] - 0.5],
            (0, 60), [angle, 0.0], rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        close(np.exp(end.y[1, -1]), luck.head_start(angle), 1e-6)
    with pytest.raises(ValueError, match="angle"):
        luck.head_start(np.pi)


@pytest.mark.parametrize("inputs", [2, 3, 5, 20])
def test_the_cap_is_the_share_of_the_sphere(inputs):
    whole = quad(lambda p: np.sin(p) ** (inputs - 2), 0, np.pi)[0]
    for angle in (0.2, 1.0, np.pi / 2, 2.0, 3.0):
        part = quad(lambda p: np.sin(p) ** (inputs - 2), 0, angle)[0]
        close(part / whole, luck.cap(angle, inputs), 1e-9)


def test_the_best_cosine_is_the_mean_over_draws():
    rng = np.random.default_rng(1)
    for inputs, students in ((5, 1), (5, 10), (20, 30)):
        x = rng.normal(size=(4000, students, inputs))
        best = (x[..., 0] / np.linalg.norm(x, axis=-1)).max(1)
        error = best.std() / len(best) ** 0.5
        assert abs(best.mean() - luck.best_cosine(inputs, students)) < 4 * error
