"""The network of gates: plain PyTorch on the same weights, and the constant that carries biases."""

import pytest
import torch

from ssl_dynamics.networks import ReluNet, with_constant


def plain(net, seed, x):
    """The same network with PyTorch's own activations, one seed, x [B, d]."""
    for layer, weights in enumerate(net.weights):
        x = x @ weights[seed].T
        if layer < net.depth - 1:
            x = torch.nn.functional.leaky_relu(x, net.leak)
            x = x.unflatten(-1, (-1, net.pool)).amax(-1)
    return x


@pytest.mark.parametrize("leak", [0.0, 0.3, 1.0, -0.5])
@pytest.mark.parametrize("pool", [1, 3])
def test_outputs_and_gradients_are_those_of_pytorchs_activations(leak, pool):
    net = ReluNet((4, 7), (5, 3, 4, 2), leak=leak, pool=pool)
    x = torch.randn(2, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for seed in range(2):
        torch.testing.assert_close(net(x)[seed], plain(net, seed, x[seed]))
    mine = torch.autograd.grad(net(x).sin().sum(), list(net.parameters()))
    other = torch.stack([plain(net, seed, x[seed]) for seed in range(2)]).sin().sum()
    for one, two in zip(mine, torch.autograd.grad(other, list(net.parameters())), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-13)


def test_push_and_pull_are_transposes_and_the_jacobian():
    net = ReluNet((0, 1), (4, 3, 2, 3), leak=0.2, pool=2)
    x = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    trace = net.trace(x)
    for layer in range(net.depth):
        change = torch.randn_like(trace.gates[layer])
        slope = torch.randn_like(trace.output)
        pushed = (net.push(trace, layer, change) * slope).sum()
        pulled = (net.pull(trace, layer, slope) * change).sum()
        torch.testing.assert_close(pushed, pulled)
    for call in (net.push, net.pull):
        for layer in (3, -1):
            with pytest.raises(ValueError, match=f"layer is {layer}, allowed: 0 to 2"):
                call(trace, layer, trace.output)


def test_one_seed_alone_is_the_seed_among_others():
    net = ReluNet((3, 8, 5), (4, 3, 2), pool=2)
    x = torch.randn(3, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(net.of_seed(1)(x[1:2]), net(x)[1:2])
    torch.testing.assert_close(ReluNet((8,), (4, 3, 2), pool=2)(x[1:2]), net(x)[1:2])


@pytest.mark.parametrize("pool", [1, 3])
def test_a_constant_coordinate_carries_biases(pool):
    g = torch.Generator().manual_seed(4)
    net, widths = ReluNet((0, 1), (4, 3, 3, 2), leak=0.1, pool=pool), (3 * pool, 3 * pool, 2)
    biases = [torch.randn(2, n, dtype=torch.float64, generator=g) for n in widths]
    x = torch.randn(2, 5, 4, dtype=torch.float64, generator=g)
    wanted = x
    for layer, (weight, bias) in enumerate(zip(net.weights, biases, strict=True)):
        wanted = wanted @ weight.mT + bias.unsqueeze(1)
        if layer < 2:
            wanted = torch.nn.functional.leaky_relu(wanted, 0.1)
            wanted = wanted.unflatten(-1, (-1, pool)).amax(-1)
    carried = ReluNet((0, 1), (5, 4, 4, 2), leak=0.1, pool=pool)
    wide = with_constant(net.weights, biases, pool=pool)
    with torch.no_grad():
        for old, new in zip(carried.weights, wide, strict=True):
            old.copy_(new)
    one = torch.ones(2, 5, 1, dtype=torch.float64)
    torch.testing.assert_close(carried(torch.cat([x, one], -1)), wanted)
    with pytest.raises(ValueError, match="3 weights and 2 biases"):
        with_constant(net.weights, biases[:2])
    with pytest.raises(ValueError, match="the bias of layer 0 has the shape"):
        with_constant(net.weights, biases[::-1])


def test_inputs_and_seeds_that_do_not_fit_are_named():
    net = ReluNet((0, 1), (4, 3, 2))
    for shape in ((2, 5, 3), (1, 5, 4), (4,)):
        with pytest.raises(ValueError, match=r"inputs have the shape .* allowed: \[2, ..., 4\]"):
            net(torch.zeros(shape, dtype=torch.float64))
    with pytest.raises(ValueError, match="number is 2, allowed: 0 to 1"):
        net.of_seed(2)
    with pytest.raises(ValueError, match="seeds"):
        ReluNet((), (4, 3))


@pytest.mark.parametrize(
    ("widths", "options", "said"),
    [
        ((3,), {}, "widths"),
        ((3, 0, 2), {}, "widths"),
        ((3, 2), {"pool": 0}, "pool"),
        ((3, 2), {"leak": float("nan")}, "leak"),
    ],
)
def test_bad_settings_are_named(widths, options, said):
    with pytest.raises(ValueError, match=said):
        ReluNet((0,), widths, **options)
