r"""Images whose latent factors are known: a class hierarchy that is kept, nuisances that are not.

An image is $x = x(z_0, z')$. What is kept, $z_0$, stands in a hierarchy: super-class, class,
sample. Its *content* is a table of soft coloured spots, one row a spot, and every entry is the sum
of three independent normals, drawn for the super-class, for the class and for the sample, with the
standard deviations `spread`. So the mean squared distance of two samples is, per entry, $2c^2$
within a class, $2(b^2+c^2)$ across classes of one super-class and $2(a^2+b^2+c^2)$ across
super-classes, for spreads $a, b, c$.

The nuisance $z'$ moves, turns and zooms the picture, lights and tints it and adds noise. It is
drawn independently of $z_0$. To draw it again with the content kept is the augmentation of the
theory: two views share all of $z_0$, and given $z_0$ they are independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import generator as stream

COLUMNS = ("across", "down", "width", "red", "green", "blue")
"""Columns of the content of a spot, all normal; `FactorWorld.render` maps them to the picture."""
NUISANCES = ("across", "down", "turn", "zoom", "light", "red", "green", "blue")
"""Columns of a nuisance, each uniform on [-1, 1] times the world's strength; 0 changes nothing."""
BLOCK = 256
"""Images rendered at a time."""


@dataclass(frozen=True)
class FactorWorld:
    """The classes and the strengths of the nuisances; a world is a function of its fields.

    supers, classes: super-classes, and classes in each; spots: rows of a content; spread: standard
    deviation of the super-class's, the class's and the sample's part of each entry; size: pixels
    along a side. Strengths: shift in half sides, turn in degrees, zoom (logarithm of the factor),
    light and tint (relative), noise (standard deviation; pixels run from 0 to 1).
    """

    supers: int = 10
    classes: int = 4
    spots: int = 6
    spread: tuple[float, float, float] = (0.8, 0.5, 0.3)
    size: int = 32
    shift: float = 0.4
    turn: float = 60.0
    zoom: float = 0.25
    light: float = 0.4
    tint: float = 0.3
    noise: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("supers", "classes", "spots", "size"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: got {getattr(self, field)}; allowed: 1 and more")
        for field in ("shift", "turn", "zoom", "light", "tint", "noise"):
            if getattr(self, field) < 0:
                raise ValueError(f"{field}: got {getattr(self, field)}; allowed: 0 and more")
        if len(self.spread) != 3 or min(self.spread) < 0:
            raise ValueError(f"spread: got {self.spread}; allowed: three numbers from 0")

    def contents(self, split: str, samples: int) -> tuple[Tensor, Tensor, Tensor]:
        """Contents [N, spots, 6], classes [N] and super-classes [N] of `samples` a class.

        All splits have the same classes and super-classes; their samples are independent.
        """
        shape = (self.spots, len(COLUMNS))
        classes = self.supers * self.classes
        top, middle, low = (
            spread * stream(self.seed, f"factors/{name}").standard_normal((count, *shape))
            for name, count, spread in zip(
                ("supers", "classes", f"samples/{split}"),
                (self.supers, classes, classes * samples),
                self.spread,
                strict=True,
            )
        )
        label = np.arange(classes).repeat(samples)
        coarse = label // self.classes
        content = torch.from_numpy(top[coarse] + middle[label] + low).float()
        return content, torch.from_numpy(label), torch.from_numpy(coarse)

    def nuisances(self, draws: Tensor) -> Tensor:
        """Nuisances [B, 8] from uniform draws [B, 8]; the columns are `NUISANCES`."""
        strengths = (self.shift, self.shift, math.radians(self.turn), self.zoom, self.light)
        return (2 * draws - 1) * draws.new_tensor([*strengths, *[self.tint] * 3])

    def render(self, content: Tensor, nuisance: Tensor | None = None) -> Tensor:
        """The pictures [B, 3, size, size] from 0 to 1, without noise; nuisance [B, 8] or none.

        Spot k has its middle at tanh(across, down) on the square [-1, 1]^2, standard deviation
        0.2 exp(width / 2) and adds 0.5 tanh(colour) to a grey ground of 0.5. The nuisance turns
        (counter-clockwise as seen) and zooms about the middle, then shifts, then multiplies the
        colours by (1 + light) (1 + tint).
        """
        z = content.new_zeros(len(content), len(NUISANCES)) if nuisance is None else nuisance
        zoom, turn = z[:, 3:4].exp(), z[:, 2:3]
        x, y = content[..., 0].tanh(), content[..., 1].tanh()
        across = zoom * (turn.cos() * x + turn.sin() * y) + z[:, 0:1]
        down = zoom * (turn.cos() * y - turn.sin() * x) + z[:, 1:2]
        width = 0.2 * zoom * (content[..., 2] / 2).exp()
        place = torch.arange(self.size, device=content.device, dtype=content.dtype)
        place = (2 * place + 1) / self.size - 1

        def profile(middle: Tensor) -> Tensor:  # [B, spots, size]
            return (-0.5 * ((place - middle[..., None]) / width[..., None]).square()).exp()

        colour = 0.5 * content[..., 3:].tanh()  # [B, spots, 3]
        columns = profile(across).unsqueeze(2) * colour.unsqueeze(-1)  # [B, spots, 3, size]
        rows = profile(down).transpose(1, 2)  # [B, size, spots]
        spots = rows @ columns.flatten(2)  # [B, size, 3 size]
        picture = 0.5 + spots.unflatten(2, (3, self.size)).transpose(1, 2)
        return (picture * ((1 + z[:, 4:5]) * (1 + z[:, 5:]))[..., None, None]).clamp(0, 1)

    def images(self, split: str, samples: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """uint8 images [N, 3, size, size] under one nuisance each; contents, classes, supers."""
        content, label, coarse = self.contents(split, samples)
        seed = int(stream(self.seed, f"factors/nuisances/{split}").integers(2**63))
        chance = torch.Generator().manual_seed(seed)
        images = torch.empty(len(content), 3, self.size, self.size, dtype=torch.uint8)
        for start in range(0, len(content), BLOCK):
            rows = slice(start, start + BLOCK)
            images[rows] = resample_nuisance(content[rows], self, chance).mul_(255).round_()
        return images, content, label, coarse


def resample_nuisance(content: Tensor, world: FactorWorld, generator: torch.Generator) -> Tensor:
    """A new view of each content [B, spots, 6]: the nuisance drawn again, [B, 3, H, W] from 0 to 1.

    The draws come from the generator's own device, as in `augment`.
    """
    place = generator.device
    draws = torch.rand(len(content), len(NUISANCES), generator=generator, device=place)
    draws = draws.to(content.device)
    picture = world.render(content, world.nuisances(draws))
    if world.noise:
        noise = torch.randn(picture.shape, generator=generator, device=place).to(content.device)
        picture = picture.add_(noise, alpha=world.noise).clamp_(0, 1)
    return picture
