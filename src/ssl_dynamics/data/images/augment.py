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
from ssl_dynamics.data.images.rows import Mix, blur_rows, crop_rows, mix_rows, turned

FACTORS = ("brightness", "contrast", "saturation", "hue")
CHOICES = ("flip", "angle", "jitter", *FACTORS, "order", "grey", "blur", "sigma", "solarise")
DRAWS = CROP_DRAWS + len(CHOICES)
"""Uniform draws an image uses, whatever the recipe."""
CACHE = 1 << 20
"""Bytes of float images worked on at a time on a CPU."""


class Choices(NamedTuple):
    """What was drawn for B images: crops [B, 4], flips [B], angles [B], colour, blur, solarise.

    maps [B, 3, 3] and rows [B, 3] are the colour jitter (`colour.colour_maps`), taps [B, r + 1]
    the blur; what the recipe never does is None. down, across, kernel: crop, flip and blur as sums
    of rows (`rows`), on a CPU and without rotation.
    """

    boxes: Tensor
    flip: Tensor | None
    angle: Tensor | None
    maps: Tensor
    rows: Tensor
    blurred: Tensor | None
    taps: Tensor | None
    solarised: Tensor | None
    down: Mix | None = None
    across: Mix | None = None
    kernel: Mix | None = None

    def of(self, images: slice) -> Choices:
        """The choices for some of the images."""

        def some(part: Tensor | Mix | None) -> Tensor | Mix | None:
            if isinstance(part, Mix):
                return part.of(images)
            return None if part is None else part[images]

        return Choices(*map(some, self))  # type: ignore[arg-type]

    def by_rows(self, size: int) -> Choices:
        """The same choices, with crop, flip and blur as sums of rows of images of that size."""
        left, top, width, height = self.boxes.unbind(1)
        down, across = crop_rows(top, height, size), crop_rows(left, width, size, self.flip)
        kernel = None if self.taps is None else blur_rows(self.taps, size)
        return self._replace(down=down, across=across, kernel=kernel)


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
    choices = Choices(
        crop_boxes(draws[:, :CROP_DRAWS], image_size, recipe.scale, recipe.ratio),
        chance["flip"] < recipe.flip if recipe.flip else None,
        torch.deg2rad((2 * chance["angle"] - 1) * recipe.rotation) if recipe.rotation else None,
        *colour_maps(Jitter(1 + b, 1 + c, 1 + s, hue, grey, *orders(chance["order"]))),
        chance["blur"] < recipe.blur if recipe.blur else None,
        gaussian_taps(low + (high - low) * chance["sigma"], recipe.kernel) if recipe.blur else None,
        chance["solarise"] < recipe.solarise if recipe.solarise else None,
    )
    sums = draws.device.type == "cpu" and choices.angle is None
    return choices.by_rows(image_size) if sums else choices


def carry_out(images: Tensor, choices: Choices) -> Tensor:
    """The chosen views of uint8 images [B, 3, H, H], in [0, 1]."""
    view = by_sampling if choices.down is None else by_sums
    x = view(images.float(), choices)
    return x if choices.solarised is None else solarise(x, choices.solarised)


def by_sampling(images: Tensor, choices: Choices) -> Tensor:
    """Crop, flip, rotation, colour and blur, one bilinear sample a pixel: on any device."""
    x = resample(images, choices.boxes, choices.flip, choices.angle)
    x = recolour(x, choices.maps / 255, choices.rows / 255).clamp_(0, 1)
    if choices.blurred is None or choices.taps is None:
        return x
    # A number of images known only to the device would stop its queue: all are blurred, and those
    # not chosen keep their pixels.
    return torch.where(choices.blurred.view(-1, 1, 1, 1), blur(x, choices.taps), x)


def by_sums(images: Tensor, choices: Choices) -> Tensor:
    """The same without rotation, by sums of rows, one axis after the other: fastest on a CPU."""
    assert choices.down is not None
    assert choices.across is not None
    x = mix_rows(images, choices.down)
    x = mix_rows(turned(x), choices.across)  # from here its rows are columns
    x = recolour(x, choices.maps / 255, choices.rows / 255).clamp_(0, 1)
    if choices.blurred is None or choices.kernel is None:
        return turned(x)
    (index,) = choices.blurred.nonzero(as_tuple=True)
    kernel = choices.kernel.of(index)
    x.index_copy_(0, index, mix_rows(x.index_select(0, index), kernel))
    x = turned(x)
    return x.index_copy_(0, index, mix_rows(x.index_select(0, index), kernel))


def _standardise(x: Tensor, recipe: Recipe, out: Tensor) -> Tensor:
    mean, std = torch.tensor([recipe.mean, recipe.std]).view(2, 3, 1, 1)
    shift, factor = torch.stack([-mean / std, 1 / std]).to(x.device, non_blocking=True)
    return torch.mul(x, factor, out=out).add_(shift)


def _pieces(images: Tensor) -> Iterator[slice]:
    """The batch in pieces that fit a CPU's cache, whole on other devices."""
    step = max(1, len(images))
    if images.device.type == "cpu" and len(images):
        step = max(1, CACHE // (4 * images[0].numel()))
    for start in range(0, len(images), step):
        yield slice(start, start + step)
