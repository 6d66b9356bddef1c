"""The student-teacher experiment: its statistics under independent weights, and what can fail."""

import pytest
import torch

from ssl_dynamics.experiments import gradient as experiment

SMALL = experiment.Config(seeds=3, teacher=(3, 4, 5), outputs=4, inputs=6, probe=40)


def normal(*shape, seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=g)


def test_the_relation_holds_and_the_comparison_sees_a_wrong_one(monkeypatch):
    teacher, student = experiment.pair(SMALL, range(3))
    x = experiment.inputs(SMALL, range(3), "probe", 40).at(0)
    assert (experiment.relation_error(student, teacher, x) < 1e-12).all()
    true = experiment.signal
    wrong = lambda *nets: [g * (1 + 1e-6) for g in true(*nets)]  # noqa: E731
    monkeypatch.setattr(experiment, "signal", wrong)
    assert (experiment.relation_error(student, teacher, x) > 1e-7).all()


@pytest.mark.parametrize(("n", "d"), [(4, 3), (8, 5), (2, 9)])
def test_the_three_statistics_have_mean_one_for_independent_normal_weights(n, d):
    W, W_star = (normal(20_000, rows, d, seed=rows + 1) for rows in (n, 7))
    f = normal(20_000, 1, d, seed=0).abs()
    for values in (
        experiment.concentration(W),
        experiment.kurtosis(f @ W.mT),
        experiment.overlap(W, W_star),
    ):
        error = values.std() / len(values) ** 0.5
        assert abs(values.mean() - 1) < 4 * error
        assert error < 0.01


def test_two_seeds_alone_are_what_they_are_in_company():
    config = {"seeds": 2, "steps": 5, "at": (0, 5), "probe": 40}
    two = experiment.run(experiment.Config(**config), progress=False)
    one = experiment.run(experiment.Config(**{**config, "seeds": 1}), progress=False)
    for name in ("loss", "overlap", "kurtosis/upper", "factorised/cosine/layer=1"):
        assert one[name][0] == pytest.approx(two[name][0], rel=1e-10)
    assert (two["loss"][:, 1] < two["loss"][:, 0]).all()


def test_the_constant_stays_one_and_the_biases_learn():
    config = experiment.Config(seeds=1, teacher=(3, 4), outputs=4, inputs=6, steps=20, at=(0, 20))
    nets = []
    true = experiment.measured
    experiment.measured = lambda student, *rest: nets.append(student) or true(student, *rest)
    try:
        experiment.run(config, progress=False)
    finally:
        experiment.measured = true
    for weight in nets[-1].weights[:-1]:
        assert weight[0, -1].tolist() == [0.0] * (weight.shape[-1] - 1) + [1.0]
        assert weight[0, :-1, -1].abs().min() > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [({"lr": 0.0}, "lr"), ({"wider": 0}, "wider"), ({"device": "cuda"}, "device")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
