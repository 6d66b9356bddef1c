"""A plain stack of convolution, BatchNorm and ReLU with a leading seeds axis.

Convolutions are matrix products over the nine shifts of a padded image, so the seeds stay an axis
of one batched product; a grouped convolution of the same size is slower on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from ssl_dynamics.networks.layers import Linear
from ssl_dynamics.networks.norm import BatchNorm


class Passed(NamedTuple):
    """Scores [S, B, classes] and, for every layer, what goes into its ReLU [S, B, H, W, C]."""

    scores: Tensor
    pre: list[Tensor]


class ConvStack(nn.Module):
    """3 x 3 convolutions, each with BatchNorm and a ReLU; mean over the image; scores.

    Images [S, B, side, side]. After every layer but the last the image is halved (the largest of
    2 x 2). Convolutions have no bias and start uniform as `Linear`; gains start at 1 and offsets at
    `offset`.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        widths: Sequence[int],
        classes: int,
        *,
        offset: float = 0.0,
    ) -> None:
        super().__init__()
        fed = (1, *widths[:-1])
        self.filters = nn.ModuleList(
            Linear(seeds, 9 * n_in, n_out, purpose=f"stack/conv{k}", bias=False)
            for k, (n_in, n_out) in enumerate(zip(fed, widths, strict=True))
        )
        self.norms = nn.ModuleList(BatchNorm(seeds, n, affine=True) for n in widths)
        self.scores = Linear(seeds, widths[-1], classes, purpose="stack/scores")
        for norm in self.norms:
            nn.init.constant_(norm.offset, offset)

    def forward(self, images: Tensor) -> Passed:
        x, pre = images.unsqueeze(-1), []
        for layer, (filters, norm) in enumerate(zip(self.filters, self.norms, strict=True)):
            rows = filters(neighbourhoods(x))
            pre.append(norm(rows).view(*x.shape[:-1], -1))
            x = torch.relu(pre[-1])
            if layer < len(self.filters) - 1:
                x = halved(x)
        return Passed(self.scores(x.mean((2, 3))), pre)


def neighbourhoods(x: Tensor) -> Tensor:
    """The 3 x 3 surroundings of every pixel, zeros outside: [S, B, H, W, C] -> [S, B H W, 9 C]."""
    seeds, batch, height, width, _ = x.shape
    wide = pad(x, (0, 0, 1, 1, 1, 1))
    shifts = [wide[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.cat(shifts, -1).view(seeds, batch * height * width, -1)


def halved(x: Tensor) -> Tensor:
    """The largest of every 2 x 2 block: [S, B, H, W, C] -> [S, B, H/2, W/2, C]."""
    flat = x.flatten(0, 1).permute(0, 3, 1, 2)
    return max_pool2d(flat, 2).permute(0, 2, 3, 1).unflatten(0, x.shape[:2])
