r"""Bias-free networks of gates on the seeds axis: leaky ReLU, max-pooling, linear top layer.

Every such network is a product of its weights and of the gates that it has opened,
:math:`f_L = W_L D_{L-1} W_{L-1} \cdots D_1 W_1 x`, and the gates are locally constant. The class
exposes inputs, gates, and the two halves of the chain rule (forwards and backwards through fixed
gates), so that identities about gradients can be checked without autograd.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

import torch
from torch import Tensor, nn

from ssl_dynamics.data.streams import uniform


@dataclass(frozen=True)
class Trace:
    """What one forward pass met.

    Layers count from 0. `inputs[l]` is what layer l was given, [S, ..., n]; `gates[l]` the factor
    of each of its pre-activations, [S, ..., out] (1, the leak, or 0 where pooling chose another
    neuron; always 1 in the top layer); `output` the output of the top layer.
    """

    inputs: tuple[Tensor, ...]
    gates: tuple[Tensor, ...]
    output: Tensor


class ReluNet(nn.Module):
    """W_L D W_{L-1} ... D W_1 x with one set of weights per seed.

    `widths` runs from the inputs to the outputs and counts what a layer passes on; with
    `pool = k` every hidden layer has k times as many pre-activations, and the largest of each
    group of k is passed on, after the activation. `leak` is the slope below zero: 0 is the ReLU,
    1 a linear network. At a pre-activation of exactly zero the gate is the leak, as in PyTorch.
    Weights are `weights[l]`, [S, out, in], uniform on [-1/sqrt(in), 1/sqrt(in)] from the stream of
    (seed, `purpose`, layer).
    """

    def __init__(
        self,
        seeds: Sequence[int],
        widths: Sequence[int],
        *,
        leak: float = 0.0,
        pool: int = 1,
        purpose: str = "relu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"widths: got {tuple(widths)}; allowed: two or more, each at least 1")
        if pool < 1:
            raise ValueError(f"pool: got {pool}; allowed: at least 1")
        if not isfinite(leak):
            raise ValueError(f"leak: got {leak}; allowed: a finite number")
        if not len(seeds):
            raise ValueError("seeds: got none; allowed: one or more")
        self.leak, self.pool = leak, pool
        shapes = [
            (n_out * (1 if layer == len(widths) - 2 else pool), n_in)
            for layer, (n_in, n_out) in enumerate(pairwise(widths))
        ]
        self.weights = nn.ParameterList(
            uniform(seeds, f"{purpose}/{layer}", shape, shape[1] ** -0.5, dtype)
            for layer, shape in enumerate(shapes)
        )

    @classmethod
    def of(cls, weights: Sequence[Tensor], *, leak: float = 0.0, pool: int = 1) -> ReluNet:
        """The network with copies of these weights, [S, out, in] each."""
        widths = [weight.shape[-1] for weight in weights] + [weights[-1].shape[-2]]
        net = cls(range(len(weights[0])), widths, leak=leak, pool=pool, dtype=weights[0].dtype)
        with torch.no_grad():
            for mine, given in zip(net.weights, weights, strict=True):
                if mine.shape != given.shape:
                    raise ValueError(
                        f"a weight has the shape {list(given.shape)}, allowed: {list(mine.shape)}"
                    )
                mine.copy_(given)
        return net.to(weights[0].device)

    @property
    def depth(self) -> int:
        """Number of weight layers."""
        return len(self.weights)

    def of_seed(self, number: int) -> ReluNet:
        """The network of one seed alone, by its place on the seeds axis; weights are shared."""
        if not 0 <= number < len(self.weights[0]):
            raise ValueError(f"number is {number}, allowed: 0 to {len(self.weights[0]) - 1}")
        alone = copy(self)
        alone._modules = dict(self._modules)
        alone.weights = nn.ParameterList(w.detach()[number : number + 1] for w in self.weights)
        return alone

    def forward(self, x: Tensor) -> Tensor:
        """[S, ..., d] -> [S, ..., outputs]."""
        return self.trace(x).output

    def trace(self, x: Tensor) -> Trace:
        """The forward pass of [S, ..., d]: all inputs and gates, the latter without gradient."""
        seeds, _, width = self.weights[0].shape
        if x.dim() < 2 or x.shape[0] != seeds or x.shape[-1] != width:
            raise ValueError(
                f"inputs have the shape {list(x.shape)}, allowed: [{seeds}, ..., {width}]"
            )
        inputs, gates = [], []
        for layer, weight in enumerate(self.weights):
            inputs.append(x)
            before = apply(weight, x)
            gate = torch.ones_like(before) if layer == self.depth - 1 else self._gate(before)
            gates.append(gate)
            x = self._pooled(gate * before, layer)
        return Trace(tuple(inputs), tuple(gates), x)

    def push(self, trace: Trace, layer: int, change: Tensor) -> Tensor:
        """J_l applied: a change of layer l's pre-activations [S, ..., out] -> of the output."""
        self._need(layer)
        for above in range(layer, self.depth):
            passed = self._pooled(trace.gates[above] * change, above)
            if above == self.depth - 1:
                return passed
            change = apply(self.weights[above + 1], passed)
        raise AssertionError("the top layer returns")

    def pull(self, trace: Trace, layer: int, slope: Tensor) -> Tensor:
        """J_l transposed: a gradient at the output [S, ..., outputs] -> at layer l's
        pre-activations [S, ..., out]."""
        self._need(layer)
        for above in range(self.depth - 1, layer - 1, -1):
            if above < self.depth - 1:
                slope = apply(self.weights[above + 1].mT, slope)
                slope = slope.repeat_interleave(self.pool, -1)
            slope = trace.gates[above] * slope
        return slope

    def _gate(self, before: Tensor) -> Tensor:
        before = before.detach()
        gate = torch.where(before > 0, torch.ones_like(before), self.leak)
        if self.pool == 1:
            return gate
        groups = (gate * before).unflatten(-1, (-1, self.pool))
        chosen = torch.zeros_like(groups).scatter_(-1, groups.argmax(-1, keepdim=True), 1.0)
        return gate * chosen.flatten(-2)

    def _pooled(self, values: Tensor, layer: int) -> Tensor:
        if self.pool == 1 or layer == self.depth - 1:
            return values
        return values.unflatten(-1, (-1, self.pool)).sum(-1)

    def _need(self, layer: int) -> None:
        if not 0 <= layer < self.depth:
            raise ValueError(f"layer is {layer}, allowed: 0 to {self.depth - 1}")


def apply(weight: Tensor, x: Tensor) -> Tensor:
    """Each seed's matrix on its vectors: [S, out, in], [S, ..., in] -> [S, ..., out]."""
    return torch.einsum("soi,s...i->s...o", weight, x)


def with_constant(
    weights: Sequence[Tensor], biases: Sequence[Tensor], *, pool: int = 1
) -> list[Tensor]:
    """Weights that carry a constant-1 coordinate, so that biases become weights.

    [S, out, in] and [S, out] -> [S, out + pool, in + 1]; below the top, the added rows are a
    pooled group whose largest value is the 1 handed on (the others get 1/2, so that none sits at
    zero). The top layer has no such rows, [S, out, in + 1]. The network then takes x with a 1
    appended, and each of its hidden widths is one larger.
    """
    if len(weights) != len(biases):
        raise ValueError(f"{len(weights)} weights and {len(biases)} biases; allowed: equally many")
    carried = []
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if bias.shape != weight.shape[:-1]:
            raise ValueError(
                f"the bias of layer {layer} has the shape {list(bias.shape)}, "
                f"allowed: {list(weight.shape[:-1])}"
            )
        wide = torch.cat([weight, bias.unsqueeze(-1)], -1)
        if layer < len(weights) - 1:
            rows = torch.zeros_like(wide[:, :1]).repeat(1, pool, 1)
            rows[..., -1] = 0.5
            rows[:, 0, -1] = 1.0
            wide = torch.cat([wide, rows], 1)
        carried.append(wide)
    return carried
