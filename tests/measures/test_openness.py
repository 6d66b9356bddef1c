"""Openness and overlap of a layer against counting, SciPy's normal law and enumerated layers."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from ssl_dynamics.measures import least_overlap, normal_open, normal_together, openness
from ssl_dynamics.measures.openness import overlap_ratio


def test_shares_and_overlap_are_counts():
    rng = np.random.default_rng(1)
    pre = torch.tensor(rng.normal(size=(2, 50, 4)) + 0.3)
    seen = openness(pre)
    gates = pre.numpy() > 0
    for s in range(2):
        np.testing.assert_allclose(seen.open[s], gates[s].mean(0), rtol=1e-12)
        pairs = [
            (gates[s, :, j] & gates[s, :, k]).mean() for j in range(4) for k in range(4) if j != k
        ]
        wanted = sum(pairs) / (3 * gates[s].mean(0).sum())
        assert seen.overlap[s].item() == pytest.approx(wanted, rel=1e-12)
        np.testing.assert_allclose(
            seen.correlation[s], np.corrcoef(pre[s].numpy().T), rtol=0, atol=1e-12
        )


def test_the_floor_is_met_when_the_count_is_constant_and_only_then():
    patterns = np.array([np.roll([1.0, 1.0, 0.0, 0.0, 0.0], k) for k in range(5)])
    for gates, tight in ((patterns, True), (np.vstack([patterns, np.eye(5)]), False)):
        share, together = gates.mean(0), gates.T @ gates / len(gates)
        ratio, floor = overlap_ratio(together, share), least_overlap(share)
        assert (abs(ratio - floor) < 1e-12) == tight
        assert ratio >= floor - 1e-12


def test_normal_open_knows_signs_zero_gains_and_broadcasts():
    found = normal_open(np.array([-1.0, 1.0, 0.0, -2.0, 3.0, 0.0]), np.array([1, -1, 5, 0, 0, 0]))
    np.testing.assert_allclose(found, [0.15865525, 0.84134475, 0.5, 0, 1, 0], atol=1e-8)


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0.0, 0.3, 0.8, 0.97])
def test_both_open_is_scipys_normal_law(rho):
    rng = np.random.default_rng(2)
    for bj, bk in rng.normal(size=(6, 2)):
        wanted = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([bj, bk])
        assert normal_together(bj, bk, rho) == pytest.approx(wanted, abs=1e-7)
