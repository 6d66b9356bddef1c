"""Residual encoders: ResNet-18 with two stems, and the family RES-L-H."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from ssl_dynamics.networks.vision.convolution import convolution
from ssl_dynamics.networks.vision.encoder import Encoder

LARGEST_OF_SMALL = 48
"""Up to this image size (pixels) ResNet-18 has the stem for small images."""


class Block(nn.Module):
    """relu(x + F(x)), F two 3 x 3 convolutions with a ReLU between: [B, C, H, W] -> [B, C', ...].

    Where channels or size change, a 1 x 1 convolution with its normalisation stands on the skip.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, norm: str) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, norm=norm, stride=stride)
        self.second = convolution(outputs, outputs, 3, norm=norm)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = convolution(inputs, outputs, 1, norm=norm, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.skip(x) + self.second(relu(self.first(x))))


def resnet18(image_size: int = 32, *, norm: str = "batch") -> Encoder:
    """ResNet-18 (He and others 2016, table 1) without its classifier: 512 features.

    Up to 48 px the stem is one 3 x 3 convolution of stride 1 and no pooling, as in SimCLR's
    appendix on CIFAR-10; above, the original one: 7 x 7 of stride 2, then 3 x 3 max pooling of
    stride 2.
    """
    if image_size < 8:
        raise ValueError(f"image_size: got {image_size}; allowed: at least 8 pixels")
    if image_size <= LARGEST_OF_SMALL:
        stem = nn.Sequential(convolution(3, 64, 3, norm=norm), nn.ReLU())
    else:
        stem = nn.Sequential(
            convolution(3, 64, 7, norm=norm, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
    stages: dict[str, nn.Module] = {"stem": stem}
    inputs = 64
    for number, (outputs, stride) in enumerate(((64, 1), (128, 2), (256, 2), (512, 2)), start=1):
        stages[f"layer{number}"] = nn.Sequential(
            Block(inputs, outputs, stride=stride, norm=norm),
            Block(outputs, outputs, stride=1, norm=norm),
        )
        inputs = outputs
    return Encoder(stages, inputs)


def res_lh(
    blocks: int, channels: int, image_size: int = 32, *, norm: str = "batch", features: int = 512
) -> Encoder:
    """RES-L-H: L residual blocks of H channels at a quarter of the size, then one linear map.

    Two 2 x 2 convolutions of stride 2, each with BatchNorm, a ReLU after the second; L blocks;
    flatten; linear to `features`. The source, Ben-Shaul and others (2023), names the family; its
    exact definition there could not be read. This is the one in co-authors' code, the 512 features
    are those of its sibling without skips.
    """
    if blocks < 1 or channels < 1:
        raise ValueError(f"RES-L-H: got L={blocks}, H={channels}; allowed: positive integers")
    if image_size % 4:
        raise ValueError(f"image_size: got {image_size}; allowed: multiples of 4")
    stages: dict[str, nn.Module] = {
        "stem": nn.Sequential(
            convolution(3, channels, 2, norm=norm, stride=2, padding=0),
            convolution(channels, channels, 2, norm=norm, stride=2, padding=0),
            nn.ReLU(),
        )
    }
    for number in range(1, blocks + 1):
        stages[f"block{number}"] = Block(channels, channels, stride=1, norm=norm)
    flat = channels * (image_size // 4) ** 2
    return Encoder(stages, features, nn.Sequential(nn.Flatten(), nn.Linear(flat, features)))
