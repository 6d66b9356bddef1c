r"""Binary variables on a tree: shape, probabilities, polarities. `latent_tree_draws` draws them,
`latent_tree_exact` sums over all their values.

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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ssl_dynamics.data.streams import generator

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
