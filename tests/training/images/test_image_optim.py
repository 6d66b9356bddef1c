"""SGD and LARS on groups, against updates written out by hand."""

import pytest
import torch

from ssl_dynamics.training.images import Optimiser

SETTINGS = {"momentum": 0.9, "weight_decay": 0.01}


def problem(double=True):
    torch.manual_seed(0)
    shapes = [(4, 3), (4,), (2, 4)]
    weights = [torch.nn.Parameter(torch.randn(s, dtype=torch.float64)) for s in shapes]
    groups = [
        {"name": "w", "params": [weights[0]], "weight_decay": True, "lr": 1.0, "lars": True},
        {"name": "b", "params": [weights[1]], "weight_decay": False, "lr": 1.0, "lars": False},
        {"name": "p", "params": [weights[2]], "weight_decay": True, "lr": 10.0, "lars": True},
    ]
    return weights, groups


def gradients(weights, step):
    for number, w in enumerate(weights):
        w.grad = torch.cos(w.detach() * (number + 1) + step)


def run(optimiser, weights, rates):
    for step, lr in enumerate(rates):
        gradients(weights, step)
        optimiser.step(lr)


RATES = (0.1, 0.2, 0.05)


def test_sgd_is_torchs_with_a_rate_that_changes():
    weights, groups = problem()
    run(Optimiser(groups, kind="sgd", **SETTINGS), weights, RATES)
    other, groups = problem()
    theirs = torch.optim.SGD(
        [
            {"params": g["params"], "weight_decay": 0.01 * g["weight_decay"], "scale": g["lr"]}
            for g in groups
        ],
        lr=1.0,
        momentum=0.9,
    )
    for step, lr in enumerate(RATES):
        gradients(other, step)
        for group in theirs.param_groups:
            group["lr"] = lr * group["scale"]
        theirs.step()
    for a, b in zip(weights, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("clip", [False, True])
def test_lars_is_its_formula(clip):
    weights, groups = problem()
    run(Optimiser(groups, kind="lars", trust=0.3, clip=clip, **SETTINGS), weights, RATES)
    by_hand, groups = problem()
    velocity = [torch.zeros_like(w) for w in by_hand]
    for step, rate in enumerate(RATES):
        gradients(by_hand, step)
        for w, v, group in zip(by_hand, velocity, groups, strict=True):
            lr, g = rate * group["lr"], w.grad.clone()
            if group["lars"]:
                g = g + 0.01 * w.detach()
                factor = 0.3 * w.detach().norm() / g.norm()
                g = g * (min(factor / lr, 1.0) if clip else factor)
            v.mul_(0.9).add_(g)
            w.data -= lr * v
    for a, b in zip(weights, by_hand, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["sgd", "lars"])
def test_a_group_marked_constant_keeps_its_rate_while_the_others_fall(kind):
    """The marked group moves as where every rate stays, the others as where every rate falls."""
    found, groups = problem()
    groups[2]["constant"] = True
    optimiser = Optimiser(groups, kind=kind, trust=0.3, clip=True, **SETTINGS)
    for step, lr in enumerate(RATES):
        gradients(found, step)
        optimiser.step(lr, constant=0.2)
    falling, groups = problem()
    run(Optimiser(groups, kind=kind, trust=0.3, clip=True, **SETTINGS), falling, RATES)
    steady, groups = problem()
    run(Optimiser(groups, kind=kind, trust=0.3, clip=True, **SETTINGS), steady, (0.2, 0.2, 0.2))
    assert torch.equal(found[0], falling[0])
    assert torch.equal(found[1], falling[1])
    assert torch.equal(found[2], steady[2])
    assert not torch.equal(found[2], falling[2])


def test_a_weight_of_length_zero_or_without_gradient_moves_as_under_sgd():
    w = torch.nn.Parameter(torch.zeros(3))
    still = torch.nn.Parameter(torch.ones(3))
    groups = [
        {"name": "w", "params": [w, still], "weight_decay": False, "lr": 1.0, "lars": True},
    ]
    optimiser = Optimiser(groups, kind="lars")
    w.grad = torch.ones(3)
    optimiser.step(0.5)
    assert torch.equal(w, torch.full((3,), -0.5))
    assert torch.equal(still, torch.ones(3))


def test_velocities_come_back_and_a_wrong_number_is_refused():
    weights, groups = problem()
    optimiser = Optimiser(groups, **SETTINGS)
    run(optimiser, weights, RATES)
    saved = [v.clone() for v in optimiser.state()]
    fresh = Optimiser(groups, **SETTINGS)
    fresh.restore(saved)
    for a, b in zip(fresh.state(), saved, strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="velocities: got 2; allowed: 3"):
        fresh.restore(saved[:2])


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="optimiser: got 'adam'; allowed: sgd, lars"):
        Optimiser([], kind="adam")
