"""Random views of a batch of images, made where the images lie, each with its own randomness.

All chance of a batch is one table of uniform draws, one row an image. It comes from the generator's
own device, so a generator on the CPU gives a GPU the very same crops and colours.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ssl_dynamics.data.images.blur import blur, gaussian_taps
from ssl_dynamics.data.images.colour import colour_matrices, recolour, solarise
from ssl_dynamics.data.images.geometry import CROP_DRAWS, crop_boxes, resample
from ssl_dynamics.data.images.recipes import Recipe

CHOICES = ("flip", "rotation", "jitter", "brightness", "contrast", "saturation", "hue", "grey")
LATER = ("blur", "sigma", "solarise")
DRAWS = CROP_DRAWS + len(CHOICES) + len(LATER)
"""Uniform draws an image uses, whatever the recipe."""
CACHE = 1 << 20
"""Bytes of float images worked on at a time on a CPU."""


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """One random view of each image: uint8 [B, 3, H, H] -> float32 [B, 3, H, H], standardised.

    Crop, flip and rotation are one bilinear sample, all colour changes one matrix an image; then
    clamp to [0, 1], blur, solarise, and (x - mean) / std.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"images: got {images.dtype} {tuple(images.shape)}; allowed: uint8 [B, 3, H, W]"
        )
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"images: got {tuple(images.shape)}; allowed: as high as wide")
    draws = torch.rand(len(images), DRAWS, generator=generator, device=generator.device)
    draws = draws.to(images.device, non_blocking=True)
    out = torch.empty(images.shape, device=images.device)
    for rows in _blocks(images):
        _view(images[rows], recipe, draws[rows], out[rows])
    return out


def standardise(images: Tensor, recipe: Recipe) -> Tensor:
    """The images themselves as the recipe standardises them: uint8 -> float32 [B, 3, H, W]."""
    mean, std = _statistics(recipe, images.device)
    return images.float().div_(255).sub_(mean).div_(std)


def _blocks(images: Tensor) -> Iterator[slice]:
    """The batch in pieces that fit a CPU's cache, whole on other devices."""
    step = len(images)
    if images.device.type == "cpu":
        step = max(1, CACHE // (4 * images[0].numel()))
    for start in range(0, len(images), step):
        yield slice(start, start + step)


def _statistics(recipe: Recipe, device: torch.device) -> tuple[Tensor, Tensor]:
    both = torch.tensor([recipe.mean, recipe.std], device=device).view(2, 3, 1, 1)
    return both[0], both[1]


def _view(images: Tensor, recipe: Recipe, draws: Tensor, out: Tensor) -> None:
    """Write the views that these draws give into `out`."""
    chance = dict(zip((*CHOICES, *LATER), draws[:, CROP_DRAWS:].unbind(1), strict=True))
    x = images.float()
    boxes = crop_boxes(draws[:, :CROP_DRAWS], x.shape[-1], recipe.scale, recipe.ratio)
    angle = torch.deg2rad(_spread(chance["rotation"], recipe.rotation)) if recipe.rotation else None
    x = resample(x, boxes, chance["flip"] < recipe.flip, angle)
    jittered = (chance["jitter"] < recipe.jitter).float()
    factors = [
        1 + jittered * _spread(chance[name], getattr(recipe, name))
        for name in ("brightness", "contrast", "saturation")
    ]
    factors[2] = factors[2] * (chance["grey"] >= recipe.grey)
    matrices, offsets = colour_matrices(*factors, jittered * _spread(chance["hue"], recipe.hue))
    x = recolour(x, matrices / 255, offsets / 255).clamp_(0, 1)
    if recipe.blur:
        x = _blurred(x, recipe, chance["blur"] < recipe.blur, chance["sigma"])
    if recipe.solarise:
        x = solarise(x, chance["solarise"] < recipe.solarise)
    mean, std = _statistics(recipe, x.device)
    torch.sub(x, mean, out=out).div_(std)


def _spread(draw: Tensor, strength: float) -> Tensor:
    """Uniform on [-strength, strength]."""
    return (2 * draw - 1) * strength


def _blurred(x: Tensor, recipe: Recipe, chosen: Tensor, draw: Tensor) -> Tensor:
    low, high = recipe.sigma
    taps = gaussian_taps(low + (high - low) * draw, recipe.kernel)
    if x.device.type == "cpu":
        (index,) = chosen.nonzero(as_tuple=True)
        return x.index_copy_(0, index, blur(x[index], taps[index]))
    # Elsewhere a number of images known only to the device would stop the queue: all take part,
    # and those not chosen keep their pixels.
    return torch.where(chosen.view(-1, 1, 1, 1), blur(x, taps), x)
