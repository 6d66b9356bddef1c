"""Collapse measures on clouds whose answer is known."""

import pytest
import torch

from ssl_dynamics.measures import covariance_spectrum, effective_rank, output_std, spread


@pytest.fixture
def cloud():
    return torch.randn(2, 4000, 8, generator=torch.Generator().manual_seed(0))


def test_an_even_cloud(cloud):
    assert spread(cloud).tolist() == pytest.approx([1, 1], abs=0.01)
    assert effective_rank(cloud).tolist() == pytest.approx([8, 8], abs=0.05)
    assert output_std(3 * cloud).tolist() == pytest.approx([3, 3], rel=0.02)


def test_a_constant_output():
    constant = torch.ones(1, 50, 8) * torch.arange(8)
    for measure in (spread, output_std, effective_rank):
        assert measure(constant).item() == pytest.approx(0, abs=1e-12)


def test_a_line_has_rank_one_and_spread_forgets_size(cloud):
    line = cloud[..., :1] * torch.ones(8)
    assert effective_rank(line).tolist() == pytest.approx([1, 1], abs=1e-6)
    torch.testing.assert_close(spread(100 * cloud), spread(cloud))


def test_standardised_outputs_of_low_rank_fool_the_spread_and_not_the_rank(cloud):
    """The trap of an output BatchNorm: deviation near 1, dimension 2."""
    flat = cloud[..., :2] @ torch.randn(2, 8, generator=torch.Generator().manual_seed(1))
    flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True)
    assert spread(flat).min() > 0.9
    assert effective_rank(flat).max() <= 2.0 + 1e-6


def test_effective_rank_is_the_exponential_of_the_entropy():
    scale = torch.tensor([2.0, 1.0, 1.0])
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
    shares = torch.tensor([4.0, 1.0, 1.0]) / 6
    cloud = (signs * scale).unsqueeze(0)
    torch.testing.assert_close(
        covariance_spectrum(cloud), torch.tensor([[4.0, 1.0, 1.0]], dtype=torch.float64)
    )
    expected = (-(shares * shares.log()).sum()).exp()
    assert effective_rank(cloud).item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_diverged_seed_is_nan_and_leaves_the_others_alone(cloud):
    broken = cloud.clone()
    broken[1, 0, 0] = torch.inf
    for measure in (spread, output_std, effective_rank):
        assert measure(broken)[1].isnan()
        torch.testing.assert_close(measure(broken)[0], measure(cloud)[0])
