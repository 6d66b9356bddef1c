"""Closed forms of the predictor chapter against autograd on enumerated populations.

A population here is N images with M equally likely views, and the two views of a pair are drawn
independently: the loss averages over all N * M * M ordered pairs of views.
"""

from itertools import product

import numpy as np
import pytest
import torch
from comparing import DRAWS, close
from scipy import optimize

from ssl_dynamics.theory import predictor


def draws():
    for seed in range(DRAWS):
        rng = np.random.default_rng([20, seed])
        images, views = int(rng.integers(2, 7)), int(rng.integers(2, 6))
        yield rng, rng.normal(size=(images, views)) + rng.normal()


def spread(k):
    """Variance between images and mean variance over views of ``[N, M]`` connections."""
    return k.mean(1).var(), k.var(1).mean()


def pair_loss(f, f_target, p):
    """Enumerated squared loss of ``[N, M]`` outputs over all ordered pairs of views."""
    return 0.5 * ((p * f[:, :, None] - f_target[:, None, :]) ** 2).mean()


def centred(f):
    return f - f.mean()


def step(k, k_target, p, w, w_target, centre=centred):
    """Minus the autograd gradient of the loss of scalar towers w * k and w' * k'."""
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    online, target = torch.as_tensor(k) * weight, torch.as_tensor(k_target) * w_target
    pair_loss(centre(online), centre(target), p).backward()
    return -weight.grad.item()


def growth(k, p):
    return step(k, k, p, 1.0, 1.0)


def parabola(k):
    """Coefficients (linear, quadratic) of the autograd growth rate in p; it has no constant."""
    (one, two) = growth(k, 1.0), growth(k, 2.0)
    quadratic = (two - 2 * one) / 2
    return one - quadratic, quadratic


def route_invariance(form):
    for rng, k in draws():
        k = k - k.mean(1, keepdims=True) + 0.7  # the images agree, their views do not
        p, w = rng.uniform(0.3, 2, size=2)
        close(-step(k, k, p, w, 0.0) / w, form.numpy(p, spread(k)[1]))


def route_negative(form):
    for rng, k in draws():
        k = np.repeat(k[:, :1], 3, axis=1)  # the views agree, the images do not
        p, w = rng.uniform(0.3, 2, size=2)
        close(-step(k, k, p, w, 0.0) / w, form.numpy(p, spread(k)[0]))


def route_positive(form):
    for rng, k in draws():
        p, w_target = rng.uniform(0.3, 2, size=2)
        close(step(k, k, p, 0.0, w_target) / w_target, form.numpy(p, spread(k)[0]))


def route_update(form):
    for rng, k in draws():
        p, w, w_target = rng.normal(size=3)
        close(step(k, k, p, w, w_target), form.numpy(p, *spread(k), w, w_target))


def route_correction(form):
    for rng, k in draws():
        k_target = rng.normal(size=k.shape) - 0.8
        p, w, w_target = rng.normal(size=3)
        raw = step(k, k_target, p, w, w_target, centre=lambda f: f)
        added = step(k, k_target, p, w, w_target) - raw
        close(added, form.numpy(p, k.mean(), k_target.mean(), w, w_target))


def route_gap(form):
    for rng, k in draws():
        upstream = torch.as_tensor(rng.normal(size=k.shape) + 0.4)
        updates = []
        for detach in (False, True):
            weight = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
            f = torch.as_tensor(k) * weight
            mean = f.mean().detach() if detach else f.mean()
            (upstream * (f - mean)).mean().backward()
            updates.append(-weight.grad.item())
        close(updates[0] - updates[1], form.numpy(k.mean(), upstream.mean().item()))


def route_growth(form):
    for rng, k in draws():
        p = rng.normal()
        close(growth(k, p), form.numpy(p, *spread(k)))


def route_threshold(form):
    for _, k in draws():
        root = optimize.brentq(lambda p, k=k: growth(k, p) / p, 1e-3, 2.0, xtol=1e-14)
        close(root, form.numpy(*spread(k)))


def regression(k, tau):
    """Least-squares slope, without intercept, of tau times one view on another of the image."""
    pairs = np.array([(a, tau * b) for row in k for a, b in product(row, row)])
    return np.linalg.lstsq(pairs[:, :1], pairs[:, 1], rcond=None)[0][0]


def route_target_threshold(form):
    for rng, k in draws():
        tau = rng.uniform(0.2, 1.5)
        close(regression(k - k.mean(), tau), form.numpy(*spread(k), tau))


def route_mean_threshold(form):
    for _, k in draws():
        close(regression(k, 1.0), form.numpy(k.mean(), *spread(k)))


def route_best_scale(form):
    for _, k in draws():
        linear, quadratic = parabola(k)
        close(-linear / (2 * quadratic), form.numpy(*spread(k)))


def route_best_rate(form):
    for _, k in draws():
        linear, quadratic = parabola(k)
        close(-(linear**2) / (4 * quadratic), form.numpy(*spread(k)))


def route_batch_growth(form):
    for seed in range(DRAWS):
        rng = np.random.default_rng([21, seed])
        k, p, batch = rng.normal(size=(3, 2)) + 0.5, rng.uniform(0.2, 1.2), 2 + seed % 2
        pairs = np.array([(a, b) for row in k for a, b in product(row, row)])
        batches = pairs[np.array(list(product(range(len(pairs)), repeat=batch)))]
        one, two = (
            batches[..., side] - batches[..., side].mean(1, keepdims=True) for side in (0, 1)
        )
        measured = -(p * one * (p * one - two)).mean()
        close(measured, form.numpy(p, *spread(k), batch))


def route_survival(form):
    steps = 200
    for rng, k in draws():
        k = k - k.mean(1, keepdims=True)
        p, end, w = rng.uniform(0.3, 1.2), rng.uniform(0.5, 1.5), 1.0
        h = end / steps

        def flow(w, k=k, p=p):
            return -(p * k * p * k * w).mean()

        for _ in range(steps):  # classical Runge-Kutta
            a = flow(w)
            b = flow(w + h * a / 2)
            c = flow(w + h * b / 2)
            w += h * (a + 2 * b + 2 * c + flow(w + h * c)) / 6
        close(w, form.numpy(p, spread(k)[1], end), 1e-8)


ROUTES = {
    "INVARIANCE": route_invariance,
    "NEGATIVE": route_negative,
    "POSITIVE": route_positive,
    "UPDATE": route_update,
    "CORRECTION": route_correction,
    "GAP": route_gap,
    "GROWTH": route_growth,
    "THRESHOLD": route_threshold,
    "TARGET_THRESHOLD": route_target_threshold,
    "BEST_SCALE": route_best_scale,
    "BEST_RATE": route_best_rate,
    "MEAN_THRESHOLD": route_mean_threshold,
    "BATCH_GROWTH": route_batch_growth,
    "SURVIVAL": route_survival,
}


def relu_network(weights, x):
    for depth, weight in enumerate(weights):
        x = x @ weight.T
        if depth < len(weights) - 1:
            x = x.relu()
    return x


def vec(matrix):
    return matrix.T.reshape(-1)


@pytest.mark.parametrize("seed", range(DRAWS))
def test_three_terms_for_every_layer_of_two_different_relu_towers(seed):
    rng = np.random.default_rng([22, seed])
    images, views = rng.integers(2, 6, size=2)
    d, outputs = rng.integers(2, 6, size=4), int(rng.integers(1, 5))
    x = rng.normal(size=(images, views, d[0])) + 0.5
    online = [rng.normal(size=(d[i + 1], d[i])) for i in range(3)]
    target = [rng.normal(size=(3, d[0])), rng.normal(size=(outputs, 3))]
    W_p = rng.normal(size=(outputs, d[3]))
    f_target = relu_network([torch.as_tensor(v) for v in target], torch.as_tensor(x))
    K_target, w_target = predictor.connection(target, x, 1), vec(target[1])
    for layer, weight in enumerate(online):
        tensors = [torch.tensor(v, requires_grad=True) for v in online]
        f = relu_network(tensors, torch.as_tensor(x))
        K, w = predictor.connection(online, x, layer), vec(weight)
        np.testing.assert_allclose(np.einsum("iapn,p->ian", K, w), f.detach(), atol=1e-10)

        updates = {}
        for name in ("attached", "detached", "none"):
            mean = {"attached": f.mean((0, 1)), "none": 0.0}.get(name, f.mean((0, 1)).detach())
            shift = 0.0 if name == "none" else f_target.mean((0, 1))
            one, two = (f - mean) @ torch.as_tensor(W_p).T, f_target - shift
            loss = 0.5 * ((one[:, :, None] - two[:, None]) ** 2).sum(-1).mean()
            (gradient,) = torch.autograd.grad(loss, tensors[layer], retain_graph=True)
            updates[name] = -vec(gradient).numpy()

        invariance, negative, positive = predictor.three_terms(K, K_target, W_p, w, w_target)
        m, m_target = K.mean((0, 1)), K_target.mean((0, 1))
        added = m @ W_p.T @ (W_p @ m.T @ w - m_target.T @ w_target)
        scale = max(1.0, np.abs(updates["none"]).max())
        for measured, predicted in (
            (updates["attached"], -invariance - negative + positive),
            (updates["detached"], updates["attached"]),
            (updates["attached"] - updates["none"], added),
        ):
            np.testing.assert_allclose(measured, predicted, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("seed", range(DRAWS))
def test_number_of_growing_directions_is_read_off_the_optimal_predictor(seed):
    rng = np.random.default_rng([23, seed])
    d = int(rng.integers(3, 12))
    x = rng.normal(size=(20, 3, d)) * rng.uniform(0.2, 2, size=d) + 2 * rng.normal(size=(20, 1, d))
    X, X_prime = predictor.between_within(x)
    optimal = np.sort(np.linalg.eigvals(np.linalg.solve(X + X_prime, X)).real)
    for p in (optimal[:-1] + optimal[1:]) / 2:
        rates = np.linalg.eigvalsh(p * X - p**2 * (X + X_prime))
        assert (rates > 0).sum() == (optimal > p).sum()


def test_between_and_within_add_up_to_the_total_covariance():
    x = np.random.default_rng(24).normal(size=(7, 4, 5)) + 1.0
    X, X_prime = predictor.between_within(x)
    total = torch.cov(torch.as_tensor(x.reshape(-1, 5)).T, correction=0).numpy()
    np.testing.assert_allclose(X + X_prime, total, atol=1e-12)


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="layer is 2, allowed: 0 to 1"):
        predictor.connection([np.eye(2), np.eye(2)], np.ones((1, 1, 2)), 2)
