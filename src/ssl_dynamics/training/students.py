r"""Students and teachers: ReLU networks with biases, one per seed, trained by a hand-written step.

.. math:: f_0 = x, \qquad f_l = \mathrm{relu}(W_l f_{l-1} + b_l), \qquad
          y = W_L f_{L-1} + b_L,

of any depth. The step follows the mean over the batch of :math:`(y^* - y)`, that is, it is gradient
descent on :math:`\frac{1}{2} E \|y^* - y\|^2` with the sum over the outputs. For a loss that is the
mean of the squared distance over batch *and* C outputs, take 2 / C of its learning rate.

No autograd: every result has memory reserved for it, and every product is written down once
(`networks.products`). The bias is one more column of the weights, which a constant 1 multiplies, so
that a layer is one product and its update another. Batches stand in rows, [S, B, d].
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import generator, uniform
from ssl_dynamics.networks.products import product
from ssl_dynamics.networks.relu_net import ReluNet, with_constant

_overflowing = np.errstate(over="ignore", invalid="ignore")
"""A student that blows up does so without a warning, as PyTorch's products would."""

_through_gate = torch.ops.aten.threshold_backward.grad_input


class _Memory(NamedTuple):
    """What a step writes, for one size of batch, and its products."""

    fed: list[Tensor]
    """What every layer is fed, [S, B, n + 1]; the last column is 1."""
    values: list[Tensor]
    """The inputs, then the output of every layer, [S, B, n]: views of `fed`, but for the last."""
    slopes: list[Tensor]
    """At the output of every layer, [S, B, n]; the last takes the place of its values."""
    pushes: list[Tensor]
    """Sum over the batch of g f^T, bias last: [S, out, in + 1]."""
    upwards: list[Callable[[], object]]
    """Layer by layer: W f + b."""
    downwards: list[Callable[[], object]]
    """Layer by layer from the second: W^T g into the slope below."""
    along: list[Callable[[], object]]
    """Layer by layer: g f^T into the push."""


class Students:
    """One network per seed: `weights[l]` [S, out, in], `biases[l]` [S, out], layers from 0.

    Both are views of `maps[l]` [S, out, in + 1], a copy of what is given, and are trained in place.
    A teacher is the same class: ``Students(*random_teacher(seeds, widths))``.
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
        self._own(
            [
                torch.cat([W.detach(), b.detach().unsqueeze(2)], 2)
                for W, b in zip(weights, biases, strict=True)
            ]
        )

    def _own(self, maps: list[Tensor]) -> None:
        self.maps = maps
        self.weights = [m[..., :-1] for m in maps]
        self.biases = [m[..., -1] for m in maps]
        self._memory: _Memory | None = None

    @classmethod
    def _of(cls, maps: list[Tensor]) -> Students:
        students = cls.__new__(cls)
        students._own(maps)
        return students

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
        return Students._of([m.clone() for m in self.maps])

    def __getitem__(self, which: slice | Sequence[int] | Tensor) -> Students:
        """A copy of some of the seeds, by their places on the seeds axis (a slice or a list)."""
        return Students._of([m[which].clone() for m in self.maps])

    def view(self, seed: int) -> Students:
        """The network at one place of the seeds axis, with the same weights, not a copy."""
        return Students._of([m[seed : seed + 1] for m in self.maps])

    def relu_net(self) -> ReluNet:
        """A copy as a network that carries a constant coordinate (append a 1 to its inputs)."""
        return ReluNet.of(with_constant(self.weights, self.biases))

    @_overflowing
    def activations(self, x: Tensor) -> list[Tensor]:
        """f_0 = x, f_1, ..., the output: [S, B, d] -> [S, B, n_l] each, in memory of their own."""
        found = [self._checked(x)]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = x.new_empty(*x.shape[:2], W.shape[1])
            product(found[-1], W.mT, y)()
            y += b.unsqueeze(1)
            found.append(y.relu_() if layer < self.depth - 1 else y)
        return found

    def outputs(self, x: Tensor) -> Tensor:
        """[S, B, d] -> [S, B, outputs]."""
        return self.activations(x)[-1]

    @_overflowing
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
        if self._memory is None or self._memory.values[0].shape[1] != count:
            self._memory = self._reserved(count)
        memory, top = self._memory, self.depth - 1
        memory.values[0].copy_(x)
        for layer, call in enumerate(memory.upwards):
            call()
            if layer < top:
                memory.fed[layer + 1].relu_()
        trained = range(self.depth) if layers is None else sorted(layers)
        if not trained:
            return
        torch.sub(target, memory.values[-1], out=memory.slopes[-1])
        rate, keep = lr / count, 1 - lr * decay
        for layer in range(top, trained[0] - 1, -1):
            g = memory.slopes[layer]
            if layer < top:
                _through_gate(g, memory.values[layer + 1], 0, grad_input=g)
            if layer > trained[0]:
                memory.downwards[layer - 1]()
            if layer in trained:
                memory.along[layer]()
                if decay:
                    self.maps[layer].mul_(keep)
                self.maps[layer].add_(memory.pushes[layer], alpha=rate)

    def _reserved(self, count: int) -> _Memory:
        """Memory for batches of so many inputs, and the products between its parts."""
        like = self.maps[0]
        fed = [like.new_ones(len(self), count, m.shape[2]) for m in self.maps]
        slopes = [like.new_empty(len(self), count, m.shape[1]) for m in self.maps]
        pushes = [torch.empty_like(m) for m in self.maps]
        values = [*(f[..., :-1] for f in fed), slopes[-1]]
        up = zip(fed, self.maps, values[1:], strict=True)
        down = zip(slopes[1:], self.weights[1:], slopes[:-1], strict=True)
        along = zip(slopes, fed, pushes, strict=True)
        return _Memory(
            fed,
            values,
            slopes,
            pushes,
            [product(f, m.mT, y) for f, m, y in up],
            [product(g, W, below) for g, W, below in down],
            [product(g.mT, f, push) for g, f, push in along],
        )

    def _checked(self, x: Tensor) -> Tensor:
        if x.dim() != 3 or x.shape[::2] != (len(self), self.widths[0]):
            raise ValueError(
                f"inputs have the shape {list(x.shape)}, "
                f"allowed: [{len(self)}, batch, {self.widths[0]}]"
            )
        return x
