"""One neuron, two classes: each closed form against enumerated pairs, autograd, expm, quadrature.

``ROUTES`` maps the name of a form to a function of that form; it raises ``AssertionError`` when the
form is off. The mutation test uses the same routes on wrong forms.
"""

import numpy as np
import torch
from comparing import close
from scipy.integrate import quad
from scipy.linalg import expm

RNG = np.random.default_rng(1010)
DRAWS = range(8)
VIEWS, SIZE = 4, 3


def population(draw):
    """Views [2, VIEWS, SIZE], the probability of class 1, a weight [SIZE]."""
    rng = np.random.default_rng(draw)
    views = torch.from_numpy(rng.normal(size=(2, VIEWS, SIZE)))
    weight = torch.from_numpy(rng.normal(size=SIZE)).requires_grad_()
    return views, rng.uniform(0.15, 0.85), weight


def simple_loss(views, prior, weight, kappa=2, relu=True):
    """E r_+ - E r_- over every pair of views; with kappa = 1 only the anchor is differentiated."""
    out = views @ weight
    out = torch.relu(out) if relu else out
    other = out.detach() if kappa == 1 else out
    p = torch.tensor([1 - prior, prior], dtype=torch.float64)
    r = (out[:, :, None, None] - other[None, None]) ** 2 / 2
    r = r.mean(dim=(1, 3))  # classes of the anchor and of the other view
    return (p * r.diagonal()).sum() - (p[:, None] * p * r).sum()


def gap(views, weight, relu=True):
    out = views @ weight
    out = torch.relu(out) if relu else out
    return out[1].mean() - out[0].mean()


def slope(value, weight):
    return torch.autograd.grad(value, weight)[0].numpy()


def loss(form):
    for draw in DRAWS:
        views, prior, weight = population(draw)
        measured = simple_loss(views, prior, weight).item()
        close(measured, form.numpy(prior, gap(views, weight).item()))


def trace(form):
    for draw in DRAWS:
        views, prior, weight = population(draw)
        means = ((views @ weight > 0)[..., None] * views).mean(1).numpy()
        weights = np.round([1e6 * (1 - prior), 1e6 * prior]).astype(int)
        cov = np.cov(means.T, fweights=weights, bias=True)
        close(np.trace(cov), form.numpy(weights[1] / 1e6, ((means[1] - means[0]) ** 2).sum()))


def rate(form):
    for draw in DRAWS:
        for kappa in (1, 2):
            views, prior, weight = population(draw)
            moved = -slope(simple_loss(views, prior, weight, kappa), weight)
            D = gap(views, weight)
            u = slope(D, weight)
            close(u @ moved, form.numpy(kappa, prior, u @ u) * D.item())


def growth(form):
    for draw in DRAWS:
        views, prior, weight = population(draw)
        u = slope(gap(views, weight, relu=False), weight)
        kappa, time = 1 + draw % 2, 0.3 + 0.1 * draw
        end = expm(kappa * prior * (1 - prior) * np.outer(u, u) * time) @ weight.detach().numpy()
        start = float(u @ weight.detach().numpy())
        close(u @ end, form.numpy(start, kappa, prior, u @ u, time))


def step(form):
    for draw in DRAWS:
        for kappa in (1, 2):
            views, prior, weight = population(draw)
            alpha = 1e-3 * (1 + draw)
            D = gap(views, weight)
            u = slope(D, weight)
            moved = weight - alpha * torch.from_numpy(
                slope(simple_loss(views, prior, weight, kappa), weight)
            )
            assert ((views @ weight > 0) == (views @ moved > 0)).all()
            measured = (gap(views, moved) - D).item() / alpha
            predicted = (form.numpy(D.item(), alpha, kappa, prior, u @ u) - D.item()) / alpha
            close(measured, predicted)


def centred(form):
    for one, zero in RNG.uniform(0.3, 2.0, size=(8, 2)):
        mean = [
            quad(lambda n, s=s: s * n * np.exp(-n * n / 2) / np.sqrt(2 * np.pi), 0, 12)[0]
            for s in (one, zero)
        ]
        close(mean[0] - mean[1], form.numpy(one, zero), 1e-9)


def first_flip(form):
    for draw in DRAWS:
        rng = np.random.default_rng(draw)
        noise, mean = rng.normal(size=7), rng.uniform(0.2, 2.0)
        pairs = np.concatenate([noise + np.roll(noise, -a) for a in (1, 2)])
        low, high = 0.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            if (2 * mean + middle * pairs > 0).all():
                low = middle
            else:
                high = middle
        close(low, form.numpy(mean, pairs.min()))


ROUTES = {
    "LOSS": loss,
    "TRACE": trace,
    "RATE": rate,
    "GROWTH": growth,
    "STEP": step,
    "CENTRED": centred,
    "FIRST_FLIP": first_flip,
}


def test_a_zero_gap_is_stationary_and_an_equal_pair_of_classes_makes_one():
    views, prior, weight = population(0)
    same = views[:1].expand(2, -1, -1)
    assert np.abs(slope(simple_loss(same, prior, weight), weight)).max() < 1e-15


def test_a_linear_neuron_on_the_ring_has_no_gradient_and_a_relu_has_one():
    eye = torch.eye(7, dtype=torch.float64)
    ring = torch.stack([eye + eye.roll(-a, 1) for a in (1, 2)])
    weight = torch.from_numpy(np.random.default_rng(3).normal(size=7)).requires_grad_()
    assert np.abs(slope(simple_loss(ring, 0.5, weight, relu=False), weight)).max() < 1e-15
    assert np.abs(slope(simple_loss(ring, 0.5, weight), weight)).max() > 1e-3
