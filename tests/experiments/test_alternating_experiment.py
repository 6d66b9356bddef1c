"""The experiment behind the alternating chapter: its predictor, its prediction, bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import alternating
from ssl_dynamics.networks import mlp


def test_the_best_predictor_is_least_squares_over_all_pairs():
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 5, 3, 2)) + 1)
    found = alternating.best_predictor(*alternating.moments(outputs))
    for guess, one in zip(found, outputs, strict=True):
        first = one.repeat_interleave(3, 1).flatten(0, 1)
        second = one.repeat(1, 3, 1).flatten(0, 1)
        torch.testing.assert_close(guess.mT, torch.linalg.lstsq(first, second).solution)


def test_dependent_outputs_leave_the_predictor_finite():
    outputs = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 5, 3, 2)))
    doubled = torch.cat([outputs, outputs[..., :1]], -1)
    guess = alternating.best_predictor(*alternating.moments(doubled))
    assert guess.abs().max() < 2
    plain = alternating.best_predictor(*alternating.moments(outputs))
    torch.testing.assert_close((doubled @ guess.mT)[..., :2], outputs @ plain.mT)


@pytest.mark.parametrize("rule", ["mean", "held 10", "average"])
def test_the_prediction_is_full_batch_training(rule):
    """The whole training set in every step, by autograd, against the recursion of the moments."""
    config = alternating.Config(seeds=1, steps=25, evaluations=1, outputs=4)
    views, kind = alternating.digits().views, alternating.RULES[rule]
    net = mlp(range(1), (64, 4), purpose="encoder", bias=False, dtype=torch.float64)
    weight = net[0].weight.detach()[0].clone()
    target = weight
    for step in range(25):
        if step % kind.held == 0:
            target = kind.rate * target + (1 - kind.rate) * weight
        moving = weight.clone().requires_grad_()
        gap = views @ moving.mT - (views.mean(1, keepdim=True) @ target.mT)
        (gap.square().sum(-1).mean() / 2).backward()
        weight = weight - config.lr * moving.grad
    np.testing.assert_allclose(alternating.expected(config, rule)[0], weight, rtol=1e-9, atol=1e-12)


def test_a_plugged_in_predictor_keeps_the_inner_products_to_first_order():
    """Halving the learning rate more than halves what the noise and the steps do to them."""
    changes = []
    for lr, steps in ((0.02, 50), (0.002, 500)):
        config = alternating.Config(seeds=2, steps=steps, evaluations=1, lr=lr, device="cpu")
        changes.append(alternating.train(config, (), "optimal", progress=False)["gram"])
    assert (changes[1] < 0.5 * changes[0]).all()


def test_the_target_is_held_fixed_unless_it_follows():
    config = alternating.Config(seeds=2, steps=100, evaluations=1, device="cpu")
    kept, lost = (
        alternating.train(config, (16,), rule, progress=False)["size"][:, -1]
        for rule in ("optimal 10", "followed")
    )
    assert (lost < 0.98 * kept).all()


def test_seeds_do_not_know_of_each_other():
    few = alternating.Config(seeds=1, first_seed=1, steps=20, evaluations=1, device="cpu")
    many = alternating.Config(seeds=3, steps=20, evaluations=1, device="cpu")
    alone, beside = (
        alternating.train(c, (8,), "optimal 10", progress=False)["deviation"] for c in (few, many)
    )
    np.testing.assert_allclose(alone[0], beside[1], rtol=1e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("batch", 0), ("lr", 0.0), ("lr", float("nan")), ("first_seed", -1),
     ("steps", 7), ("evaluations", 0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        alternating.Config(**{field: value})
