"""How much of the labels the features hold: nearest neighbours and a linear classifier.

Both are fitted on the training images alone and read once on the test images, for all seeds at
once: features [S, N, d], labels [N] -> accuracies [S]. A seed whose features are not finite
scores NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

AT_ONCE = 2**26
"""Similarities held at one time."""

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""The ridge penalties among which a validation split chooses."""


def knn_accuracy(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    k: int = 5,
    *,
    temperature: float | None = None,
) -> Tensor:
    """Vote of the k nearest training images by cosine; ties go to the smaller label.

    Every neighbour has one vote, or e^{cos / temperature} votes when a temperature is given. The
    test images go through in blocks, so no N x N table is ever whole.
    """
    bank, queries = normalize(train, dim=-1).mT, normalize(test, dim=-1)
    classes = int(train_labels.max()) + 1
    votes = []
    for some in queries.split(max(1, AT_ONCE // (bank.shape[0] * bank.shape[-1])), dim=-2):
        near = (some @ bank).nan_to_num().topk(k, dim=-1)  # [S, n, k]
        weight = torch.ones_like(near.values)
        if temperature is not None:
            weight = (near.values.double() / temperature).exp()
        count = weight.new_zeros(*weight.shape[:-1], classes)
        votes.append(count.scatter_add_(-1, train_labels[near.indices], weight))
    return _accuracy(torch.cat(votes, -2), test_labels, train, test)


def linear_accuracy(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    *,
    penalty: float = 1e-3,
    steps: int = 100,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Test accuracy of multinomial logistic regression on standardised features."""
    return _fitted(train, train_labels, test, test_labels, penalty, steps, dtype)


def tuned_linear_accuracy(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    *,
    penalties: Sequence[float] = PENALTIES,
    validation: float = 0.2,
    steps: int = 100,
    dtype: torch.dtype = torch.float64,
) -> tuple[Tensor, Tensor]:
    """The same with the penalty of each seed tuned on training images: ([S], penalty [S]).

    The last `validation` share of the training images judges the penalties, fitted on the others;
    the largest of the best ones is kept and fitted again on all training images. The test images
    are read once, at the end. Give the training images in random order. float32 halves the time
    and is exact enough for penalties from 1e-4 on.
    """
    cut = round(train.shape[-2] * (1 - validation))
    if not 0 < cut < train.shape[-2]:
        raise ValueError(
            f"validation: got {validation} of {train.shape[-2]} images; "
            "allowed: a share that leaves images on both sides"
        )
    fit, judge = (train[:, :cut], train_labels[:cut]), (train[:, cut:], train_labels[cut:])
    ordered = sorted(penalties, reverse=True)
    scores = torch.stack([_fitted(*fit, *judge, penalty, steps, dtype) for penalty in ordered])
    best = (scores.nan_to_num() == scores.nan_to_num().amax(0)).byte().argmax(0)
    chosen = torch.tensor(ordered, dtype=torch.float64, device=train.device)[best]
    return _fitted(train, train_labels, test, test_labels, chosen, steps, dtype), chosen


def _fitted(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    penalty: float | Tensor,
    steps: int,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Accuracy on `test` of the regression fitted on `train`, features standardised by `train`."""
    mean, std = train.double().mean(-2, keepdim=True), train.double().std(-2, keepdim=True)
    floor = torch.where(std > 0, std, 1.0)
    x, y = (((z.double() - mean) / floor).to(dtype) for z in (train, test))
    weight, bias = logistic_regression(x, train_labels, penalty=penalty, steps=steps)
    return _accuracy(y @ weight.mT + bias.unsqueeze(-2), test_labels, train, test)


def logistic_regression(
    x: Tensor, labels: Tensor, *, penalty: float | Tensor, steps: int = 100
) -> tuple[Tensor, Tensor]:
    """Minimise mean cross-entropy + penalty |W|^2 / 2 for every seed: W [S, C, d], b [S, C].

    `penalty` is one number, or one for each seed [S].

    The curvature of the loss never exceeds that of x x^T / 2 (Boehning's bound), so one Cholesky
    factor per seed gives steps that cannot overshoot; Nesterov momentum speeds them up. No line
    search, the same work for every seed.
    """
    x = x.nan_to_num(0.0, 0.0, 0.0)
    seeds, count, features = x.shape
    x = torch.cat([x, x.new_ones(seeds, count, 1)], -1)
    target = one_hot(labels).to(x.dtype)
    ridge = torch.as_tensor(penalty, dtype=x.dtype, device=x.device)
    ridge = ridge.expand(seeds).unsqueeze(-1).repeat(1, features + 1)
    ridge[:, -1] = 0  # the bias is not penalised
    bound = x.mT @ x / (2 * count) + torch.diag_embed(ridge + 1e-9)
    factor = torch.linalg.cholesky(bound.double()).to(x.dtype)
    now = look = x.new_zeros(seeds, features + 1, target.shape[-1])
    pace = 1.0
    for _ in range(steps):
        error = (x @ look).softmax(-1) - target
        gradient = x.mT @ error / count + ridge.unsqueeze(-1) * look
        after = look - torch.cholesky_solve(gradient, factor)
        faster = (1 + (1 + 4 * pace**2) ** 0.5) / 2
        look = after + (pace - 1) / faster * (after - now)
        now, pace = after, faster
    return now[:, :-1].mT, now[:, -1]


def _accuracy(scores: Tensor, labels: Tensor, *features: Tensor) -> Tensor:
    """Share of rows whose first largest score is the label; NaN where features are not finite."""
    classes = torch.arange(scores.shape[-1], device=scores.device)
    top = scores == scores.amax(-1, keepdim=True)
    guess = torch.where(top, classes, scores.shape[-1]).amin(-1)
    share = (guess == labels).double().mean(-1)
    finite = torch.stack([torch.isfinite(f).all(-1).all(-1) for f in features]).all(0)
    return torch.where(finite, share, torch.nan)
