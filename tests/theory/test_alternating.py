"""Closed forms of the alternating chapter against enumerated views, autograd and least squares.

The independent side is always a small population whose images and views are listed: gradients come
from autograd, predictors from least squares over all ordered pairs of views.
"""

import itertools

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.linalg import expm

from ssl_dynamics.theory import alternating


def population(rng, inputs=1, images=3, views=3):
    """Views [N, M, inputs], not centred."""
    return torch.tensor(
        rng.normal(size=(images, 1, inputs)) + rng.normal(size=(images, views, inputs))
    )


def moments(x):
    """Second moments of the mean views and within images, [inputs, inputs] each."""
    means = x.mean(1)
    within = (x - means[:, None]).flatten(0, 1)
    return means.mT @ means / len(means), within.mT @ within / len(within)


def pairs(x):
    """All ordered pairs of views of one image, [pairs, inputs] twice."""
    places = list(itertools.product(range(x.shape[1]), repeat=2))
    first, second = (x[:, [pair[k] for pair in places]].flatten(0, 1) for k in (0, 1))
    return first, second


def half_square(gap):
    return gap.square().sum(-1).mean() / 2


def slope(loss, weight):
    return torch.autograd.grad(loss, weight)[0]


def leaf(values):
    return torch.as_tensor(values, dtype=torch.float64).clone().requires_grad_()


def fitted(inputs, outputs):
    """Best linear map of inputs [n, a] to outputs [n, b], as [b, a], by least squares."""
    return torch.linalg.lstsq(inputs, outputs).solution.mT


def other_view(form):
    for number, rng in enumerate(rngs(1)):
        count = 2 + number
        x, w = population(rng, 2, 2, count), leaf(rng.normal(size=(2, 2)))
        y = torch.tanh(x @ w.mT)
        different = [y[:, i] - y[:, j].detach() for i, j in itertools.permutations(range(count), 2)]
        sampled = slope(half_square(torch.cat(different)), w)
        y = torch.tanh(x @ w.mT)
        exact = slope(half_square(y - y.mean(1, keepdim=True).detach()), w)
        close(sampled, form.numpy(float(count)) * exact)


def one_mode(rng):
    x = population(rng)
    between, within = (float(m) for m in moments(x))
    return x, between, within


def round_(form):
    for number, rng in enumerate(rngs(2)):
        x, between, within = one_mode(rng)
        p, steps, rate = rng.uniform(0.2, 1.2), 1 + number % 4, rng.uniform(0.05, 0.4)
        first, second = pairs(x)
        w, start = leaf([[1.3]]), torch.tensor([[1.3]], dtype=torch.float64)
        for _ in range(steps):
            w = leaf(w - rate * slope(half_square(p * first @ w.mT - second @ start.mT), w))
        close(w.item() / 1.3, form.numpy(rate, p, between, within, float(steps)))


def round_end(form):
    for rng in rngs(3):
        x, between, within = one_mode(rng)
        p = rng.uniform(0.2, 1.2)
        first, second = pairs(x)
        close(fitted(p * first, 0.7 * second).item() / 0.7, form.numpy(p, between, within))


def held_rate(form):
    for rng in rngs(4):
        between, within, hold = rng.uniform(0.2, 2, size=3)
        flow = np.array([[-(between + within), between], [0, 0]])
        left = (expm(flow * hold) @ np.ones(2))[0]
        close(np.log(1 / left) / hold, form.numpy(between, within, hold))


def conditional(form):
    for rng in rngs(5):
        x, between, within = one_mode(rng)
        first, second = pairs(x)
        online, target = rng.normal(size=2)
        guess = fitted(online * first, target * second)
        close(half_square(online * first @ guess.mT - target * second),
              form.numpy(between, within, target))  # fmt: skip


def both(w, x, p):
    first, second = pairs(x)
    return half_square(first @ w.mT @ p.mT - second @ w.mT)


def followed(form):
    for rng in rngs(6):
        x, between, within = one_mode(rng)
        first, second = pairs(x)
        w = leaf([[rng.normal()]])
        guess = fitted(first @ w.detach().mT, second @ w.detach().mT)
        close(slope(both(w, x, guess), w).item() / w.item(), form.numpy(between, within))


def followed_step(form):
    for rng in rngs(7):
        x, between, within = one_mode(rng)
        p, rate = rng.uniform(-0.5, 1.5), rng.uniform(0.05, 0.5)
        w = leaf([[rng.normal()]])
        stepped = w - rate * slope(both(w, x, torch.tensor([[p]], dtype=x.dtype)), w)
        close(stepped.item() / w.item(), form.numpy(rate, p, between, within))


def two_modes(rng):
    """Four images with four views each: moments diagonal in two directions; and their values."""
    signs = np.array(list(itertools.product((-1, 1), repeat=2)))
    between, within = rng.uniform(0.3, 2, size=(2, 2))
    x = np.sqrt(between) * signs[:, None] + np.sqrt(within) * signs[None]
    total = between + within
    return torch.tensor(x), between / total, total


def turning(rng, age=None):
    """Minus the gradient at a random row, the best predictor there, and what the forms need."""
    x, best, total = two_modes(rng)
    first, second = pairs(x)
    w = leaf(rng.normal(size=(1, 2)))
    guess = fitted(first @ w.detach().mT, second @ w.detach().mT)
    used = guess if age is None else age * guess
    move = -slope(half_square(first @ w.mT @ used.mT - (second @ w.mT).detach()), w)
    return w.detach().numpy()[0], move.numpy()[0], guess.item(), best, total


def mixed(form):
    for rng in rngs(8):
        w, _, guess, best, total = turning(rng)
        close(guess, form.numpy(w[0] ** 2 / (w @ w), *best, *total))


def turn(form):
    for rng in rngs(9):
        w, move, _, best, total = turning(rng)
        size = w @ w
        speed = 2 * w[0] * move[0] / size - w[0] ** 2 * 2 * (w @ move) / size**2
        close(speed, form.numpy(w[0] ** 2 / size, *best, *total))


def late(form):
    for rng in rngs(10):
        age = rng.uniform(0.3, 1.3)
        w, move, guess, _, total = turning(rng, age)
        close(2 * w @ move, form.numpy(age * guess, guess, (total * w**2).sum()))


def gram(form):
    """Fourth-order steps along the flow of two outputs, with any covariances."""
    for rng in rngs(11):
        X, inner = (m.numpy() for m in moments(population(rng, 3, 4, 3)))
        weights, rate, span = rng.normal(size=(2, 3)), rng.uniform(0.2, 1), 0.4

        def flow(w, X=X, S=X + inner, rate=rate):
            guess = np.linalg.solve(w @ S @ w.T, w @ X @ w.T).T
            return guess.T @ (w @ X - guess @ w @ S) - rate * w

        now, h = weights, span / 40
        for _ in range(40):
            a = flow(now)
            b = flow(now + h / 2 * a)
            c = flow(now + h / 2 * b)
            now = now + h / 6 * (a + 2 * b + 2 * c + flow(now + h * c))
        close(now @ now.T, form.numpy(rate, span) * weights @ weights.T, 1e-5)


ROUTES = {
    "OTHER_VIEW": other_view,
    "ROUND": round_,
    "ROUND_END": round_end,
    "HELD_RATE": held_rate,
    "CONDITIONAL": conditional,
    "FOLLOWED": followed,
    "FOLLOWED_STEP": followed_step,
    "MIXED": mixed,
    "TURN": turn,
    "LATE": late,
    "GRAM": gram,
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](alternating.FORMS[name])
