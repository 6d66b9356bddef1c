"""The InfoNCE experiment: its triples by explicit loops, its operator by autograd, bad settings."""

import numpy as np
import pytest
import torch
from scipy import optimize

from ssl_dynamics.experiments import info_nce as experiment
from ssl_dynamics.networks import ReluNet

N, M = 3, 2


def outputs():
    g = torch.Generator().manual_seed(0)
    return torch.randn(2, N, M, 4, dtype=torch.float64, generator=g)


def half_square(a, b):
    return ((a - b) ** 2).sum() / 2


def test_gaps_are_those_of_explicit_loops():
    f = outputs()
    found = experiment.triple_gaps(f)
    assert found.shape == (2, N, M, M, N, M)
    for s in range(2):
        for i in range(N):
            for j in range(N):
                for a, b, c in np.ndindex(M, M, M):
                    gap = half_square(f[s, i, a], f[s, j, c]) - half_square(f[s, i, a], f[s, i, b])
                    torch.testing.assert_close(found[s, i, a, b, j, c], gap)


def test_scatter_is_that_of_explicit_loops():
    f = outputs()
    for s, found in enumerate(experiment.scatter(f)):
        means = torch.stack([f[s, i].mean(0) for i in range(N)])
        within = sum(half_square(f[s, i, a], means[i]) for i in range(N) for a in range(M)) / M
        between = sum(half_square(mean, means.mean(0)) for mean in means)
        torch.testing.assert_close(found, within / between)


@pytest.mark.parametrize("loss", experiment.LOSSES)
def test_losses_are_those_of_explicit_loops(loss):
    f, T = outputs(), 0.7
    found = experiment.population_loss(loss, f, T)
    for s in range(2):
        total, count = 0, 0
        for i in range(N):
            for j in range(N):
                means = half_square(f[s, i].mean(0), f[s, j].mean(0))
                for a, b, c in np.ndindex(M, M, M):
                    near = half_square(f[s, i, a], f[s, i, b])
                    far = half_square(f[s, i, a], f[s, j, c])
                    count += 1
                    if loss == "info_nce":
                        total += torch.log1p(torch.exp((near - far) / T))
                    elif loss == "exact":
                        total += (near - far) / T / (1 + torch.exp(means / T))
                    else:
                        total += near - far
        torch.testing.assert_close(found[s], total / count)


@pytest.mark.parametrize("loss", experiment.LOSSES)
def test_the_top_operator_times_the_weights_is_the_update(loss):
    net = ReluNet((0, 1), (5, 6, 3))
    x = torch.randn(2, N, M, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    value = experiment.population_loss(loss, net(x), 0.4)
    (slope,) = torch.autograd.grad(value.sum(), net.weights[-1])
    operator = experiment.top_operator(loss, net, x, 0.4)
    torch.testing.assert_close(-slope, net.weights[-1].detach() @ operator)
    if loss != "info_nce":
        assert torch.linalg.eigvalsh(operator).min() > -1e-12


def test_the_critical_temperature_is_the_root_of_the_growth():
    gaps = torch.randn(3, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.3
    found = experiment.critical_temperature(gaps)
    for row, root in zip(gaps.numpy(), found, strict=True):
        wanted = optimize.brentq(lambda T, y=row: (y / (1 + np.exp(y / T))).mean(), 0.05, 1e4)
        assert root.item() == pytest.approx(wanted, rel=1e-6)
    edges = torch.stack([gaps[0].abs(), -gaps[0].abs()])
    assert experiment.critical_temperature(edges).tolist() == [0.0, float("inf")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": 1}, "images"),
        ({"every": 7}, "every"),
        ({"losses": ("byol",)}, "losses"),
        ({"lr": 0.0}, "lr"),
        ({"temperature": -1.0}, "temperature"),
        ({"chosen": ((0.1, 0.2),)}, "chosen"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
