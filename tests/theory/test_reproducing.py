"""The released loss and BatchNorm against autograd and torch."""

import numpy as np
import pytest
import torch
from comparing import DRAWS, close

from ssl_dynamics.losses.triplets import batch_averaged, distances, simple
from ssl_dynamics.theory import reproducing


def draws():
    for seed in range(DRAWS):
        rng = np.random.default_rng([33, seed])
        width, batch = int(rng.integers(2, 12)), int(rng.integers(2, 9))
        u = torch.tensor(rng.normal(size=(1, width, 3 * batch)), requires_grad=True)
        yield rng, u, width, float(rng.uniform(0.3, 1.5))


def gap(u):
    near, far = distances(u)
    return (far - near).mean().item()


def route_released(form):
    for _, u, width, temperature in draws():
        one, two, three = u.detach()[0].chunk(3, -1)
        p, n = ((one - other).square().mean() for other in (two, three))
        weights = torch.exp(-torch.stack([p, n]) / temperature)
        close(-(weights[0] / weights.sum()), form.numpy(gap(u), width, temperature))


def route_rate(form):
    for _, u, width, temperature in draws():
        released = batch_averaged(*distances(u), temperature, width).sum()
        first = torch.autograd.grad(released, u)[0]
        second = torch.autograd.grad(simple(*distances(u)).sum(), u)[0]
        factor = form.numpy(gap(u), width, temperature)
        close(first, factor * second.numpy())


def route_shrink(form):
    for rng, *_ in draws():
        batch = int(rng.integers(2, 40))
        x = torch.tensor(rng.normal(size=(batch, 3)))
        biased, unbiased = ((x - x.mean(0)) / x.std(0, correction=c) for c in (0, 1))
        close((unbiased / biased).mean(), form.numpy(batch))


ROUTES = {"RELEASED": route_released, "RATE": route_rate, "SHRINK": route_shrink}


@pytest.mark.parametrize("name", ROUTES)
def test_form(name):
    ROUTES[name](reproducing.FORMS[name])
