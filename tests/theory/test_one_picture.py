"""The laws of the eight methods against autograd of their losses, integration and roots.

The independent side is the loss itself on an enumerated population of two modes (four images at
± along the modes, four views each), with a matrix for the encoder; for InfoNCE of Gaussian views
the double integral by Gauss-Hermite quadrature.
"""

import itertools

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from ssl_dynamics.losses import barlow_twins, simple_contrastive, squared, vicreg
from ssl_dynamics.theory import one_picture


def population(between, within):
    """All pairs of views of two modes: [64, 2] and [64, 2], second moments exact."""
    images = np.concatenate([s * np.diag(np.sqrt(2 * between)) for s in (1, -1)])
    shifts = np.concatenate([s * np.diag(np.sqrt(2 * within)) for s in (1, -1)])
    rows = [(x + a, x + b) for x in images for a in shifts for b in shifts]
    return tuple(torch.tensor(np.array(side)) for side in zip(*rows, strict=True))


def descent(loss, between, within, w, turn=None):
    """Minus the gradient of a loss of (p, z) in the two weights, [2]."""
    weight = torch.tensor(np.diag(w) if turn is None else turn @ np.diag(w), requires_grad=True)
    one, two = population(between, within)
    value = loss((one @ weight.T)[None], (two @ weight.T)[None]).sum()
    (gradient,) = torch.autograd.grad(value, weight)
    back = -gradient.numpy()
    return np.diag(back if turn is None else turn.T @ back)


def spectra(rng):
    return rng.uniform(0.4, 1.5, 2), rng.uniform(0.1, 0.8, 2)


def turned(rng):
    return np.linalg.qr(rng.normal(size=(2, 2)))[0]


def along(flow, start, end):
    found = solve_ivp(flow, (0, end), np.atleast_1d(start), "DOP853", rtol=1e-11, atol=1e-13)
    return found.y[:, -1]


def simple_flow(form):
    for rng in rngs(1):
        (V, J), w = spectra(rng), rng.normal(size=2)
        close(descent(simple_contrastive, V, J, w, turned(rng)), form.numpy(w, V))


def simple_course(form):
    for rng in rngs(2):
        V, w, t = rng.uniform(0.4, 1.5), rng.normal(), rng.uniform(0.3, 1)
        close(along(lambda _, y, V=V: 2 * V * y, w, t), [form.numpy(t, w, V)], 1e-9)


def small_flow(form):
    size = 1e-6
    for rng in rngs(3):
        V, J = rng.uniform(0.4, 1.5), rng.uniform(0.1, 0.8)
        temperature, count, w = rng.uniform(0.3, 2), int(rng.integers(1, 4)), rng.uniform(0.5, 2)
        inputs = [s * V**0.5 + r * J**0.5 for s in (1, -1) for r in (1, -1)]
        x = torch.tensor(inputs, dtype=torch.float64)
        weight = torch.tensor(size * w, dtype=torch.float64, requires_grad=True)
        z = weight * x
        near = (z.view(2, 2)[:, :, None] - z.view(2, 2)[:, None]).square() / 2
        far = (z.view(2, 2)[:, :, None] - z).square() / 2  # [2, 2, 4]
        picks = torch.tensor(list(itertools.product(range(4), repeat=count)))
        gaps = (near[..., None, None] - far[:, :, None][..., picks]) / temperature
        (g,) = torch.autograd.grad(torch.log1p(gaps.exp().sum(-1)).mean(), weight)
        close(-g.item() / size, form.numpy(w, V, temperature, count), 1e-9)


def small_course(form):
    for rng in rngs(4):
        V, w, t, T = rng.uniform(0.4, 1.5), rng.normal(), rng.uniform(0.3, 1), rng.uniform(0.5, 2)
        count = int(rng.integers(1, 6))
        speed = 2 * V / T * (1 - 1 / (1 + count))
        close(along(lambda _, y, k=speed: k * y, w, t), [form.numpy(t, w, V, T, count)], 1e-9)


NODES, MASSES = np.polynomial.hermite_e.hermegauss(60)
MASSES = MASSES / MASSES.sum()


def gaussian_nce(w, V, J, temperature):
    """The population loss of one mode: an integral inside a logarithm inside an integral."""
    x, q = torch.from_numpy(NODES), torch.from_numpy(MASSES)
    z = w * (V + J) ** 0.5 * x
    kernel = torch.exp(-((z[:, None] - z).square()) / (2 * temperature))
    return w**2 * J / temperature + q @ torch.log(kernel @ q)


def simclr_descent(w, V, J, T):
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(gaussian_nce(weight, V, J, T), weight)
    return -g.item()


def simclr_setting(rng):
    return rng.uniform(0.4, 1), rng.uniform(0.2, 0.8), rng.uniform(1, 2)


def simclr_flow(form):
    for rng in rngs(5):
        (V, J, T), w = simclr_setting(rng), rng.uniform(-0.6, 0.6)
        close(simclr_descent(w, V, J, T), form.numpy(w, V, J, T))


def rest(V, J, T):
    """The weight at which two forces on half a squared distance balance."""

    def force(w):
        y = w * w * (V + J)
        return (V + J) * T / (T + y) * (1 + T / (T + y)) - 2 * J

    return brentq(force, 1e-9, 100, xtol=1e-14)


def simclr_end(form):
    for rng in rngs(6):
        V, J, T = simclr_setting(rng)
        close(rest(V, J, T) ** 2, form.numpy(V, J, T), 1e-8)


def simclr_rate(form):
    for rng in rngs(7):
        V, J, T = rng.uniform(0.2, 0.5), rng.uniform(0.6, 0.8), rng.uniform(1, 2)
        at, h = rest(V, J, T), 1e-4
        slope = (simclr_descent(at + h, V, J, T) - simclr_descent(at - h, V, J, T)) / (2 * h)
        close(slope, form.numpy(V, J, T), 1e-6)


def vicreg_flow(form):
    for rng in rngs(8):
        (V, J), (a, b) = spectra(rng), rng.uniform(0.5, 2, 2)
        floor = rng.uniform(0.01, 0.1)
        w = rng.choice([-1, 1], 2) * rng.uniform(0.2, 0.6, 2) / (V + J) ** 0.5  # inside the hinge

        def loss(p, z, a=a, b=b, floor=floor):
            return vicreg(p, z, a, b, 0.7, epsilon=floor, ddof=0)

        close(descent(loss, V, J, w), form.numpy(w, V, J, a, b, floor, 2))


def vicreg_course(form):
    for number, rng in enumerate(rngs(9)):
        V, J, (a, b) = rng.uniform(0.4, 1.5), rng.uniform(0.1, 0.8), rng.uniform(0.4, 0.8, 2)
        w0, width = rng.uniform(0.1, 0.4) / (V + J) ** 0.5, int(rng.integers(2, 5))
        if number % 2:  # reaches the hinge and stays
            b = 4.5 * a * J / (V + J) * rng.uniform(1, 2)
        top = (V + J) ** -0.5

        def flow(_, y, V=V, J=J, a=a, b=b, width=width):
            return (b * (V + J) ** 0.5 - 4 * a * J * y) / width

        t = 40.0 if number % 2 else rng.uniform(0.2, 1)
        close([min(top, along(flow, w0, t)[0])], [form.numpy(t, w0, V, J, a, b, width)], 1e-9)


def vicreg_end(form):
    for number, rng in enumerate(rngs(10)):
        (V, J), a, floor = rng.uniform(0.4, 1.5, 2), rng.uniform(0.5, 2), rng.uniform(1e-3, 2e-2)
        b = 4 * a * J / (V + J) * (0.6, 1.5, 0.3)[number % 3]

        def loss_at(w, V=V, J=J, a=a, b=b, floor=floor):
            deviation = np.sqrt(w**2 * (V + J) + floor)
            return 2 * a * J * w**2 + b * np.maximum(0, 1 - deviation)

        lowest = min(loss_at(np.linspace(0, 3, 30001)))
        predicted = float(form.numpy(V, J, a, b, floor))
        assert loss_at(predicted**0.5) <= lowest + 1e-12
        for side in (0.999, 1.001):
            assert loss_at((side * predicted) ** 0.5) > loss_at(predicted**0.5)


def barlow_flow(form):
    """One output axis that holds two modes; and the same axis beside a second one."""
    for rng in rngs(11):
        (V, J), w = spectra(rng), rng.normal(size=2)
        one, two = population(V, J)
        weight = torch.tensor(w[None], requires_grad=True)
        value = barlow_twins((one @ weight.T)[None], (two @ weight.T)[None])
        (g,) = torch.autograd.grad(value.sum(), weight)
        variance = float(w**2 @ (V + J))
        match = float(w**2 @ V) / variance
        close(-g.numpy()[0], form.numpy(w, V, J, match, variance))


def predictor_descent(p, w, V, J, stopped):
    """Minus the gradients of predictor and weight of one mode; the target is held."""
    p, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (p, w))
    one, two = population(np.array([V, 1.0]), np.array([J, 0.5]))
    aimed = (w if stopped is None else torch.tensor(stopped)).detach()
    loss = squared((p * w * one[:, :1])[None], (aimed * two[:, :1])[None]).sum()
    return [-g.item() for g in torch.autograd.grad(loss, (p, w))]


def byol_flow(form):
    for rng in rngs(12):
        V, J, rate, pace = *rng.uniform(0.3, 1.5, 3), rng.uniform(0.1, 2)
        p, w, v = rng.normal(size=3)
        of_p, of_w = predictor_descent(p, w, V, J, v)
        got = [[rate * of_p], [of_w], [pace * (w - v)]]
        close(got, form.numpy(p, w, v, V, J, rate, pace))


def simsiam_flow(form):
    for rng in rngs(13):
        (V, J, rate), (p, w) = rng.uniform(0.3, 1.5, 3), rng.normal(size=2)
        of_p, of_w = predictor_descent(p, w, V, J, None)
        close([[rate * of_p], [of_w]], form.numpy(p, w, V, J, rate))


def directpred_flow(form):
    for rng in rngs(14):
        V, J, w, boost = *rng.uniform(0.3, 1.5, 3), rng.uniform(0, 0.3)
        _, of_w = predictor_descent(w + boost, w, V, J, None)
        close(of_w, form.numpy(w, V, J, boost))


def directpred_end(form):
    for rng in rngs(15):
        V, J = rng.uniform(0.5, 1.5), rng.uniform(0.2, 0.8)
        boost = rng.uniform(0.05, 0.2)

        def flow(_, w, V=V, J=J, boost=boost):
            p = w + boost
            return p * (V * w - (V + J) * p * w)

        close(along(flow, 0.3, 400.0) ** 2, [form.numpy(V, J, boost)], 1e-8)


def ridge_time(form):
    for rng in rngs(16):
        V, J = rng.uniform(0.5, 1.5), rng.uniform(0.2, 0.8)
        best = V / (V + J)
        w0, t = rng.uniform(0.05, 0.3) * best, rng.uniform(1, 6)
        (w,) = along(lambda _, y, V=V, J=J: y**2 * (V - (V + J) * y), w0, t)
        close(t, form.numpy(w, w0, V, J), 1e-8)


ROUTES = {
    "SIMPLE_FLOW": simple_flow,
    "SIMPLE_COURSE": simple_course,
    "SMALL_FLOW": small_flow,
    "SMALL_COURSE": small_course,
    "SIMCLR_FLOW": simclr_flow,
    "SIMCLR_END": simclr_end,
    "SIMCLR_RATE": simclr_rate,
    "VICREG_FLOW": vicreg_flow,
    "VICREG_COURSE": vicreg_course,
    "VICREG_END": vicreg_end,
    "BARLOW_FLOW": barlow_flow,
    "BYOL_FLOW": byol_flow,
    "SIMSIAM_FLOW": simsiam_flow,
    "DIRECTPRED_FLOW": directpred_flow,
    "DIRECTPRED_END": directpred_end,
    "RIDGE_TIME": ridge_time,
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](one_picture.FORMS[name])
