"""How often the nodes of a layer are open, how often two of them together, and what bounds that.

The overlap ratio of a layer is the sum of P(both open) over ordered pairs of different nodes,
divided by (m - 1) times the sum of P(open): take an open node at random, then another node; how
likely is that one open too? For independent nodes it is near the mean of P(open).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor

POINTS = 24
"""Nodes of Gauss's rule over the angle; beyond |correlation| = 0.99 fewer digits are right."""


class Openness(NamedTuple):
    """Of one layer: [S, m] for nodes, [S] for the layer."""

    open: Tensor
    overlap: Tensor
    floor: Tensor
    correlation: Tensor
    """Of the pre-activations, [S, m, m]."""


def openness(pre: Tensor) -> Openness:
    """Measured over the samples of pre-activations [S, N, m]."""
    gates = (pre > 0).double()
    share = gates.mean(1)
    together = gates.mT @ gates / gates.shape[1]
    x = pre.double() - pre.double().mean(1, keepdim=True)
    covariance = x.mT @ x
    size = covariance.diagonal(dim1=1, dim2=2).sqrt()
    correlation = covariance / (size[:, :, None] * size[:, None, :]).clamp_min(1e-300)
    ratio = overlap_ratio(together.numpy(), share.numpy())
    floor = least_overlap(share.numpy())
    return Openness(share, torch.from_numpy(ratio), torch.from_numpy(floor), correlation)


def overlap_ratio(together: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The ratio of a layer from P(both open) [..., m, m] and P(open) [..., m]: [...]."""
    pairs = together.sum((-2, -1)) - np.trace(together, axis1=-2, axis2=-1)
    return pairs / ((share.shape[-1] - 1) * share.sum(-1))


def least_overlap(share: np.ndarray) -> np.ndarray:
    """The least ratio any joint law allows, given P(open) [..., m]; 0 where it says nothing."""
    m, count = share.shape[-1], share.sum(-1)
    return np.clip((count - 1) / max(m - 1, 1), 0, None)


def normal_open(offset: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """P(open) for a standard normal input; with gain 0 the gate follows the sign of the offset."""
    offset, gain = np.broadcast_arrays(np.asarray(offset, float), np.abs(np.asarray(gain, float)))
    fixed = (offset > 0).astype(float)
    return np.where(gain > 0, ndtr(offset / np.where(gain > 0, gain, 1.0)), fixed)


def normal_together(b_j: np.ndarray, b_k: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """P(both open) for jointly standard normal inputs, entry by entry (Drezner and Wesolowsky)."""
    b_j, b_k, rho = np.broadcast_arrays(b_j, b_k, np.clip(correlation, -1, 1))
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    end = np.arcsin(rho)
    total = ndtr(b_j) * ndtr(b_k)
    for node, weight in zip(nodes, weights, strict=True):
        sine = np.sin(end * (node + 1) / 2)
        distance = b_j**2 - 2 * b_j * b_k * sine + b_k**2
        rate = np.exp(-distance / (2 * np.maximum(1 - sine**2, 1e-300))) / (2 * np.pi)
        total = total + weight * end / 2 * rate
    return total
