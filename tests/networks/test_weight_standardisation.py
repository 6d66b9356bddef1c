"""Standardised weights: rows without mean and of length one, differentiated by autograd."""

import pytest
import torch

from ssl_dynamics.networks import Linear, mlp


def test_rows_lose_their_mean_and_have_length_one():
    layer = Linear((0, 1), 7, 5, purpose="try", standardised=True, dtype=torch.float64)
    used = layer.used_weight
    assert used.mean(-1).abs().max() < 1e-15
    assert (used.norm(dim=-1) - 1).abs().max() < 1e-8


def test_output_is_blind_to_scale_and_offset_of_a_row_and_the_gradient_knows():
    layer = Linear((0,), 6, 3, purpose="try", standardised=True, dtype=torch.float64)
    x = torch.randn(1, 10, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before = layer(x)
    before.sin().sum().backward()
    row, gradient = layer.weight.detach(), layer.weight.grad
    assert (row * gradient).sum(-1).abs().max() < 1e-8
    assert gradient.sum(-1).abs().max() < 1e-12
    with torch.no_grad():
        layer.weight.mul_(3.0).add_(0.7)
    assert (layer(x) - before).abs().max() < 1e-8


def test_network_uses_the_standardised_weights():
    net = mlp((0, 1), (6, 5, 4), purpose="try", standardised=True, dtype=torch.float64)
    x = torch.randn(2, 10, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    by_layers = x
    for layer in net:
        by_layers = layer(by_layers)
    assert (net(x) - by_layers).abs().max() < 1e-12
    with pytest.raises(TypeError, match="standardised"):
        net.by_hand()
