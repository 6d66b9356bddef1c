"""How much of the labels the features hold: nearest neighbours and a linear classifier.

Both are fitted on the training images alone and read once on the test images, for all seeds at
once: features [S, N, d], labels [N] -> accuracies [S]. A seed whose features are not finite
scores NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot


def knn_accuracy(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, k: int = 5
) -> Tensor:
    """Majority vote of the k nearest training images by cosine; ties go to the smaller label."""
    similarity = normalize(test, dim=-1) @ normalize(train, dim=-1).mT
    nearest = train_labels[similarity.nan_to_num().topk(k, dim=-1).indices]  # [S, N, k]
    return _accuracy(one_hot(nearest).sum(-2), test_labels, train, test)


def linear_accuracy(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    *,
    penalty: float = 1e-3,
    steps: int = 100,
) -> Tensor:
    """Test accuracy of multinomial logistic regression on standardised features."""
    mean, std = train.double().mean(-2, keepdim=True), train.double().std(-2, keepdim=True)
    floor = torch.where(std > 0, std, 1.0)
    x, y = (train.double() - mean) / floor, (test.double() - mean) / floor
    weight, bias = logistic_regression(x, train_labels, penalty=penalty, steps=steps)
    return _accuracy(y @ weight.mT + bias.unsqueeze(-2), test_labels, train, test)


def logistic_regression(
    x: Tensor, labels: Tensor, *, penalty: float, steps: int = 100
) -> tuple[Tensor, Tensor]:
    """Minimise mean cross-entropy + penalty |W|^2 / 2 for every seed: W [S, C, d], b [S, C].

    The curvature of the loss never exceeds that of x x^T / 2 (Boehning's bound), so one Cholesky
    factor per seed gives steps that cannot overshoot; Nesterov momentum speeds them up. No line
    search, the same work for every seed.
    """
    x = x.nan_to_num(0.0, 0.0, 0.0)
    seeds, count, features = x.shape
    x = torch.cat([x, x.new_ones(seeds, count, 1)], -1)
    target = one_hot(labels).to(x.dtype)
    ridge = torch.full((features + 1,), penalty, dtype=x.dtype, device=x.device)
    ridge[-1] = 0  # the bias is not penalised
    bound = x.mT @ x / (2 * count) + torch.diag(ridge + 1e-9)
    factor = torch.linalg.cholesky(bound)
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
