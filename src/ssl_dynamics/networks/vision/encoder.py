"""What all encoders of images have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn


class Encoder(nn.Module):
    """Named stages one after the other, and a last step that makes a vector of each image.

    `encoder(x)`: [B, 3, H, W] -> [B, features]. Without a `read` the last map is averaged over
    its positions. Works in channels_last and under bf16 autocast; torch keeps the statistics of
    normalisations in float32 there.
    """

    def __init__(
        self, stages: Mapping[str, nn.Module], features: int, read: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.body = nn.ModuleDict(stages)
        self.features = features
        self.read = read

    def maps(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Name and output [B, C, H', W'] of each stage in order."""
        if x.dim() != 4 or x.shape[1] != 3:
            raise ValueError(f"images: got {tuple(x.shape)}; allowed: [B, 3, H, W]")
        for name, stage in self.body.items():
            x = stage(x)
            yield name, x

    def forward(self, x: Tensor) -> Tensor:
        for _, maps in self.maps(x):
            last = maps
        return pooled(last) if self.read is None else self.read(last)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Each stage's output averaged over its positions, [B, C], in order, then "output".

        Layers are compared at pooled maps because a probe on the full map would see more
        coordinates the larger the map is. "output" [B, features] is what `forward` returns.
        """
        found = {}
        for name, last in self.maps(x):
            found[name] = pooled(last)
        found["output"] = pooled(last) if self.read is None else self.read(last)
        return found


def pooled(maps: Tensor) -> Tensor:
    """Mean over the positions: [B, C, H, W] -> [B, C]."""
    return maps.mean((-2, -1))
