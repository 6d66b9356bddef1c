"""Structured and random labels: the measures and the two studies at a small size."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import random_labels as experiment
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import gaussian

SMALL = {"students": 12, "steps": 30, "at": (0, 10, 30), "pool": 40, "batch": 8}


def test_the_effective_number_counts_equal_shares():
    shares = torch.tensor([[1.0, 1, 1, 0], [2, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.float64)
    assert experiment.effective_number(shares).tolist() == [3, 1, 0]


def test_the_used_number_does_not_see_how_a_node_shares_its_size_with_its_fan_out():
    net, x = Students.random((1, 2), (5, 8, 3)), gaussian((1, 2), 50, 5, purpose="x")
    scaled = net.clone()
    scaled.weights[0] *= 3
    scaled.biases[0] *= 3
    scaled.weights[1] /= 3
    torch.testing.assert_close(experiment.used(net, x), experiment.used(scaled, x))


def test_the_linear_share_is_that_of_a_known_mixture():
    x = gaussian(range(2), 20_000, 4, purpose="x")
    y = x[..., :1] + (x[..., 1:2] ** 2 - 1) / 2**0.5
    share = experiment.linear_share(x, y)
    assert (share - 0.5).abs().max() < 0.02


def test_dealt_targets_are_the_same_ones_in_another_order():
    y = gaussian(range(3), 10, 2, purpose="y")
    dealt = experiment.dealt(range(3), y)
    assert not torch.equal(dealt, y)
    for a, b in zip(dealt.tolist(), y.tolist(), strict=True):
        assert sorted(map(tuple, a)) == sorted(map(tuple, b))


def test_the_standard_teacher_has_mean_zero_and_variance_one():
    config, x = experiment.Config(**SMALL), gaussian(range(3), 300, 20, purpose="x")
    y = experiment.standard_teacher(config, range(3), 7, x).outputs(x)
    assert y.mean(1).abs().max() < 1e-12
    assert (y.square().mean((1, 2)) - 1).abs().max() < 1e-12


def test_teachers_and_seeds_alone():
    config = {**SMALL, "nodes": (2, 30)}
    two = experiment.run(experiment.Config(seeds=2, **config), progress=False)
    one = experiment.run(experiment.Config(seeds=1, first_seed=1, **config), progress=False)
    for name in ("nodes=2/test", "permuted/train", "nodes=30/used"):
        assert two[name].shape == (2, 3)
        np.testing.assert_allclose(two[name][1:], one[name], rtol=1e-9)
    assert (two["nodes=2/train"][:, -1] < two["nodes=2/train"][:, 0]).all()


def test_digits_at_a_small_size():
    config = experiment.Config(seeds=2, study="digits", kept=3, lr=0.05, **SMALL)
    record = experiment.run(config, progress=False)
    for name in ("real", "permuted", "ticket", "fresh", "fresh, ticket lengths"):
        assert record[f"{name}/accuracy"].shape == (2, 3)
        assert ((record[f"{name}/fitted"] >= 0) & (record[f"{name}/fitted"] <= 1)).all()
    assert record["ticket/used"].max() <= 3


@pytest.mark.parametrize(
    ("change", "said"),
    [({"pool": 4}, "pool"), ({"study": "x"}, "study"), ({"lr": -1.0}, "lr"), ({"kept": 0}, "kept")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**{**SMALL, **change})
