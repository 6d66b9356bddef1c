"""Heads of one network: the same function, gradient and buffers as the ones with a seeds axis."""

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from ssl_dynamics.networks import VARIANTS, mlp
from ssl_dynamics.networks.vision import FeatureNorm, head
from ssl_dynamics.networks.vision.heads import StandardisedLinear

WIDTHS = (5, 7, 4)


def rows(count, features, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(count, features, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("output_norm", ["none", "mu+sigma", "mu(det)"])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_the_head_equals_the_seeded_one(name, affine, output_norm):
    seed, purpose = 5, "online/projector"
    options = {"norm": name, "output_norm": output_norm, "affine": affine}
    ours = head(WIDTHS, **options, output_affine=affine, seed=seed, purpose=purpose).double()
    theirs = mlp((seed,), WIDTHS, **options, purpose=purpose, running=True).double()
    for step in range(2):
        x, g = rows(9, 5, step).requires_grad_(), rows(9, 4, 10 + step)
        xs = x.detach().clone().unsqueeze(0).requires_grad_()
        y, ys = ours(x), theirs(xs)
        torch.testing.assert_close(y, ys[0], rtol=0, atol=1e-12)
        into = torch.autograd.grad(y, [x, *ours.parameters()], g)
        expected = torch.autograd.grad(ys, [xs, *theirs.parameters()], g.unsqueeze(0))
        for found, wanted in zip(into, expected, strict=True):
            torch.testing.assert_close(found, wanted.view_as(found), rtol=0, atol=1e-11)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(xs)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_rows_of_several_processes(name):
    """Two halves with a gather that knows the other half are one norm on all rows."""
    x, g = rows(8, 3).requires_grad_(), rows(8, 3, 1)
    whole = FeatureNorm(3, name).double()
    expected = whole(x)
    (wanted,) = torch.autograd.grad(expected, x, g)
    half = FeatureNorm(3, name).double()
    half.gather = lambda _: x
    y = half(x[:4])
    torch.testing.assert_close(y, expected[:4], rtol=0, atol=1e-12)
    torch.testing.assert_close(half.running_var, whole.running_var)
    torch.testing.assert_close(half.running_mean, whole.running_mean)
    other = FeatureNorm(3, name).double()
    other.gather = lambda _: x
    both = torch.cat([half(x[:4]), other(x[4:])])
    (found,) = torch.autograd.grad(both, x, g)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["mu+sigma", "mu+sigma(det)"])
def test_gradients_have_zero_mean_where_the_mean_is_taken_off(name):
    """Part II: below an attached centring the gradient's batch mean is zero, so biases get none."""
    made = head(WIDTHS, norm=name, affine=True).double()
    (made(rows(9, 5)) * rows(9, 4, 1)).sum().backward()
    assert made[0].bias.grad.abs().max() < 1e-12
    detached = head(WIDTHS, norm="mu(det)+sigma", affine=True).double()
    (detached(rows(9, 5)) * rows(9, 4, 1)).sum().backward()
    assert detached[0].bias.grad.abs().max() > 1e-2


@pytest.mark.parametrize("name", ["mu+sigma", "sigma"])
def test_rows_below_an_attached_deviation_get_no_gradient_along_themselves(name):
    """Part II, B1: the norm of each row is conserved by gradient flow (bias taken along)."""
    made = head(WIDTHS, norm=name, affine=False).double()
    made[1].eps = 1e-15
    (made(rows(9, 5)) * rows(9, 4, 1)).sum().backward()
    weight, bias = made[0].weight, made[0].bias
    along = (weight * weight.grad).sum(-1) + bias * bias.grad
    assert along.abs().max() < 1e-12
    assert weight.grad.abs().max() > 1e-2


def test_group_norm_head_is_blind_to_the_batch_and_uses_standardised_rows():
    made = head((5, 32, 4), norm="group-ws", output_norm="none").double()
    x = rows(6, 5)
    torch.testing.assert_close(made(x)[:1], made(x[:1]))
    layer = made[0]
    assert isinstance(layer, StandardisedLinear)
    assert isinstance(made[1], nn.GroupNorm)
    by_hand = torch.stack([(w - w.mean()) / (w - w.mean()).norm() for w in layer.weight])
    torch.testing.assert_close(layer(x), linear(x, by_hand, layer.bias), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["mu+sigma", "sigma", "mu(det)+sigma", "group-ws"])
def test_half_precision_keeps_statistics_wide(name):
    made = head(WIDTHS, norm=name)
    x = rows(9, 5).float().requires_grad_()
    expected = made(x)
    with torch.autocast("cpu", torch.bfloat16):
        half = made(x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.1)
    half.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in made.parameters())
    buffers = {k: v for k, v in made.state_dict().items() if "running" in k}
    assert all(v.dtype == torch.float32 for v in buffers.values())


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"norm: got 'layer'; allowed: mu\+sigma, .*group-ws"):
        head(WIDTHS, norm="layer")
    with pytest.raises(ValueError, match=r"norm: got 'x'"):
        head(WIDTHS, output_norm="x")
