"""Closed forms of the covariance operator against pair-by-pair sums and autograd.

Populations are enumerated: N images with M equally likely views; every loss is a plain mean over
the ordered pairs it names, and the gradients are autograd's.
"""

import numpy as np
import pytest
import torch
from comparing import DRAWS, close
from scipy import optimize

from ssl_dynamics.measures import connection, covariance_operator
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.symbolic import vec_array


def pair_means(f, anchor_only=False):
    """Mean half squared distances of outputs [N, M, d]: within an image with and without the
    view itself, and between with and without the image itself."""
    N, M = f.shape[:2]
    flat = f.reshape(N * M, -1)
    other = flat.detach() if anchor_only else flat
    r = (flat[:, None] - other[None]).square().sum(-1) / 2
    image = torch.arange(N * M) // M
    same = image[:, None] == image[None]
    itself = torch.eye(N * M, dtype=torch.bool)
    return {
        "positive": r[same].mean(),
        "other views": r[same & ~itself].mean(),
        "negative": r.mean(),
        "other images": r[~same].mean(),
    }


def draws():
    for seed in range(DRAWS):
        rng = np.random.default_rng([50, seed])
        N, M = (int(n) for n in rng.integers(2, 7, size=2))
        k = torch.tensor(rng.normal(size=(N, M, 1)) + rng.normal())
        yield rng, k, k.mean(1).var(correction=0).item(), k.var(1, correction=0).mean().item()


def rate(k, kappa, beta=0.0, positive="positive", negative="negative"):
    """Minus the autograd gradient at weight 1 of one weight with connection k."""
    w = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    found = pair_means(w * k, anchor_only=kappa == 1)
    ((1 + beta) * found[positive] - found[negative]).backward()
    return -w.grad.item()


FINITE = {"positive": "other views", "negative": "other images"}


def route_loss(form):
    for rng, k, V, _ in draws():
        w = rng.normal()
        found = pair_means(w * k)
        close((found["positive"] - found["negative"]).item(), form.numpy(V, w))


def route_rate(form):
    for _, k, V, _ in draws():
        for kappa in (1, 2):
            close(rate(k, kappa), form.numpy(kappa, V))


def route_norm_rate(form):
    for seed in range(DRAWS):
        net, views = network(seed)
        for kappa in (1, 2):
            found = pair_means(net(views)[0], anchor_only=kappa == 1)
            loss = found["positive"] - found["negative"]
            trace = net(views)[0].mean(1).var(0, correction=0).sum().item()
            for weight, g in zip(
                net.weights, torch.autograd.grad(loss, list(net.weights)), strict=True
            ):
                close(-2 * (weight * g).sum().item(), form.numpy(kappa, trace))


def route_finite_loss(form):
    for rng, k, V, within in draws():
        w, found = rng.normal(), pair_means(k)
        measured = w**2 * (found["other views"] - found["other images"]).item()
        close(measured, form.numpy(*k.shape[:2], V, within, w))


def route_finite_rate(form):
    for _, k, V, within in draws():
        for kappa in (1, 2):
            close(rate(k, kappa, **FINITE), form.numpy(kappa, *k.shape[:2], V, within))


def route_views_edge(form):
    """Where the measured rate, taken apart into its parts, changes sign as M varies."""
    for _, k, V, within in draws():
        N, M = k.shape[:2]
        push = rate(k, 2, positive="positive", negative="other images")
        pull = (push - rate(k, 2, **FINITE)) * (M - 1)
        root = optimize.brentq(lambda m, a=push, b=pull: a - b / (m - 1), 1 + 1e-6, 1e6)
        close(root, form.numpy(N, V, within), 1e-8)


def route_beta_rate(form):
    for rng, k, V, within in draws():
        for kappa in (1, 2):
            beta = rng.normal()
            close(rate(k, kappa, beta), form.numpy(kappa, beta, V, within))


def route_beta_edge(form):
    for _, k, V, within in draws():
        root = optimize.brentq(lambda b, k=k: rate(k, 2, b), -1e4, 1e4, xtol=1e-12)
        close(root, form.numpy(V, within), 1e-8)


ROUTES = {
    "LOSS": route_loss,
    "RATE": route_rate,
    "NORM_RATE": route_norm_rate,
    "FINITE_LOSS": route_finite_loss,
    "FINITE_RATE": route_finite_rate,
    "VIEWS_EDGE": route_views_edge,
    "BETA_RATE": route_beta_rate,
    "BETA_EDGE": route_beta_edge,
}


def network(seed):
    rng = np.random.default_rng([51, seed])
    widths = [int(n) for n in rng.integers(2, 6, size=int(rng.integers(2, 5)))]
    net = ReluNet((seed,), widths, leak=float(rng.choice([0.0, 0.3])), pool=1 + seed % 2)
    N, M = (int(n) for n in rng.integers(2, 5, size=2))
    return net, torch.tensor(rng.normal(size=(1, N, M, widths[0])) + 0.3)


@pytest.mark.parametrize("seed", range(DRAWS))
@pytest.mark.parametrize("kappa", [1, 2])
def test_every_layers_update_is_the_operator_times_its_weights(seed, kappa):
    net, views = network(seed)
    N, M = views.shape[1:3]
    found = pair_means(net(views)[0], anchor_only=kappa == 1)
    settings = {
        ("positive", "negative", 0.0): (1.0, 0.0),
        ("positive", "other images", 0.0): (N / (N - 1), 0.0),
        ("other views", "negative", 0.0): (1.0, -1 / (M - 1)),
        ("other views", "other images", 0.0): (N / (N - 1), -1 / (M - 1)),
        ("positive", "negative", 0.7): (1.0, -0.7),
    }
    for (near, far, beta), (between, within) in settings.items():
        loss = (1 + beta) * found[near] - found[far]
        slopes = torch.autograd.grad(loss, list(net.weights), retain_graph=True)
        for layer, slope in enumerate(slopes):
            operator = covariance_operator(net, views, layer, between=between, within=within)[0]
            predicted = kappa * operator @ vec_array(net.weights[layer].detach())[0]
            torch.testing.assert_close(-vec_array(slope)[0], predicted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(DRAWS))
def test_a_symmetric_weight_of_image_pairs_gives_the_weighted_operator(seed):
    net, views = network(seed)
    N = views.shape[1]
    xi = torch.tensor(np.random.default_rng([52, seed]).uniform(size=(N, N)))
    for weight in (xi + xi.T, xi):
        f = net(views)[0]
        r = (f[:, :, None, None] - f[None, None]).square().sum(-1) / 2  # anchor, other
        near = torch.stack([r[i, :, i].mean() for i in range(N)])
        loss = (weight * (near[:, None] - r.mean((1, 3)))).mean()
        slopes = torch.autograd.grad(loss, list(net.weights))
        for layer, slope in enumerate(slopes):
            operator = weighted(net, views, layer, weight)
            predicted = operator @ vec_array(net.weights[layer].detach())[0]
            torch.testing.assert_close(-vec_array(slope)[0], predicted, rtol=0, atol=1e-10)


def weighted(net, views, layer, weight):
    """The weighted operator pair by pair: gap of the means, plus the variance over views of the
    negative's image minus that of the anchor's."""
    K = connection(net, views, layer)[0]
    bar, N = K.mean(1), len(K)
    own = [sum((k - b) @ (k - b).T for k in K[i]) / K.shape[1] for i, b in enumerate(bar)]
    total = 0
    for i in range(N):
        for j in range(N):
            gap = (bar[i] - bar[j]) @ (bar[i] - bar[j]).T
            total = total + weight[i, j] * (gap + own[j] - own[i])
    return total / N**2
