"""The experiment on measures: estimators against loops and exact values, what is refused."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from ssl_dynamics.experiments import measures as experiment
from ssl_dynamics.theory import clustering_measures as theory

SMALL = experiment.Config(seeds=2, dims=(8,), samples=(4, 10))


def test_the_accuracy_of_given_centres_is_that_of_many_new_features():
    rng = np.random.default_rng(1)
    centres = torch.tensor(rng.normal(size=(2, 2, 5)))
    found = experiment.exact_accuracy(centres, 1.5)
    new = rng.normal(size=(2, 100_000, 5))
    new[1, :, 0] += 1.5
    for mean, wanted in zip(centres.numpy(), found, strict=True):
        near = ((new[:, :, None] - mean) ** 2).sum(-1).argmin(-1)
        assert np.mean(near == [[0], [1]]) == pytest.approx(float(wanted), abs=0.005)
    true = torch.tensor([[[0.0, 0.0], [3.0, 0.0]]], dtype=torch.float64)
    assert float(experiment.exact_accuracy(true, 3.0)) == pytest.approx(norm.cdf(1.5))


def test_halves_is_a_loop_over_halves_and_right_for_many_samples():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 2, 6, 3))
    x[:, 1, :, 0] += 2
    pairs = [(c[:3].mean(0), c[3:].mean(0)) for c in x[0]]
    one, two = (pairs[0][k] - pairs[1][k] for k in (0, 1))
    inside = [c[3 * k : 3 * k + 3] - pairs[i][k] for i, c in enumerate(x[0]) for k in (0, 1)]
    along = sum(float((part @ one) @ (part @ two)) for part in inside) / (12 - 4)
    found = experiment.halves(torch.tensor(x))
    assert float(found) == pytest.approx(along / float(one @ two) ** 2)
    many = rng.normal(size=(1, 2, 40_000, 4))
    many[:, 1, :, 0] += 2
    assert float(experiment.halves(torch.tensor(many))) == pytest.approx(0.25, rel=0.03)


def test_the_ratios_are_near_their_theory():
    record = experiment.run(experiment.Config(seeds=200, dims=(32,), samples=(10,)), progress=False)
    low, high = (f.numpy(2.0, 32, 10) / 2 for f in (theory.MEAN_LOW, theory.MEAN_HIGH))
    interval = record.interval("dim=32/cdnv")
    assert interval.low < high
    assert interval.high > low
    deviation = record["dim=32/cdnv"].std() / record["dim=32/cdnv"].mean()
    assert deviation == pytest.approx(theory.RELATIVE_VARIANCE.numpy(2.0, 32, 10) ** 0.5, rel=0.2)


def test_a_seed_is_the_same_alone_and_in_company():
    changes = {"seeds": 2, "steps": 3, "at": (0, 3), "extra": (0, 4), "shots": (2,)}
    for base in ({}, {"study": "digits", **changes}):
        two = experiment.run(experiment.Config(**{**SMALL.__dict__, **base}), progress=False)
        again = {**two.config, "seeds": 1, "first_seed": 1}
        alone = experiment.run(experiment.Config(**again), progress=False)
        for name in two.metrics:
            np.testing.assert_allclose(alone[name][0], two[name][1], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"study": "faces"}, "study"), ({"samples": (5,)}, "samples"), ({"lr": 0.0}, "lr")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
