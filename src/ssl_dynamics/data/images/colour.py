r"""Colour jitter as one affine map per image, $x \mapsto A x + o\,\mathbb 1$ on the three channels.

Let $w$ be the luma weights, $W = \mathbb 1 w^\top$ (greys), $J = \mathbb 1\mathbb 1^\top/3$ and
$\bar x$ the image's mean colour. The four operators, with the factors drawn for the image, are

- brightness $x \mapsto b\,x$,
- contrast $x \mapsto c\,x + (1-c)\,m\,\mathbb 1$, where $m$ is the mean luma when it is applied,
- saturation $x \mapsto S x$ with $S = s I + (1-s) W$,
- hue $x \mapsto R x$, the rotation by $\theta$ about the grey axis,

.. math::

    R = J + \cos\theta\,(I - J) + \sin\theta\,[\mathbb 1]_\times/\sqrt 3 .

It keeps the grey axis and the mean of the channels; at a third of a turn it permutes the channels,
as the usual hue of HSV does. In between it only comes near to HSV, which is not linear.

The published recipes draw the order of the four. Since $RW = SW = W$ and $w^\top S = w^\top$, the
order matters in two places only: whether hue comes before saturation, and whether it comes before
contrast. With $v = R^\top w$ if hue comes before saturation and $v = w$ if it comes later,

.. math::

    A = b\,c\,P, \qquad P = s R + (1-s)\,\mathbb 1 v^\top, \qquad o = b\,(1-c)\,u^\top\bar x,

where $u = P^\top w$ if hue comes before contrast, else $u = w$. Turning the image grey afterwards
replaces $P$ by $W P$. Nothing is clamped between the operators, as image libraries do.
`benchmarks/README.md` has the measured distances from both.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma (ITU-R BT.601)."""


class Jitter(NamedTuple):
    """Factors of B images, [B] each: 1 changes nothing, and for hue (in turns) 0; grey is bool.

    hue_before_saturation, hue_before_contrast: bool [B], what the drawn order comes to.
    """

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    grey: Tensor
    hue_before_saturation: Tensor
    hue_before_contrast: Tensor


def orders(draws: Tensor) -> tuple[Tensor, Tensor]:
    """Whether hue comes before saturation, and before contrast, in an even random order [B].

    Of the six orders of hue, saturation and contrast, three start hue before saturation; in two
    of them, and in one of the others, hue is also before contrast.
    """
    order = (6 * draws).floor_()
    return order < 3, (order < 2) | (order == 3)


def colour_maps(jitter: Jitter) -> tuple[Tensor, Tensor]:
    """A [B, 3, 3] and the row that gives the offset from the mean colour, b (1 - c) u [B, 3]."""
    new = jitter.hue.new_tensor
    luma, unit, same = new(LUMA), new([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), new([[1 / 3] * 3] * 3)
    cross = new([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    angle = 2 * math.pi * jitter.hue
    cos, sin = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    turn = same + cos * (unit - same) + sin * cross
    s = jitter.saturation.view(-1, 1, 1)
    greyed = torch.where(jitter.hue_before_saturation[:, None], luma @ turn, luma)
    mixed = s * turn + (1 - s) * greyed.unsqueeze(1)
    outcome = luma @ mixed  # the luma of the result, from the colour before
    seen = torch.where(jitter.hue_before_contrast[:, None], outcome, luma)
    mixed = torch.where(jitter.grey.view(-1, 1, 1), outcome.unsqueeze(1), mixed)
    gain = jitter.brightness * jitter.contrast
    return gain.view(-1, 1, 1) * mixed, (jitter.brightness - gain).unsqueeze(-1) * seen


def recolour(images: Tensor, maps: Tensor, rows: Tensor) -> Tensor:
    """A x + (row . mean colour) 1, not clamped: [B, 3, H, W] -> [B, 3, H, W]."""
    flat = images.flatten(2)
    offset = (flat.mean(-1) * rows).sum(-1).view(-1, 1, 1)
    return torch.baddbmm(offset, maps, flat).view_as(images)


def solarise(images: Tensor, chosen: Tensor, threshold: float = 0.5) -> Tensor:
    """Invert the values of the chosen images (bool [B]) from the threshold on."""
    inverted = chosen.view(-1, 1, 1, 1) & (images >= threshold)
    return torch.where(inverted, 1 - images, images)
