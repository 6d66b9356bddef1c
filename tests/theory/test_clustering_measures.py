"""Closed forms of the clustering measures against moments, extremal laws, series and matrices."""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2, ncx2, poisson

from ssl_dynamics.measures.clustering import Classes, cdnv, classes_of
from ssl_dynamics.measures.collapse import effective_rank
from ssl_dynamics.measures.neural_collapse import within_over_between
from ssl_dynamics.measures.sphere import uniformity
from ssl_dynamics.theory import clustering_measures as theory


def simplex(classes, edge=1.0):
    """Class means [C, C] with every two at this distance."""
    return np.eye(classes) * edge / 2**0.5


def isotropic(rng, low=4):
    """Dimension, samples, and the spread and distance of two isotropic classes, with their CDNV."""
    dim, count = int(rng.integers(low, 9)), int(rng.integers(2, 7))
    spread, apart = rng.uniform(0.4, 2, size=2)
    return dim, count, spread, apart, dim * spread**2 / apart**2


def route_ncc_bound(form):
    """The two-point law that Cantelli's inequality cannot tell from better: mass at the middle."""
    for rng in rngs(700):
        apart, along = rng.uniform(0.5, 2, size=2)
        at = np.array([apart / 2, -2 * along**2 / apart])  # seen from the class's own mean
        mass = -at[::-1] / (at - at[::-1])
        assert abs(mass @ at) < 1e-12
        close(mass @ at**2, along**2)
        close(mass[at >= apart / 2].sum(), form.numpy(along**2 / apart**2))


def route_margin_ratio(form):
    for rng in rngs(701):
        low, ratio = rng.uniform(0.3, 2), rng.uniform(1, 9)
        sizes = low * np.array([1, ratio])

        def part(turn, sizes=sizes):
            line = np.array([np.cos(turn), np.sin(turn)])
            nearest = line @ line / np.sqrt(line @ (sizes * line))
            return nearest / np.sqrt(line @ (line / sizes))

        worst = minimize_scalar(part, bounds=(0, np.pi / 2), method="bounded",
                                options={"xatol": 1e-10})  # fmt: skip
        close(worst.fun, form.numpy(ratio), 1e-9)


def route_from_pairs(form):
    for rng in rngs(702):
        counts, width = rng.integers(3, 7, size=2), 4
        x = rng.normal(size=(1, counts.sum(), width))
        labels = np.repeat([0, 1], counts)
        squares = ((x[0, :, None] - x[0, None]) ** 2).sum(-1)
        one, two = (squares[labels == c][:, labels == c].mean() for c in (0, 1))
        found = classes_of(torch.tensor(x), torch.tensor(labels))
        other = squares[labels == 0][:, labels == 1].mean()
        close(float(cdnv(found)[0, 0, 1]), form.numpy((one + two) / 2, other))


def exact_sample(mean, covariance, rng):
    """Rows with exactly this mean and this biased covariance."""
    dim = len(mean)
    white = np.concatenate([np.eye(dim), -np.eye(dim)]) * dim**0.5
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    return mean + white @ turn @ np.linalg.cholesky(covariance).T


def route_nc1_simplex(form):
    """Features with exact moments, through the library's NC1."""
    for rng in rngs(703):
        classes = int(rng.integers(2, 6))
        root = rng.normal(size=(classes, classes))
        covariance = root @ root.T + 0.1 * np.eye(classes)
        means = simplex(classes, rng.uniform(0.5, 2))
        x = np.concatenate([exact_sample(m, covariance, rng) for m in means])
        labels = torch.arange(classes).repeat_interleave(2 * classes)
        gaps = [means[a] - means[b] for a in range(classes) for b in range(a)]
        along = np.mean([g @ covariance @ g / (g @ g) ** 2 for g in gaps])
        found = within_over_between(torch.tensor(x)[None], labels)
        close(float(found), form.numpy(along, classes), 1e-9)


def route_rank(form):
    for rng in rngs(704):
        classes = int(rng.integers(2, 6))
        dim, edge, spread = int(rng.integers(classes, 9)), *rng.uniform(0.5, 2, size=2)
        means = np.pad(simplex(classes, edge), ((0, 0), (0, dim - classes)))
        x = np.concatenate([exact_sample(m, spread**2 * np.eye(dim), rng) for m in means])
        found = effective_rank(torch.tensor(x)[None])
        close(float(found), form.numpy(dim * spread**2 / edge**2, dim, classes), 1e-9)


def route_uniform_collapsed(form):
    """Many copies of the corners; pairs of an image with itself are counted back in."""
    for classes in range(2, 10):
        corners = simplex(classes)
        corners = corners - corners.mean(0)
        copies = 40
        rows = classes * copies
        found = float(uniformity(torch.tensor(np.repeat(corners, copies, 0))[None]))
        pairs = (np.exp(found) * rows * (rows - 1) + rows) / rows**2
        close(np.log(pairs), form.numpy(classes))


def quadratic(matrix, mean, covariance):
    """Mean and variance of x^T A x for a normal x."""
    both = (matrix + matrix.T) / 2
    product = both @ covariance
    centre = np.trace(product) + mean @ both @ mean
    return centre, 2 * np.trace(product @ product) + 4 * mean @ both @ covariance @ both @ mean


def score(dim, count, spread, apart, own):
    """Mean and variance of (m_1 - m_2)^T (f - (m_1 + m_2)/2) from the 2N (+1) samples."""
    rows = 2 * count + (not own)
    first = np.zeros(rows)
    second = np.zeros(rows)
    first[:count], second[count : 2 * count] = 1 / count, 1 / count
    feature = np.eye(rows)[0 if own else -1]
    form = np.outer(first - second, feature - (first + second) / 2)
    place = np.zeros((rows, dim))
    place[count : 2 * count, 0] = apart
    return quadratic(np.kron(form, np.eye(dim)), place.ravel(), spread**2 * np.eye(rows * dim))


def route_few_shot(form):
    for rng in rngs(705):
        dim, count, spread, apart, ratio = isotropic(rng, 2)
        centre, variance = score(dim, count, spread, apart, own=False)
        close(variance / (4 * centre**2), form.numpy(ratio, dim, count))


def route_test_margin(form):
    for rng in rngs(706):
        dim, count, spread, apart, ratio = isotropic(rng, 2)
        centre, variance = score(dim, count, spread, apart, own=False)
        close(centre / variance**0.5, form.numpy(ratio, dim, count))


def route_train_margin(form):
    for rng in rngs(707):
        dim, count, spread, apart, ratio = isotropic(rng, 2)
        centre, variance = score(dim, count, spread, apart, own=True)
        close(centre / variance**0.5, form.numpy(ratio, dim, count))


def parts(dim, count, spread, apart):
    """Laws of (mean of the two variances, squared distance) from samples."""
    scale = 2 * spread**2 / count
    top = chi2(2 * dim * (count - 1), scale=spread**2 / (2 * count))
    return top, ncx2(dim, apart**2 / scale, scale=scale)


def route_plugin(form):
    for rng in rngs(708):
        *place, ratio = isotropic(rng)
        top, bottom = parts(*place)
        close(top.mean() / bottom.mean(), form.numpy(ratio, place[1]))


def route_corrected(form):
    """The CDNV at which the two means have the ratio found."""
    for rng in rngs(709):
        dim, count, spread, apart, _ = isotropic(rng)

        def found(spread, dim=dim, count=count, apart=apart):
            top, bottom = parts(dim, count, spread, apart)
            return top.mean() / bottom.mean()

        seen = found(spread)
        back = brentq(lambda s, seen=seen: found(s) - seen, 0.1, 5, xtol=1e-14)
        close(dim * back**2 / apart**2, form.numpy(seen, count), 1e-9)


def mixture(dim, count, spread, apart, value):
    """(mean variance) times 1 / value(degrees + 2 Poisson) of the mixture of the distance."""
    top, _ = parts(dim, count, spread, apart)
    scale = 2 * spread**2 / count
    number = np.arange(400 + int(apart**2 / scale))
    weight = poisson(apart**2 / scale / 2).pmf(number)
    return top.mean() / scale * value(weight, number)


def route_mean_low(form):
    for rng in rngs(710):
        *place, ratio = isotropic(rng)
        found = mixture(*place, lambda p, j, d=place[0]: 1 / (p @ (d - 2 + 2 * j)))
        close(found, form.numpy(ratio, place[0], place[1]), 1e-10)


def route_mean_high(form):
    for rng in rngs(711):
        *place, ratio = isotropic(rng)
        found = mixture(*place, lambda p, j, d=place[0]: 1 / (p @ (d - 4 + 2 * j)))
        close(found, form.numpy(ratio, place[0], place[1]), 1e-10)


def route_mean_four(form):
    for rng in rngs(712):
        _, count, spread, apart, _ = isotropic(rng)
        found = mixture(4, count, spread, apart, lambda p, j: p @ (1 / (2 + 2 * j)))
        close(found, form.numpy(4 * spread**2 / apart**2, count), 1e-10)


def route_relative_variance(form):
    for rng in rngs(713):
        *place, ratio = isotropic(rng)
        each = [law.var() / law.mean() ** 2 for law in parts(*place)]
        close(sum(each), form.numpy(ratio, place[0], place[1]))


ROUTES = {
    "NCC_BOUND": route_ncc_bound,
    "MARGIN_RATIO": route_margin_ratio,
    "FROM_PAIRS": route_from_pairs,
    "NC1_SIMPLEX": route_nc1_simplex,
    "RANK": route_rank,
    "UNIFORM_COLLAPSED": route_uniform_collapsed,
    "FEW_SHOT": route_few_shot,
    "TEST_MARGIN": route_test_margin,
    "TRAIN_MARGIN": route_train_margin,
    "PLUGIN": route_plugin,
    "CORRECTED": route_corrected,
    "MEAN_LOW": route_mean_low,
    "MEAN_HIGH": route_mean_high,
    "MEAN_FOUR": route_mean_four,
    "RELATIVE_VARIANCE": route_relative_variance,
}


@pytest.mark.parametrize("dim", [4, 5, 8, 32])
def test_the_mean_lies_between_its_bounds(dim):
    for count in (2, 5, 50):
        for ratio in (0.1, 1.0, 20.0):
            apart = (dim / ratio) ** 0.5
            mean = mixture(
                dim, count, 1.0, apart, lambda p, j, dim=dim: p @ (1 / (dim - 2 + 2 * j))
            )
            low, high = (f.numpy(ratio, dim, count) for f in (theory.MEAN_LOW, theory.MEAN_HIGH))
            assert low <= mean * (1 + 1e-12)
            assert mean <= high * (1 + 1e-12)


def test_the_correction_undoes_the_bias_in_many_dimensions():
    ratios = np.geomspace(0.01, 100, 9)
    close(theory.CORRECTED.numpy(theory.PLUGIN.numpy(ratios, 7), 7), ratios)


def test_no_law_beats_the_bound():
    """Random discrete laws of two classes along one line."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        places = rng.normal(size=(2, 4)) * rng.lognormal(0, 1.5, size=(2, 4))
        mass = rng.dirichlet([0.4] * 4, size=2)
        means = (mass * places).sum(1)
        variance = (mass * (places - means[:, None]) ** 2).sum(1)
        apart = means[1] - means[0]
        side = np.sign(apart) * (places - means.mean())
        wrong = [(mass[0] * (side[0] >= 0)).sum(), (mass[1] * (side[1] <= 0)).sum()]
        assert np.mean(wrong) <= theory.NCC_BOUND.numpy(variance.mean() / apart**2) + 1e-12


def test_classes_of_hand_made_moments():
    found = Classes(torch.tensor([[[0.0], [2.0]]]), torch.tensor([[1.0, 3.0]]), torch.ones(2))
    assert float(cdnv(found)[0, 0, 1]) == 0.5
