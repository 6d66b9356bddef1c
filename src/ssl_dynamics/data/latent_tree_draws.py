"""Values of latent trees, drawn: triplets for training on the seeds axis, and test values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.latent_tree import GRAIN, LatentTree
from ssl_dynamics.data.streams import StepStream, generator


class TreeSampler:
    """Anchor, positive and negative of every step, for trees of equal shape on the seeds axis.

    `sampler.at(step)` is a float tensor [S, leaves, 3 B]: the first B columns are the anchors,
    then as many positives, which share only the root's value with their anchor, then negatives
    with a root of their own. Augmentation keeps the root and draws everything else again.
    """

    def __init__(
        self,
        trees: Sequence[LatentTree],
        seeds: Sequence[int],
        batch: int,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        length: int = 2,
    ) -> None:
        shapes = {tree.branching for tree in trees}
        if len(shapes) != 1 or len(trees) != len(seeds):
            raise ValueError(
                f"trees: got {len(trees)} trees of shapes {sorted(shapes)} for {len(seeds)} "
                "seeds; allowed: one tree per seed, all of one shape"
            )
        self.branching, self.sizes = trees[0].branching, trees[0].sizes
        self.batch, self.dtype = batch, dtype
        self._root = _cuts([np.array([t.root]) for t in trees], device)
        self._zero = [_cuts([t.zero[d] for t in trees], device) for d in range(len(self.branching))]
        self._one = [_cuts([t.one[d] for t in trees], device) for d in range(len(self.branching))]
        symmetric = all(
            np.array_equal(one, 1 - zero)
            for t in trees
            for zero, one in zip(t.zero, t.one, strict=True)
        )
        self._flip = torch.cat(self._zero, 1) if symmetric else None
        words = -(-3 * batch // 4)
        below = sum(self.sizes[1:])
        roots = -(-2 * batch // 4)

        def draw(rng: np.random.Generator, steps: int) -> np.ndarray:
            raw = rng.bit_generator.random_raw(steps * (below * words + roots))
            return raw.view(np.int16).reshape(steps, -1)

        self._below, self._width, self._roots = below, 4 * words, 4 * roots
        self._stream = StepStream(seeds, "tree/draws", draw, length=length, device=device)

    @property
    def period(self) -> int:
        """Steps whose draws are made together."""
        return self._stream.length

    def at(self, step: int) -> Tensor:
        """The leaves of this step as 0/1, [S, leaves, 3 B]."""
        return self.values_at(step)[-1].to(self.dtype)

    def values_at(self, step: int) -> list[Tensor]:
        """All variables of this step as booleans, depth by depth [S, nodes, 3 B]."""
        draws, B = self._stream.at(step), self.batch
        tops = draws[:, None, : 2 * B] < self._root
        z = torch.cat([tops[..., :B], tops], -1)
        edges = draws[:, self._roots :].unflatten(1, (self._below, self._width))[..., : 3 * B]
        if self._flip is not None:
            return self._flipped(z, edges < self._flip)
        values, start = [z], 0
        for c, zero, one in zip(self.branching, self._zero, self._one, strict=True):
            count = z.shape[1] * c
            u = edges[:, start : start + count].unflatten(1, (-1, c))
            cut = torch.where(
                z.unsqueeze(2), one.view(one.shape[0], -1, c, 1), zero.view(one.shape[0], -1, c, 1)
            )
            z = (u < cut).flatten(1, 2)
            values.append(z)
            start += count
        return values

    def _flipped(self, z: Tensor, flips: Tensor) -> list[Tensor]:
        """The same values for symmetric edges, which keep or flip what stands above them."""
        values, start = [z], 0
        for c in self.branching:
            count = z.shape[1] * c
            flip = flips[:, start : start + count].unflatten(1, (-1, c))
            z = (z.unsqueeze(2) ^ flip).flatten(1, 2)
            values.append(z)
            start += count
        return values


def _cuts(probabilities: list[np.ndarray], device: torch.device | str) -> Tensor:
    """[S, nodes, 1] in int16: a 16-bit draw below the cut has the probability."""
    cuts = np.rint(np.stack(probabilities) * GRAIN) - GRAIN // 2
    return torch.from_numpy(cuts.astype(np.int16)).unsqueeze(-1).to(device)


def sample(tree: LatentTree, seed: int, count: int, purpose: str = "test") -> list[np.ndarray]:
    """`count` independent values of the whole tree as booleans, depth by depth [nodes, count]."""
    rng = generator(seed, f"tree/{purpose}")

    def draws(nodes: int) -> np.ndarray:
        raw = rng.bit_generator.random_raw(nodes * math.ceil(count / 4))
        return raw.view(np.uint16).reshape(nodes, -1)[:, :count]

    values = [draws(1) < tree.root * GRAIN]
    for c, zero, one in zip(tree.branching, tree.zero, tree.one, strict=True):
        parent = np.repeat(values[-1], c, axis=0)
        cut = np.where(parent, one[:, None], zero[:, None]) * GRAIN
        values.append(draws(len(zero)) < cut.astype(np.uint16))
    return values
