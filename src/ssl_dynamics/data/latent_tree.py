r"""Binary variables on a tree: drawn, enumerated, and inferred exactly (CLAIMS row A11).

A tree has a root latent, and every latent of depth d has `branching[d]` children; the variables of
the last depth are the leaves, which alone are seen. Each edge carries P(child = 1 | parent = 0) and
P(child = 1 | parent = 1); their difference is the edge's polarity, between -1 and 1.

Depth 0 is the root. *Height* counts from below: height 1 stands just above the leaves, and the
root has height `len(branching)`. Nodes of one depth are numbered from left to right, so the
children of node i are nodes `i * c, ..., i * c + c - 1` one depth down.

Probabilities are multiples of 2^-16: what is drawn, from 16 random bits, has exactly the law that
enumeration and inference use.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import StepStream, generator

GRAIN = 2**16
"""Probabilities are multiples of 1 / GRAIN, from 1 / GRAIN to 1 - 1 / GRAIN."""


@dataclass(frozen=True)
class LatentTree:
    """One tree: its shape, P(root = 1), and two conditional probabilities per edge.

    `zero[d]` and `one[d]` hold P(node = 1 | parent = 0) and P(node = 1 | parent = 1) for the
    nodes of depth d + 1, [nodes].
    """

    branching: tuple[int, ...]
    root: float
    zero: tuple[np.ndarray, ...]
    one: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        if not self.branching or any(c < 1 for c in self.branching):
            raise ValueError(
                f"branching: got {self.branching}; allowed: children per latent of each depth, "
                "at least one depth and one child"
            )
        if not 0 < self.root < 1:
            raise ValueError(f"root: got {self.root}; allowed: a probability inside (0, 1)")
        for name in ("zero", "one"):
            sizes = tuple(len(edges) for edges in getattr(self, name))
            if sizes != self.sizes[1:]:
                raise ValueError(f"{name}: got {sizes} edges per depth, need {self.sizes[1:]}")
            rounded = tuple(_rounded(edges) for edges in getattr(self, name))
            object.__setattr__(self, name, rounded)
        object.__setattr__(self, "root", float(_rounded(np.array([self.root]))[0]))

    @property
    def depth(self) -> int:
        """Edges from the root to a leaf; also the height of the root."""
        return len(self.branching)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes of each depth, the leaves last."""
        return tuple(itertools.accumulate(self.branching, lambda n, c: n * c, initial=1))

    @property
    def polarity(self) -> tuple[np.ndarray, ...]:
        """Polarity of the edge above each node, depth by depth from depth 1."""
        return tuple(one - zero for zero, one in zip(self.zero, self.one, strict=True))

    def root_polarity(self, depth: int) -> np.ndarray:
        """Product of the polarities on the path from the root to each node of a depth."""
        product = np.ones(1)
        for c, rho in zip(self.branching[:depth], self.polarity[:depth], strict=True):
            product = np.repeat(product, c) * rho
        return product

    def prior(self, depth: int) -> np.ndarray:
        """P(node = 1) for each node of a depth, [nodes]."""
        p = np.array([self.root])
        for c, zero, one in zip(
            self.branching[:depth], self.zero[:depth], self.one[:depth], strict=True
        ):
            above = np.repeat(p, c)
            p = zero + (one - zero) * above
        return p


def random_tree(
    seed: int,
    branching: Sequence[int],
    polarity: tuple[float, float] = (0.7, 1.0),
    *,
    symmetric: bool = True,
    root: float = 0.5,
) -> LatentTree:
    """A tree whose polarities are uniform in size on the given range and random in sign.

    Symmetric edges keep or flip their parent's value with probabilities (1 + rho)/2 and
    (1 - rho)/2. Otherwise P(child = 1 | parent = 0) is uniform on all values that the polarity
    leaves possible. Drawn from the stream of (seed, "latent tree").
    """
    low, high = polarity
    if not 0 <= low <= high <= 1:
        raise ValueError(f"polarity: got {polarity}; allowed: 0 <= low <= high <= 1")
    rng, zero, one = generator(seed, "latent tree"), [], []
    for count in itertools.accumulate(branching, lambda n, c: n * c):
        rho = rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)
        free = 0.5 if symmetric else rng.uniform(0, 1, count)
        start = np.maximum(0, -rho) + free * (1 - np.abs(rho))
        zero.append(start)
        one.append(start + rho)
    return LatentTree(tuple(branching), root, tuple(zero), tuple(one))


def _rounded(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    if p.size and not (p.min() >= -1e-12 and p.max() <= 1 + 1e-12):
        raise ValueError(f"probabilities: got {p.min():g} to {p.max():g}; allowed: 0 to 1")
    return np.clip(np.rint(p * GRAIN), 1, GRAIN - 1) / GRAIN


def enumerated(tree: LatentTree, *, given_root: int | None = None) -> tuple[list, np.ndarray]:
    """Every joint value of the whole tree with its probability, for small trees.

    Returns the nodes' values, depth by depth [nodes, N] as 0/1 in float64, and probabilities [N]
    (conditional on the root's value when that is given). At most 2^20 values.
    """
    count = sum(tree.sizes)
    if count > 20:
        raise ValueError(f"the tree has {count} nodes; at most 20 can be enumerated")
    bits = (np.arange(2**count) >> np.arange(count)[:, None]) & 1
    values = np.split(bits.astype(float), np.cumsum(tree.sizes)[:-1])
    root = {None: tree.root, 0: 0.0, 1: 1.0}[given_root]
    weight = np.where(values[0][0] == 1, root, 1 - root)
    for c, zero, one, above, below in zip(
        tree.branching, tree.zero, tree.one, values[:-1], values[1:], strict=True
    ):
        parent = np.repeat(above, c, axis=0)
        p = np.where(parent == 1, one[:, None], zero[:, None])
        weight = weight * np.where(below == 1, p, 1 - p).prod(0)
    return values, weight


def posteriors(tree: LatentTree, leaves: np.ndarray) -> list[np.ndarray]:
    """P(latent = 1 | the leaves below it), exactly, depth by depth: leaves [n, N] -> [nodes, N].

    One upward pass of belief propagation. `leaves` are 0/1. No function of these leaves
    correlates more with the latent than this one.
    """
    likely = np.stack([leaves == 0, leaves == 1]).astype(np.float64)  # [value, nodes, N]
    found = []
    for depth in reversed(range(tree.depth)):
        zero, one = (p[depth][:, None] for p in (tree.zero, tree.one))
        message = np.stack([p * likely[1] + (1 - p) * likely[0] for p in (zero, one)])
        c = tree.branching[depth]
        likely = message.reshape(2, -1, c, message.shape[-1]).prod(2)
        likely /= likely.max(0)
        prior = tree.prior(depth)[:, None]
        found.append(prior * likely[1] / (prior * likely[1] + (1 - prior) * likely[0]))
    return found[::-1]


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
