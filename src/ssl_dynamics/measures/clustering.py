r"""How well the features of a class keep together, and away from those of the other classes.

With $\mu_c$ the mean of the features $f(x)$ of class $c$ and
$\mathrm{Var}_c=\mathbb E\|f-\mu_c\|^2$:

* nearest class centre (NCC): $\hat c(x)=\arg\min_c\|f(x)-\mu_c\|$;
* class-distance normalised variance (CDNV, Galanti et al. 2022) of two classes:
  $V=(\mathrm{Var}_c+\mathrm{Var}_{c'})/(2\|\mu_c-\mu_{c'}\|^2)$;
* directional CDNV: the same with the variances along $\mu_c-\mu_{c'}$ alone.

All measures take the features as they are; normalise them first if that is what you mean. Classes
are 0 ... C - 1 and each has at least one row; seeds (or epochs, or layers) are the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

AT_ONCE = 2**24
"""Scores held at one time."""
ROUNDING = 1e-14
"""Of squared distances in float64, relative to the squared lengths."""
CACHED = 2**18
"""Numbers of a block that stays in a core's cache."""


@dataclass(frozen=True)
class Classes:
    """What the features of every class have in common.

    mean [S, C, d]; variance [S, C], the mean squared distance to the class's mean; count [C].
    """

    mean: Tensor
    variance: Tensor
    count: Tensor

    @property
    def squared_distances(self) -> Tensor:
        """Between the means of every two classes: [S, C, C], zero on the diagonal.

        One product of the means, seen from their middle; what lies below its rounding is zero.
        """
        mean = self.mean.double() - self.mean.double().mean(-2, keepdim=True)
        length = mean.square().sum(-1)
        sizes = length[:, :, None] + length[:, None]
        squared = sizes - 2 * mean @ mean.mT
        return torch.where(squared > ROUNDING * sizes, squared, 0.0)


def classes_of(features: Tensor, labels: Tensor) -> Classes:
    """Mean and variance of every class: features [S, N, d], labels [N]."""
    mean, count = class_means(features, labels), torch.bincount(labels)
    rows = max(1, CACHED // mean[..., 0, :].numel())
    each = zip(features.split(rows, dim=-2), labels.split(rows), strict=True)
    distance = [mean[:, c].sub_(some).square_().sum(-1, keepdim=True) for some, c in each]
    variance = _summed(torch.cat(distance, -2), labels, count) / count[:, None]
    return Classes(mean, variance.squeeze(-1), count)


def class_means(features: Tensor, labels: Tensor) -> Tensor:
    """The mean of every class: features [S, N, d], labels [N] -> [S, C, d]."""
    count = _counted(features, labels)
    return _summed(features, labels, count) / count[:, None]


def nearest_centres(features: Tensor, centres: Tensor) -> Tensor:
    r"""The class whose centre is nearest: [S, N, d] and [S, C, d] -> [S, N].

    $\|f-\mu_c\|^2=\|f\|^2-2(\mu_c^\top f-\frac12\|\mu_c\|^2)$: the nearest centre is the largest of
    C affine functions, one matrix product. Where two are equally near the smaller class wins.
    """
    origin = centres.mean(-2, keepdim=True)  # near the data the products round least
    weight = (centres - origin).mT
    offset = weight.square().sum(-2, keepdim=True) / 2
    blocks = features.split(max(1, AT_ONCE // weight[..., 0, :].numel()), dim=-2)
    return torch.cat(
        [torch.baddbmm(-offset, some - origin, weight).argmax(-1) for some in blocks], -1
    )


def ncc_accuracy(features: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """Share of rows whose nearest centre is that of their class: [S]."""
    return (nearest_centres(features, centres) == labels).double().mean(-1)


def cdnv(found: Classes) -> Tensor:
    """The CDNV of every two classes: [S, C, C], symmetric; NaN on the diagonal.

    Infinite where two means coincide.
    """
    variance = found.variance.double()
    ratio = (variance[:, :, None] + variance[:, None]) / (2 * found.squared_distances)
    return _without_diagonal(ratio)


def directional_cdnv(features: Tensor, labels: Tensor, found: Classes) -> Tensor:
    r"""The CDNV of every two classes with the variances along the line of their means: [S, C, C].

    With $u$ the unit vector along $\mu_c-\mu_{c'}$: $(\mathrm{Var}_c(u^\top f)+
    \mathrm{Var}_{c'}(u^\top f))/(2\|\mu_c-\mu_{c'}\|^2)$. Adding dimensions in which the classes
    only spread does not change it.
    """
    weight = (found.mean - found.mean.mean(-2, keepdim=True)).mT  # [S, d, C]
    each = labels.argsort(stable=True).split(found.count.tolist())
    along = found.squared_distances.clone()
    for c, rows in enumerate(each):
        place = (features[:, rows] - found.mean[:, c : c + 1]) @ weight  # [S, n, C]
        along[:, c] = (place[..., c : c + 1] - place).square().mean(1)  # times the distance
    distance = found.squared_distances
    return _without_diagonal((along + along.mT) / (2 * distance.square()))


def over_pairs(values: Tensor) -> Tensor:
    """The mean over unordered pairs of different classes: [S, C, C] -> [S]."""
    classes = values.shape[-1]
    one, two = torch.triu_indices(classes, classes, offset=1, device=values.device)
    return values[..., one, two].mean(-1)


def _counted(features: Tensor, labels: Tensor) -> Tensor:
    if features.ndim != 3 or labels.shape != features.shape[1:2]:
        raise ValueError(
            f"features: got {tuple(features.shape)} with labels {tuple(labels.shape)}; "
            "allowed: [S, N, d] and [N]"
        )
    count = torch.bincount(labels)
    if (count == 0).any() or len(count) < 2:
        raise ValueError("labels: every class from 0 to the largest needs a row, and two classes")
    return count


def _summed(rows: Tensor, labels: Tensor, count: Tensor) -> Tensor:
    """The sum over the rows of every class: [S, N, d] -> [S, C, d].

    The rows are gathered class by class in bags, three times as fast as `index_add_` on a CPU.
    """
    seeds, total, width = rows.shape
    seed = torch.arange(seeds, device=rows.device)[:, None]
    order = total * seed + labels.argsort(stable=True)  # [S, N]
    start = total * seed + count.cumsum(0) - count  # [S, C]
    sums = embedding_bag(
        order.flatten(), rows.detach().reshape(-1, width), start.flatten(), mode="sum"
    )
    return sums.unflatten(0, (seeds, len(count)))


def _without_diagonal(values: Tensor) -> Tensor:
    own = torch.eye(values.shape[-1], dtype=torch.bool, device=values.device)
    return torch.where(own, torch.nan, values)
