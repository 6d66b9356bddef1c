r"""Students and teachers: ReLU networks with biases, one per seed, trained by a hand-written step.

.. math:: f_0 = x, \qquad f_l = \mathrm{relu}(W_l f_{l-1} + b_l), \qquad
          y = W_L f_{L-1} + b_L,

of any depth. The step follows the mean over the batch of :math:`(y^* - y)`, that is, it is gradient
descent on :math:`\frac{1}{2} E \|y^* - y\|^2` with the sum over the outputs. For a loss that is the
mean of the squared distance over batch *and* C outputs, take 2 / C of its learning rate.

No autograd: every result has memory reserved for it, and a gradient is added to its weight by the
product that computes it, so it is never written down. Batches stand in rows, [S, B, d], which at
the sizes of the two-layer experiments is faster in float64 than columns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import generator, uniform
from ssl_dynamics.networks.kernels import Layer, chain_forward
from ssl_dynamics.networks.relu_net import ReluNet, with_constant

_through_gate = torch.ops.aten.threshold_backward.grad_input


class Students:
    """One network per seed: `weights[l]` [S, out, in], `biases[l]` [S, out], layers from 0.

    The tensors are used as they are given and trained in place; `clone()` copies. A teacher is the
    same class: ``Students(*random_teacher(seeds, widths))``.
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        if not len(weights) or len(weights) != len(biases):
            raise ValueError(
                f"{len(weights)} weights and {len(biases)} biases; "
                "allowed: equally many, one or more of each"
            )
        for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
            below = weights[layer - 1].shape[1] if layer else W.shape[-1]
            if W.shape != (len(weights[0]), *b.shape[1:], below) or b.shape != W.shape[:2]:
                raise ValueError(
                    f"layer {layer} has a weight {list(W.shape)} and a bias {list(b.shape)}; "
                    f"allowed: [{len(weights[0])}, out, {below}] and [{len(weights[0])}, out]"
                )
        self.weights = [W.detach().contiguous() for W in weights]
        self.biases = [b.detach().contiguous() for b in biases]
        top = len(weights) - 1
        self._layers = [
            Layer.of(W, b, layer < top)
            for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True))
        ]
        self._memory: tuple[list[Tensor], list[Tensor], Tensor] | None = None

    @classmethod
    def random(
        cls,
        seeds: Sequence[int],
        widths: Sequence[int],
        *,
        scale: float | None = None,
        purpose: str = "student",
        dtype: torch.dtype = torch.float64,
    ) -> Students:
        """Networks at the start of training, one stream per seed; widths from inputs to outputs.

        With a `scale` the weights are normal with that deviation and the biases zero; without one
        both are uniform on [-1/sqrt(in), 1/sqrt(in)], as PyTorch's linear layers are.
        """
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"widths: got {tuple(widths)}; allowed: two or more, each at least 1")
        weights, biases = [], []
        for layer, (n_in, n_out) in enumerate(pairwise(widths)):
            name, shape = f"{purpose}/{layer}", (n_out, n_in)
            if scale is None:
                weights.append(uniform(seeds, name, shape, n_in**-0.5, dtype))
                biases.append(uniform(seeds, f"{name}/bias", (n_out,), n_in**-0.5, dtype))
            else:
                drawn = np.stack([generator(seed, name).normal(size=shape) for seed in seeds])
                weights.append(torch.from_numpy(drawn * scale).to(dtype))
                biases.append(torch.zeros(len(seeds), n_out, dtype=dtype))
        return cls(weights, biases)

    @property
    def depth(self) -> int:
        """Number of weight layers."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """From the inputs to the outputs."""
        return (self.weights[0].shape[2], *(W.shape[1] for W in self.weights))

    def __len__(self) -> int:
        """Number of seeds."""
        return len(self.weights[0])

    def clone(self) -> Students:
        """A copy with its own weights."""
        return Students([W.clone() for W in self.weights], [b.clone() for b in self.biases])

    def __getitem__(self, which: slice | Sequence[int] | Tensor) -> Students:
        """A copy of some of the seeds, by their places on the seeds axis (a slice or a list)."""
        return Students(
            [W[which].clone() for W in self.weights], [b[which].clone() for b in self.biases]
        )

    def view(self, seed: int) -> Students:
        """The network at one place of the seeds axis, with the same weights, not a copy."""
        here = slice(seed, seed + 1)
        return Students([W[here] for W in self.weights], [b[here] for b in self.biases])

    def relu_net(self) -> ReluNet:
        """A copy as a network that carries a constant coordinate (append a 1 to its inputs)."""
        return ReluNet.of(with_constant(self.weights, self.biases))

    def activations(self, x: Tensor) -> list[Tensor]:
        """f_0 = x, f_1, ..., the output: [S, B, d] -> [S, B, n_l] each, in memory of their own."""
        return chain_forward(self._checked(x), self._layers)

    def outputs(self, x: Tensor) -> Tensor:
        """[S, B, d] -> [S, B, outputs]."""
        return self.activations(x)[-1]

    def step(
        self,
        x: Tensor,
        target: Tensor,
        lr: float,
        *,
        decay: float = 0.0,
        layers: Collection[int] | None = None,
    ) -> None:
        """One step on x [S, B, d] and y* [S, B, outputs], in place.

        W_l <- (1 - lr decay) W_l + lr mean over the batch of (g_l f_{l-1}^T), biases likewise, with
        g_L = y* - y. `layers` are those trained, counted from 0; all of them by default.
        """
        count = x.shape[1]
        values, slopes, ones = self._reserved(count)
        below = x
        for layer, into in zip(self._layers, values, strict=True):
            torch.baddbmm(layer.offset, below, layer.transposed, out=into)
            below = into.relu_() if layer.relu else into
        trained = range(self.depth) if layers is None else sorted(layers)
        if not trained:
            return
        g, rate, keep = torch.sub(target, below, out=below), lr / count, 1 - lr * decay
        for depth in range(self.depth - 1, trained[0] - 1, -1):
            layer = self._layers[depth]
            if layer.relu:
                _through_gate(g, values[depth], 0, grad_input=g)
            descends = depth > trained[0]
            if descends:
                torch.bmm(g, layer.weight, out=slopes[depth - 1])
            if depth in trained:
                fed = values[depth - 1] if depth else x
                layer.weight.baddbmm_(g.mT, fed, beta=keep, alpha=rate)
                layer.offset.baddbmm_(ones, g, beta=keep, alpha=rate)
            if descends:
                g = slopes[depth - 1]

    def _reserved(self, count: int) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Memory for the values of every layer, the slopes by the hidden ones, and a row of ones
        that sums over the batch."""
        if self._memory is None or self._memory[2].shape[2] != count:
            like = self.weights[0]
            values = [like.new_empty(len(self), count, n) for n in self.widths[1:]]
            slopes = [torch.empty_like(v) for v in values[:-1]]
            self._memory = values, slopes, like.new_ones(len(self), 1, count)
        return self._memory

    def _checked(self, x: Tensor) -> Tensor:
        if x.dim() != 3 or x.shape[::2] != (len(self), self.widths[0]):
            raise ValueError(
                f"inputs have the shape {list(x.shape)}, "
                f"allowed: [{len(self)}, batch, {self.widths[0]}]"
            )
        return x
