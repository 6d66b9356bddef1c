"""The predictor experiment: exact modes, growth of the mean weights, settings that are refused."""

import numpy as np
import pytest

from ssl_dynamics.data import digits
from ssl_dynamics.experiments.predictor import Config, gaussian_byol, modes, scale_metrics
from ssl_dynamics.theory.predictor import between_within


def test_modes_are_eigenvectors_of_the_update_and_come_fastest_first():
    X, X_prime = between_within(digits().views.numpy())
    vectors, rates = modes(X, X_prime, 0.4, 128)
    A = (1 - 1 / 128) * (0.4 * X - 0.16 * (X + X_prime))
    np.testing.assert_allclose(A @ vectors, vectors * rates, atol=1e-12)
    assert (np.diff(rates) <= 1e-12).all()


def test_a_mode_crosses_zero_at_an_eigenvalue_of_the_optimal_predictor():
    X, X_prime = between_within(digits().views.numpy())
    optimal = np.sort(np.linalg.eigvals(np.linalg.pinv(X + X_prime) @ X).real)[::-1]
    for k in (0, 1, 4):
        below, above = (modes(X, X_prime, s * optimal[k], 128)[1][k] for s in (0.999, 1.001))
        assert below > 0 > above


def test_few_seeds_already_grow_at_the_predicted_rate():
    config = Config(seeds=6, scales=(0.3, 0.6), steps=60, device="cpu")
    found = scale_metrics(config, progress=False)
    assert found["mode=1/rate"].shape == (6, 2)
    assert abs(found["slope"].mean() - 1) < 0.06


def test_a_data_mean_is_harmless_when_it_is_taken_off():
    config = Config(seeds=3, mean_steps=400)
    spread = {
        (mean, norm): gaussian_byol(config, mean, norm, progress=False).mean()
        for mean in (0.0, 8.0)
        for norm in ("none", "mu")
    }
    assert abs(spread[8.0, "mu"] - spread[0.0, "mu"]) < 0.01
    assert spread[8.0, "none"] < 0.6 < spread[8.0, "mu"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("batch", 1), ("lr", -1.0), ("ema", 1.5), ("scales", (0.4, 0.2)),
     ("scales", (0.0, 0.2)), ("means", (-1.0,)), ("noise", float("nan"))],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: got .*allowed"):
        Config(**{field: value})
