"""The competition of students: its statistics on made-up cases, its start, and what is refused."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm, spearmanr

from ssl_dynamics.experiments import luck as experiment

SMALL = {"steps": 40, "probe": 60, "places": 4, "multiples": (2,), "scales": (1e-2,)}


def test_rank_correlation_is_that_of_scipy_and_zero_for_a_constant():
    rng = np.random.default_rng(0)
    cosine, correlation = rng.normal(size=(2, 12, 3))
    correlation[:5, 1] = 0.0  # ties
    wanted = [spearmanr(cosine[:, k], correlation[:, k]).statistic for k in range(3)]
    assert experiment.spearman(cosine, correlation) == pytest.approx(np.mean(wanted))
    correlation[:, 2] = 1.0
    assert experiment.spearman(cosine, correlation) == pytest.approx(np.sum(wanted[:2]) / 3)


def test_shares_of_a_case_worked_by_hand():
    """Ten students; the first teacher node has three, of strengths 2, 1, 1, the second has one."""
    correlation = np.zeros((10, 3))
    correlation[[0, 1, 2], 0] = 0.99
    correlation[3, 1] = 0.96
    correlation[4, 1] = 0.94  # not matched
    cosine = np.zeros((10, 3))
    cosine[:, 0] = np.arange(10, 0, -1) / 10  # the strongest is the nearest
    cosine[:, 1] = np.arange(10) / 10  # student 3 is seventh nearest
    cosine[3, 2] = 0.9  # and nearest to a node at which it does not end
    found = experiment.shared(cosine, correlation, np.array([2.0] + [1.0] * 9))
    assert found["hit"] == 0.5
    assert found["winner"] == pytest.approx((0.5 + 1) / 2)
    assert found["participation"] == pytest.approx((16 / 6 + 1) / 2)
    assert found["company"] == 2.0
    assert found["nearest"] == 0.75


def test_a_seed_without_a_match_shows_chance():
    found = experiment.shared(np.eye(5), np.zeros((5, 5)), np.ones(5))
    assert (found["hit"], found["winner"], found["nearest"]) == (experiment.NEAR, 1.0, 0.2)


def test_only_the_length_differs_between_scales():
    config = experiment.Config()
    pairs = [experiment.pair(config, (3, 4), 10, scale) for scale in (1.0, 1e-3)]
    for big, little in zip(*(net.weights for _, net in pairs), strict=True):
        torch.testing.assert_close(big * 1e-3, little)
    for one, two in zip(*(teacher.weights for teacher, _ in pairs), strict=True):
        assert torch.equal(one, two)
    teacher, student = pairs[0]
    torch.testing.assert_close(teacher.weights[1].norm(dim=1), torch.ones(2, 5).double())
    assert (teacher.biases[0] == -0.5).all()
    assert abs(student.weights[0].norm(dim=-1).mean() - 1) < 0.2


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.25, 2.25])
def test_spread_of_a_shifted_relu(offset):
    mean, square = (
        quad(lambda z, p=p: (z - offset) ** p * norm.pdf(z), offset, 12, epsabs=1e-13)[0]
        for p in (1, 2)
    )
    found = experiment._spread(torch.tensor([offset]).double()).item()
    assert found == pytest.approx(np.sqrt(square - mean**2), rel=1e-8)


def test_teachers_of_the_order_studies():
    teacher, _ = experiment.pair(experiment.Config(study="offsets"), (1,), 10, 0.1)
    assert teacher.biases[0][0].tolist() == [-k / 4 for k in range(10)]
    x = torch.tensor(np.random.default_rng(2).normal(size=(1, 400_000, 30)))
    spread = teacher.activations(x)[1].std(1) * teacher.weights[1].norm(dim=1)
    assert (spread / spread[0, 0] - 1).abs().max() < 0.05
    teacher, _ = experiment.pair(experiment.Config(study="strengths"), (1,), 10, 0.1)
    lengths = teacher.weights[1].norm(dim=1)[0]
    torch.testing.assert_close(lengths, 1 / torch.arange(1, 11).double())


@pytest.mark.parametrize("study", experiment.STUDIES)
def test_two_seeds_alone_are_what_they_are_in_company(study):
    two = experiment.run(experiment.Config(seeds=2, study=study, **SMALL), progress=False)
    one = experiment.run(
        experiment.Config(seeds=1, first_seed=1, study=study, **SMALL), progress=False
    )
    assert set(one.metrics) == set(two.metrics)
    for name in one.metrics:
        np.testing.assert_allclose(one[name][0], two[name][1], rtol=1e-8, err_msg=name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lr": 0.0}, "lr"),
        ({"study": "depth"}, "study"),
        ({"device": "cuda"}, "device"),
        ({"multiples": ()}, "multiples"),
        ({"scales": (0.0,)}, "scales"),
        ({"places": 1}, "places"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
