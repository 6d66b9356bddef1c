"""The EMA experiment: its exact poles, its readers of modes, and its refusal of bad settings."""

import numpy as np
import pytest

from ssl_dynamics.experiments import ema
from ssl_dynamics.theory.ema import STEP, STEP_LAGGED, layer_step


@pytest.mark.parametrize(("lagged", "form"), [(False, STEP), (True, STEP_LAGGED)])
def test_a_layer_of_one_weight_is_the_scalar_step(lagged, form):
    step = layer_step(0.3, np.array([[1.2]]), np.array([[0.7]]), 0.9, lagged=lagged)
    np.testing.assert_allclose(step, form.numpy(0.3, 1.2, 0.7, 0.9), rtol=1e-14)


def test_a_mode_is_multiplied_by_its_pole_from_the_first_step_on():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 5, 5))
    step = layer_step(0.2, one @ one.T / 5, two @ two.T / 5, 0.8)
    state = rng.normal(size=10)
    for mode in ema.modes(step):
        reader = mode.reader.ravel()
        np.testing.assert_allclose(reader @ step @ state, mode.pole * (reader @ state), atol=1e-10)


def test_complex_poles_are_refused():
    with pytest.raises(ValueError, match="complex poles"):
        ema.modes(layer_step(1.0, np.array([[0.5]]), np.array([[-2.0]]), 0.5, lagged=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": ("cubic",)}, "kinds"),
        ({"gammas": (1.0,)}, "gammas"),
        ({"steps": 7}, "steps"),
        ({"falling_steps": 400}, "falling_steps"),
        ({"relu_early": 900}, "relu_early"),
        ({"seeds": 0}, "seeds"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ema.Config(**change)


def test_a_short_run_follows_its_pole():
    config = ema.Config(seeds=2, steps=40, falling_steps=40, device="cpu")
    found, steps = ema.measure(config, "linear", 0.9, progress=False)
    assert steps == [0, 10, 20, 30, 40]
    assert found["growing/size"].shape == (2, 5)
    np.testing.assert_allclose(found["growing/relative rate"], 1, atol=0.15)
    assert (found["shrinking/rate"] < 0).all()
