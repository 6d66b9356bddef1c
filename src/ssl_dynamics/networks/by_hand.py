"""Forward and backward passes without autograd, for training loops over very small networks.

At toy sizes autograd, the allocation of fresh memory and the number of calls cost more than the
products. Here the batch stands in columns, every result has memory reserved for it, and whatever
can be written in place is. Tests hold the gradients equal to autograd's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ssl_dynamics.networks.kernels import Run

_through_gate = torch.ops.aten.threshold_backward.grad_input


class _Layer(NamedTuple):
    """One linear map of n blocks (seeds, or seeds and nodes), and memory for its gradients."""

    weight: Tensor
    """[n, out, in]"""
    transposed: Tensor
    """[n, in, out]"""
    offset: Tensor | None
    """The bias as [n, out, 1]."""
    into_weight: Tensor
    """[n, out, in]"""
    into_bias: Tensor | None
    """[n, out]"""
    relu: bool
    """Whether a ReLU follows."""

    def product(self, x: Tensor, out: Tensor) -> Callable[[], object]:
        """W x + b into `out`, as a call to be made later."""
        if self.offset is None:
            return partial(torch.bmm, self.weight, x, out=out)
        return partial(torch.baddbmm, self.offset, self.weight, x, out=out)


class ColumnPasses:
    """Forward and backward with the batch in columns: `y = passes.forward(x)`, then
    `passes.backward(dL/dy)`, which sets the parameters' `grad` as `backward()` would.

    Weights are [S, ..., out, in]; with axes between (the nodes of a level) the outputs of
    neighbouring blocks lie side by side, and a layer above with fewer blocks reads several.
    All results lie in memory that the next call uses again: copy what should last. The output may
    be overwritten, with its gradient for example, unless a ReLU stands on top. Make it after the
    network has its place and type.
    """

    def __init__(self, run: Run) -> None:
        self._gradients = [
            (p, torch.empty_like(p)) for weight, bias, _ in run for p in (weight, bias)
            if p is not None
        ]  # fmt: skip
        memory = iter([gradient for _, gradient in self._gradients])
        self._layers: list[_Layer] = []
        for weight, bias, relu in run:
            w, into_weight = weight.detach().flatten(0, -3), next(memory).flatten(0, -3)
            offset = into_bias = None
            if bias is not None:
                offset = bias.detach().flatten(0, -2).unsqueeze(-1)
                into_bias = next(memory).flatten(0, -2)
            self._layers.append(_Layer(w, w.mT, offset, into_weight, into_bias, relu))
        first = self._layers[0].weight
        self._input, self._first = first, (first.shape[0], first.shape[2])
        self._columns = -1

    def _prepare(self, columns: int) -> None:
        """Reserve memory for `columns` columns and write the calls down, once for all steps.

        Only the first call of either direction and the last one backward meet what is new in a
        step: the input, and the gradient at the output. At toy sizes a view costs half as much as
        a product, and a few lines of Python as much as a call.
        """
        layers, self._columns = self._layers, columns
        outputs, slopes = (
            [w.new_empty(w.shape[0], w.shape[1], columns) for w, *_ in layers] for _ in range(2)
        )
        shapes = [(w.shape[0], w.shape[2], columns) for w, *_ in layers]
        self._outputs, self._slopes = outputs, slopes
        self._upwards: list[Callable[[], object]] = []
        self._downwards: list[Callable[[], object]] = []
        for depth, layer in enumerate(layers):
            if depth:
                x = outputs[depth - 1].view(shapes[depth])
                self._upwards.append(layer.product(x, outputs[depth]))
            if layer.relu:
                self._upwards.append(outputs[depth].relu_)
        for depth in range(len(layers) - 2, -1, -1):
            layer, y, g = layers[depth], outputs[depth], slopes[depth]
            if layer.relu:
                self._downwards.append(partial(_through_gate, g, y, 0, grad_input=g))
            if layer.into_bias is not None:
                self._downwards.append(partial(torch.sum, g, -1, out=layer.into_bias))
            if depth:
                x, into = (t[depth - 1].view(shapes[depth]) for t in (outputs, slopes))
                self._downwards += [
                    partial(torch.bmm, g, x.mT, out=layer.into_weight),
                    partial(torch.bmm, layer.transposed, g, out=into),
                ]
        self._below_top = [t[-2].view(shapes[-1]) for t in (outputs, slopes) if len(layers) > 1]
        self._below_top[:1] = [x.mT for x in self._below_top[:1]]

    def forward(self, x: Tensor) -> Tensor:
        """The output [S, out, C] for x [S, in, C]."""
        columns = x.shape[-1]
        if columns != self._columns:
            self._prepare(columns)
        if x.shape[:2] != self._first:
            x = x.reshape(*self._first, columns)
        self._input = x
        self._layers[0].product(x, self._outputs[0])()
        for call in self._upwards:
            call()
        return self._outputs[-1]

    def backward(self, g: Tensor) -> None:
        """Set the gradients of the last forward pass from the one at its output, g [S, out, C]."""
        top, bottom = self._layers[-1], self._layers[0]
        if top.relu:
            g = _through_gate(g, self._outputs[-1], 0, grad_input=self._slopes[-1])
        if top.into_bias is not None:
            torch.sum(g, -1, out=top.into_bias)
        if self._below_top:
            x_transposed, into = self._below_top
            torch.bmm(g, x_transposed, out=top.into_weight)
            torch.bmm(top.transposed, g, out=into)
            g = self._slopes[0]
        for call in self._downwards:
            call()
        torch.bmm(g, self._input.mT, out=bottom.into_weight)
        for parameter, gradient in self._gradients:
            parameter.grad = gradient


class RowPasses(ColumnPasses):
    """The same for batches in rows: x [S, B, in], y and dL/dy [S, B, out].

    The output is the transpose of a batch in columns; what meets it (targets) is read fastest in
    that layout too.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The output [S, B, out] for x [S, B, in]."""
        return super().forward(x.mT).mT

    def backward(self, g: Tensor) -> None:
        """Set the gradients of the last forward pass from the one at its output, g [S, B, out]."""
        super().backward(g.mT)
