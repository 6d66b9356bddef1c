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


def gridded(maps: Tensor, numbers: int) -> Tensor:
    """Means over the equal cells of a grid, `numbers` in all: [B, C, H, W] -> [B, numbers].

    So that layers of different widths give vectors of one length: few channels, many cells. The
    grid has numbers / C cells, the rows and columns nearest to each other that divide H and W.
    """
    channels, height, width = maps.shape[1:]
    cells, rest = divmod(numbers, channels)
    shapes = [
        (rows, cells // rows)
        for rows in range(1, cells + 1)
        if not (cells % rows or height % rows or width % (cells // rows))
    ]
    if rest or not shapes:
        raise ValueError(
            f"numbers: got {numbers}; allowed: {channels} channels times a number of equal cells "
            f"of {height} x {width} positions"
        )
    rows, columns = min(shapes, key=lambda shape: abs(shape[0] - shape[1]))
    cut = maps.unflatten(-1, (columns, width // columns)).unflatten(-3, (rows, height // rows))
    return cut.mean((-3, -1)).flatten(1)
