"""Closed forms of the expansion chapter against enumerated views, quadrature and descent.

The independent side is always the definition: all views of an image with their probabilities, all
pairs of them, means and variances as finite sums; autograd for derivatives and for descent.
"""

import itertools

import numpy as np
import pytest
import torch
from comparing import DRAWS, close, rngs

from ssl_dynamics.theory import expansion


def law(rng, count, features):
    """Outputs of `count` views about their mean [V, d], and the views' probabilities [V]."""
    share = rng.dirichlet(np.ones(count))
    outputs = rng.normal(size=(count, features))
    return outputs - share @ outputs, share


def moments(values, share):
    mean = (share * values).sum()
    return mean, (share * (values - mean) ** 2).sum()


def squares(deviations):
    return (deviations**2).sum(-1)


def trace_square(deviations, share):
    covariance = np.einsum("v,vi,vj->ij", share, deviations, deviations)
    return (covariance**2).sum()


def pairs(deviations, share):
    """Squared distances of all ordered pairs of views, with their probabilities."""
    gaps = squares(deviations[:, None] - deviations[None])
    return gaps.ravel(), np.outer(share, share).ravel()


def mean_loss(form):
    """Taylor coefficients of the enumerated variance in the size, by nested autograd."""
    for rng in rngs(1):
        xi, share = rng.normal(size=4), rng.dirichlet(np.ones(4))
        xi -= share @ xi
        slope, curvature, third = rng.normal(size=3)
        x, q = torch.tensor(xi), torch.tensor(share)

        def variance(r, x=x, q=q, slope=slope, curvature=curvature, third=third):
            y = slope * r * x + curvature * (r * x) ** 2 / 2 + third * torch.sin(r * x)
            y = y - third * r * x + third * (r * x) ** 3 / 3  # sin = u - u³/6: leaves third u³/6
            return (q * y**2).sum() - (q * y).sum() ** 2

        r = torch.zeros((), dtype=torch.float64, requires_grad=True)
        value, coefficients = variance(r), []
        for order in range(1, 5):
            (value,) = torch.autograd.grad(value, r, create_graph=True)
            coefficients.append(value.item() / np.prod(np.arange(1, order + 1)))
        size = rng.uniform(0.3, 1.5)
        powers = size ** np.arange(1, 5)
        m = [float(share @ xi**k) for k in (2, 3, 4)]
        close(np.dot(coefficients, powers), form.numpy(size, slope, curvature, third, *m))


def at_image(form):
    """Second and third Taylor coefficient of the enumerated variance about the image."""
    for rng in rngs(21):
        xi, share = rng.normal(size=4), rng.dirichlet(np.ones(4))
        xi -= share @ xi
        offset, size, wave = rng.normal(), rng.uniform(0.3, 1.5), rng.uniform(0.5, 1.5)
        image = rng.uniform(0.2, 1.2) / wave
        x, q = torch.tensor(offset + xi), torch.tensor(share)
        r = torch.zeros((), dtype=torch.float64, requires_grad=True)
        y = torch.sin(wave * (image + r * x))
        value, coefficients = (q * y**2).sum() - (q * y).sum() ** 2, []
        for order in (1, 2, 3):
            (value,) = torch.autograd.grad(value, r, create_graph=True)
            coefficients.append(value.item() / np.prod(np.arange(1, order + 1)))
        slope, curvature = wave * np.cos(wave * image), -(wave**2) * np.sin(wave * image)
        m = [float(share @ xi**k) for k in (2, 3)]
        close(
            np.dot(coefficients, size ** np.arange(1, 4)),
            form.numpy(size, slope, curvature, *m, offset),
        )


def quadratic(x, slope, curvature):
    return slope * x + curvature * x**2 / 2


def two_views(form):
    for rng in rngs(2):
        q, r = rng.uniform(0.1, 0.9), rng.uniform(0.2, 2)
        slope, curvature = rng.normal(size=2)
        places = r * np.array([1 - q, -q])
        _, variance = moments(quadratic(places, slope, curvature), np.array([q, 1 - q]))
        close(variance, form.numpy(q, r, slope, curvature))


def pair_factor(form):
    for views, rng in zip(range(2, 2 + DRAWS), rngs(3), strict=True):
        outputs = rng.normal(size=(views, 3))
        different = [
            squares(outputs[i] - outputs[j]) for i, j in itertools.permutations(range(views), 2)
        ]
        reduced = squares(outputs - outputs.mean(0)).mean()
        close(np.mean(different) / reduced, form.numpy(float(views)))


def pair_variance(form):
    for rng in rngs(4):
        deviations, share = law(rng, 6, 3)
        _, variance = moments(*pairs(deviations, share))
        single = moments(squares(deviations), share)[1]
        close(variance, form.numpy(single, trace_square(deviations, share)))


def sample_variance(form):
    for size, rng in zip((2, 3, 4) * 3, rngs(5), strict=False):
        deviations, share = law(rng, 4, 2)
        chosen = np.array(list(itertools.product(range(4), repeat=size)))
        sample = deviations[chosen]
        estimate = squares(sample - sample.mean(1, keepdims=True)).sum(1) / (size - 1)
        mean, variance = moments(estimate, share[chosen].prod(1))
        single_mean, single = moments(squares(deviations), share)
        close(mean, single_mean)
        close(variance, form.numpy(float(size), single, trace_square(deviations, share)))


def standard(k):
    """Three places with mean 0, variance 1 and kurtosis k, and their probabilities."""
    return np.sqrt(k) * np.array([1.0, 0.0, -1.0]), np.array([1 / (2 * k), 1 - 1 / k, 1 / (2 * k)])


def ratios(deviations, share):
    return moments(*pairs(deviations, share))[1] / moments(squares(deviations), share)[1]


def variance_ratio(form):
    for rng in rngs(6):
        k = rng.uniform(1.2, 8)
        places, share = standard(k)
        close(ratios(places[:, None], share), form.numpy(k))
    nodes, weights = np.polynomial.legendre.leggauss(12)  # uniform on [-1, 1]: kurtosis 9/5
    close(ratios(nodes[:, None], weights / 2), form.numpy(1.8))
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)  # normal: kurtosis 3
    close(ratios(nodes[:, None], weights / weights.sum()), form.numpy(3.0))


def mixed_ratio(form):
    for rng in rngs(7):
        k, mixing = rng.uniform(1.2, 8), rng.normal(size=(3, 2))
        places, share = standard(k)
        both = np.array(list(itertools.product(places, repeat=2)))
        joint = np.array([a * b for a, b in itertools.product(share, repeat=2)])
        gram = mixing.T @ mixing
        diagonal = (np.diag(gram) ** 2).sum() / (gram**2).sum()
        close(ratios(both @ mixing.T, joint), form.numpy(k, diagonal))


def equal_work(form):
    """Two views: half their squared distance, or the mean of both distances to the mean."""
    for rng in rngs(8):
        k = rng.uniform(1.2, 8)
        places, share = standard(k)
        i, j = (g.ravel() for g in np.meshgrid(range(3), range(3)))
        joint = share[i] * share[j]
        _, pair = moments((places[i] - places[j]) ** 2 / 2, joint)
        _, known = moments((places[i] ** 2 + places[j] ** 2) / 2, joint)
        close(pair / known, form.numpy(k))


def mode_share(form):
    """Autograd descent of a linear encoder along one augmented direction."""
    for rng in rngs(9):
        rate, variance, steps = rng.uniform(0.01, 0.2), rng.uniform(0.2, 2), int(rng.integers(3, 9))
        views = torch.tensor(rng.normal(size=7))
        views = (views - views.mean()) / views.std(correction=0) * variance**0.5 + rng.normal()
        w = torch.tensor(rng.normal(), requires_grad=True, dtype=torch.float64)
        losses = []
        for _ in range(steps + 1):
            loss = (w * views).var(correction=0)
            losses.append(loss.item())
            (gradient,) = torch.autograd.grad(loss, w)
            w = (w - rate * gradient).detach().requires_grad_()
        close(losses[-1] / losses[0], form.numpy(rate, variance, float(steps)))


def noisy_share(form):
    """Every batch of two or three draws from a law of three places, by enumeration."""
    for batch, rng in zip((1, 2, 3) * 3, rngs(22), strict=False):
        k, variance, rate = rng.uniform(1.2, 8), rng.uniform(0.3, 2), rng.uniform(0.02, 0.3)
        places, share = standard(k)
        chosen = np.array(list(itertools.product(range(3), repeat=batch)))
        matrix = variance * (places[chosen] ** 2).mean(1)
        close(share[chosen].prod(1) @ (1 - 2 * rate * matrix) ** 2,
              form.numpy(rate, variance, k, float(batch)))  # fmt: skip


def pair_kurtosis(form):
    for rng in rngs(23):
        k = rng.uniform(1.2, 8)
        places, share = standard(k)
        gaps, joint = (places[:, None] - places).ravel(), np.outer(share, share).ravel()
        close((joint @ gaps**4) / (joint @ gaps**2) ** 2, form.numpy(k))


def unit_losses(seed):
    """Outputs of length one that depend on a parameter: both losses, and their slopes in it."""
    t = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    rng = np.random.default_rng([24, seed])
    base, move = (torch.tensor(rng.normal(size=(6, 3)) + 0.7) for _ in range(2))
    q = torch.tensor(rng.dirichlet(np.ones(6)))
    outputs = torch.nn.functional.normalize(base + t * move, dim=-1)
    mean = q @ outputs
    target = mean / mean.norm()
    best = (q * (outputs - target).square().sum(-1)).sum()
    pair = (torch.outer(q, q) * (outputs[:, None] - outputs).square().sum(-1)).sum()
    slopes = [torch.autograd.grad(loss, t, retain_graph=True)[0].item() for loss in (best, pair)]
    return mean.norm().item(), (best.item(), pair.item()), slopes


def unit_factor(form):
    for seed in range(DRAWS):
        length, (best, pair), _ = unit_losses(seed)
        close(pair / best, form.numpy(length))


def unit_slope(form):
    for seed in range(DRAWS):
        length, _, (best, pair) = unit_losses(seed)
        close(pair / best, form.numpy(length), 1e-8)


def output(place):
    def route(form):
        for rng in rngs(10 + place):
            q, r = rng.uniform(0.1, 0.9), rng.uniform(0.2, 2)
            slope, curvature = rng.normal(size=2)
            values = quadratic(r * np.array([1, 0, -1]), slope, curvature)
            mean = np.array([q / 2, 1 - q, q / 2]) @ values
            close(values[1 - place] - mean, form.numpy(q, r, slope, curvature))

    return route


ROUTES = {
    "MEAN_LOSS": mean_loss,
    "AT_IMAGE": at_image,
    "TWO_VIEWS": two_views,
    "PAIR_FACTOR": pair_factor,
    "PAIR_VARIANCE": pair_variance,
    "SAMPLE_VARIANCE": sample_variance,
    "VARIANCE_RATIO": variance_ratio,
    "MIXED_RATIO": mixed_ratio,
    "EQUAL_WORK": equal_work,
    "MODE_SHARE": mode_share,
    "NOISY_SHARE": noisy_share,
    "PAIR_KURTOSIS": pair_kurtosis,
    "UNIT_FACTOR": unit_factor,
    "UNIT_SLOPE": unit_slope,
    "OUTPUT_UP": output(1),
    "OUTPUT_DOWN": output(-1),
    "OUTPUT_STAY": output(0),
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](expansion.FORMS[name])
