"""Latent trees without chance: every joint value with its probability, and exact inference."""

from __future__ import annotations

import numpy as np

from ssl_dynamics.data.latent_tree import LatentTree


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
