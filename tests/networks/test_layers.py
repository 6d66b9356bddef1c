"""Linear layers: torch's law at the start, torch's numbers after it, one seed alone or not."""

import pytest
import torch

from ssl_dynamics.networks import Linear, ReLU


def test_forward_is_torchs_linear_for_each_seed():
    layer = Linear((3, 8), 5, 4, purpose="here", dtype=torch.float64)
    x = torch.randn(2, 7, 5, dtype=torch.float64)
    for s in range(2):
        expected = torch.nn.functional.linear(x[s], layer.weight[s], layer.bias[s])
        torch.testing.assert_close(layer(x)[s], expected, rtol=1e-14, atol=1e-14)


def test_axes_between_seeds_and_batch_are_batches_of_their_own():
    layer = Linear((0, 1), 5, 4, purpose="here", bias=False)
    x = torch.randn(2, 3, 7, 5)
    torch.testing.assert_close(layer(x)[:, 1], layer(x[:, 1]))
    assert layer(x).shape == (2, 3, 7, 4)


def test_start_is_uniform_as_in_torch():
    layer = Linear(range(20), 50, 40, purpose="here", dtype=torch.float64)
    bound = 50**-0.5
    for values in (layer.weight.detach(), layer.bias.detach()):
        assert values.abs().max() <= bound
        assert values.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    reference = torch.nn.Linear(50, 40)
    assert reference.weight.detach().abs().max() == pytest.approx(bound, rel=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_seed_starts_bit_equal_alone_and_in_company(dtype):
    together = Linear((4, 11, 2), 6, 3, purpose="here", dtype=dtype)
    alone = Linear((11,), 6, 3, purpose="here", dtype=dtype)
    assert torch.equal(together.weight[1], alone.weight[0])
    assert torch.equal(together.bias[1], alone.bias[0])
    assert not torch.equal(together.weight[0], together.weight[1])


def test_purposes_give_different_weights():
    first, second = (Linear((0,), 6, 3, purpose=name) for name in ("online", "target"))
    assert not torch.equal(first.weight, second.weight)


def test_relu():
    assert ReLU()(torch.tensor([-1.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 2.0]
