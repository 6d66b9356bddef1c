"""Random views of a batch of images, made where the images lie, each with its own randomness.

All chance of a batch is one table of uniform draws, one row an image. It comes from the generator's
own device, so a generator on the CPU gives a GPU the very same crops and colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ssl_dynamics.data.images.blur import blur, gaussian_taps
from ssl_dynamics.data.images.colour import Jitter, colour_maps, orders, recolour, solarise
from ssl_dynamics.data.images.geometry import CROP_DRAWS, crop_boxes, resample
from ssl_dynamics.data.images.recipes import Recipe

FACTORS = ("brightness", "contrast", "saturation", "hue")
CHOICES = ("flip", "angle", "jitter", *FACTORS, "order", "grey", "blur", "sigma", "solarise")
DRAWS = CROP_DRAWS + len(CHOICES)
"""Uniform draws an image uses, whatever the recipe."""
CACHE = 1 << 21
"""Bytes of float images worked on at a time on a CPU."""


class Choices(NamedTuple):
    """What was drawn for B images: crops [B, 4], flips [B], angles [B], colour, blur, solarise.

    maps [B, 3, 3] and rows [B, 3] are the colour jitter (`colour.colour_maps`), taps [B, r + 1]
    the blur; what the recipe never does is None.
    """

    boxes: Tensor
    flip: Tensor | None
    angle: Tensor | None
    maps: Tensor
    rows: Tensor
    blurred: Tensor | None
    taps: Tensor | None
    solarised: Tensor | None

    def of(self, images: slice) -> Choices:
        """The choices for some of the images."""
        return Choices(*(None if part is None else part[images] for part in self))  # type: ignore[arg-type]


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """One random view of each image: uint8 [B, 3, H, H] -> float32 [B, 3, H, H], standardised.

    Crop, flip and rotation are one bilinear sample, all colour changes one matrix an image; then
    clamp to [0, 1], blur, solarise, and (x - mean) / std.
    """
    shape = tuple(images.shape)
    if images.dtype != torch.uint8 or len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
        raise ValueError(f"images: got {images.dtype} {shape}; allowed: uint8 [B, 3, H, H]")
    draws = torch.rand(len(images), DRAWS, generator=generator, device=generator.device)
    choices = choose(draws.to(images.device, non_blocking=True), recipe, shape[-1])
    out = torch.empty(shape, device=images.device)
    for rows in _pieces(images):
        _standardise(carry_out(images[rows], choices.of(rows)), recipe, out[rows])
    return out


def standardise(images: Tensor, recipe: Recipe) -> Tensor:
    """The images themselves as the recipe standardises them: uint8 -> float32 [B, 3, H, W]."""
    x = images.float().div_(255)
    return _standardise(x, recipe, x)


def choose(draws: Tensor, recipe: Recipe, image_size: int) -> Choices:
    """What uniform draws [B, DRAWS] mean under a recipe."""
    chance = dict(zip(CHOICES, draws[:, CROP_DRAWS:].unbind(1), strict=True))
    strengths = draws.new_tensor([getattr(recipe, name) for name in FACTORS])
    start = CROP_DRAWS + CHOICES.index(FACTORS[0])
    jittered = (chance["jitter"] < recipe.jitter).unsqueeze(-1)
    change = (2 * draws[:, start : start + len(FACTORS)] - 1) * strengths * jittered
    b, c, s, hue = change.unbind(1)
    grey = chance["grey"] < recipe.grey
    low, high = recipe.sigma
    return Choices(
        crop_boxes(draws[:, :CROP_DRAWS], image_size, recipe.scale, recipe.ratio),
        chance["flip"] < recipe.flip if recipe.flip else None,
        torch.deg2rad((2 * chance["angle"] - 1) * recipe.rotation) if recipe.rotation else None,
        *colour_maps(Jitter(1 + b, 1 + c, 1 + s, hue, grey, *orders(chance["order"]))),
        chance["blur"] < recipe.blur if recipe.blur else None,
        gaussian_taps(low + (high - low) * chance["sigma"], recipe.kernel) if recipe.blur else None,
        chance["solarise"] < recipe.solarise if recipe.solarise else None,
    )


def carry_out(images: Tensor, choices: Choices) -> Tensor:
    """The chosen views of uint8 images [B, 3, H, H], in [0, 1]."""
    x = resample(images.float(), choices.boxes, choices.flip, choices.angle)
    x = recolour(x, choices.maps / 255, choices.rows / 255).clamp_(0, 1)
    if choices.blurred is not None and choices.taps is not None:
        x = _blur_chosen(x, choices.blurred, choices.taps)
    if choices.solarised is not None:
        x = solarise(x, choices.solarised)
    return x


def _blur_chosen(x: Tensor, chosen: Tensor, taps: Tensor) -> Tensor:
    if x.device.type == "cpu":
        (index,) = chosen.nonzero(as_tuple=True)
        if len(index) == len(x):
            return blur(x, taps)
        return x.index_copy_(0, index, blur(x.index_select(0, index), taps[index]))
    # Elsewhere a number of images known only to the device would stop the queue: all take part,
    # and those not chosen keep their pixels.
    return torch.where(chosen.view(-1, 1, 1, 1), blur(x, taps), x)


def _standardise(x: Tensor, recipe: Recipe, out: Tensor) -> Tensor:
    mean, std = torch.tensor([recipe.mean, recipe.std]).view(2, 3, 1, 1)
    shift, factor = torch.stack([-mean / std, 1 / std]).to(x.device, non_blocking=True)
    return torch.addcmul(shift, x, factor, out=out)


def _pieces(images: Tensor) -> Iterator[slice]:
    """The batch in pieces that fit a CPU's cache, whole on other devices."""
    step = max(1, len(images))
    if images.device.type == "cpu" and len(images):
        step = max(1, CACHE // (4 * images[0].numel()))
    for start in range(0, len(images), step):
        yield slice(start, start + step)
