"""Hand-written backward passes for the two layers that training spends its time in.

`standardise_by_hand` is `norm.standardise` and `chain` is a run of `Linear` and `ReLU` layers;
tests hold them equal to plain autograd. They save the passes over memory and the bookkeeping
that autograd needs at small sizes. Their gradients cannot be differentiated again: for second
derivatives call `norm.standardise` and the single layers. `Network.pullback` uses the same
passes without autograd, for loops over very small networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _Standardise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, mean: str, std: str, eps: float) -> Tensor:
        mu = x.mean(-2, keepdim=True)
        centred = x - mu
        ctx.mean, ctx.std = mean, std
        if std == "omit":
            return centred
        sigma = centred.square().mean(-2, keepdim=True).add_(eps).sqrt_()
        centred /= sigma
        y = centred if mean != "omit" else x / sigma
        ctx.save_for_backward(sigma, centred, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, g: Tensor):
        if ctx.std == "omit":  # only reached with mean == "normal"
            return g - g.mean(-2, keepdim=True), None, None, None
        sigma, x_hat, y = ctx.saved_tensors
        into = g - g.mean(-2, keepdim=True) if ctx.mean == "normal" else g
        if ctx.std == "normal":
            along = (g * y).mean(-2, keepdim=True)
            into = torch.addcmul(into, x_hat, along, value=-1)
        return into / sigma, None, None, None


def standardise_by_hand(x: Tensor, mean: str, std: str, eps: float) -> Tensor:
    """(x - mu) / sigma over the batch axis [..., B, d], gradient (g - E g - x_hat E[g y]) / sigma.

    The second term is there when the mean is "normal", the third when the deviation is; `y` is
    the output, which is x_hat = (x - mu) / sigma unless the mean is omitted.
    """
    if mean == std == "omit":
        return x
    if std == "omit" and mean == "detach":
        return x - x.detach().mean(-2, keepdim=True)
    return _Standardise.apply(x, mean, std, eps)


Layer = tuple[Tensor, Tensor | None, bool]
"""Weight [S, out, in], bias [S, out] or None, and whether a ReLU follows."""


def chain_forward(x: Tensor, layers: Sequence[Layer]) -> list[Tensor]:
    """Linear maps one after the other: [S, B, in] -> the input and every layer's output."""
    activations = [x]
    for weight, bias, relu in layers:
        if bias is None:
            y = torch.bmm(activations[-1], weight.mT)
        else:
            y = torch.baddbmm(bias.unsqueeze(1), activations[-1], weight.mT)
        activations.append(y.relu_() if relu else y)
    return activations


def chain_backward(
    g: Tensor, activations: Sequence[Tensor], layers: Sequence[Layer], *, into_input: bool
) -> tuple[Tensor | None, list[tuple[Tensor, Tensor | None]]]:
    """Gradients from the one at the output, g [S, B, out]: at the input, and per layer.

    For each layer (dL/dW = sum over the batch of g x^T, dL/db = sum of g); then g goes down as
    W^T g and through the gate of the ReLU below.
    """
    gradients: list[tuple[Tensor, Tensor | None]] = []
    for depth in reversed(range(len(layers))):
        weight, bias, relu = layers[depth]
        if relu:
            g = torch.ops.aten.threshold_backward(g, activations[depth + 1], 0)
        gradients.append((torch.bmm(g.mT, activations[depth]), None if bias is None else g.sum(1)))
        if depth or into_input:
            g = torch.bmm(g, weight)
    return (g if into_input else None), gradients[::-1]


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, relus: tuple[bool, ...], *parameters: Tensor | None) -> Tensor:
        layers = list(zip(parameters[::2], parameters[1::2], relus, strict=True))
        activations = chain_forward(x.flatten(1, -2), layers)
        ctx.shape, ctx.relus = x.shape, relus
        ctx.save_for_backward(*activations, *parameters)
        return activations[-1].view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx, g: Tensor):
        cut = len(ctx.relus) + 1
        activations, parameters = ctx.saved_tensors[:cut], ctx.saved_tensors[cut:]
        layers = list(zip(parameters[::2], parameters[1::2], ctx.relus, strict=True))
        wanted = ctx.needs_input_grad[0]
        into, gradients = chain_backward(g.flatten(1, -2), activations, layers, into_input=wanted)
        flat = [gradient for pair in gradients for gradient in pair]
        return into.view(ctx.shape) if wanted else None, None, *flat


def chain(x: Tensor, layers: Sequence[Layer]) -> Tensor:
    """The last output of `chain_forward`, differentiable: [S, ..., B, in] -> [S, ..., B, out]."""
    parameters = [p for weight, bias, _ in layers for p in (weight, bias)]
    return _Chain.apply(x, tuple(relu for _, _, relu in layers), *parameters)
