"""Closed forms of the DirectPred chapter against autograd, integration and numeric roots.

The independent side is the loss of one linear mode on an enumerated population (two images at -1
and 1, two views each), differentiated by autograd with the target held fixed; its flow integrated
by Runge-Kutta; or a numeric minimum or root.
"""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar

from ssl_dynamics.theory import directpred


def descent(p, w, tau, sigma, rate, decay):
    """Velocities of predictor and encoder of one mode, by autograd on all pairs of views."""
    p, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (p, w))
    image = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    shift = sigma * torch.tensor([-1.0, 1.0], dtype=torch.float64)
    one = (image[:, None, None] + shift[None, :, None]).expand(2, 2, 2)
    two = (image[:, None, None] + shift[None, None, :]).expand(2, 2, 2)
    loss = (p * w * one - (tau * w).detach() * two).square().mean() / 2
    of_p, of_w = torch.autograd.grad(loss, (p, w))
    return -rate * of_p.item() - decay * p.item(), -of_w.item() - decay * w.item()


def setting(rng):
    """target, augmentation, predictor rate, weight decay"""
    return rng.uniform(0.4, 1), rng.uniform(0.1, 1), rng.uniform(0.3, 3), rng.uniform(0.01, 0.3)


def mode_flow(form):
    for rng in rngs(1):
        tau, sigma, rate, decay = setting(rng)
        p, w = rng.normal(size=2)
        p_dot, w_dot = descent(p, w, tau, sigma, rate, decay)
        close([[p_dot], [2 * w * w_dot]], form.numpy(p, w**2, tau, sigma, rate, decay))


def target_flow(form):
    for rng in rngs(2):
        tau, sigma, _, decay = setting(rng)
        p, w, beta = *rng.normal(size=2), rng.uniform(0.1, 2)
        _, w_dot = descent(p, w, tau, sigma, 1.0, decay)
        target = tau * w
        target_dot = beta * (w - target)
        close(target_dot / w - target * w_dot / w**2, form.numpy(p, tau, sigma, decay, beta))


def along(flow, start, end, count=2):
    """States of a flow at some times, integrated to 1e-11."""
    times = np.linspace(0, end, count)
    found = solve_ivp(flow, (0, end), start, "DOP853", times, rtol=1e-11, atol=1e-13)
    return times, found.y


def plane(tau, sigma, rate, decay):
    """The flow of (predictor, weight) by hand, for the integrator."""

    def flow(t, state):
        p, w = state
        pull = w * (tau(t) - (1 + sigma**2) * p)
        return [rate * w * pull - decay * p, p * pull - decay * w]

    return flow


def strength(form):
    for rng in rngs(3):
        _, sigma, rate, decay = setting(rng)
        p0, w0, pace = *rng.uniform(0.2, 1, 2), rng.uniform(0.5, 3)
        flow = plane(lambda t, k=pace: 0.6 + 0.4 * np.sin(k * t), sigma, rate, decay)
        times, (p, w) = along(flow, [p0, w0], 3.0, 4)
        close(w**2, form.numpy(p, times, p0, w0**2, rate, decay), 1e-8)


def goal(form):
    """The best predictor of a mode, found by minimising the enumerated loss."""
    for rng in rngs(4):
        tau, sigma, *_ = setting(rng)
        slope = [descent(p, 1.0, tau, sigma, 1.0, 0.0)[0] for p in (0.0, 1.0)]  # affine in p
        close(slope[0] / (slope[0] - slope[1]), form.numpy(tau, sigma))


def end_strength(form):
    starts = [(-0.6, 0.1), (-0.5, 0.9), (0.3, 0.05), (0.3, 0.4), (0.9, 0.1), (0.9, 0.7), (1.2, 1.3),
              (-0.3, 0.02)]  # fmt: skip
    for (p0, w0), rng in zip(starts, rngs(5), strict=True):
        tau, sigma, rate, _ = setting(rng)
        _, (_, w) = along(plane(lambda t, k=tau: k, sigma, rate, 0.0), [p0, w0], 600.0)
        close(w[-1] ** 2, form.numpy(p0, w0**2, tau, sigma, rate), 1e-6)


def parabola_speed(p, tau, sigma, decay):
    """Speed of the predictor of a mode on the parabola at equal rates, by autograd."""
    return descent(p, abs(p), tau, sigma, 1.0, decay)[0]


def below_critical(rng):
    tau, sigma, *_ = setting(rng)
    return tau, sigma, rng.uniform(0.2, 0.9) * tau**2 / (4 * (1 + sigma**2))


def summit(tau, sigma):
    """Where p[tau - (1 + sigma²) p], the speed over p² w/o decay times p, is largest."""
    found = minimize_scalar(
        lambda p: -parabola_speed(p, tau, sigma, 0.0) / p, bounds=(1e-6, 1), method="bounded",
        options={"xatol": 1e-12},
    )  # fmt: skip
    return found.x, -found.fun


def fixed_point(upper):
    def route(form):
        for rng in rngs(6):
            tau, sigma, decay = below_critical(rng)
            top = summit(tau, sigma)[0]
            ends = (top, 2.0) if upper else (1e-9, top)
            root = brentq(parabola_speed, *ends, args=(tau, sigma, decay), xtol=1e-14)
            close(root, form.numpy(tau, sigma, decay), 1e-9)

    return route


def critical_decay(form):
    for rng in rngs(7):
        tau, sigma, *_ = setting(rng)
        close(summit(tau, sigma)[1], form.numpy(tau, sigma), 1e-9)


def slope_at(upper):
    def route(form):
        for rng in rngs(8):
            tau, sigma, decay = below_critical(rng)
            q = 1 + sigma**2
            p = np.sort(np.roots([q, -tau, decay]).real)[1 if upper else 0]
            h = 1e-4
            up, down = (parabola_speed(p + d, tau, sigma, decay) for d in (h, -h))
            close((up - down) / (2 * h), form.numpy(tau, sigma, decay), 1e-7)

    return route


def growth(form):
    for rng in rngs(9):
        tau, sigma, _, decay = setting(rng)
        p, w = rng.normal(size=2)
        _, w_dot = descent(p, w, tau, sigma, 1.0, decay)
        close(w_dot / w, form.numpy(p, tau, sigma, decay))


def alignment_rate(form):
    """Two modes with a small disagreement: the matrix flow of F and W_p, entry (1, 2)."""
    for rng in rngs(10):
        tau, sigma, rate, decay = setting(rng)
        p, s, off = rng.uniform(-1, 1, 2), rng.uniform(0.1, 1, 2), rng.uniform(0.1, 1)
        W_p, F, q = np.diag(p), np.diag(s) + off * np.array([[0, 1], [1, 0]]), 1 + sigma**2
        W = np.linalg.eigh(F)[1] @ np.diag(np.sqrt(np.linalg.eigvalsh(F) + 0j))  # W Wᵀ = F
        E = (tau * np.eye(2) - q * W_p) @ W
        change = rate * E @ W.T
        p_dot = ((change + change.T) / 2).real - decay * W_p
        w_dot = W_p @ E - decay * W
        f_dot = (w_dot @ W.T + W @ w_dot.T).real
        got = f_dot @ W_p + F @ p_dot - W_p @ f_dot - p_dot @ F
        now = F @ W_p - W_p @ F
        rates = [float(form.numpy(p[i], s[i], tau, sigma, rate, decay)) for i in (0, 1)]
        close(got[0, 1], -now[0, 1] * sum(rates))


def smallest_rate(tau, sigma, decay):
    """The smallest eigenvalue of K on the parabola at equal rates, over all p."""
    q = 1 + sigma**2
    return minimize_scalar(
        lambda p: q * (p**2 / 2 + p**2) - tau * p + 1.5 * decay, bounds=(0, 2), method="bounded"
    ).fun


def align_all(form):
    for rng in rngs(11):
        _, sigma, _, decay = setting(rng)
        edge = brentq(smallest_rate, 1e-6, 4, args=(sigma, decay), xtol=1e-12)
        close(edge, form.numpy(sigma, decay), 1e-7)


def grow_at_all(form):
    for rng in rngs(12):
        _, sigma, _, decay = setting(rng)
        edge = brentq(lambda tau, v=sigma, d=decay: summit(tau, v)[1] - d, 0.05, 1.9)
        close(edge, form.numpy(sigma, decay), 1e-7)


ROUTES = {
    "MODE_FLOW": mode_flow,
    "TARGET_FLOW": target_flow,
    "STRENGTH": strength,
    "GOAL": goal,
    "END_STRENGTH": end_strength,
    "P_PLUS": fixed_point(True),
    "P_MINUS": fixed_point(False),
    "CRITICAL_DECAY": critical_decay,
    "RATE_PLUS": slope_at(True),
    "RATE_MINUS": slope_at(False),
    "GROWTH": growth,
    "ALIGNMENT_RATE": alignment_rate,
    "ALIGN_ALL": align_all,
    "GROW_AT_ALL": grow_at_all,
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](directpred.FORMS[name])
