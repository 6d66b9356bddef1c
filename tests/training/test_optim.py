"""The fused update against torch.optim.SGD."""

import pytest
import torch

from ssl_dynamics.training import SGD


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_it_is_torchs_sgd(momentum, weight_decay):
    start = [torch.randn(3, 4, dtype=torch.float64), torch.randn(3, dtype=torch.float64)]
    ours, theirs = ([torch.nn.Parameter(x.clone()) for x in start] for _ in range(2))
    settings = {"momentum": momentum, "weight_decay": weight_decay}
    mine = SGD([(ours[:1], 0.1), (ours[1:], 0.02)], **settings)
    reference = torch.optim.SGD(
        [{"params": theirs[:1], "lr": 0.1}, {"params": theirs[1:], "lr": 0.02}], **settings
    )
    for step in range(6):
        for parameters, optimiser in ((ours, mine), (theirs, reference)):
            (parameters[0].square().sum() * (step + 1) + parameters[1].sin().sum()).backward()
            optimiser.step()
            reference.zero_grad()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-14, atol=1e-14)
    assert all(w.grad is None for w in ours)


def test_state_comes_back():
    w = torch.nn.Parameter(torch.ones(2))
    optimiser = SGD([([w], 0.1)], momentum=0.9)
    w.sum().backward()
    optimiser.step()
    other = SGD([([torch.nn.Parameter(torch.ones(2))], 0.1)], momentum=0.9)
    other.restore([v.clone() for v in optimiser.state()])
    assert torch.equal(other.state()[0], optimiser.state()[0])
    assert optimiser.state()[0].tolist() == [1, 1]


def test_a_transposed_gradient_is_read_in_the_order_of_its_weight():
    weight = torch.nn.Parameter(torch.zeros(2, 3, 4, dtype=torch.float64))
    gradient = torch.arange(24.0, dtype=torch.float64).reshape(2, 4, 3).mT
    assert not gradient.is_contiguous()
    weight.grad = gradient
    SGD([([weight], 0.5)]).step()
    torch.testing.assert_close(weight.detach(), -0.5 * gradient, rtol=0, atol=0)


def test_a_weight_without_gradient_is_refused():
    weight = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(ValueError, match="got none"):
        SGD([([weight], 0.5)]).step()
