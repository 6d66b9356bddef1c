"""The experiment behind the expansion chapter: its losses, its prediction, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import expansion, view_noise


def test_every_view_and_every_pair_averaged_give_the_noise_free_loss():
    """Independent route: all 81 pairs of views, one after the other."""
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 9, 4)))
    exact = expansion.all_views(outputs, torch.empty(0))
    for name in ("pair", "known mean", "whole pair", "stopped pair"):
        total = torch.zeros_like(exact)
        for first in range(9):
            for second in range(9):
                pair = torch.tensor([first, second]).expand(2, 3, 2)
                total += expansion.LOSSES[name](outputs, pair)
        factor = 2 if name in ("whole pair", "stopped pair") else 1  # of the value
        torch.testing.assert_close(total / 81, factor * exact)


def test_the_target_of_known_mean_is_held_fixed():
    outputs = torch.randn(1, 1, 9, 2, dtype=torch.float64, requires_grad=True)
    expansion.known_mean(outputs, torch.tensor([[[4, 0]]])).sum().backward()
    moved = outputs.grad.abs().sum((0, 1, 3))
    assert (moved > 0).nonzero().flatten().tolist() == [4]


def test_every_pair_averaged_gives_the_gradient_of_the_noise_free_loss():
    """The whole pair loss twice it; the stopped pair's value is double, its gradient is not."""
    outputs = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 2, 9, 3)))
    outputs.requires_grad_()

    def slope(loss, pair):
        return torch.autograd.grad(expansion.LOSSES[loss](outputs, pair).sum(), outputs)[0]

    exact = slope("all views", torch.empty(0))
    for name in ("pair", "known mean", "whole pair", "stopped pair"):
        total = sum(
            slope(name, torch.tensor([first, second]).expand(1, 2, 2))
            for first in range(9)
            for second in range(9)
        )
        # through free outputs the fixed target's gradient has no part in the mean
        weights = {"whole pair": 2}.get(name, 1)
        torch.testing.assert_close(total / 81, weights * exact)


@pytest.mark.parametrize("loss", expansion.LOSSES)
def test_expected_course_is_the_mean_over_many_noisy_runs(loss):
    """Independent route: 4000 seeds' worth of one-step batches by autograd, all from one start."""
    config = expansion.Config(seeds=1, steps=2, evaluations=2, outputs=2, batch=2, lr=0.01)
    views = expansion.digits().views
    linear = expansion.ENCODERS["linear"]
    weight = linear.build(range(1), config, torch.float64)[0].weight.detach()
    rng, runs = np.random.default_rng(5), 3000
    w = weight.expand(runs, -1, -1).clone()
    for _ in range(2):
        w.requires_grad_()
        image = torch.from_numpy(rng.integers(len(views), size=(runs, 2)))
        pair = torch.from_numpy(rng.integers(9, size=(runs, 2, 2)))
        outputs = torch.einsum("rod,rbvd->rbvo", w, views[image])
        total = expansion.LOSSES[loss](outputs, pair).mean(-1).sum()
        (gradient,) = torch.autograd.grad(total, w)
        w = (w - config.lr * gradient).detach()
    apart = (views - views.mean(1, keepdim=True)).flatten(0, 1)
    within = apart.mT @ apart / len(apart)
    left = torch.einsum("roi,ij,roj->r", w, within, w)
    error = (left.mean() - expansion.expected(config, loss)[0, -1]) / (left.std() / runs**0.5)
    calm = (left.mean() - expansion.predicted(config)[0, -1]) / (left.std() / runs**0.5)
    assert abs(error) < 3.5
    assert abs(calm) > 5 or loss == "all views"


def test_fractional_shifts_contain_the_whole_ones_and_keep_the_mean():
    views = expansion.digits().views[:3]
    between = view_noise.fractional(views, places=3)  # -2/3, 0, 2/3: the middle is the image
    torch.testing.assert_close(between[:, 4], views[:, 0])
    assert between.shape == (3, 9, 64)
    constant = torch.ones(1, 9, 2, dtype=torch.float64)
    torch.testing.assert_close(view_noise.fractional(constant), torch.ones(1, 100, 2).double())


def test_variances_by_a_plain_count():
    outputs = torch.from_numpy(np.random.default_rng(2).normal(size=(4, 5, 3)))
    found = view_noise.variances(outputs)
    single, pairs, covariances = [], [], []
    for y in outputs.numpy():
        apart = y - y.mean(0)
        single.append((apart**2).sum(1))
        pairs.append(((y[:, None] - y) ** 2).sum(-1).ravel())
        covariances.append(apart.T @ apart / 5)
    ratio = np.mean([p.var() for p in pairs]) / np.mean([s.var() for s in single])
    assert found["within"] == pytest.approx(ratio)
    assert found["all"] == pytest.approx(np.var(pairs) / np.var(single))
    traces = np.array([np.trace(a) for a in covariances])
    squares = np.array([(a**2).sum() for a in covariances])
    assert found["directions"] == pytest.approx((traces**2).mean() / squares.mean())
    assert found["within"] == pytest.approx(2 + 4 / (found["directions"] * found["uneven"]))


def test_unit_outputs_have_length_one():
    config = expansion.Config(seeds=2, outputs=5)
    net = expansion.ENCODERS["unit"].build(range(2), config, torch.float64)
    outputs = net(torch.randn(2, 7, 64, dtype=torch.float64))
    torch.testing.assert_close(outputs.norm(dim=-1), torch.ones(2, 7).double())


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
    alone, beside = (
        expansion.train(c, expansion.Encoder((8,)), "pair", progress=False)["loss"]
        for c in (few, many)
    )
    np.testing.assert_allclose(alone[0], beside[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("batch", 0), ("lr", 0.0), ("lr", float("nan")), ("first_seed", -1),
     ("steps", 7), ("evaluations", 0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        expansion.Config(**{field: value})
