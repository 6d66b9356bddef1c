"""Closed forms of fading fan-out against matrix exponentials, quadrature, flows and Jacobians."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import dblquad, solve_ivp
from scipy.linalg import expm, null_space
from scipy.optimize import minimize_scalar

from ssl_dynamics.theory import flat_minima as theory


def moments(rng):
    """A random positive definite matrix of two features."""
    A = rng.normal(size=(2, 2))
    return A @ A.T + 0.1 * np.eye(2)


def route_fan_out(form):
    for rng in rngs(180):
        G, start, t = moments(rng), rng.normal(size=2), rng.uniform(0.1, 3)
        wanted = (expm(-G * t) @ start)[1]
        close(wanted, form.numpy(t, G[0, 0], G[0, 1], G[1, 1], *start), 1e-10)


def route_slow_rate(form):
    for rng in rngs(181):
        G = moments(rng)
        close(np.linalg.eigvalsh(G)[0], form.numpy(G[0, 0], G[0, 1], G[1, 1]), 1e-10)


def unit_moments(c):
    return np.array([[0.5, c], [c, 0.5]])


def route_unit_fan_out(form):
    for rng in rngs(182):
        c, start, t = rng.uniform(-0.4, 0.49), rng.normal(size=2), rng.uniform(0.1, 4)
        close((expm(-unit_moments(c) * t) @ start)[1], form.numpy(t, c, *start), 1e-10)


def overlap(angle):
    """E relu(x) relu(cos x + sin y) over the normal plane, in polar coordinates: E r^2 = 2."""
    turn = np.linspace(angle - np.pi / 2, np.pi / 2, 2001)
    return np.trapezoid(np.cos(turn) * np.cos(turn - angle), turn) * 2 / (2 * np.pi)


def route_angle_rate(form):
    for rng in rngs(183):
        angle = rng.uniform(0.2, 3.0)
        close(np.linalg.eigvalsh(unit_moments(overlap(angle)))[0], form.numpy(angle), 1e-6)


def route_borrowed(form):
    for rng in rngs(184):
        c = rng.uniform(0.05, 0.48)
        best = minimize_scalar(
            lambda t, c=c: -(expm(-unit_moments(c) * t) @ [-1.0, 0.0])[1],
            bounds=(0, 60), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        close(-best.fun, form.numpy(c), 1e-9)


def route_kept(form):
    for rng in rngs(185):
        ratio, start = rng.uniform(0.3, 3), rng.normal(size=2)
        feature = np.array([1.0, ratio])
        end = expm(-np.outer(feature, feature) * 400) @ start
        close(end[1], form.numpy(ratio, *start), 1e-9)


def route_floor(form):
    """One input, one output, a teacher that wants nothing: the node fades along its hyperbola."""
    for rng in rngs(186):
        w, v = rng.uniform(0.3, 2, size=2)
        run = solve_ivp(
            lambda _, y: [-y[0] * y[1] ** 2, -y[1] * y[0] ** 2], (0, 3000), [w, v],
            method="LSODA", rtol=1e-11, atol=1e-13,
        )  # fmt: skip
        if abs(w - v) > 0.1:
            close(run.y[1, -1], form.numpy(w, v), 1e-6)


def route_group_flat(form):
    """The null space of the map from changes of the weights to changes of the output.

    The group is alone. In its half space and on its edge the output changes by a linear function
    of the input; on the edge the changes of the fan-out drop out.
    """
    for rng in rngs(187, 12):
        n, d, C = (int(k) for k in rng.integers((1, 2, 1), (5, 5, 5)))
        rank = int(rng.integers(1, min(n, C) + 1))
        V = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, C))
        w = np.eye(d)[0]
        sizes = rng.uniform(0.5, 2, size=n)
        columns = []
        for j in range(n):
            for i in range(d):  # a change of w_j, entry i: the output changes by v_j x_i
                columns.append(np.outer(np.eye(d)[i], V[j]).ravel())
            for c in range(C):  # a change of v_j, entry c: by a_j (w x) e_c
                columns.append(np.outer(sizes[j] * w, np.eye(C)[c]).ravel())
        flat = null_space(np.array(columns).T, rcond=1e-9).shape[1]
        close(flat, form.numpy(n, rank, d, C))


ROUTES = {
    "FAN_OUT": route_fan_out,
    "SLOW_RATE": route_slow_rate,
    "UNIT_FAN_OUT": route_unit_fan_out,
    "ANGLE_RATE": route_angle_rate,
    "BORROWED": route_borrowed,
    "KEPT": route_kept,
    "FLOOR": route_floor,
    "GROUP_FLAT": route_group_flat,
}


def test_the_overlap_by_angles_is_the_one_by_a_double_integral():
    angle = 1.1
    c, s = np.cos(angle), np.sin(angle)
    wanted, _ = dblquad(
        lambda y, x: x * max(c * x + s * y, 0) * np.exp(-(x * x + y * y) / 2) / (2 * np.pi),
        0, 9, -9, 9, epsabs=1e-7,
    )  # fmt: skip
    assert overlap(angle) == pytest.approx(wanted, abs=1e-5)


def test_a_small_angle_gives_a_slow_rate_of_a_quarter_of_its_square():
    for angle in (0.1, 0.01, 0.001):
        assert theory.ANGLE_RATE.numpy(angle) / (angle**2 / 4) == pytest.approx(1, abs=angle)


def test_a_group_of_one_leaves_its_rescaling_alone():
    for d, C in ((1, 1), (3, 2), (7, 5)):
        assert theory.GROUP_FLAT.numpy(1, 1, d, C) == 1
    assert torch.isfinite(theory.BORROWED.torch(torch.tensor(0.3, dtype=torch.float64)))
