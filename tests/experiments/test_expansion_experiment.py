"""The experiment behind the expansion chapter: its losses, its prediction, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import expansion


def test_every_view_and_every_pair_averaged_give_the_noise_free_loss():
    """Independent route: all 81 pairs of views, one after the other."""
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 9, 4)))
    exact = expansion.all_views(outputs, torch.empty(0))
    for name in ("pair", "known mean", "whole pair"):
        total = torch.zeros_like(exact)
        for first in range(9):
            for second in range(9):
                pair = torch.tensor([first, second]).expand(2, 3, 2)
                total += expansion.LOSSES[name](outputs, pair)
        factor = 2 if name == "whole pair" else 1
        torch.testing.assert_close(total / 81, factor * exact)


def test_the_target_of_known_mean_is_held_fixed():
    outputs = torch.randn(1, 1, 9, 2, dtype=torch.float64, requires_grad=True)
    expansion.known_mean(outputs, torch.tensor([[[4, 0]]])).sum().backward()
    moved = outputs.grad.abs().sum((0, 1, 3))
    assert (moved > 0).nonzero().flatten().tolist() == [4]


def test_the_prediction_is_the_loss_of_full_batch_descent():
    """The whole training set in every step, by autograd, against the modes."""
    config = expansion.Config(seeds=1, steps=20, evaluations=2, outputs=4)
    views = expansion.digits().views
    net = expansion.mlp(range(1), (64, 4), purpose="encoder", dtype=torch.float64)
    losses = []
    for step in range(21):
        loss = expansion.all_views(net(views[None]), views).mean()
        if step % 10 == 0:
            losses.append(loss.item())
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= config.lr * p.grad
    np.testing.assert_allclose(expansion.predicted(config)[0], losses, rtol=1e-9)


def test_seeds_do_not_know_of_each_other():
    few = expansion.Config(seeds=1, first_seed=1, steps=4, evaluations=1, device="cpu")
    many = expansion.Config(seeds=3, steps=4, evaluations=1, device="cpu")
    alone, beside = (expansion.train(c, (8,), "pair", progress=False)["loss"] for c in (few, many))
    np.testing.assert_allclose(alone[0], beside[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("batch", 0), ("lr", 0.0), ("lr", float("nan")), ("first_seed", -1),
     ("steps", 7), ("evaluations", 0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        expansion.Config(**{field: value})
