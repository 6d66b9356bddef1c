"""ReLU networks shaped like a tree: a group of neurons per latent, fed by the groups below it.

The batch stands in columns and all nodes of a level, of all seeds, in one batched product:
activations [S, nodes, width, C], weights [S, nodes, width, inputs]. The groups of the children of
a node lie side by side, so what a level feeds to the next is a view of what it has computed.
On the small blocks of these networks this layout is several times faster than batches in rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ssl_dynamics.data.streams import uniform


class ReceptiveTree(nn.Module):
    """One group of `hid` neurons per latent; its receptive field is its children's groups.

    `branching` is the tree's, from the root down. Levels are numbered by height from 0: level 0
    reads the leaves, one number each; the last one is the root, whose pre-activations are the
    output. Weights and biases start uniform on [-1/sqrt(inputs), 1/sqrt(inputs)], from
    the stream of (seed, level).
    """

    def __init__(
        self,
        seeds: Sequence[int],
        branching: Sequence[int],
        hid: int,
        *,
        bias: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.branching, self.hid = tuple(branching), hid
        weights, biases = [], []
        counts = [1]
        for c in self.branching[:-1]:
            counts.append(counts[-1] * c)
        below = 1
        for level, (c, nodes) in enumerate(zip(self.branching[::-1], counts[::-1], strict=True)):
            inputs = c * below
            bound, name = inputs**-0.5, f"tree/level{level}"
            weights.append(uniform(seeds, f"{name}/weight", (nodes, hid, inputs), bound, dtype))
            if bias:
                biases.append(uniform(seeds, f"{name}/bias", (nodes, hid), bound, dtype))
            below = hid
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(biases)

    def forward(self, leaves: Tensor) -> list[Tensor]:
        """Pre-activations of every level from below, [S, nodes, hid, C], for leaves [S, n, C]."""
        found, x = [], leaves
        for level, weight in enumerate(self.weights):
            groups = x.reshape(*weight.shape[:2], weight.shape[-1], -1)
            pre = weight @ groups
            if len(self.biases):
                pre = pre + self.biases[level].unsqueeze(-1)
            found.append(pre)
            x = torch.relu(pre)
        return found

    def by_hand(self) -> TreePasses:
        """The same network with hand-written passes, for training loops."""
        return TreePasses(self)


class TreePasses:
    """Forward and backward without autograd: `f = passes.forward(x)`, `passes.backward(dL/df)`.

    `backward` sets the parameters' `grad` as autograd would. All results lie in memory that the
    next call uses again (fresh memory costs more than the products); copy what should last. Make
    it after the network has its place and type.
    """

    def __init__(self, net: ReceptiveTree) -> None:
        self.net = net
        self._weights = [w.detach().flatten(0, 1) for w in net.weights]
        self._transposed = [w.mT for w in self._weights]
        self._biases = [b.detach().flatten(0, 1).unsqueeze(-1) for b in net.biases]
        self._weight_grads = [torch.empty_like(w) for w in self._weights]
        self._bias_grads = [torch.empty_like(b[..., 0]) for b in self._biases]
        self._columns = -1
        self._outputs: list[Tensor] = []
        self._slopes: list[Tensor] = []
        self._inputs: list[Tensor] = []

    def _prepare(self, columns: int) -> None:
        """Memory for the outputs of every level, and for the gradients at them."""
        if columns != self._columns:
            shapes = [(w.shape[0], w.shape[1], columns) for w in self._weights]
            like = self._weights[0]
            self._outputs, self._slopes = ([like.new_empty(s) for s in shapes] for _ in range(2))
            self._columns = columns

    def forward(self, leaves: Tensor) -> Tensor:
        """The output [S, hid, C] for leaves [S, n, C]."""
        seeds, _, columns = leaves.shape
        self._prepare(columns)
        self._inputs, x = [], leaves
        for level, (weight, y) in enumerate(zip(self._weights, self._outputs, strict=True)):
            x = x.reshape(weight.shape[0], weight.shape[2], columns)
            self._inputs.append(x)
            if self._biases:
                torch.baddbmm(self._biases[level], weight, x, out=y)
            else:
                torch.bmm(weight, x, out=y)
            if level < len(self._weights) - 1:
                y.relu_()
            x = y
        return x.view(seeds, -1, columns)

    def backward(self, g: Tensor) -> None:
        """Set every gradient from the one at the output, g [S, hid, C]."""
        g = g.reshape(self._outputs[-1].shape)
        for level in reversed(range(len(self._weights))):
            x, weight = self._inputs[level], self.net.weights[level]
            torch.bmm(g, x.mT, out=self._weight_grads[level])
            weight.grad = self._weight_grads[level].view_as(weight)
            if self._biases:
                bias = self.net.biases[level]
                torch.sum(g, -1, out=self._bias_grads[level])
                bias.grad = self._bias_grads[level].view_as(bias)
            if level:
                below = self._slopes[level - 1].view(x.shape)
                torch.bmm(self._transposed[level], g, out=below)
                torch.ops.aten.threshold_backward.grad_input(below, x, 0, grad_input=below)
                g = self._slopes[level - 1]
