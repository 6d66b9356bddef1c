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
from ssl_dynamics.networks.by_hand import ColumnPasses


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

    def by_hand(self) -> ColumnPasses:
        """The same network with hand-written passes, for training loops: leaves [S, n, C] to the
        output [S, hid, C]."""
        biases = list(self.biases) or [None] * len(self.weights)
        top = len(self.weights) - 1
        return ColumnPasses(
            [
                (w, b, level < top)
                for level, (w, b) in enumerate(zip(self.weights, biases, strict=True))
            ]
        )
