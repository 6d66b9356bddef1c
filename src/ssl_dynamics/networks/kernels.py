"""Hand-written backward passes for the two layers that training spends its time in.

`standardise_by_hand` is `norm.standardise` and `chain` is a run of `Linear` and `ReLU` layers;
tests hold them equal to plain autograd. They save the passes over memory and the bookkeeping
that autograd needs at small sizes. Their gradients cannot be differentiated again: for second
derivatives call `norm.standardise` and the single layers. For very small networks
`networks.by_hand` does without autograd.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _Standardise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: str, std: str, eps: float) -> Tensor:
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
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
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


class Layer(NamedTuple):
    """One linear map of a chain, with the views of its parameters that the products need."""

    weight: Tensor
    """[S, out, in]"""
    transposed: Tensor
    """[S, in, out]"""
    offset: Tensor | None
    """The bias as [S, 1, out]."""
    relu: bool
    """Whether a ReLU follows."""

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None, relu: bool) -> Layer:
        """The layer with this weight [S, out, in] and bias [S, out]."""
        return cls(weight, weight.mT, None if bias is None else bias.unsqueeze(1), relu)


def chain_forward(x: Tensor, layers: Sequence[Layer]) -> list[Tensor]:
    """Linear maps one after the other: [S, B, in] -> the input and every layer's output."""
    activations = [x]
    for _, transposed, offset, relu in layers:
        if offset is None:
            y = torch.bmm(activations[-1], transposed)
        else:
            y = torch.baddbmm(offset, activations[-1], transposed)
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
        weight, _, offset, relu = layers[depth]
        if relu:
            g = torch.ops.aten.threshold_backward(g, activations[depth + 1], 0)
        into_weight = torch.bmm(g.mT, activations[depth])
        gradients.append((into_weight, None if offset is None else g.sum(1)))
        if depth or into_input:
            g = torch.bmm(g, weight)
    return (g if into_input else None), gradients[::-1]


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, relus: tuple[bool, ...], *parameters: Tensor | None) -> Tensor:
        layers = _layers(parameters, relus)
        activations = chain_forward(x.flatten(1, -2), layers)
        ctx.shape, ctx.relus = x.shape, relus
        ctx.save_for_backward(*activations, *parameters)
        return activations[-1].view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        cut = len(ctx.relus) + 1
        activations, parameters = ctx.saved_tensors[:cut], ctx.saved_tensors[cut:]
        wanted = ctx.needs_input_grad[0]
        into, gradients = chain_backward(
            g.flatten(1, -2), activations, _layers(parameters, ctx.relus), into_input=wanted
        )
        flat = [gradient for pair in gradients for gradient in pair]
        return into.view(ctx.shape) if wanted else None, None, *flat


def _layers(parameters: Sequence[Tensor | None], relus: Sequence[bool]) -> list[Layer]:
    triples = zip(parameters[::2], parameters[1::2], relus, strict=True)
    return [Layer.of(*triple) for triple in triples]


Run = list[tuple[Tensor, Tensor | None, bool]]
"""Weight [S, out, in], bias [S, out] or None, and whether a ReLU follows, layer by layer."""


def chain(x: Tensor, run: Run) -> Tensor:
    """The last output of `chain_forward`, differentiable: [S, ..., B, in] -> [S, ..., B, out]."""
    parameters = [p for weight, bias, _ in run for p in (weight, bias)]
    return _Chain.apply(x, tuple(relu for _, _, relu in run), *parameters)
