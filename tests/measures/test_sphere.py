"""Alignment and uniformity against sums over pairs, and at clouds whose values are known."""

import math

import pytest
import torch

from ssl_dynamics.measures import alignment, uniformity


def clouds(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_both_are_their_sums_over_pairs():
    one, two = clouds(2, 6, 3), clouds(2, 6, 3) + 1
    for seed in range(2):
        a = [x / x.norm() for x in one[seed]]
        b = [x / x.norm() for x in two[seed]]
        pairs = [float((x - y).norm() ** 2) for x, y in zip(a, b, strict=True)]
        assert float(alignment(one, two)[seed]) == pytest.approx(sum(pairs) / 6)
        gaps = [
            math.exp(-2 * float((x - y).norm() ** 2))
            for i, x in enumerate(a)
            for j, y in enumerate(a)
            if i != j
        ]
        assert float(uniformity(one)[seed]) == pytest.approx(math.log(sum(gaps) / 30))


def test_known_values():
    constant = torch.ones(1, 5, 4)
    assert float(uniformity(constant)) == pytest.approx(0, abs=1e-12)
    assert float(alignment(constant, 3 * constant)) == pytest.approx(0, abs=1e-12)
    assert float(alignment(constant, -constant)) == pytest.approx(4)
    basis = torch.eye(7).unsqueeze(0)
    assert float(uniformity(basis)) == pytest.approx(-4)
    with pytest.raises(ValueError, match="got 1 images; allowed: at least 2"):
        uniformity(constant[:, :1])
