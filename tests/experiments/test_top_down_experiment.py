"""The experiment on combinations: its teachers, its least squares, and what may not matter."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import top_down as experiment
from ssl_dynamics.training import Students

SMALL = experiment.Config(
    seeds=2, bits=(6, 7), orders=(2,), used=(2, 3), middle=(6, 2), nodes=(3, 8), high=(2,),
    high_nodes=8, most=90, steps=40,
)  # fmt: skip


@pytest.mark.parametrize("kind", experiment.KINDS)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_teacher_is_a_sum_of_combinations(kind, order):
    teacher, y = experiment.task([3], 5, order, 1, 2, kind)
    x = experiment.inputs(5)
    bits = np.flatnonzero(teacher.weights[0][0, 0].numpy())
    assert len(bits) == order
    feature = x[:, bits].prod(1) if kind == "parity" else (x[:, bits] > 0).all(1).astype(float)
    feature = (feature - feature.mean()) / feature.std()
    fan = feature @ y[0] / len(x)
    np.testing.assert_allclose(y[0], np.outer(feature, fan), atol=1e-12)
    told = teacher.outputs(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(told, y[0], atol=1e-12)


def test_nested_least_squares_is_least_squares_for_every_number_of_features():
    rng = np.random.default_rng(0)
    H, y = rng.normal(size=(30, 8)) + 1, rng.normal(size=(30, 2))
    H[:, 3] = H[:, 1] - 2 * H[:, 2] + 5  # adds nothing but a constant
    y -= y.mean(0)
    found = experiment.nested(H, [y, y[:, :1]])
    for n in range(9):
        A = np.concatenate([np.ones((30, 1)), H[:, :n]], 1)
        for row, part in zip(found, (y, y[:, :1]), strict=True):
            rest = part - A @ np.linalg.lstsq(A, part)[0]
            assert row[n] == pytest.approx(np.square(rest).sum() / np.square(part).sum())
    assert experiment.left(H, y) == pytest.approx(found[0, -1])


def test_teachers_nodes_are_found_to_be_enough_and_fewer_random_ones_are_part_of_more():
    teacher, y = experiment.task(range(2), 6, 3, 4, 3)
    h = teacher.activations(torch.from_numpy(experiment.inputs(6)).repeat(2, 1, 1))[1].numpy()
    for one, wanted in zip(h, y, strict=True):
        assert experiment.left(one, wanted) == pytest.approx(0, abs=1e-12)
    few, many = (experiment.random_layer([5], 6, n) for n in (4, 9))
    np.testing.assert_allclose(few, many[..., :4])


def test_two_seeds_alone_are_what_they_are_in_company():
    two = experiment.run(SMALL, progress=False)
    one = experiment.run(
        experiment.Config(**{**vars(SMALL), "seeds": 1, "first_seed": 1}), progress=False
    )
    for name in ("joint/error", "random/error", "autoencoder/error", "clusters/error"):
        np.testing.assert_allclose(one[name][0], two[name][1], rtol=1e-8)
    for name in ("random/needed/bits=7,order=2", "order/joint/parity"):
        np.testing.assert_allclose(one[name][0], two[name][1], rtol=1e-8)


def test_a_student_that_blows_up_counts_as_one_that_failed():
    config = experiment.Config(**{**vars(SMALL), "lr": 50.0})
    teacher, y = experiment.task(range(2), 6, 2, 3, 10)
    error = experiment.joint_error(config, range(2), teacher, y, 5)
    assert np.isfinite(error).all()
    assert (error > 1).all()
    assert experiment.joint_needed(config, range(2), teacher, y, 3).tolist() == [24.0, 24.0]
    assert isinstance(teacher, Students)


def test_the_first_width_that_is_enough_counts_and_no_wider_one_is_trained(monkeypatch):
    errors = {4: [0.2, 0.04, 0.9], 6: [0.05, 0.5, 0.9], 8: [0.5, 0.01, 0.06], 16: [0.0, 0.0, 0.3]}
    asked = []

    def stand_in(config, seeds, teacher, y, width):
        asked.append(width)
        return np.array(errors[width])[list(seeds)]

    monkeypatch.setattr(experiment, "joint_error", stand_in)
    needed = experiment.joint_needed(SMALL, range(3), None, None, 4)
    assert needed.tolist() == [6, 4, 32]
    assert asked == [4, 6, 8, 16]
    asked.clear()
    assert experiment.joint_needed(SMALL, range(2), None, None, 4).tolist() == [6, 4]
    assert asked == [4, 6]


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"orders": (7,)}, "orders: got 7"), ({"used": (3,)}, "used: got"),
     ({"device": "cuda"}, "device: got"), ({"nodes": (64,)}, "nodes: got"),
     ({"used": (2, 16)}, "used: got"), ({"lr": 0.0}, "lr: got")],
)  # fmt: skip
def test_bad_settings_are_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**{**vars(SMALL), **changed})
