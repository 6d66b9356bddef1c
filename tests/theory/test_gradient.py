"""Closed forms of the student-teacher gradient against autograd, quadrature and Beta laws."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy import stats
from scipy.integrate import quad
from torch.nn.functional import leaky_relu

from ssl_dynamics.theory import gradient

normal = stats.norm
LEAK = 0.3
"""Slope below zero in the routes of the relation: gates of 0 and 1 would not notice a square."""


def relu_nodes(rng, count, width):
    """Weights of a layer and an input at which at least one gate is open."""
    while True:
        W, x = rng.normal(size=(count, width)), rng.normal(size=width)
        if (W @ x > 0).any():
            return W, x


def gates(h):
    return np.where(h > 0, 1.0, LEAK)


def route_path(form):
    """The sum over all pairs above is the product of the two Jacobians, taken by autograd."""
    for rng in rngs(80):
        n, m, outs = rng.integers(2, 5, size=3)
        (U, f), (U_star, f_star) = relu_nodes(rng, n, 3), relu_nodes(rng, m, 2)
        V, V_star = rng.normal(size=(outs, n)), rng.normal(size=(outs, m))

        def top(below, U, V):
            return torch.tensor(V) @ leaky_relu(torch.tensor(U) @ below, LEAK)

        jacobians = [
            torch.autograd.functional.jacobian(lambda b, U=U, V=V: top(b, U, V), torch.tensor(b))
            for b, U, V in ((f, U, V), (f_star, U_star, V_star))
        ]
        d, d_star = gates(U @ f), gates(U_star @ f_star)
        above = V.T @ V_star
        below = [
            [
                sum(
                    form.numpy(U[i, j], d[i], above[i, k], d_star[k], U_star[k, o])
                    for i in range(n)
                    for k in range(m)
                )
                for o in range(2)
            ]
            for j in range(3)
        ]
        close((jacobians[0].T @ jacobians[1]).numpy(), below)


def route_pull(form):
    """The target is split into the parts of the teacher's nodes; autograd sees one at a time."""
    for rng in rngs(81):
        (W, x), (W_star, _) = relu_nodes(rng, 3, 2), relu_nodes(rng, 4, 2)
        V, V_star = rng.normal(size=(2, 3)), rng.normal(size=(2, 4))
        f_star = np.maximum(W_star @ x, 0) + 0.1
        for k in range(4):
            h = torch.tensor(W @ x, requires_grad=True)
            part = torch.tensor(V_star[:, k] * f_star[k])
            (part @ (torch.tensor(V) @ leaky_relu(h, LEAK))).backward()
            wanted = form.numpy(gates(W @ x), V.T @ V_star[:, k], f_star[k])
            close(h.grad.numpy(), wanted)


def angles(key):
    for rng in rngs(key):
        yield rng.uniform(0.1, 3.0)


def over_open_student(value):
    """Mean of value(a) over the half line on which the student is open."""
    return quad(lambda a: normal.pdf(a) * value(a), 0, 12, epsabs=1e-13, epsrel=1e-12)[0]


def along(t):
    c, s = np.cos(t), np.sin(t)

    def rectified(m):
        return m * normal.cdf(m / s) + s * normal.pdf(m / s)

    return over_open_student(lambda a: a * rectified(a * c))


def both(t):
    return over_open_student(lambda a: normal.cdf(a * np.cos(t) / np.sin(t)))


def route_both_open(form):
    for t in angles(82):
        close(both(t), form.numpy(t), 1e-10)


def route_gated_along(form):
    for t in angles(83):
        close(along(t), form.numpy(t), 1e-10)


def route_gated_across(form):
    for t in angles(84):
        close(np.sin(t) * both(t), form.numpy(t), 1e-10)  # Stein: E z (m + s z)^+ = s P(open)


def route_dropped(form):
    for t in angles(85):
        close(along(t) - both(t) * np.cos(t), form.numpy(t), 1e-10)


def route_concentration(form):
    """All products of four entries of a point on the sphere, by the pairings of its indices."""
    for n, d in ((1, 1), (1, 2), (2, 2), (3, 2), (2, 4), (3, 3), (4, 1), (5, 2)):
        length_4 = stats.chi2(n * d).moment(2)
        total = 0.0
        for i in range(n):
            for j in range(n):
                for k in range(d):
                    for m in range(d):
                        a, b, c, e = (i, k), (j, k), (i, m), (j, m)
                        total += (a == b) * (c == e) + (a == c) * (b == e) + (a == e) * (b == c)
        close(total / length_4, form.numpy(n, d))


def route_kurtosis(form):
    for n in range(2, 12):
        close(n**2 * stats.beta(0.5, (n - 1) / 2).moment(2), form.numpy(n))


def route_overlap(form):
    for d in range(2, 12):
        close(stats.beta(0.5, (d - 1) / 2).mean(), form.numpy(d))


ROUTES = {
    "PATH": route_path,
    "PULL": route_pull,
    "BOTH_OPEN": route_both_open,
    "GATED_ALONG": route_gated_along,
    "GATED_ACROSS": route_gated_across,
    "DROPPED": route_dropped,
    "IID_CONCENTRATION": route_concentration,
    "IID_KURTOSIS": route_kurtosis,
    "IID_OVERLAP": route_overlap,
}


def test_the_dropped_part_vanishes_for_aligned_and_for_opposite_nodes():
    for t, exact, open_ in ((0.0, 0.5, 0.5), (np.pi, 0.0, 0.0)):
        close(gradient.GATED_ALONG.numpy(t), exact)
        close(gradient.BOTH_OPEN.numpy(t), open_)
        close(gradient.DROPPED.numpy(t), 0.0)


@pytest.mark.parametrize("n", [1, 2])
def test_one_node_has_the_statistics_of_a_single_value(n):
    """One row: M is a number and its concentration 1; one pre-activation has kurtosis 1."""
    close(gradient.IID_CONCENTRATION.numpy(1, n), 1.0)
    close(gradient.IID_KURTOSIS.numpy(1), 1.0)
