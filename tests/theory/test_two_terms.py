"""VICReg's two terms: closed forms against autograd, Hessians, integrators and small networks."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import quad
from scipy.optimize import brentq

from ssl_dynamics.losses import vicreg, vicreg_terms
from ssl_dynamics.theory import two_terms


def drawn_outputs(rng, size=0.2):
    B, d = int(rng.integers(3, 8)), int(rng.integers(1, 5))
    return torch.tensor(size * rng.normal(size=(2, 1, B, d)), dtype=torch.float64)


def bend(function):
    """Second derivative at zero of a function of one number, by autograd twice."""
    at = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(function(at), at, create_graph=True)
    return torch.autograd.grad(slope, at)[0].item()


def hinge_slope(form):
    for rng in rngs(10):
        z, eps = drawn_outputs(rng), 10 ** rng.uniform(-3, -1)
        one = z[0].clone().requires_grad_()
        value = vicreg_terms(one, z[1], epsilon=eps)["variance"].sum()
        (got,) = torch.autograd.grad(value, one)
        centred = (z[0] - z[0].mean(1, keepdim=True))[0].numpy()
        B, d = centred.shape
        deviation = (centred**2).sum(0) / (B - 1)
        close(got[0], form.numpy(centred, deviation**0.5, eps, d, B - 1))


def weights(rng):
    return rng.uniform(0.5, 3), rng.uniform(0.5, 3), 10 ** rng.uniform(-3, -0.5)


def free_curvature(form):
    """Along random directions that move both views together, and oppositely."""
    for rng in rngs(11):
        B, d, ddof = int(rng.integers(3, 7)), int(rng.integers(1, 4)), int(rng.integers(0, 2))
        inv, var, eps = weights(rng)
        a = rng.normal(size=(1, B, d))
        a = torch.tensor((a - a.mean(1, keepdims=True)) / np.linalg.norm(a - a.mean(1)))
        level = torch.tensor(rng.normal(size=d))
        got = [
            bend(
                lambda s, sign=sign, a=a, c=level, i=inv, v=var, e=eps, f=ddof: vicreg(
                    c + s * a / 2**0.5, c + sign * s * a / 2**0.5, i, v, 1.0, epsilon=e, ddof=f
                )[0]
            )
            for sign in (1, -1)
        ]
        close(got, form.numpy(inv, var, eps, d, B, B - ddof)[:, 0], 1e-10)


def features(rng, width=2, images=5):
    """Features of two views of some images, in every pairing: [1, images * 4, width] twice."""
    own = rng.normal(size=(images, 1, width))
    seen = own + rng.uniform(0.3, 1.5) * rng.normal(size=(images, 2, width))
    pair = [(seen[:, i], seen[:, j]) for i in (0, 1) for j in (0, 1)]
    one, other = (np.concatenate([p[k] for p in pair])[None] for k in (0, 1))
    total = seen.reshape(-1, width)
    within = seen - seen.mean(1, keepdims=True)
    return torch.tensor(one), torch.tensor(other), np.cov(total.T, bias=True), within


def curvature_of_weight(rng, inv, var, eps, d):
    """Second derivative of the population loss by one weight on a feature, at collapse."""
    one, other, variance, within = features(rng, 1)
    others = torch.zeros(1, one.shape[1], d - 1, dtype=torch.float64)

    def of(w):
        out = [torch.cat([w * x, others], -1) + 0.3 for x in (one, other)]
        return vicreg(*out, inv, var, 1.0, epsilon=eps, ddof=0)[0]

    rate = -bend(of)
    return rate, float(variance), float((within**2).mean() / variance)


def collapse_rate(form):
    for rng in rngs(12):
        inv, var, eps = weights(rng)
        d = int(rng.integers(1, 4))
        got, total, share = curvature_of_weight(rng, inv, var, eps, d)
        close(got, form.numpy(total, share, inv, var, eps, d), 1e-9)


def critical_weight(form):
    for rng in rngs(13):
        inv, _, eps = weights(rng)
        seed = int(rng.integers(1 << 30))

        def rate(var, inv=inv, eps=eps, seed=seed):
            return curvature_of_weight(np.random.default_rng(seed), inv, var, eps, 1)[0]

        low, high = rate(0.0), rate(1.0)  # the rate is linear in the weight
        share = curvature_of_weight(np.random.default_rng(seed), inv, 1.0, eps, 1)[2]
        close(-low / (high - low), form.numpy(share, inv, eps), 1e-9)


def critical_share(form):
    for rng in rngs(14):
        inv, _, eps = weights(rng)
        var = rng.uniform(0.05, 0.8) * 4 * inv * eps**0.5
        rates, shares = [], []
        for _ in range(2):
            rate, total, share = curvature_of_weight(rng, inv, var, eps, 1)
            rates.append(rate / total)
            shares.append(share)
        slope = (rates[1] - rates[0]) / (shares[1] - shares[0])
        close(shares[0] - rates[0] / slope, form.numpy(inv, var, eps), 1e-7)


def flow_settings(rng):
    inv, var, eps = weights(rng)
    return rng.uniform(0.4, 2), rng.uniform(0.1, 0.9), inv, var, eps, int(rng.integers(1, 4))


def deviation_velocity(m, total, share, inv, var, eps, d):
    """By autograd: a weight on a feature of that variance, its velocity times the deviation."""
    w = torch.tensor(m / total**0.5, dtype=torch.float64, requires_grad=True)
    value = (inv * 2 * w**2 * share * total + var * (1 - (w**2 * total + eps).sqrt())) / d
    (slope,) = torch.autograd.grad(value, w)
    return -slope.item() * total**0.5


def deviation_flow(form):
    for rng in rngs(15):
        place, m = flow_settings(rng), rng.uniform(0.01, 0.9)
        close(deviation_velocity(m, *place), form.numpy(m, *place))


def escape_time(form):
    for rng in rngs(16):
        total, share, inv, var, eps, d = flow_settings(rng)
        var = 4 * inv * share * rng.uniform(0.3, 0.9)
        eps = min(eps, 0.02 * (var / (4 * inv * share)) ** 2)
        place = (total, share, inv, var, eps, d)
        rest = brentq(lambda m, p=place: deviation_velocity(m, *p), 1e-6, 1.5)
        for ends in ((0.02, 0.8), (1.3, 1.05)):
            low, high = (rest * e for e in ends)
            wanted = quad(lambda m, p=place: 1 / deviation_velocity(m, *p), low, high,
                          epsabs=1e-11, epsrel=1e-9, points=[eps**0.5] if low < eps**0.5 < high
                          else None)[0]  # fmt: skip
            close(wanted, form.numpy(high, low, *place), 1e-7)


def network(rng):
    """Outputs of a ReLU layer and a linear one on a batch, and the terms as plain sums."""
    B, n, h, d = (int(rng.integers(*r)) for r in ((5, 9), (2, 5), (4, 8), (2, 5)))
    x = torch.tensor(rng.normal(size=(2, B, n)))
    first = torch.tensor(rng.normal(size=(n, h)) / n**0.5)
    last = torch.tensor(0.6 * rng.normal(size=(h, d)) / h**0.5, requires_grad=True)
    bias = torch.tensor(rng.normal(size=d))
    return torch.relu(x @ first), last, bias


def plain_terms(z, eps):
    """S, C and D of outputs [2, B, d], written out."""
    z = z.detach().numpy()
    d = z.shape[-1]
    cov = [np.cov(v.T).reshape(d, d) for v in z]
    dev = [np.sqrt(np.diag(c) + eps) for c in cov]
    active = np.mean([np.diag(c) / s * (s < 1) for c, s in zip(cov, dev, strict=True)])
    off = sum((c**2).sum() - (np.diag(c) ** 2).sum() for c in cov) / d
    return ((z[0] - z[1]) ** 2).mean(), off, active


def scale_flow(form):
    for rng in rngs(17):
        hidden, last, bias = network(rng)
        inv, var, eps = weights(rng)
        cov = rng.uniform(0.1, 2)
        z = hidden @ last + bias
        value = vicreg(z[:1], z[1:], inv, var, cov, epsilon=eps).sum()
        (slope,) = torch.autograd.grad(value, last)
        got = -(slope * last).sum().item()
        S, C, D = plain_terms(z, eps)
        close(got, form.numpy(S, C, D, inv, var, cov), 1e-10)


def balanced(rng, eps):
    """A network whose last layer has the length at which the loss is least along it."""
    hidden, last, bias = network(rng)
    inv, var = rng.uniform(1, 3), rng.uniform(0.5, 1)
    cov = rng.uniform(0.3, 2)

    def slope(scale):
        s = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
        z = hidden @ (s * last.detach()) + bias
        return torch.autograd.grad(vicreg(z[:1], z[1:], inv, var, cov, epsilon=eps).sum(), s)[0]

    root = brentq(lambda s: slope(s).item(), 1e-2, 30, xtol=1e-14)
    z = hidden @ (root * last.detach()) + bias
    return z, (inv, var, cov)


def balanced_invariance(form):
    for rng in rngs(18):
        z, (inv, var, cov) = balanced(rng, 1e-3)
        S, C, D = plain_terms(z, 1e-3)
        close(S, form.numpy(C, D, inv, var, cov), 1e-9)


def balanced_loss(form):
    found = 0
    for rng in rngs(19, 30):
        z, (inv, var, cov) = balanced(rng, 0.0)
        if z.var(1).max() < 1:
            S, C, _ = plain_terms(z, 0.0)
            value = vicreg(z[:1], z[1:], inv, var, cov, epsilon=0.0).item()
            close(value, form.numpy(S, C, inv, var, cov), 1e-9)
            found += 1
    assert found >= 8


ROUTES = {
    "HINGE_SLOPE": hinge_slope,
    "FREE_CURVATURE": free_curvature,
    "COLLAPSE_RATE": collapse_rate,
    "CRITICAL_SHARE": critical_share,
    "CRITICAL_WEIGHT": critical_weight,
    "DEVIATION_FLOW": deviation_flow,
    "ESCAPE_TIME": escape_time,
    "SCALE_FLOW": scale_flow,
    "BALANCED_INVARIANCE": balanced_invariance,
    "BALANCED_LOSS": balanced_loss,
}


def test_released_settings_repel_every_perturbation():
    """The critical share of noise is 25, and no share is above one."""
    assert two_terms.CRITICAL_SHARE.numpy(25.0, 25.0, 1e-4) == pytest.approx(25)
    assert two_terms.CRITICAL_WEIGHT.numpy(1.0, 25.0, 1e-4) == pytest.approx(1)


def test_an_escape_takes_no_time_to_where_it_starts():
    assert two_terms.ESCAPE_TIME.numpy(0.2, 0.2, 1.0, 0.5, 1.0, 1.0, 1e-4, 3) == 0
