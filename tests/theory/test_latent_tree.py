"""Closed forms of the latent tree against enumeration, autograd and integration."""

import numpy as np
import pytest
import torch
from comparing import DRAWS, close
from scipy.integrate import solve_ivp

from ssl_dynamics.data.latent_tree import LatentTree, random_tree
from ssl_dynamics.data.latent_tree_exact import enumerated, posteriors
from ssl_dynamics.theory import latent_tree as theory


def draws(branching=(2, 2), symmetric=False):
    """Trees with all kinds of edges, small enough to enumerate."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([31, seed])
        root = 0.5 if symmetric else rng.uniform(0.2, 0.8)
        tree = random_tree(seed, branching, (0.2, 0.95), symmetric=symmetric, root=root)
        yield rng, tree


def means(tree, values_of, node=None, depth=0):
    """E[f | z = 0], E[f | z = 1] for the latent at (depth, node), by summing over everything."""
    values, weight = enumerated(tree)
    z = values[depth][node or 0]
    f = np.atleast_2d(values_of(values))
    return [f @ (weight * (z == v)) / (weight * (z == v)).sum() for v in (0, 1)]


def neurons(rng, tree, depth, count=2):
    """`count` random functions for each node of a depth: of the leaves below it alone.

    Returns a function: values of the tree -> [nodes * count, N].
    """
    share = tree.sizes[-1] // tree.sizes[depth]
    weights = rng.normal(size=(tree.sizes[depth], count, 3, share))
    out = rng.normal(size=(tree.sizes[depth], count, 3))

    def rows(values):
        leaves = values[-1].reshape(tree.sizes[depth], 1, share, -1)
        hidden = np.maximum(weights @ leaves + 0.3, 0)  # [nodes, count, 3, N]
        return np.einsum("nkh,nkhN->nkN", out, hidden).reshape(-1, hidden.shape[-1])

    return rows


def route_polarity(form):
    for rng, _ in draws():
        p0, p1 = rng.uniform(0.05, 0.95, 2)
        spectrum = np.linalg.eigvals(np.array([[1 - p0, p0], [1 - p1, p1]])).real
        other = spectrum[np.argmax(np.abs(spectrum - 1))]
        close(other, form.numpy(p0, p1))


def route_path(form):
    for _, tree in draws((1, 1)):
        (zero,), (one,) = means(tree, lambda values: values[-1])
        close(one - zero, form.numpy(tree.polarity[0][0], tree.polarity[1][0]))


def route_difference(form):
    for rng, tree in draws():
        f = neurons(rng, tree, 1)
        (zero, one), path = means(tree, f), tree.root_polarity(1)
        for node in range(2):
            h0, h1 = means(tree, lambda values, node=node: f(values)[2 * node], node, 1)
            close((one - zero)[2 * node], form.numpy(path[node], h0[0], h1[0]))


def covariance_over_root(tree, f):
    zero, one = means(tree, f)
    mean = (1 - tree.root) * zero + tree.root * one
    return (1 - tree.root) * np.outer(zero - mean, zero - mean) + tree.root * np.outer(
        one - mean, one - mean
    )


def route_covariance(form):
    for rng, tree in draws((1, 2, 2)):
        f = neurons(rng, tree, 2, count=1)  # children nu of the node mu at depth 1
        found = covariance_over_root(tree, f)
        s = []
        for node in range(2):
            zero, one = means(tree, lambda values, node=node: f(values)[node], node, 2)
            s.append((one - zero)[0])
        rho = tree.polarity[1]
        path = tree.root_polarity(1)[0]
        for i in range(2):
            for j in range(2):
                formula = form.numpy(tree.root, path, rho[i], s[i], rho[j], s[j])
                close(found[i, j], formula)


def group(rng, tree, width=3):
    """A group at the root's only child, linear with decoupled top-down weights: E[f | z_0],
    the rate's ingredients and a start."""
    f = neurons(rng, tree, 2)
    zero, one = means(tree, f)
    path = tree.root_polarity(1)[0]
    v = (one - zero) / path
    c = rng.uniform(0.5, 2)
    J = np.sqrt(c) * np.linalg.qr(rng.normal(size=(width + 1, width)))[0]
    return zero, one, path, v, c, J, rng.normal(size=(width, len(v)))


def descent(tree, zero, one, J):
    """Minus the autograd gradient of -tr Cov of the mean output J W f, as a function of W."""
    pi = tree.root
    means_of = torch.tensor(np.stack([zero, one], 1))
    weights = torch.tensor([1 - pi, pi], dtype=torch.float64)
    top = torch.tensor(J)

    def field(W):
        leaf = torch.tensor(W, requires_grad=True)
        out = top @ leaf @ means_of
        centred = out - (out * weights).sum(1, keepdim=True)
        (-(centred.square() * weights).sum()).backward()
        return -leaf.grad.numpy()

    return field


def route_growth(form):
    for rng, tree in draws((1, 2, 2)):
        zero, one, path, v, c, J, W = group(rng, tree)
        rate = descent(tree, zero, one, J)(W) @ v / (W @ v)
        close(rate, form.numpy(c, tree.root, path, v @ v) * np.ones(len(rate)))


def route_selectivity(form):
    for rng, tree in list(draws((1, 2, 2)))[:DRAWS]:
        zero, one, path, v, c, J, W = group(rng, tree)
        field, t = descent(tree, zero, one, J), 0.5 / (1 + v @ v)
        flow = solve_ivp(
            lambda _, w: field(w.reshape(W.shape)).ravel(), (0, t), W.ravel(),
            method="DOP853", rtol=1e-9, atol=1e-11,
        )  # fmt: skip
        end = flow.y[:, -1].reshape(W.shape) @ v
        close(end, form.numpy(W @ v, c, tree.root, path, v @ v, t), 1e-7)


def correlation(x, z, weight):
    x, z = x - x @ weight, z - z @ weight
    return (x * z) @ weight / np.sqrt((x**2 @ weight) * (z**2 @ weight))


def route_ceiling(form):
    for rng, tree in draws():
        values, weight = enumerated(tree)
        mean = posteriors(tree, values[-1])[0][0]
        variance = (mean - mean @ weight) ** 2 @ weight
        ceiling = form.numpy(tree.root, variance)
        close(correlation(mean, values[0][0], weight), ceiling)
        code = (2 ** np.arange(len(values[-1])) @ values[-1]).astype(int)
        for _ in range(5):
            other = rng.normal(size=2 ** len(values[-1]))[code]
            assert abs(correlation(other, values[0][0], weight)) <= ceiling + 1e-12


def route_pair(form):
    for _, tree in draws((2,), symmetric=True):
        values, weight = enumerated(tree)
        mean = posteriors(tree, values[-1])[0][0]
        close(correlation(mean, values[0][0], weight), form.numpy(*tree.polarity[0]))


ROUTES = {
    "POLARITY": route_polarity,
    "PATH_POLARITY": route_path,
    "DIFFERENCE": route_difference,
    "COVARIANCE": route_covariance,
    "GROWTH": route_growth,
    "SELECTIVITY": route_selectivity,
    "CEILING": route_ceiling,
    "PAIR_CEILING": route_pair,
}


@pytest.mark.parametrize("name", ROUTES)
def test_form(name):
    ROUTES[name](theory.FORMS[name])


def test_the_posterior_of_a_fair_latent_above_two_leaves_is_linear_in_them():
    for _, tree in draws((2,), symmetric=True):
        values, _ = enumerated(tree)
        mean = posteriors(tree, values[-1])[0][0]
        design = np.stack([np.ones_like(mean), *values[-1]], 1)
        fitted = design @ np.linalg.lstsq(design, mean, rcond=None)[0]
        close(fitted, mean)


def test_a_certain_child_reaches_the_ceiling_one():
    assert theory.PAIR_CEILING(1, 0) == 1
    tree = LatentTree((2,), 0.5, (np.array([0.5, 0.5]),), (np.array([0.5, 0.5]),))
    values, _ = enumerated(tree)
    assert np.ptp(posteriors(tree, values[-1])[0]) < 1e-12
