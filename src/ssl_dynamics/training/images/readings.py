"""What every layer of a network says of some inputs: pooled, and at one dimension for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_dynamics.data import generator
from ssl_dynamics.data.images import standardise
from ssl_dynamics.networks.vision import gridded, pooled
from ssl_dynamics.training.images.evaluate import AT_ONCE
from ssl_dynamics.training.images.run import ImageRun


@dataclass(frozen=True)
class Inputs:
    """Images uint8 [N, 3, H, W] as they are, or `views` random views of each, view by view.

    Views are those of the run's first recipe, or the content [N, spots, 6] of latent-factor images
    under another nuisance; a function of (purpose, number of the view), the same at every
    evaluation and for every seed.
    """

    images: Tensor
    views: int = 0
    purpose: str = ""
    content: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images) * max(1, self.views)

    def batches(self, run: ImageRun) -> Iterator[Tensor]:
        """Standardised batches [b, 3, H, W] in order."""
        if not self.views:
            for some in self.images.split(AT_ONCE):
                yield standardise(some, run.images.recipes[0])
        for number in range(self.views):
            chance = torch.Generator().manual_seed(
                int(generator(0, f"images/levels/{self.purpose}", number).integers(2**63))
            )
            yield from run.images.views_of(self.images, self.content, chance).split(AT_ONCE)


def layers(run: ImageRun, inputs: Inputs) -> dict[str, Tensor]:
    """The pooled output of every stage, [N, C], and the features "output" [N, features].

    float32 and in evaluation mode, as in `encoded`; one process alone.
    """
    return readings(run, inputs, equal=False)["pooled"]


@torch.no_grad()
def readings(run: ImageRun, inputs: Inputs, equal: bool) -> dict[str, dict[str, Tensor]]:
    """ "pooled": `layers`; if `equal` also "grid" and "narrow", every layer at one dimension."""
    encoder, was = run.method.encoder, run.method.training
    run.method.eval()
    each: list[dict[str, dict[str, Tensor]]] = []
    for x in inputs.batches(run):
        maps = dict(encoder.maps(x))
        widest = max(one.shape[1] for one in maps.values())
        means = {name: pooled(one) for name, one in maps.items()}
        last = list(maps.values())[-1]
        output = pooled(last) if encoder.read is None else encoder.read(last)
        each.append({"pooled": means | {"output": output}})
        if equal:
            each[-1]["grid"] = {name: gridded(one, widest) for name, one in maps.items()}
            each[-1]["narrow"] = narrowed(
                means if encoder.read is None else each[-1]["pooled"], run.seed
            )
    run.method.train(was)
    return {
        reading: {name: torch.cat([one[reading][name] for one in each]) for name in first}
        for reading, first in each[0].items()
    }


def narrowed(features: Mapping[str, Tensor], seed: int) -> dict[str, Tensor]:
    """All features projected to the width of the narrowest by random orthonormal rows."""
    narrowest = min(x.shape[1] for x in features.values())
    found = {}
    for name, x in features.items():
        normal = generator(seed, "images/levels/narrow", x.shape[1]).standard_normal(
            (x.shape[1], narrowest)
        )
        columns = torch.linalg.qr(torch.as_tensor(normal))[0]
        found[name] = x @ columns.to(x)
    return found
