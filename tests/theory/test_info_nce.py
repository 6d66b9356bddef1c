"""Pair weights, signs and limits of InfoNCE against autograd and triple-by-triple sums."""

import itertools

import mpmath
import numpy as np
import pytest
import torch
from comparing import DRAWS, close
from scipy import optimize
from torch.nn.functional import cross_entropy

from ssl_dynamics.networks import ReluNet
from ssl_dynamics.theory import info_nce


def nce(near, far, temperature):
    """InfoNCE with one negative as PyTorch's cross-entropy."""
    logits = -torch.stack([near, far], -1) / temperature
    return cross_entropy(logits.reshape(-1, 2), torch.zeros(near.numel(), dtype=torch.long))


def triplet(near, far, temperature, margin):
    return temperature * torch.log1p(torch.exp((near - far + margin) / temperature)).mean()


def weight(loss, near, far):
    """-dL/dr_-, which must be dL/dr_+ as well."""
    near, far = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (near, far))
    up, down = torch.autograd.grad(loss(near, far), (near, far))
    close(up.item(), -down.item())
    return -down.item()


def draws():
    for seed in range(DRAWS):
        rng = np.random.default_rng([70, seed])
        near, far = rng.uniform(0, 2, size=2)
        yield rng, float(near), float(far), float(rng.uniform(0.3, 2))


def route_nce_weight(form):
    for _, near, far, T in draws():
        measured = weight(lambda a, b, T=T: nce(a, b, T), near, far)
        close(measured, form.numpy(far - near, T))


def route_triplet_weight(form):
    for rng, near, far, T in draws():
        r_0 = rng.normal()
        measured = weight(lambda a, b, T=T, m=r_0: triplet(a, b, T, m), near, far)
        close(measured, form.numpy(far - near, r_0, T))


def route_image_weight(form):
    for _, _, far, T in draws():
        close(weight(lambda a, b, T=T: nce(a, b, T), 0.0, far), form.numpy(far, T))


def growth(seed, loss):
    """-4 dL/d|W|^2 of every layer, over 4: one triple through a random network; and its gap."""
    rng = np.random.default_rng([71, seed])
    widths = [int(n) for n in rng.integers(2, 6, size=int(rng.integers(2, 5)))]
    net = ReluNet((seed,), widths, leak=0.3)
    f = net(2 * torch.tensor(rng.normal(size=(1, 3, widths[0]))))[0]
    near, far = ((f[0] - f[k]).square().sum().reshape(1) / 2 for k in (1, 2))
    slopes = torch.autograd.grad(loss(near, far), list(net.weights))
    found = [-2 * (w * g).sum().item() for w, g in zip(net.weights, slopes, strict=True)]
    assert np.ptp(found) < 1e-10 * max(1, abs(found[0]))
    return found[0] / 4, (far - near).item()


def route_push(form):
    for seed, (_, _, _, T) in enumerate(draws()):
        measured, gap = growth(seed, lambda a, b, T=T: nce(a, b, T))
        close(measured, form.numpy(gap, T))


def route_shortfall(form):
    for seed, (_, _, _, T) in enumerate(draws()):
        plain, gap = growth(seed, lambda a, b, T=T: (a - b).sum() / (2 * T))
        measured, _ = growth(seed, lambda a, b, T=T: nce(a, b, T))
        close(plain - measured, form.numpy(gap, T))


def model():
    for seed in range(DRAWS):
        rng = np.random.default_rng([72, seed])
        yield (float(v) for v in rng.uniform((0.2, 0.2, 0.4, 0.3), (1.5, 1.5, 1.5, 1.5)))


def enumerated(between, within, w, T, *, negatives=(1, -1), exact=False):
    """Minus the autograd gradient of the mean over all triples, divided by the weight."""
    w = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    near, far, mean = [], [], []
    for z, sign, one, other, third in itertools.product((1, -1), negatives, *[(1, -1)] * 3):
        anchor, positive, negative = (
            w * (image * between**0.5 + view * within**0.5)
            for image, view in ((z, one), (z, other), (sign * z, third))
        )
        near.append((anchor - positive) ** 2 / 2)
        far.append((anchor - negative) ** 2 / 2)
        mean.append((w * (1 - sign) * between**0.5) ** 2 / 2)
    near, far, mean = (torch.stack(v) for v in (near, far, mean))
    if exact:
        loss = (1 / T / (1 + torch.exp(mean.detach() / T)) * (near - far)).mean()
    else:
        loss = nce(near, far, T)
    (slope,) = torch.autograd.grad(loss, w)
    return -(slope / w).item()


def route_no_signal(form):
    for between, within, w, T in model():
        measured = enumerated(between, within, w, T, negatives=(1,))
        close(measured, form.numpy(within, w, T))


def route_other_image(form):
    for between, within, w, T in model():
        measured = enumerated(between, within, w, T, negatives=(-1,))
        close(measured, form.numpy(between, within, w, T))


def route_operator(form):
    for values in model():
        values = list(values)
        close(enumerated(*values), form.numpy(*values))


def route_psd_part(form):
    for between, within, w, T in model():
        close(enumerated(between, within, w, T, exact=True), form.numpy(between, w, T))


def residual(between, within, w, T):
    """Full operator minus its covariance part with 40 digits, triple by triple."""
    total = mpmath.mpf(0)
    s, noise = mpmath.sqrt(between), mpmath.sqrt(within)
    for z, one, other, third in itertools.product((1, -1), repeat=4):
        near = noise**2 * (one - other) ** 2
        far = (s * (1 - z) + noise * (one - third)) ** 2
        bar = (s * (1 - z)) ** 2
        total += (far - near) / (T * (1 + mpmath.exp(w**2 * (far - near) / (2 * T)))) / 16
        total -= bar / (T * (1 + mpmath.exp(w**2 * bar / (2 * T)))) / 16
    return total


def route_quiet_views(form):
    with mpmath.workdps(40):
        for between, _, w, T in model():
            small = mpmath.mpf(10) ** -14
            close(float(residual(between, small, w, T) / small), form.numpy(between, w, T))


def route_warm(form):
    with mpmath.workdps(40):
        for between, within, w, _ in model():
            T = mpmath.mpf(10) ** 8
            measured = float(residual(between, within, w, T) * T**2)
            close(measured, form.numpy(between, within, w))


def route_out_of_order(form):
    """Where the smallest gap of a triple with the other image as negative turns negative."""
    signs = np.array(list(itertools.product((1, -1), repeat=3)))

    def smallest(within, s):
        one, other, third = signs.T * within**0.5
        return ((2 * s + one - third) ** 2 - (one - other) ** 2).min()

    for between, *_ in model():
        s = between**0.5
        root = optimize.brentq(lambda v, s=s: smallest(v, s), 1e-6, between)
        close(root, form.numpy(between), 1e-8)


ROUTES = {
    "NCE_WEIGHT": route_nce_weight,
    "TRIPLET_WEIGHT": route_triplet_weight,
    "IMAGE_WEIGHT": route_image_weight,
    "PUSH": route_push,
    "SHORTFALL": route_shortfall,
    "NO_SIGNAL": route_no_signal,
    "OTHER_IMAGE": route_other_image,
    "OPERATOR": route_operator,
    "PSD_PART": route_psd_part,
    "QUIET_VIEWS": route_quiet_views,
    "WARM": route_warm,
    "OUT_OF_ORDER": route_out_of_order,
}


@pytest.mark.parametrize("name", ROUTES)
def test_form(name):
    ROUTES[name](info_nce.FORMS[name])
