"""Information through training and the estimators on Gaussian pairs: parts, limits, refusals."""

import math

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import compression, mutual_information
from ssl_dynamics.theory import compression as theory

SMALL = compression.Config(
    seeds=2, images=6, steps=4, eval_at=(0, 4), mine_at=(4,), batch=16, critic_steps=100,
    critic_batch=8,
)  # fmt: skip
PAIRS = mutual_information.Config(
    seeds=2, powers=(0, 2), dimensions=(2,), samples=(200,), critic_steps=5, fresh=64
)


def test_the_parts_add_up_and_no_input_is_told_apart_twice():
    record = compression.run(SMALL, progress=False)
    most = {"whole": math.log(54), "image": math.log(6), "view": math.log(9)}
    for layer in ("features", "outputs"):
        for noise in ("fixed=0.3", "relative=0.1", "relative=1"):
            at = {part: record[f"{layer}/{noise}/{part}"] for part in most}
            np.testing.assert_allclose(at["image"] + at["view"], at["whole"], rtol=1e-5)
            for part, value in at.items():
                assert value.shape == (2, 2)
                assert (value < most[part] + 1e-5).all()
        np.testing.assert_allclose(record[f"{layer}/bins=0.01"], most["whole"], rtol=1e-6)
    assert record["mine/noisy"].shape == (2, 1)
    known = record["features/relative=1/whole"][:, 1:]
    np.testing.assert_allclose(record["mine/noisy/error"], record["mine/noisy"] - known, rtol=1e-5)
    change = record["linear"][:, 1] - record["linear"][:, 0]
    np.testing.assert_allclose(record["change/linear"], change)


def test_spread_is_a_deviation():
    z = torch.randn(3, 50, 4, dtype=torch.float64)
    wanted = [np.sqrt(part.numpy().var(0).mean()) for part in z]
    np.testing.assert_allclose(compression.spread(z), wanted)


@pytest.mark.parametrize("module", [compression, mutual_information])
def test_a_seed_is_the_same_alone_and_in_company(module):
    config = SMALL if module is compression else PAIRS
    two = module.run(config, progress=False)
    alone = module.run(module.Config(**{**two.config, "seeds": 1, "first_seed": 1}), progress=False)
    for name, value in two.metrics.items():
        np.testing.assert_allclose(alone[name][0], value[1], rtol=2e-3, atol=2e-3)


def test_the_best_critic_is_near_the_exact_value_where_information_is_small():
    config = mutual_information.Config(
        seeds=64, powers=(0, 2), dimensions=(2,), samples=(200,), critic_steps=1
    )
    found = mutual_information.best(config, *mutual_information.pairs(config, 2, 200, "pool"))
    exact = theory.NOISY.numpy(2, 1.0, np.array([1.0, 4.0]))
    for value in found.values():
        error = value.numpy().std(0) / 8
        assert (np.abs(value.numpy().mean(0) - exact) < 4 * error + 0.01).all()


@pytest.mark.parametrize(
    ("module", "change", "said"),
    [
        (compression, {"mine_at": (7,)}, "mine_at"),
        (compression, {"eval_at": (0, 9999)}, "eval_at"),
        (compression, {"relative": (0.3,)}, "relative"),
        (compression, {"critic_steps": 50}, "critic_steps"),
        (mutual_information, {"samples": (1,)}, "samples"),
    ],
)
def test_bad_settings_are_named(module, change, said):
    with pytest.raises(ValueError, match=said):
        module.Config(**change)
