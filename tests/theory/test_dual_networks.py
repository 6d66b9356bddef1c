"""Closed forms of the two-towers chapter against PyTorch: activations, autograd, finite steps."""

import numpy as np
import pytest
import torch
from scipy import optimize
from torch.nn.functional import leaky_relu

from ssl_dynamics.measures import connection as of_net
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.theory import dual_networks, predictor

DRAWS = 12


def close(measured, predicted, tolerance=1e-10):
    scale = max(1.0, abs(predicted))
    assert abs(measured - predicted) <= tolerance * scale, f"{measured} is not {predicted}"


def neurons():
    """Random neurons: pre-activation w x, direction v, step, leak; half of the gates flip."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([30, seed])
        x, w, v = rng.normal(size=(3, 4))
        h, rate = w @ x, v @ x
        flip, inside = -h / rate, rng.uniform(0.1, 0.9)
        step = flip * inside if seed % 2 else flip / inside
        yield x, w, v, step, rng.uniform(-0.5, 0.9)


def activation(values, leak):
    return leaky_relu(torch.as_tensor(values), leak).item()


def slope_at_start(x, w, leak):
    """Autograd's derivative of the output by the pre-activation."""
    h = torch.tensor(w @ x, requires_grad=True)
    leaky_relu(h, leak).backward()
    return h.grad.item()


def route_output(form):
    for x, w, v, step, leak in neurons():
        close(activation((w + step * v) @ x, leak), form.numpy(w @ x, v @ x, step, leak))


def route_frozen(form):
    for x, w, v, step, leak in neurons():
        connection = slope_at_start(x, w, leak) * x
        close(connection @ (w + step * v), form.numpy(w @ x, v @ x, step, leak))


def route_flip(form):
    for x, w, v, _, _ in neurons():
        at = form.numpy(w @ x, v @ x)
        root = optimize.brentq(lambda d, x=x, w=w, v=v: (w + d * v) @ x, -1e4, 1e4, xtol=1e-13)
        close(root, at, 1e-8)


def route_gap(form):
    for x, w, v, step, leak in neurons():
        frozen = slope_at_start(x, w, leak) * x @ (w + step * v)
        measured = activation((w + step * v) @ x, leak) - frozen
        close(measured, form.numpy(w @ x, v @ x, step, leak))


def weights_and_slopes():
    for seed in range(DRAWS):
        rng = np.random.default_rng([31, seed])
        yield rng.normal(size=4)


def route_pair(form):
    for k_1, k_2, w, goal in weights_and_slopes():
        weight = torch.tensor(w, requires_grad=True)
        (0.5 * (k_1 * weight - k_2 * goal) ** 2).backward()
        close(weight.grad.item(), form.numpy(k_1, k_2, w, goal))


def route_tied(form):
    for k_1, k_2, w, _ in weights_and_slopes():
        weight = torch.tensor(w, requires_grad=True)
        (0.5 * (k_1 * weight - k_2 * weight) ** 2).backward()
        close(weight.grad.item(), form.numpy(k_1, k_2, w))


def towers():
    """Random tied towers in plain PyTorch: weights and half the squared distance of a pair."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([32, seed])
        d = rng.integers(2, 6, size=4)
        weights = [torch.tensor(rng.normal(size=(d[i + 1], d[i]))) for i in range(3)]
        yield weights, torch.tensor(rng.normal(size=(2, d[0]))), rng.uniform(-0.3, 0.8)


def distance(weights, pair, leak):
    f = pair
    for layer, weight in enumerate(weights):
        f = f @ weight.T
        f = f if layer == 2 else leaky_relu(f, leak)
    return 0.5 * (f[0] - f[1]).square().sum()


def route_along(form):
    for weights, pair, leak in towers():
        for weight in weights:
            weight.requires_grad_()
        r = distance(weights, pair, leak)
        for weight, gradient in zip(weights, torch.autograd.grad(r, weights), strict=True):
            close((weight * gradient).sum().item(), form.numpy(r.item()))


def route_norm_rate(form):
    for weights, pair, leak in towers():
        for weight in weights:
            weight.requires_grad_()
        r = distance(weights, pair, leak)
        for weight, gradient in zip(weights, torch.autograd.grad(r, weights), strict=True):
            step = 1e-6
            ahead, behind = (weight - gradient * s for s in (step, -step))
            rate = (ahead.square().sum() - behind.square().sum()) / (2 * step)
            close(rate.item(), form.numpy(r.item()), 1e-6)


ROUTES = {
    "OUTPUT": route_output,
    "FROZEN": route_frozen,
    "FLIP": route_flip,
    "GAP": route_gap,
    "PAIR": route_pair,
    "TIED": route_tied,
    "ALONG": route_along,
    "NORM_RATE": route_norm_rate,
}


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_the_short_connection_is_that_of_the_networks(leak):
    net = ReluNet((3,), (4, 5, 3, 2), leak=leak)
    x = torch.randn(1, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = [weight[0].detach().numpy() for weight in net.weights]
    for layer in range(3):
        short = dual_networks.connection(weights, x[0].numpy(), layer, leak=leak)
        np.testing.assert_allclose(short, of_net(net, x, layer)[0], rtol=1e-12, atol=1e-14)


def test_the_predictor_chapter_uses_the_same_connection():
    assert predictor.connection is dual_networks.connection


def test_before_the_flip_the_gap_is_exactly_zero_and_after_it_has_the_sign_of_one_minus_leak():
    rng = np.random.default_rng(33)
    for h in (-1.3, 0.7):
        for leak in (-0.5, 0.0, 0.4, 1.0, 1.5):
            rate = rng.normal()
            flip = dual_networks.FLIP.numpy(h, rate)
            assert abs(dual_networks.GAP.numpy(h, rate, 0.9 * flip, leak)) < 1e-15
            after = dual_networks.GAP.numpy(h, rate, 2 * flip, leak)
            np.testing.assert_allclose(after, (1 - leak) * abs(h), rtol=1e-12)
