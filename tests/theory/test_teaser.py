"""Closed forms of the first page against autograd and numerical integration."""

import numpy as np
import torch
from comparing import DRAWS, close
from scipy import optimize
from scipy.integrate import solve_ivp


def draws():
    for seed in range(DRAWS):
        yield np.random.default_rng([31, seed])


def pair_gradient(w, p, x_1, x_2):
    weight = torch.as_tensor(w, dtype=torch.float64).clone().requires_grad_(True)
    (0.5 * (p * weight * x_1 - (weight * x_2).detach()) ** 2).mean().backward()
    return weight.grad.item()


def growth(p, sigma):
    """Minus the autograd gradient at w = 1, averaged over two images, two equally likely views."""
    image = torch.tensor([1.0, -1.0], dtype=torch.float64)[:, None, None]
    noise = sigma * torch.tensor([1.0, -1.0], dtype=torch.float64)
    return -pair_gradient(1.0, p, image + noise[:, None], image + noise[None, :])


def route_pair_gradient(form):
    for rng in draws():
        w, p, x_1, x_2 = rng.normal(size=4) + np.array([0, 2, 0, 0])
        close(pair_gradient(w, p, x_1, x_2), form.numpy(w, p, x_1, x_2))


def route_rate(form):
    for rng in draws():
        p, sigma = rng.uniform(0.2, 1.5, size=2)
        close(growth(p, sigma), form.numpy(p, sigma))


def route_threshold(form):
    for rng in draws():
        sigma = rng.uniform(0.2, 1.5)
        close(optimize.brentq(growth, 1e-3, 2.0, args=(sigma,), xtol=1e-14), form.numpy(sigma))


def route_weight(form):
    for rng in draws():
        w_0, p, sigma = rng.uniform(0.2, 1.5, size=3)
        end = rng.uniform(0.5, 2)
        run = solve_ivp(lambda _, w: w * growth(p, sigma), (0, end), [w_0], rtol=1e-9, atol=1e-12)
        close(run.y[0, -1], form.numpy(end, w_0, p, sigma), 1e-7)


ROUTES = {
    "PAIR_GRADIENT": route_pair_gradient,
    "RATE": route_rate,
    "THRESHOLD": route_threshold,
    "WEIGHT": route_weight,
}
