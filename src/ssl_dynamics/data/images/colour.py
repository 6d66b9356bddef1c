r"""Colour jitter as one affine map per image, $x \mapsto A x + o$ on the three channels.

Let $w$ be the luma weights, $W = \mathbb 1 w^\top$ (makes grey), $m$ the mean luma of the image.
Brightness is $x \mapsto b\,x$, contrast $x \mapsto c\,x + (1-c)\,m\mathbb 1$, saturation
$x \mapsto s\,x + (1-s)\,Wx$. Hue is a rotation that keeps luma and the grey axis,

$$R = W + (I-W)(\cos\theta\, I + \sin\theta\, K), \qquad K = [\mathbb 1]_\times/\sqrt3 .$$

Since $WR = RW = W$, the four maps commute: in any order they give

$$A = b\,c\,[\,W + s\,(I-W)(\cos\theta\, I + \sin\theta\, K)], \qquad o = b\,(1-c)\,m\,\mathbb 1 ,$$

and turning an image grey is saturation $s = 0$. So no order is drawn. Libraries that clamp to
[0, 1] between the operators, or turn hue in the HSV cone, get other pixels for the same factors:
`benchmarks/README.md` has the measured distances.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma (ITU-R BT.601)."""


def colour_matrices(
    brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor
) -> tuple[Tensor, Tensor]:
    """A [B, 3, 3] and the factor of the mean luma in the offset, b (1 - c) [B].

    All factors are [B]; hue is in turns.
    """
    like = {"device": brightness.device, "dtype": brightness.dtype}
    grey = torch.tensor([LUMA] * 3, **like)
    chroma = torch.eye(3, **like) - grey
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], **like) / math.sqrt(3)
    parts = torch.stack([grey, chroma, chroma @ cross])
    angle = 2 * math.pi * hue
    weights = torch.stack(
        [torch.ones_like(saturation), saturation * angle.cos(), saturation * angle.sin()], -1
    )
    gain = brightness * contrast
    matrices = (gain.unsqueeze(-1) * weights) @ parts.flatten(1)
    return matrices.unflatten(1, (3, 3)), brightness - gain


def recolour(images: Tensor, matrices: Tensor, offsets: Tensor) -> Tensor:
    """A x + b (1 - c) m 1 with the mean luma m of each image; not clamped: [B, 3, H, W]."""
    flat = images.flatten(2)
    luma = flat.mean(-1) @ flat.new_tensor(LUMA)
    offset = (offsets * luma).view(-1, 1, 1)
    return torch.baddbmm(offset, matrices, flat).view_as(images)


def solarise(images: Tensor, chosen: Tensor, threshold: float = 0.5) -> Tensor:
    """Invert the values of the chosen images (bool [B]) from the threshold on."""
    inverted = chosen.view(-1, 1, 1, 1) & (images >= threshold)
    return torch.where(inverted, 1 - images, images)
