"""Closed forms of mutual information against quadrature, determinants and searches."""

import numpy as np
import pytest
from comparing import close, rngs
from scipy.optimize import minimize_scalar
from scipy.stats import expon

from ssl_dynamics.theory import compression

AXIS = np.linspace(-12, 12, 481)
X, Z = np.meshgrid(AXIS, AXIS, indexing="ij")
CELL = (AXIS[1] - AXIS[0]) ** 2
ALONE = np.exp(-(X**2 + Z**2) / 2) / (2 * np.pi) * CELL


def together(rho):
    """Weights of the grid under a Gaussian pair with this correlation."""
    square = (X**2 - 2 * rho * X * Z + Z**2) / (1 - rho**2)
    return np.exp(-square / 2) / (2 * np.pi * np.sqrt(1 - rho**2)) * CELL


def log_ratio(rho):
    """Logarithm of the density of the pair over that of independent ones, on the grid."""
    square = (X**2 - 2 * rho * X * Z + Z**2) / (1 - rho**2)
    return -np.log(1 - rho**2) / 2 - square / 2 + (X**2 + Z**2) / 2


def drawn(key):
    for rng in rngs(key):
        yield rng, int(rng.integers(1, 6)), rng.uniform(0.2, 0.8) * rng.choice([-1, 1])


def route_gaussian(form):
    """An integral over one coordinate; coordinates that are independent add up."""
    for _, n, rho in drawn(800):
        close(n * (together(rho) * log_ratio(rho)).sum(), form.numpy(n, rho), 1e-9)


def joint(n, v, s, rng):
    """Covariance of a representation and its noisy copy, in a turned basis."""
    turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
    own = v * turn @ turn.T
    return own, own + s**2 * np.eye(n), np.block([[own, own], [own, own + s**2 * np.eye(n)]])


def route_noisy(form):
    for rng, n, _ in drawn(801):
        v, s = rng.uniform(0.3, 3, size=2)
        parts = [np.linalg.slogdet(c)[1] for c in joint(n, v, s, rng)]
        close((parts[0] + parts[1] - parts[2]) / 2, form.numpy(n, v, s))


def route_correlation(form):
    for rng, n, _ in drawn(802):
        v, s = rng.uniform(0.3, 3, size=2)
        whole = joint(n, v, s, rng)[2]
        found = whole[0, n] / np.sqrt(whole[0, 0] * whole[n, n])
        close(found, form.numpy(v, s))


def route_binned(form):
    for rng in rngs(803):
        m, width = rng.uniform(0.3, 3, size=2)
        edges = width * np.arange(2000)
        p = -np.diff(expon.sf(edges, scale=m))
        p = p[p > 0]
        close(-(p * np.log(p)).sum(), form.numpy(m, width), 1e-9)


def bound(rho, critic):
    return (together(rho) * critic).sum() - np.log((ALONE * np.exp(critic)).sum())


def route_bound(form):
    for rng, n, rho in drawn(804):
        other = rng.uniform(-0.7, 0.7)
        close(n * bound(rho, log_ratio(other)), form.numpy(n, rho, other), 1e-9)


def route_bilinear(form):
    for rng, _, rho in drawn(805):
        c = rng.uniform(-0.7, 0.7)
        close(bound(rho, c * X * Z), form.numpy(rho, c), 1e-9)


def route_best_bilinear(form):
    """A search over the bound by quadrature."""
    for _, _, rho in list(drawn(806))[:4]:
        best = minimize_scalar(
            lambda c, rho=rho: -bound(rho, c * X * Z), bounds=(-0.75, 0.75), method="bounded"
        )
        close(best.x, form.numpy(rho), 1e-4)


def route_read(form):
    """The symmetric channel, whose errors are spread evenly, meets the bound."""
    for rng in rngs(809):
        count, right = int(rng.integers(2, 30)), rng.uniform(0.05, 0.95)
        table = np.full((count, count), (1 - right) / (count - 1) / count)
        np.fill_diagonal(table, right / count)
        alone = table.sum(1)[:, None] * table.sum(0)[None]
        close((table * np.log(table / alone)).sum(), form.numpy(count, right))


def route_weight_variance(form):
    for _, n, rho in drawn(807):
        rho = 0.75 * rho
        square = (ALONE * np.exp(2 * log_ratio(rho))).sum() ** n
        close(square - (ALONE * np.exp(log_ratio(rho))).sum() ** (2 * n), form.numpy(n, rho), 1e-9)


def route_one_sample(form):
    for _, n, rho in drawn(808):
        critic = log_ratio(rho)
        close(n * ((together(rho) - ALONE) * critic).sum(), form.numpy(n, rho), 1e-9)


ROUTES = {
    "GAUSSIAN": route_gaussian,
    "NOISY": route_noisy,
    "CORRELATION": route_correlation,
    "BINNED": route_binned,
    "BOUND": route_bound,
    "BILINEAR": route_bilinear,
    "BEST_BILINEAR": route_best_bilinear,
    "READ": route_read,
    "WEIGHT_VARIANCE": route_weight_variance,
    "ONE_SAMPLE": route_one_sample,
}


def test_the_noisy_copy_is_a_gaussian_pair():
    for n, v, s in ((1, 0.5, 0.3), (4, 2.0, 1.0), (7, 1.0, 3.0)):
        rho = compression.CORRELATION.numpy(v, s)
        close(compression.GAUSSIAN.numpy(n, rho), compression.NOISY.numpy(n, v, s))


def test_the_bound_is_tight_for_its_own_correlation_and_below_elsewhere():
    for rho in (-0.6, 0.1, 0.9):
        exact = compression.GAUSSIAN.numpy(3, rho)
        close(compression.BOUND.numpy(3, rho, rho), exact)
        for other in (-0.9, -0.2, 0.0, 0.5, 0.95):
            assert other == rho or compression.BOUND.numpy(3, rho, other) < exact


def test_fine_bins_hold_the_density_s_entropy_less_the_logarithm_of_their_width():
    width = 1e-3
    assert compression.BINNED.numpy(2.0, width) == pytest.approx(1 + np.log(2 / width), abs=1e-6)
