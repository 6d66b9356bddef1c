"""Crop, flip and rotation of every image in one sampling pass."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

TRIES = 10
"""Crops tried for an image before it is taken whole."""
CROP_DRAWS = 2 * TRIES + 2
"""Uniform draws that one crop uses."""


def crop_boxes(
    draws: Tensor, image_size: int, scale: tuple[float, float], ratio: tuple[float, float]
) -> Tensor:
    """Random crops [B, 4] (left, top, width, height; whole pixels) from uniform draws [B, 22].

    Share of the area uniform on `scale`, logarithm of width over height uniform on `ratio`, place
    uniform; of ten tries the first that fits counts, else the whole image. The law is that of the
    published recipes for square images.
    """
    share, shape = draws[:, :TRIES], draws[:, TRIES : 2 * TRIES]
    area = image_size**2 * (scale[0] + (scale[1] - scale[0]) * share)
    low, high = (math.log(r) for r in ratio)
    root = (0.5 * (low + (high - low) * shape)).exp()
    side = area.sqrt()
    sides = torch.stack([side * root, side / root], -1).round_()  # [B, tries, (width, height)]
    fits = ((sides >= 1) & (sides <= image_size)).all(-1)
    first = fits.to(torch.uint8).argmax(1)
    chosen = sides.gather(1, first.view(-1, 1, 1).expand(-1, 1, 2)).squeeze(1)
    chosen = torch.where(fits.any(1, keepdim=True), chosen, float(image_size))
    free = image_size - chosen
    place = torch.minimum((draws[:, 2 * TRIES : CROP_DRAWS] * (free + 1)).floor_(), free)
    return torch.cat([place, chosen], 1)


def resample(
    images: Tensor, boxes: Tensor, flip: Tensor | None = None, angle: Tensor | None = None
) -> Tensor:
    """Cut out `boxes` [B, 4], resize each to the whole image, flip, and rotate: [B, C, H, W].

    flip: bool [B]; angle: radians [B], counter-clockwise as seen, about the middle. One bilinear
    sample a pixel; what lies outside a crop repeats the crop's edge, so for whole-pixel boxes the
    result is exactly that of cutting out first and resizing the piece afterwards.
    """
    size = images.shape[-1]
    left, top, width, height = boxes.unbind(1)
    # Positions of the output's pixels from -1 to 1, measured in half crops from its middle.
    steps = torch.arange(size, device=images.device, dtype=boxes.dtype)
    steps = (2 * steps + 1) / size - 1
    across, down = steps.view(1, 1, -1), steps.view(1, -1, 1)
    if angle is not None:
        cos, sin = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
        across, down = cos * across - sin * down, sin * across + cos * down
    if flip is not None:
        sign = 1 - 2 * flip.to(boxes.dtype)
        across = sign.view(-1, 1, 1) * across

    def place(along: Tensor, start: Tensor, length: Tensor) -> Tensor:
        """Where to look, in grid_sample's units: -1 and 1 are the outer edges of the image."""
        start, length = start.view(-1, 1, 1), length.view(-1, 1, 1)
        pixel = torch.clamp((along + 1) * (length / 2) + start - 0.5, start, start + length - 1)
        return (2 * pixel + 1) / size - 1

    shape = (len(images), size, size)
    x, y = place(across, left, width).expand(shape), place(down, top, height).expand(shape)
    grid = torch.view_as_real(torch.complex(x, y))  # twice as fast as stacking the two
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
