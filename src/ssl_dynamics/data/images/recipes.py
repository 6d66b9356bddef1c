"""Augmentation recipes: the published probabilities and strengths, by name and image size.

SimCLR: Chen, Kornblith, Norouzi, Hinton 2020, appendices A and B.9 (CIFAR-10: colour strength 0.5,
no blur). BYOL: Grill et al. 2020, appendix B, with its two unequal views. SimSiam: Chen, He 2021,
appendices A and D (CIFAR-10: no blur). VICReg: the files of solo-learn (da Costa et al. 2022) for
CIFAR and, with blur, ImageNet-100; the authors' own code has BYOL's views. BYOL's views are for
large images; up to 48 px they go without blur here, as in solo-learn's files for CIFAR. Resizing is
bilinear throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SMALL = 48
"""Up to this many pixels along a side the recipes for small images hold."""
PLAIN_RATIO = (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Recipe:
    """What is drawn for each image, in the order in which it is applied.

    scale, ratio: share of the area and width over height of the crop, which is resized to the
    whole image (a scale of (1, 1) keeps all of it); flip: probability of a left-right flip;
    rotation: largest angle in degrees; jitter: probability that brightness, contrast and saturation
    are multiplied by a factor drawn from [1 - strength, 1 + strength] and hue is turned by up to
    `hue` of a full turn; grey, blur, solarise: probabilities; sigma: range of the blur's standard
    deviation in pixels; kernel: width of the blur in pixels, odd; mean, std: what the channels,
    which run from 0 to 1, are standardised with at the end.
    """

    name: str = "plain"
    scale: tuple[float, float] = (1.0, 1.0)
    ratio: tuple[float, float] = PLAIN_RATIO
    flip: float = 0.0
    rotation: float = 0.0
    jitter: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    blur: float = 0.0
    sigma: tuple[float, float] = (0.1, 2.0)
    kernel: int = 3
    solarise: float = 0.0
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.25, 0.25, 0.25)

    def __post_init__(self) -> None:
        def refuse(field: str, allowed: str) -> None:
            raise ValueError(f"{field}: got {getattr(self, field)}; allowed: {allowed}")

        for field in ("flip", "jitter", "grey", "blur", "solarise"):
            if not 0 <= getattr(self, field) <= 1:
                refuse(field, "a probability from 0 to 1")
        for field in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, field) <= 1:
                refuse(field, "0 to 1")
        if not 0 <= self.hue <= 0.5:
            refuse("hue", "0 to 0.5 of a turn")
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            refuse("scale", "0 < low <= high <= 1")
        for field in ("ratio", "sigma"):
            low, high = getattr(self, field)
            if not 0 < low <= high:
                refuse(field, "0 < low <= high")
        if self.kernel < 1 or self.kernel % 2 == 0:
            refuse("kernel", "an odd number of pixels")
        if not 0 <= self.rotation <= 180:
            refuse("rotation", "0 to 180 degrees")
        if min(self.std) <= 0:
            refuse("std", "above 0")

    def standardised(
        self, mean: tuple[float, float, float], std: tuple[float, float, float]
    ) -> Recipe:
        """The same recipe, standardised with another mean and standard deviation."""
        return replace(self, mean=mean, std=std)


_CROPPED = Recipe(scale=(0.08, 1.0), flip=0.5)
_COLOUR = replace(_CROPPED, jitter=0.8, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)

SIMCLR = replace(
    _COLOUR,
    name="simclr",
    brightness=0.8,
    contrast=0.8,
    saturation=0.8,
    hue=0.2,
    grey=0.2,
    blur=0.5,
)
SIMSIAM = replace(_COLOUR, name="simsiam", scale=(0.2, 1.0), grey=0.2, blur=0.5)
VICREG = replace(SIMSIAM, name="vicreg", saturation=0.2, solarise=0.1)
BYOL_ONE = replace(_COLOUR, name="byol-one", saturation=0.2, grey=0.2, blur=1.0)
BYOL_TWO = replace(BYOL_ONE, name="byol-two", blur=0.1, solarise=0.2)
CROP_FLIP = replace(_CROPPED, name="crop-flip")
DIGITS = Recipe("digits", scale=(0.5, 1.0), rotation=15.0, jitter=0.8, brightness=0.4, contrast=0.4)
PLAIN = Recipe()

RECIPES: dict[str, Recipe] = {
    r.name: r for r in (SIMCLR, SIMSIAM, VICREG, BYOL_ONE, BYOL_TWO, CROP_FLIP, DIGITS, PLAIN)
}
"""The recipes for large images, by name. "digits" (no flip, no colour) is ours."""


def recipe(name: str, image_size: int) -> Recipe:
    """A recipe for images of `image_size` pixels along a side.

    The blur is as wide as a tenth of the image, to the nearest odd number and at least 3. Small
    images get no blur and SimCLR's colour strength is halved for them.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe: got {name!r}; allowed: {', '.join(RECIPES)}")
    found = replace(RECIPES[name], kernel=max(3, 2 * round((image_size / 10 - 1) / 2) + 1))
    if image_size > SMALL:
        return found
    found = replace(found, blur=0.0)
    if name == "simclr":
        found = replace(found, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    return found


def pair(name: str, image_size: int) -> tuple[Recipe, Recipe]:
    """The recipes of the two views; "byol" has two different ones, other names the same twice."""
    names = ("byol-one", "byol-two") if name == "byol" else (name, name)
    if name != "byol" and name not in RECIPES:
        raise ValueError(f"recipe: got {name!r}; allowed: byol, {', '.join(RECIPES)}")
    return recipe(names[0], image_size), recipe(names[1], image_size)
