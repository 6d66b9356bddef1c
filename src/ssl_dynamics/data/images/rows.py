"""Crops, flips and blur as sums of whole rows: on a CPU faster than sampling pixel by pixel.

Along one axis, a resized or a blurred image is a row of weights for each new row of pixels; and a
weighted sum of rows of a table is what an embedding bag computes. So a view is one such sum down
the image, a turn that makes columns rows, and another sum. The numbers are those of
`geometry.resample` and `blur.blur` to rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


class Mix(NamedTuple):
    """Which k old rows make each of R new ones (int64), and their weights: both [B, R, k]."""

    rows: Tensor
    weights: Tensor

    def of(self, images: slice | Tensor) -> Mix:
        """The mix of some of the images."""
        return Mix(self.rows[images], self.weights[images])


def mix_rows(images: Tensor, mix: Mix) -> Tensor:
    """New rows from old, alike in all channels of an image: [B, C, H, W] -> [B, C, R, W]."""
    batch, channels, height, width = images.shape
    first = torch.arange(0, batch * channels * height, height, device=images.device)
    bags = (mix.rows.unsqueeze(1) + first.view(batch, channels, 1, 1)).flatten(0, 2)
    weights = mix.weights.unsqueeze(1).expand(-1, channels, -1, -1).flatten(0, 2)
    table = images.reshape(-1, width)
    mixed = F.embedding_bag(bags, table, mode="sum", per_sample_weights=weights)
    return mixed.view(batch, channels, mix.rows.shape[1], width)


def turned(images: Tensor) -> Tensor:
    """Columns as rows, in order in memory: [B, C, H, W] -> [B, C, W, H], on the CPU."""
    # NumPy copies a transposed array nearly twice as fast as torch.
    return torch.from_numpy(np.ascontiguousarray(images.numpy().swapaxes(-2, -1)))


def crop_rows(start: Tensor, length: Tensor, size: int, flip: Tensor | None = None) -> Mix:
    """The two old rows of each of `size` new ones.

    `length` rows from `start` on (both [B]) are resized to `size` by linear interpolation, without
    looking past the crop's edge; where flip (bool [B]) says so, from the last to the first.
    """
    steps = (torch.arange(size, device=start.device, dtype=start.dtype) + 0.5) / size
    along = steps if flip is None else torch.where(flip.unsqueeze(-1), 1 - steps, steps)
    start, length = start.unsqueeze(-1), length.unsqueeze(-1)
    place = torch.clamp(along * length + start - 0.5, start, start + length - 1)
    before = place.floor()
    after = (before + 1).clamp_(max=size - 1)
    share = place - before
    return Mix(torch.stack([before, after], -1).long(), torch.stack([1 - share, share], -1))


def blur_rows(taps: Tensor, size: int) -> Mix:
    """The 2 r + 1 rows under a kernel with taps [B, r + 1] about every row.

    The image is mirrored at its edges, without repeating the outermost row.
    """
    reach = taps.shape[1] - 1
    if reach >= size:
        raise ValueError(f"kernel: got {2 * reach + 1}; allowed for {size} pixels: {2 * size - 1}")
    steps = torch.arange(-reach, reach + 1, device=taps.device)
    row = (torch.arange(size, device=taps.device).unsqueeze(-1) + steps).abs_()
    row = (size - 1) - (size - 1 - row).abs_()
    batch = len(taps)
    weights = taps[:, steps.abs()].unsqueeze(1)
    return Mix(row.expand(batch, -1, -1), weights.expand(-1, size, -1))
