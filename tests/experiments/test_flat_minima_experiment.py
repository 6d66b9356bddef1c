"""The flow with held and moving features, and the matrices: starts, seeds, and what can fail."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import flat_minima as experiment
from ssl_dynamics.experiments import matrix_students as matrices

SMALL = {"until": 3.0, "fan_outs": (0.1, 1.5), "sample": 100}


def test_arms_start_as_they_say():
    config = experiment.Config(seeds=2, fan_outs=(0.3,))
    student, teacher, moving = experiment.starts(config, range(2))
    assert list(experiment.arms(config)) == ["frozen", "out=0.3", "small"]
    assert moving.tolist() == [0, 0, 1, 1, 1, 1]
    assert (student.W[:4, :4] == teacher.W[:4]).all()
    assert not torch.isclose(student.W[4:, :4] / 0.1, teacher.W[4:]).any()
    lengths = [part.norm(dim=-1)[::2].mean(1).tolist() for part in student]
    np.testing.assert_allclose(lengths, [[1, 1, 0.1], [0.1, 0.3, 0.1]])


def test_two_seeds_alone_are_what_they_are_in_company():
    two = experiment.run(experiment.Config(seeds=2, **SMALL), progress=False)
    one = experiment.run(experiment.Config(seeds=1, first_seed=1, **SMALL), progress=False)
    for name in ("frozen/others/mean", "out=1.5/others/smallest", "small/loss"):
        np.testing.assert_allclose(one[name][0], two[name][1], rtol=1e-10)
    assert two["out=1.5/drift"].max() < 1e-5
    assert two["frozen/drift"].max() > 0.1
    assert (two["out=1.5/others/smallest"] > 1.25**0.5).all()


def test_the_count_of_flat_directions_sees_a_fan_out_that_is_left():
    config = experiment.Config(seeds=1, fan_outs=(0.1,))
    student, teacher, _ = experiment.starts(config, range(1))
    for size, wanted in ((0.0, 0), (0.5, -config.inputs)):
        V = torch.zeros_like(student.V[0])
        V[:4] = teacher.V[0]
        V[4, 0] = size  # the fifth node is no longer free
        found = experiment.surplus(config, 0, student.W[0], V, teacher.W[0], teacher.V[0])
        assert found == wanted if not size else found < 0


def test_matrices_keep_their_rows_at_length_one_and_the_constant_at_one():
    config = matrices.Config(seeds=2, steps=3)
    student, teacher = matrices.pair(config, range(2))
    x = torch.cat([torch.randn(2, 8, 10).double(), torch.ones(2, 8, 1).double()], -1)
    matrices.take(student, matrices.factorised_steps(student, teacher, x), 0.05)
    hidden, top = student.weights
    assert (hidden[:, -1, -1] == 1).all()
    assert (hidden[:, -1, :-1] == 0).all()
    for rows in (hidden[:, :-1], top):
        torch.testing.assert_close(rows.norm(dim=-1), torch.ones(rows.shape[:2]).double())
    assert matrices.lengths(top, 20)["matched/mean"].shape == (2,)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: experiment.Config(students=4), "students"),
        (lambda: experiment.Config(fan_outs=(0.0,)), "fan_outs"),
        (lambda: experiment.Config(device="cuda"), "device"),
        (lambda: matrices.Config(students=10), "students"),
        (lambda: matrices.Config(lr=0.0), "lr"),
    ],
)
def test_bad_settings_are_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()
