"""Gaussian blur with a width of its own for each image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gaussian_taps(sigma: Tensor, kernel: int) -> Tensor:
    """Weights [B, (kernel + 1) / 2] from the middle outwards; both sides together sum to one."""
    distance = torch.arange((kernel + 1) // 2, device=sigma.device, dtype=sigma.dtype)
    taps = (-0.5 * (distance / sigma.unsqueeze(-1)).square()).exp()
    return taps / (2 * taps.sum(-1, keepdim=True) - taps[:, :1])


def blur(images: Tensor, taps: Tensor) -> Tensor:
    """Both axes convolved with the taps [B, r + 1], mirrored at the edges: [B, C, H, W]."""
    reach, size = taps.shape[1] - 1, images.shape[-1]
    if reach >= size:
        raise ValueError(f"kernel: got {2 * reach + 1}; allowed for {size} pixels: {2 * size - 1}")
    return _along(_along(images, taps, -2), taps, -1) if reach else images


def _along(images: Tensor, taps: Tensor, axis: int) -> Tensor:
    reach, length = taps.shape[1] - 1, images.shape[axis]
    margin = (reach, reach, 0, 0) if axis == -1 else (0, 0, reach, reach)
    padded = F.pad(images, margin, mode="reflect")
    weights = taps[:, :, None, None, None].unbind(1)
    result = padded.narrow(axis, reach, length) * weights[0]
    both = torch.empty_like(result)
    for k in range(1, reach + 1):
        before, after = (padded.narrow(axis, reach + step, length) for step in (-k, k))
        result.addcmul_(torch.add(before, after, out=both), weights[k])
    return result
