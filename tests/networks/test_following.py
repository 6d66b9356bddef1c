"""The target follows with everything it has."""

import pytest
import torch

from ssl_dynamics.networks import follow, mlp


def pair():
    def build(purpose):
        return mlp((0, 1), (3, 4, 2), purpose=purpose, norm="mu+sigma", affine=True, running=True)

    online, target = build("online"), build("target")
    online(torch.randn(2, 8, 3))  # moves the running buffers
    return online, target


@pytest.mark.parametrize("rate", [0.0, 0.9, 1.0])
def test_parameters_biases_and_buffers(rate):
    online, target = pair()
    before = {name: values.clone() for name, values in target.state_dict().items()}
    follow(target, online, rate)
    names = set(before)
    assert {"0.bias", "1.running_mean", "1.running_var", "1.gain"} <= names
    for name, values in target.state_dict().items():
        expected = rate * before[name] + (1 - rate) * online.state_dict()[name]
        torch.testing.assert_close(values, expected)
    assert rate == 1 or not torch.equal(before["1.running_mean"], target[1].running_mean)


def test_counting_buffers_are_copied():
    online, target = (torch.nn.BatchNorm1d(3) for _ in range(2))
    for _ in range(4):
        online(torch.randn(5, 3))
    follow(target, online, 0.99)
    assert target.num_batches_tracked == 4
    torch.testing.assert_close(target.running_mean, 0.01 * online.running_mean)


def test_different_networks_are_refused():
    with pytest.raises(ValueError, match="target and online differ in"):
        follow(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False), 0.5)
