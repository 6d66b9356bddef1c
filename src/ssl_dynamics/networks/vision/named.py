"""Encoders by name."""

from __future__ import annotations

import re
from collections.abc import Callable

from ssl_dynamics.networks.vision.convolution import draw_weights
from ssl_dynamics.networks.vision.encoder import Encoder
from ssl_dynamics.networks.vision.resnet import res_lh, resnet18
from ssl_dynamics.networks.vision.small import small, tiny

ENCODERS: dict[str, Callable[..., Encoder]] = {
    "tiny": tiny,
    "small": small,
    "resnet18": resnet18,
}
"""The encoders with a fixed name; "res-L-H" with numbers for L and H is the family besides."""

_FAMILY = re.compile(r"res-(\d+)-(\d+)")


def check_encoder(name: str) -> None:
    """Refuse a name that `encoder` does not know."""
    if name not in ENCODERS and not _FAMILY.fullmatch(name):
        raise ValueError(
            f"encoder: got {name!r}; allowed: {', '.join(ENCODERS)}, "
            "or res-L-H with numbers such as res-5-250"
        )


def encoder(name: str, image_size: int, *, norm: str = "batch", seed: int = 0) -> Encoder:
    """The encoder of that name for square images, its weights drawn from the streams of `seed`.

    name: "tiny", "small", "resnet18", or "res-L-H" such as "res-5-250". norm: "batch", "group-ws"
    (GroupNorm and standardised weights), or "none". Anything else is refused with what is allowed.
    """
    check_encoder(name)
    if family := _FAMILY.fullmatch(name):
        blocks, channels = (int(number) for number in family.groups())
        made = res_lh(blocks, channels, image_size, norm=norm)
    else:
        made = ENCODERS[name](image_size, norm=norm)
    draw_weights(made, seed, "online/encoder")
    return made
