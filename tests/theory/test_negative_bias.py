"""Closed forms of openness and overlap against torch, quadrature and enumerated laws."""

import itertools

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.optimize import linprog
from scipy.special import ndtr

from ssl_dynamics.theory import negative_bias

NODES, SHARES = np.polynomial.legendre.leggauss(160)


def density(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def above(edge, value):
    """Mean of value(z) over standard normal z above an edge, along a last axis of points."""
    half = (12 - edge) / 2
    z = edge + half * (NODES + 1)
    return (SHARES * half * density(z) * value(z)).sum(-1)


def over_open(b, value):
    """Mean of value(z) over the z at which a node of relative bias b is open."""
    return above(-b, value)


def both(bj, bk, rho):
    """Probability that both are open, by conditioning on the first pre-activation."""
    s = np.sqrt(1 - rho**2)
    return over_open(bj, lambda z: ndtr((rho * z + bk) / s))


def slope(f, x, h=1e-3):
    """Derivative by two central differences and one extrapolation, error of order h^4."""
    return (8 * (f(x + h / 2) - f(x - h / 2)) - (f(x + h) - f(x - h))) / (6 * h)


def route_relative_bias(form):
    """torch's BatchNorm opens the gate of an input exactly there."""
    for rng in rngs(90):
        gain, offset = rng.choice([-1, 1]) * rng.uniform(0.3, 3), rng.normal()
        level = form.numpy(offset, gain)
        for side in (-1, 1):
            z = np.sign(gain) * (-level + side * 1e-9)
            x = torch.tensor([[3 * z + 5.0]], dtype=torch.float64)
            parts = [torch.tensor([v], dtype=torch.float64) for v in (5.0, 9.0, gain, offset)]
            h = torch.nn.functional.batch_norm(x, *parts, eps=0.0).item()
            assert np.sign(h) == side, (gain, offset, h)


def route_open_rate(form):
    for rng in rngs(91):
        b = rng.normal()
        close(slope(ndtr, b), form.numpy(b), 1e-10)


def drawn(key):
    for rng in rngs(key):
        yield (*rng.normal(size=2), rng.uniform(-0.9, 0.9))


def route_both_rate(form):
    for bj, bk, rho in drawn(92):
        close(slope(lambda r, b=(bj, bk): both(*b, r), rho), form.numpy(bj, bk, rho), 1e-8)


def route_both_turn(form):
    for bj, bk, rho in drawn(93):
        t = np.arccos(rho)
        close(-slope(lambda a, b=(bj, bk): both(*b, np.cos(a)), t), form.numpy(bj, bk, t), 1e-8)


def route_both_zero(form):
    for _, _, rho in drawn(94):
        close(both(0.0, 0.0, rho), form.numpy(rho), 1e-10)


def route_ratio_zero(form):
    for _, _, rho in drawn(95):
        close(both(0.0, 0.0, rho) / 0.5, form.numpy(rho), 1e-10)


def route_product_zero(form):
    for _, _, rho in drawn(96):
        s = np.sqrt(1 - rho**2)
        outer = over_open(
            0.0,
            lambda z, r=rho, s=s: z * (r * z * ndtr(r * z / s) + s * density(r * z / s)),
        )
        close(outer, form.numpy(rho), 1e-10)


def route_across(form):
    """The pull, as a mean over both coordinates by quadrature in each."""
    for bj, bk, rho in drawn(97):
        s = np.sqrt(1 - rho**2)

        def inner(z, s=s, rho=rho, bk=bk):
            edge = np.clip(-(rho * z + bk) / s, -12, 12)[:, None]
            return above(edge, lambda y: y * (rho * z[:, None] + s * y + bk))

        close(over_open(bj, inner), form.numpy(both(bj, bk, rho), np.arccos(rho)), 1e-8)


def route_floor(form):
    """The least overlap over all joint laws of the gates, by linear programming."""
    for rng in rngs(98):
        m = int(rng.integers(2, 7))
        often = int(rng.integers(2, m + 1))  # nodes open on average
        patterns = np.array(list(itertools.product((0, 1), repeat=m)), float)
        count = patterns.sum(1)
        share = rng.dirichlet(np.ones(m))
        share = (often - 1) / m + share / m  # different nodes, mean `often` in all
        share *= often / share.sum()
        if share.max() > 1:
            share[:] = often / m
        rows = np.vstack([np.ones(len(count)), patterns.T])
        least = linprog(count * (count - 1), A_eq=rows, b_eq=[1, *share]).fun
        close(least / ((m - 1) * often), form.numpy(often / m, m), 1e-9)


def route_most_open(form):
    """The largest share above a level, over all laws on a grid with mean 0 and variance 1."""
    for rng in rngs(99):
        b = -rng.uniform(0.1, 2.5)
        z = np.unique(np.concatenate([np.linspace(-12, 12, 241), [-b, 1 / b]]))
        rows = np.vstack([np.ones_like(z), z, z**2])
        best = linprog(-(z >= -b).astype(float), A_eq=rows, b_eq=[1, 0, 1])
        close(-best.fun, form.numpy(b), 1e-9)


ROUTES = {
    "RELATIVE_BIAS": route_relative_bias,
    "OPEN_RATE": route_open_rate,
    "BOTH_RATE": route_both_rate,
    "BOTH_TURN": route_both_turn,
    "BOTH_ZERO": route_both_zero,
    "RATIO_ZERO": route_ratio_zero,
    "PRODUCT_ZERO": route_product_zero,
    "ACROSS": route_across,
    "FLOOR": route_floor,
    "MOST_OPEN": route_most_open,
}


@pytest.mark.parametrize(("rho", "wanted"), [(1.0, 0.5), (0.0, 0.25), (-1.0, 0.0)])
def test_equal_free_and_opposite_nodes_without_biases(rho, wanted):
    close(negative_bias.BOTH_ZERO.numpy(rho), wanted)
    close(negative_bias.RATIO_ZERO.numpy(rho), 2 * wanted)


def test_product_of_equal_nodes_is_the_mean_square():
    close(negative_bias.PRODUCT_ZERO.numpy(1.0), 0.5)
    close(negative_bias.PRODUCT_ZERO.numpy(-1.0), 0.0)
