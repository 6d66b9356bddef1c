"""The experiment on one-node students: steps against autograd, measures, what is refused."""

import numpy as np
import pytest
import torch
from scipy import stats

from ssl_dynamics.experiments import recovery as experiment
from ssl_dynamics.theory import recovery as theory

SMALL = experiment.Config(
    seeds=2, students=5, inputs=4, batches=(8,), pools=(40,), time=8.0, pool_time=8.0
)


def test_the_sampled_step_is_autograd_and_its_mean_is_the_population_step():
    teacher, start = experiment.nodes(SMALL)
    x = torch.randn(2, 30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    step = experiment.sampled_step(teacher, lambda _: x)(start, 0)
    W = start.clone().requires_grad_()
    error = torch.relu(x @ W.mT) - torch.relu(x @ teacher.unsqueeze(-1))
    (slope,) = torch.autograd.grad(error.square().sum() / 2 / 30, W)
    assert (step + slope).abs().max() < 1e-12
    large = torch.randn(2, 300_000, 4, dtype=torch.float64)
    mean = experiment.sampled_step(teacher, lambda _: large)(start, 0)
    assert (mean - experiment.population_step(teacher)(start, 0)).abs().max() < 0.02


def test_small_steps_on_the_population_follow_the_closed_form():
    teacher, start = experiment.nodes(SMALL)
    step = experiment.population_step(teacher)
    ends = {}
    for lr in (0.02, 0.01):
        angles, _ = experiment.descend(start, teacher, step, lr, 2.0)
        ends[lr] = angles[-1]
    wanted = theory.ANGLE.numpy(2.0, *experiment.places(teacher, start), 1.0)
    errors = {lr: np.abs(end - wanted).max() for lr, end in ends.items()}
    assert errors[0.01] < 0.02
    assert errors[0.02] / errors[0.01] == pytest.approx(2, rel=0.1)


def test_arrival_is_the_first_passage_and_exact_for_exponential_decay():
    steps = np.arange(101)[:, None, None]
    rates = np.array([[0.5, 1.0, 2.0, 1e-4]])
    angles = 0.8 * np.exp(-rates * steps * 0.1)
    found = experiment.arrival(angles, 0.1)
    exact = np.log(0.8 / experiment.GOAL) / rates
    np.testing.assert_allclose(found[0, :3], exact[0, :3], rtol=1e-12)
    assert found[0, 3] == pytest.approx(10.0)  # it does not get there
    assert experiment.arrival(angles * 1e-3, 0.1).max() == 0


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(2, 4, 20))
    wanted = [stats.spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(experiment.spearman(one, other), wanted, atol=1e-12)


def test_a_seed_is_the_same_alone_and_in_company():
    two = experiment.run(SMALL, progress=False)
    alone = experiment.run(
        experiment.Config(**{**two.config, "seeds": 1, "first_seed": 1}), progress=False
    )
    for name in ("batch=8/time", "descent/angle", "closed/rank/length", "pool=40/recovered"):
        np.testing.assert_allclose(alone[name][0], two[name][1], rtol=1e-9)


def test_the_factor_is_one_where_the_linear_law_holds():
    """Distances that shrink by the exact mean factor in each step give 1."""
    config = experiment.Config(inputs=4, lr=0.1, time=8.0)
    q = float(theory.NOISE.numpy(0.1, 8, 4))
    squares = q ** np.arange(81)[:, None, None] * np.ones((1, 2, 3))
    np.testing.assert_allclose(experiment.factor(config, squares, 8), 1.0)
    assert (experiment.factor(config, squares, 1) < 0.9).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"lr": 0.0}, "lr"), ({"students": 1}, "students"), ({"length": -1.0}, "length")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
