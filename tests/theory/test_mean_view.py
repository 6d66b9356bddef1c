"""Closed forms of the mean-view chapter against autograd, matrix exponentials and enumeration.

The independent side is always the definition: views listed one by one, losses and squared lengths
of layers differentiated by autograd, spread and activations taken from sampled outputs.
"""

import itertools

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.linalg import expm

from ssl_dynamics.measures import effective_rank, spread
from ssl_dynamics.theory import mean_view


def within(rng, images=3, views=4, pixels=3):
    """Views [N, M, p] about random centres, and their mean covariance within images."""
    x = rng.normal(size=(images, views, pixels))
    apart = x - x.mean(1, keepdims=True)
    return x, np.einsum("nvi,nvj->ij", apart, apart) / (images * views)


def mode(form):
    """A linear encoder's flow as one matrix exponential, its modes read off by eigenvectors."""
    for rng in rngs(1):
        _, within_views = within(rng)
        start, time = rng.normal(size=(2, 3)), rng.uniform(0.1, 1.5)
        values, vectors = np.linalg.eigh(within_views)
        end = start @ expm(-2 * within_views * time)
        close(end @ vectors, form.numpy(start @ vectors, values, time))


def linear_loss(weights, x):
    outputs = x @ weights.mT
    return (outputs - (x.mean(1, keepdim=True) @ weights.mT)).square().sum(-1).mean()


def mode_loss(form):
    for rng in rngs(2):
        x, within_views = within(rng)
        start, time = rng.normal(size=(2, 3)), rng.uniform(0.1, 1.5)
        values, vectors = np.linalg.eigh(within_views)
        end = torch.tensor(start @ expm(-2 * within_views * time))
        share = form.numpy(start @ vectors, values, time)
        close(linear_loss(end, torch.tensor(x)).item(), share.sum())


def relu_net(rng, widths=(3, 6, 5, 2)):
    return [
        torch.tensor(rng.normal(size=(b, a)), requires_grad=True)
        for a, b in itertools.pairwise(widths)
    ]


def outputs(weights, x):
    for weight in weights[:-1]:
        x = torch.relu(x @ weight.mT)
    return x @ weights[-1].mT


def of_networks(key):
    """Per draw: weights, outputs of all views and at the mean views, and the three means."""
    for rng in rngs(key):
        x = torch.tensor(within(rng)[0])
        weights = relu_net(rng)
        f, m = outputs(weights, x), outputs(weights, x.mean(1, keepdim=True))
        squares = [(a * b).sum(-1).mean().item() for a, b in ((f, f), (f, m), (m, m))]
        yield weights, f, m, squares


def rates(loss, weights):
    """Rate of the squared length of every layer under gradient flow, by autograd."""
    gradients = torch.autograd.grad(loss, weights)
    return [-2 * (w * g).sum().item() for w, g in zip(weights, gradients, strict=True)]


def loss(form):
    for _, f, m, squares in of_networks(3):
        close((f - m).square().sum(-1).mean().item(), form.numpy(*squares))


def norm_rate(form):
    for weights, f, m, squares in of_networks(4):
        found = rates((f - m).square().sum(-1).mean(), weights)
        close(found, [form.numpy(*squares)] * len(weights))


def norm_rate_stop(form):
    for weights, f, m, squares in of_networks(5):
        found = rates((f - m.detach()).square().sum(-1).mean(), weights)
        close(found, [form.numpy(*squares[:2])] * len(weights))


def edge(rng):
    """The network c_2 |x_2| - c_1 |x_1| with balanced layers, its views (r, 1) and (-r, 1)."""
    kept, moved, size = rng.uniform(0.5, 4), rng.uniform(0.5, 4), rng.uniform(0.1, 1.5)
    u, v = moved**0.5, kept**0.5
    below = torch.tensor([[u, 0], [-u, 0], [0, v], [0, -v]], dtype=torch.float64)
    top = torch.tensor([[-u, -u, v, v]], dtype=torch.float64)
    x = torch.tensor([[[size, 1.0], [-size, 1.0]]], dtype=torch.float64)
    weights = [w.requires_grad_() for w in (below, top)]
    f = outputs(weights, x)
    return weights, f, outputs(weights, x.mean(1, keepdim=True)), (kept, moved, size)


def edge_loss(form):
    for rng in rngs(6):
        _, f, m, (_, moved, size) = edge(rng)
        close((f - m).square().mean().item(), form.numpy(moved, size))


def edge_rate(form):
    for rng in rngs(7):
        weights, f, m, numbers = edge(rng)
        close(rates((f - m.detach()).square().mean(), weights), [form.numpy(*numbers)] * 2)


def line_spread(form):
    for k, rng in enumerate(rngs(8)):
        direction, right = rng.choice([-1.0, 1.0], size=6), 1 + k
        signs = np.repeat([1.0, -1.0], [right, 12 - right]) * rng.uniform(0.5, 2, size=12)
        cloud = torch.tensor(signs[:, None] * direction)[None]
        close(effective_rank(cloud).item(), 1)
        close(spread(cloud).item(), form.numpy(right / 12))


def kink(form):
    for rng in rngs(9):
        at, change = rng.normal(), rng.uniform(0.2, 2)
        views = np.maximum(at + np.array([change, -change]), 0)
        close(views.mean() - max(at, 0), form.numpy(at, change))


ROUTES = {
    "MODE": mode,
    "MODE_LOSS": mode_loss,
    "LOSS": loss,
    "NORM_RATE": norm_rate,
    "NORM_RATE_STOP": norm_rate_stop,
    "EDGE_LOSS": edge_loss,
    "EDGE_RATE": edge_rate,
    "LINE_SPREAD": line_spread,
    "KINK": kink,
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](mean_view.FORMS[name])


def test_linear_gradient_is_the_same_with_the_target_held_fixed():
    """Autograd on the listed views, against 2 W X', both ways."""
    for rng in rngs(10):
        x, within_views = within(rng)
        weights = torch.tensor(rng.normal(size=(2, 3)), requires_grad=True)
        f = torch.tensor(x) @ weights.mT
        m = torch.tensor(x).mean(1, keepdim=True) @ weights.mT
        for target in (m, m.detach()):
            (found,) = torch.autograd.grad(
                (f - target).square().sum(-1).mean(), weights, retain_graph=True
            )
            close(found.numpy(), 2 * weights.detach().numpy() @ within_views)
