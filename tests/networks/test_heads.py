"""Networks: the fused kernel against single layers, heads, and what they refuse."""

import pytest
import torch
from torch import nn

from ssl_dynamics.networks import PREDICTORS, Linear, ReLU, mlp, predictor


def network(**options):
    return mlp((5, 6, 7), (4, 8, 6, 3), purpose="here", dtype=torch.float64, **options)


def layer_by_layer(net, x):
    for layer in net:
        x = layer(x)
    return x


def gradients(y, net, x, g):
    return torch.autograd.grad(y, [x, *net.parameters()], g)


@pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"output_relu": True}, {"norm": "mu+sigma"}, {"output_norm": "sigma"}],
)
def test_the_fused_kernel_is_the_layers_one_by_one(options):
    net = network(**options)
    x = torch.randn(3, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    g = torch.randn(3, 2, 5, 3, dtype=torch.float64)
    fused, single = net(x), layer_by_layer(net, x)
    torch.testing.assert_close(fused, single, rtol=0, atol=1e-13)
    for a, b in zip(gradients(fused, net, x, g), gradients(single, net, x, g), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_seeds_do_not_mix():
    """A NaN in one seed stays there, in the output and in every gradient."""
    net = network(norm="mu+sigma")
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    x[1] = torch.nan
    y = net(x)
    y.sum().backward()
    for values in (y, *(w.grad for w in net.parameters())):
        assert torch.isfinite(values[[0, 2]]).all()
    assert y[1].isnan().all()


def test_second_derivatives_are_refused_by_the_kernel_and_given_by_single_layers():
    net = network()
    x = torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True)
    weight = net[0].weight
    for forward, allowed in ((net, False), (lambda x: layer_by_layer(net, x), True)):
        (g,) = torch.autograd.grad(forward(x).square().sum(), weight, create_graph=True)
        if allowed:
            assert torch.autograd.grad(g.square().sum(), weight)[0].abs().sum() > 0
        else:
            with pytest.raises(RuntimeError):
                torch.autograd.grad(g.square().sum(), weight)


@pytest.mark.parametrize("output_relu", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_by_hand_is_backward(bias, output_relu):
    net = network(bias=bias, output_relu=output_relu)
    rows, columns = net.by_hand(), net.by_hand(columns=True)
    for batch in (5, 2, 5):  # the memory reserved for one batch serves the next, or is replaced
        x = torch.randn(3, batch, 4, dtype=torch.float64)
        g = torch.randn(3, batch, 3, dtype=torch.float64)
        y = net(x)
        expected = torch.autograd.grad(y, list(net.parameters()), g)
        for passes, turn in ((rows, lambda t: t), (columns, lambda t: t.mT)):
            torch.testing.assert_close(turn(passes.forward(turn(x))), y)
            passes.backward(turn(g))
            for w, e in zip(net.parameters(), expected, strict=True):
                torch.testing.assert_close(w.grad, e, rtol=0, atol=1e-13)
    with pytest.raises(TypeError, match="Linear and ReLU"):
        network(norm="mu").by_hand()


def test_layer_order():
    net = network(norm="mu", output_norm="sigma", output_relu=True)
    kinds = [type(layer).__name__ for layer in net]
    assert kinds == ["Linear", "BatchNorm", "ReLU"] * 3
    assert isinstance(mlp((0,), (4,), purpose="here"), nn.Sequential)
    assert len(mlp((0,), (4,), purpose="here")) == 0


def test_predictors():
    x = torch.randn(2, 5, 6)
    heads = {kind: predictor((0, 1), 6, kind, width=9, norm="mu+sigma") for kind in PREDICTORS}
    assert torch.equal(heads["none"](x), x)
    assert [type(m) for m in heads["linear"]] == [Linear]
    assert [type(m).__name__ for m in heads["mlp"]] == ["Linear", "BatchNorm", "ReLU", "Linear"]
    assert isinstance(heads["mlp"][2], ReLU)
    scaled = predictor((0, 1), 6, "linear", scale=0.25)
    torch.testing.assert_close(scaled(x), 0.25 * x)
    with pytest.raises(ValueError, match="unknown predictor 'big'; allowed: none, linear, mlp"):
        predictor((0,), 6, "big")
    with pytest.raises(ValueError, match="needs a linear predictor"):
        predictor((0,), 6, "mlp", scale=1.0)
