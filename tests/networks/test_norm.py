"""The nine normalisations: their definition, the hand-written gradient, torch's BatchNorm1d."""

import pytest
import torch

from ssl_dynamics.networks import VARIANTS, BatchNorm, population_statistics, standardise, variant
from ssl_dynamics.networks.kernels import standardise_by_hand


def batch(*shape):
    generator = torch.Generator().manual_seed(7)
    x = 3 + 2 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return x.requires_grad_(), torch.randn(shape, dtype=torch.float64, generator=generator)


def test_there_are_nine():
    assert len(VARIANTS) == 9
    assert len(set(VARIANTS.values())) == 9
    with pytest.raises(ValueError, match=r"unknown normalisation 'layer'; allowed: mu\+sigma"):
        variant("layer")


@pytest.mark.parametrize("eps", [0.0, 1e-2])
@pytest.mark.parametrize("name", VARIANTS)
def test_hand_written_gradient_is_autograds(name, eps):
    x, g = batch(3, 2, 9, 5)
    kind = VARIANTS[name]
    by_autograd = standardise(x, kind, eps)
    by_hand = standardise_by_hand(x, kind.mean, kind.std, eps)
    torch.testing.assert_close(by_hand, by_autograd, rtol=0, atol=1e-13)
    expected, found = (torch.autograd.grad(y, x, g)[0] for y in (by_autograd, by_hand))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", VARIANTS)
def test_forward_values(name):
    x, _ = batch(1, 8, 3)
    y = BatchNorm((0,), 3, name, eps=0.0)(x)
    if VARIANTS[name].mean != "omit":
        assert y.mean(1).abs().max() < 1e-12
    if VARIANTS[name].std != "omit":
        torch.testing.assert_close(y.std(1, correction=0), torch.ones(1, 3, dtype=torch.float64))


def test_gradient_of_the_full_one_is_orthogonal_to_one_and_to_x_hat():
    x, g = batch(1, 6, 4)
    y = BatchNorm((0,), 4, "mu+sigma", eps=0.0)(x)
    (into,) = torch.autograd.grad(y, x, g)
    assert into.sum(1).abs().max() < 1e-13
    assert (into * y).sum(1).abs().max() < 1e-13


@pytest.mark.parametrize("affine", [False, True])
def test_full_variant_is_torchs_batchnorm(affine):
    """Outputs, gradients and running buffers, in training and in evaluation mode."""
    seeds, features = 3, 5
    ours = BatchNorm(range(seeds), features, affine=affine, running=True, dtype=torch.float64)
    torchs = [
        torch.nn.BatchNorm1d(features, affine=affine, dtype=torch.float64) for _ in range(seeds)
    ]
    if affine:
        with torch.no_grad():
            ours.gain.uniform_(0.5, 2)
            ours.offset.uniform_(-1, 1)
            for s, theirs in enumerate(torchs):
                theirs.weight.copy_(ours.gain[s])
                theirs.bias.copy_(ours.offset[s])
    for _ in range(3):
        x, g = batch(seeds, 8, features)
        y = ours(x)
        (into,) = torch.autograd.grad(y, x, g)
        for s, theirs in enumerate(torchs):
            xs = x[s].detach().requires_grad_()
            ys = theirs(xs)
            torch.testing.assert_close(y[s], ys, rtol=0, atol=1e-13)
            (expected,) = torch.autograd.grad(ys, xs, g[s])
            torch.testing.assert_close(into[s], expected, rtol=0, atol=1e-13)
            torch.testing.assert_close(ours.running_mean[s], theirs.running_mean)
            torch.testing.assert_close(ours.running_var[s], theirs.running_var)
    ours.eval()
    for s, theirs in enumerate(torchs):
        torch.testing.assert_close(ours(x)[s], theirs.eval()(x[s]), rtol=0, atol=1e-13)


def test_batches_of_one_seed_are_normalised_apart_and_averaged_in_the_buffers():
    norm = BatchNorm((0, 1), 4, running=True, rate=1.0, dtype=torch.float64)
    x, _ = batch(2, 3, 8, 4)
    y = norm(x)
    torch.testing.assert_close(y[:, 2], standardise(x[:, 2], VARIANTS["mu+sigma"], 1e-5))
    torch.testing.assert_close(norm.running_mean, x.mean(2).mean(1))
    torch.testing.assert_close(norm.running_var, x.var(2).mean(1))


def test_population_statistics_replace_those_of_the_batch_and_go_again():
    norm = BatchNorm((0, 1), 4, "mu+sigma", eps=0.0, dtype=torch.float64)
    images, _ = batch(2, 50, 4)
    few = images[:, :2].detach()
    before = norm(few)
    with population_statistics(norm, images):
        inside = norm(few)
    mean, std = images.mean(1, keepdim=True), images.std(1, keepdim=True, correction=0)
    torch.testing.assert_close(inside, (few - mean) / std)
    assert torch.equal(norm(few), before)
