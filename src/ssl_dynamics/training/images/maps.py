"""Two dimensions for the eye: the places of some inputs by t-SNE of their features."""

from __future__ import annotations

import math

import numpy as np
import torch
from sklearn.manifold import TSNE
from torch import Tensor

MAPPED = 10
"""Groups that are on a map."""


def mapped_rows(labels: Tensor, each: int) -> Tensor:
    """The first `each` rows of each of the first `MAPPED` labels, label by label."""
    found = [torch.nonzero(labels == label)[:each, 0] for label in labels.unique()[:MAPPED]]
    return torch.cat(found)


def placed(features: Tensor) -> list[float]:
    """The map of t-SNE, x and y of one input after another: [P, d] -> 2 P numbers.

    scikit-learn's, from the principal components, with perplexity 20 or what few points allow. NaN
    where the features are not finite or all equal.
    """
    x = features.double().cpu().numpy()
    if not np.isfinite(x).all() or not np.ptp(x, axis=0).any():
        return [math.nan] * 2 * len(x)
    perplexity = min(20.0, (len(x) - 1) / 3)
    found = TSNE(2, init="pca", random_state=0, perplexity=perplexity).fit_transform(x / x.std())
    return found.astype(float).ravel().tolist()
