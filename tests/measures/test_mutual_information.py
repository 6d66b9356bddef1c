"""Mutual information: exact sums, quadrature, and what each bound may say."""

import math

import numpy as np
import pytest
import torch

from ssl_dynamics.measures import (
    Mine,
    cell_entropy,
    donsker_varadhan,
    in_bins,
    info_nce_bound,
    noisy_information,
)


def normal(key, *shape):
    return torch.from_numpy(np.random.default_rng(key).normal(size=shape))


def test_entropy_of_cells_is_that_of_their_counts():
    cells = torch.tensor([[[0, 1], [0, 1], [2, 1], [2, 2]], [[1, 1], [2, 2], [3, 3], [4, 4]]])
    wanted = [0.5 * math.log(2) + 0.5 * math.log(4), math.log(4)]
    np.testing.assert_allclose(cell_entropy(cells), wanted)


def test_bins_begin_at_zero():
    z = torch.tensor([-0.6, -0.1, 0.0, 0.4, 0.5, 1.2])
    assert in_bins(z, 0.5).tolist() == [-2, -1, 0, 0, 1, 2]


def test_noisy_information_of_two_points_is_an_integral():
    gap, s = 1.3, 0.7
    y = np.linspace(-12, 14, 40001)
    p = [np.exp(-((y - m) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi)) for m in (0, gap)]
    mixed = (p[0] + p[1]) / 2
    exact = sum((q * np.log(np.maximum(q, 1e-300) / mixed)).sum() for q in p) / 2 * (y[1] - y[0])
    z = torch.tensor([0.0, gap]).double().reshape(1, 2, 1).expand(20000, -1, -1)
    draws = noisy_information(z, normal(0, 20000, 2, 1), s)[0].numpy()
    error = np.std(draws) / len(draws) ** 0.5
    assert abs(np.mean(draws) - exact) < 4 * error
    assert error < 0.02


def test_the_parts_of_the_information_by_plain_loops():
    z, noise, s = normal(0, 2, 6, 3), normal(1, 2, 6, 3), torch.tensor([0.5, 1.5])
    total, between = noisy_information(z, noise, s, group=2)
    for k in range(2):
        seen = z[k] + s[k] * noise[k]
        like = torch.exp(-(seen[:, None] - z[k][None]).square().sum(-1) / (2 * s[k] ** 2))
        own = like.diagonal()
        pair = torch.stack([like[i, i // 2 * 2 : i // 2 * 2 + 2].mean() for i in range(6)])
        mixed = like.mean(1)
        np.testing.assert_allclose(total[k], (own / mixed).log().mean())
        np.testing.assert_allclose(between[k], (pair / mixed).log().mean())


def test_noisy_information_does_not_depend_on_the_blocks(monkeypatch):
    z, noise = normal(2, 2, 12, 3), normal(3, 2, 12, 3)
    whole = noisy_information(z, noise, 0.4, group=3)
    monkeypatch.setattr("ssl_dynamics.measures.mutual_information.AT_ONCE", 80)
    for a, b in zip(whole, noisy_information(z, noise, 0.4, group=3), strict=True):
        np.testing.assert_allclose(a, b)


def test_far_points_are_told_apart_and_equal_ones_are_not():
    z = 1e3 * torch.arange(8.0).double().reshape(1, 8, 1)
    total, between = noisy_information(z, normal(4, 1, 8, 1), 1.0, group=2)
    np.testing.assert_allclose([total[0], between[0]], [math.log(8), math.log(4)])
    total, between = noisy_information(0 * z, normal(4, 1, 8, 1), 1.0, group=2)
    np.testing.assert_allclose([total[0], between[0]], 0, atol=1e-12)


def test_bounds_by_plain_sums_and_the_ceiling():
    t = normal(5, 2, 7, 7)
    matched = t.diagonal(dim1=1, dim2=2)
    wanted = [
        np.mean([math.log(t[k, i, i].exp() / t[k, i].exp().mean()) for i in range(7)])
        for k in range(2)
    ]
    np.testing.assert_allclose(info_nce_bound(t), wanted)
    wanted = [matched[k].mean() - t[k].exp().mean().log() for k in range(2)]
    np.testing.assert_allclose(donsker_varadhan(matched, t.flatten(1)), wanted)
    sharp = 1e4 * torch.eye(7).double().expand(2, -1, -1)
    assert (info_nce_bound(sharp) == math.log(7)).all()
    assert (info_nce_bound(t * 50) <= math.log(7)).all()


def test_mine_finds_the_information_of_a_gaussian_pair():
    mine, errors = Mine(range(4), 2, lr=3e-3, dtype=torch.float64), []
    x, e = normal(6, 4, 20000, 1), normal(7, 4, 20000, 1)
    z = 0.8 * x + 0.6 * e
    rng = torch.Generator().manual_seed(0)
    for _ in range(400):
        one, two = torch.randint(20000, (2, 256), generator=rng)
        errors.append(mine.step(x[:, one], z[:, one], z[:, two]))
    found = mine.value(x, z)
    assert found.shape == (4,)
    np.testing.assert_allclose(found, -0.5 * math.log(1 - 0.64), atol=0.05)


def test_a_seed_of_mine_trains_alone_as_in_company():
    x, z, other = normal(8, 3, 32, 2), normal(9, 3, 32, 1), normal(10, 3, 32, 1)
    found = []
    for seeds in ((5, 6, 7), (6,)):
        mine = Mine(seeds, 3, dtype=torch.float64)
        rows = [s - 5 for s in seeds]
        for _ in range(5):
            mine.step(x[rows], z[rows], other[rows])
        found.append(mine.value(x[rows], z[rows]))
    np.testing.assert_allclose(found[0][1], found[1][0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Mine((0,), 2, average=1.0), "average"),
        (lambda: Mine((0,), 2).value(torch.ones(1, 4, 1), torch.ones(1, 4, 1), 4), "shifts"),
        (lambda: noisy_information(torch.ones(1, 4, 1), torch.ones(1, 4, 2), 1.0), "noise"),
        (lambda: noisy_information(torch.ones(1, 4, 1), torch.ones(1, 4, 1), 1.0, 3), "group"),
    ],
)
def test_what_is_refused_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
