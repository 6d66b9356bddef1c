"""Two objects on a ring: each closed form against autograd, expm, quadrature and chattering steps.

``ROUTES`` maps the name of a form to a function of that form; it raises ``AssertionError`` when the
form is off. The mutation test uses the same routes on wrong forms.
"""

import numpy as np
import torch
from comparing import close
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.optimize import minimize_scalar

DRAWS = range(10)


def ring(d, steps):
    """Both objects at every place, [2, d, d], the liked one first."""
    eye = np.eye(d)
    return np.stack([eye + np.roll(eye, step, 1) for step in steps])


def neuron(draw):
    """Sites, steps (a, b), weights with D > 0, its pictures, gates [2, d], and u by autograd."""
    rng = np.random.default_rng(900 + draw)
    d = 5 + draw % 7
    a, b = rng.permutation(np.arange(1, (d + 1) // 2))[:2]
    w = rng.normal(size=d)
    views = ring(d, (a, b))
    mean = np.maximum(views @ w, 0).mean(1)
    if mean[0] < mean[1]:
        a, b, views = b, a, views[::-1].copy()
    tensor = torch.from_numpy(w).requires_grad_()
    out = torch.relu(torch.from_numpy(views) @ tensor).mean(1)
    (u,) = torch.autograd.grad(out[0] - out[1], tensor)
    return d, (int(a), int(b)), w, views, (views @ w > 0).astype(float), u.numpy()


def site(form):
    """Gates of a neuron, and gates that are open for any part of the time."""
    for draw in DRAWS:
        d, (a, b), _, views, gates, u = neuron(draw)
        parts = np.random.default_rng(draw).uniform(size=(2, d))
        mixed = np.einsum("cp,cpi->ci", parts, views) / d
        for (like, other), whole in ((gates, u), (parts, mixed[0] - mixed[1])):
            predicted = [
                form.numpy(d, like[i], like[(i - a) % d], other[i], other[(i - b) % d])
                for i in range(d)
            ]
            close(whole, predicted)


def counts(draw):
    """Sites and the five counts, by looking at the sets of sites that the open pictures light."""
    d, _, _, views, gates, u = neuron(draw)
    like, other = (
        [set(np.flatnonzero(v)) for v, g in zip(vs, gs, strict=True) if g]
        for vs, gs in zip(views, gates, strict=True)
    )

    def meet(pictures):
        return sum(bool(p & q) for k, p in enumerate(pictures) for q in pictures[:k])

    both = sum(len(p & q) for p in like for q in other)
    return (d, len(like), meet(like), len(other), meet(other), both), u


def square(form):
    for draw in DRAWS:
        args, u = counts(draw)
        close(u @ u, form.numpy(*args))


def eigenvalue(form):
    for draw in DRAWS:
        args, _ = counts(draw)
        _, _, _, views, gates, _ = neuron(draw)
        first = 20 + 7 * draw
        means = (gates[..., None] * views).mean(1)
        cov = np.cov(means.T, fweights=[first, 100 - first], bias=True)
        close(np.linalg.eigvalsh(cov)[-1], form.numpy(first / 100, *args))


def moved(draw):
    """A neuron, its constants, and its weights at any time while its gates are held."""
    _, _, w, _, _, u = neuron(draw)
    kappa, prior = 1 + draw % 2, 0.2 + 0.06 * draw
    rate = kappa * prior * (1 - prior) * np.outer(u, u)
    return w, u, kappa, prior, lambda t: expm(rate * t) @ w


def path(form):
    for draw in DRAWS:
        w, u, kappa, prior, at = moved(draw)
        until = 1.0 + 0.3 * draw
        rest = (u @ w, kappa, prior, u @ u, until)
        predicted = [form.numpy(x, y, *rest) for x, y in zip(w, u, strict=True)]
        close(at(until), predicted)


def flip_time(form):
    """The value of any fixed combination of weights, by bisection on the path with held gates."""
    for draw in DRAWS:
        w, u, kappa, prior, at = moved(draw)
        start = -0.2 - 0.05 * draw
        n = u / (u @ u) + (start - u @ w / (u @ u)) * (w - (u @ w) * u / (u @ u)) / (
            w @ w - (u @ w) ** 2 / (u @ u)
        )  # n.w is `start`, and n.u is 1
        if draw % 2:  # a value that falls
            n, start = -n, -start
        low, high = 0.0, 1.0
        while (n @ at(high)) * start > 0:
            high *= 2
        for _ in range(55):
            middle = (low + high) / 2
            low, high = (middle, high) if (n @ at(middle)) * start > 0 else (low, middle)
        close(low, form.numpy(start, n @ u, u @ w, kappa, prior, u @ u), 1e-8)


def lone_flip(form):
    for draw in DRAWS:
        d, omega, kappa, prior = 5 + draw, 0.3 + 0.06 * draw, 1 + draw % 2, 0.3 + 0.02 * draw
        views, w = ring(d, (1, 2)), np.full(d, -1.0)
        w[:2] = omega
        gates = views @ w > 0
        u = (gates[0][:, None] * views[0]).mean(0) - (gates[1][:, None] * views[1]).mean(0)
        assert gates.sum() == 1
        rate = kappa * prior * (1 - prior) * np.outer(u, u)
        low, high = 0.0, 1e4
        for _ in range(60):
            middle = (low + high) / 2
            same = ((views @ (expm(rate * middle) @ w) > 0) == gates).all()
            low, high = (middle, high) if same else (low, middle)
        close(low, form.numpy(d, omega, kappa, prior), 1e-8)


def clock_time(form):
    for draw in DRAWS:
        w, u, kappa, prior, _ = moved(draw)
        length, gap = 0.5 + 0.2 * draw, u @ w
        time = quad(lambda s, k=kappa * prior * (1 - prior): 1 / k / (gap + u @ u * s), 0, length)
        close(time[0], form.numpy(length, gap, kappa, prior, u @ u), 1e-9)


def kept(form):
    for draw in DRAWS:
        w, u, _, _, at = moved(draw)
        aside = w - (w @ u) * u / (u @ u)
        later = at(2.0 + draw)
        close(u @ u * (aside @ aside), form.numpy(u @ u, later @ later, u @ later), 1e-9)


def mixture(form):
    for draw in DRAWS:
        d, share = 5 + draw, 0.05 + 0.09 * draw
        slope = share * 2 / d  # one open gate takes 2 / d away
        h, count = 0.0, 0
        for _ in range(4000):
            count += h > 0
            h += slope - (2 / d) * (h > 0)
        close(count / 4000, form.numpy(d, slope), 1e-3)


def slide_square(form):
    for draw in DRAWS:
        d, (_, b), _, _, _, u = neuron(draw)
        n = np.zeros(d)
        n[[0, b]] = 1.0
        best = minimize_scalar(lambda g: ((u - g * n) ** 2).sum(), options={"xtol": 1e-12})
        close(best.fun, form.numpy(u @ u, n @ u), 1e-9)


ROUTES = {
    "SITE": site,
    "SQUARE": square,
    "EIGENVALUE": eigenvalue,
    "PATH": path,
    "FLIP_TIME": flip_time,
    "LONE_FLIP": lone_flip,
    "CLOCK_TIME": clock_time,
    "KEPT": kept,
    "MIXTURE": mixture,
    "SLIDE_SQUARE": slide_square,
}
