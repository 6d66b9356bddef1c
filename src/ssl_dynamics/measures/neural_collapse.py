r"""Neural collapse (Papyan, Han and Donoho 2020): four numbers, zero when it is complete.

NC1: within the classes nothing varies. NC2: the class means, seen from their mean, have one length
and the angles of a simplex. NC3: the rows of the classifier point along the class means. NC4: the
classifier decides like the nearest class mean.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_dynamics.measures.clustering import Classes, classes_of, nearest_centres


def within_over_between(features: Tensor, labels: Tensor, found: Classes | None = None) -> Tensor:
    r"""NC1: $\operatorname{tr}(\Sigma_W\Sigma_B^+)/C$, [S].

    $\Sigma_W$: covariance of the rows about their class's mean, all rows weighted alike;
    $\Sigma_B$: covariance of the C class means, all classes weighted alike.
    """
    found = classes_of(features, labels) if found is None else found
    inside = (features - found.mean[:, labels]).double()
    within = inside.mT @ inside / inside.shape[-2]
    between = _seen_from_middle(found).mT @ _seen_from_middle(found) / found.mean.shape[-2]
    inverse = torch.linalg.pinv(between, hermitian=True, rtol=1e-10)
    return (within @ inverse).diagonal(dim1=-2, dim2=-1).sum(-1) / found.mean.shape[-2]


def simplex_lengths(found: Classes) -> Tensor:
    """NC2, first part: deviation over mean of the lengths of the class means, [S]."""
    length = _seen_from_middle(found).norm(dim=-1)
    return length.std(-1, correction=0) / length.mean(-1)


def simplex_angles(found: Classes) -> Tensor:
    r"""NC2, second part: mean of $|\cos(\mu_c,\mu_{c'})+1/(C-1)|$ over pairs of classes, [S]."""
    unit = torch.nn.functional.normalize(_seen_from_middle(found), dim=-1)
    classes = unit.shape[-2]
    one, two = torch.triu_indices(classes, classes, offset=1, device=unit.device)
    cosine = (unit @ unit.mT)[..., one, two]
    return (cosine + 1 / (classes - 1)).abs().mean(-1)


def classifier_distance(found: Classes, weight: Tensor) -> Tensor:
    r"""NC3: $\|W/\|W\|_F-M/\|M\|_F\|_F^2$ with the class means seen from their mean, [S].

    weight: of the linear classifier, [S, C, d].
    """
    means, rows = _seen_from_middle(found), weight.double()
    unit, other = (x / x.flatten(1).norm(dim=-1)[:, None, None] for x in (means, rows))
    return (unit - other).square().flatten(1).sum(-1)


def classifier_disagreement(features: Tensor, found: Classes, scores: Tensor) -> Tensor:
    """NC4: share of rows that classifier and nearest centre put into different classes, [S].

    scores: of the classifier, [S, N, C].
    """
    return (nearest_centres(features, found.mean) != scores.argmax(-1)).double().mean(-1)


def _seen_from_middle(found: Classes) -> Tensor:
    """The class means minus the mean of the class means: [S, C, d], float64."""
    mean = found.mean.double()
    return mean - mean.mean(-2, keepdim=True)
