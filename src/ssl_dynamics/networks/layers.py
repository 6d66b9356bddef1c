"""Layers that hold one set of weights per seed: weights [S, out, in], activations [S, B, d].

Axes between the seeds and the batch are allowed everywhere: [S, V, B, d] means V batches that
share the weights of their seed. Linear maps do not care; normalisation takes the statistics of
each batch separately. The sum of the S losses has independent gradients, so one backward pass
trains all seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ssl_dynamics.data.streams import uniform


def standardised_rows(weight: Tensor) -> Tensor:
    """Every row of a weight [..., out, in] without its mean and at length one."""
    centred = weight - weight.mean(-1, keepdim=True)
    return centred / (centred.square().sum(-1, keepdim=True) + 1e-10).sqrt()


class Linear(nn.Module):
    """y = W x + b for every seed: [S, ..., B, in] -> [S, ..., B, out].

    Weight and bias start uniform on [-1/sqrt(in), 1/sqrt(in)], the law of `torch.nn.Linear`,
    from the stream of (seed, `purpose`). With `standardised=True` each row of the weight is used
    without its mean and at length one (weight standardisation, Qiao et al. 2019): a way to tame a
    network that looks at no batch.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        inputs: int,
        outputs: int,
        *,
        purpose: str,
        bias: bool = True,
        standardised: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.standardised = standardised
        bound = inputs**-0.5
        self.weight = nn.Parameter(
            uniform(seeds, f"{purpose}/weight", (outputs, inputs), bound, dtype)
        )
        self.bias = (
            nn.Parameter(uniform(seeds, f"{purpose}/bias", (outputs,), bound, dtype))
            if bias
            else None
        )

    @property
    def used_weight(self) -> Tensor:
        """The weight that multiplies, [S, out, in]: as stored, or standardised row by row."""
        if not self.standardised:
            return self.weight
        return standardised_rows(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        rows, weight = x.flatten(1, -2), self.used_weight
        if self.bias is None:
            y = torch.bmm(rows, weight.mT)
        else:
            y = torch.baddbmm(self.bias.unsqueeze(1), rows, weight.mT)
        return y.view(*x.shape[:-1], -1)

    def extra_repr(self) -> str:
        seeds, outputs, inputs = self.weight.shape
        return f"{inputs} -> {outputs}, seeds={seeds}, bias={self.bias is not None}"


class ReLU(nn.Module):
    """max(x, 0), entry by entry."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)
