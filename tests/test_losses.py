"""Losses against plain loops over images, and what their gradients must obey."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from ssl_dynamics.losses import (
    LOSSES,
    byol,
    cosine,
    info_nce,
    pair_distances,
    simple_contrastive,
    squared,
)

SEEDS, BATCH, D = 3, 6, 4


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(1)
    p, z = torch.randn(2, SEEDS, BATCH, D, dtype=torch.float64, generator=generator)
    return p.requires_grad_(), z.requires_grad_()


def test_cosine_and_byol(pair):
    p, z = pair
    torch.testing.assert_close(cosine(p, z), -cosine_similarity(p, z, dim=-1).mean(-1))
    torch.testing.assert_close(byol(p, z), 2 * cosine(p, z))


def test_squared(pair):
    p, z = pair
    for s in range(SEEDS):
        expected = sum((p[s, i] - z[s, i]).norm() ** 2 / 2 for i in range(BATCH)) / BATCH
        torch.testing.assert_close(squared(p, z)[s], expected)


def test_simple_contrastive(pair):
    p, z = pair
    r = (p.unsqueeze(-2) - z.unsqueeze(-3)).square().sum(-1) / 2
    torch.testing.assert_close(pair_distances(p, z), r)
    expected = r.diagonal(dim1=-2, dim2=-1).mean(-1) - r.mean((-2, -1))
    torch.testing.assert_close(simple_contrastive(p, z), expected)


def test_simple_contrastive_is_minus_the_covariance_between_the_views(pair):
    p, z = pair
    covariance = ((p - p.mean(1, keepdim=True)) * (z - z.mean(1, keepdim=True))).sum(-1).mean(-1)
    torch.testing.assert_close(simple_contrastive(p, z), -covariance)


def test_info_nce(pair):
    p, z = pair
    for s in range(SEEDS):
        cosines = cosine_similarity(p[s].unsqueeze(1), z[s].unsqueeze(0), dim=-1)
        expected = cross_entropy(cosines / 0.2, torch.arange(BATCH))
        torch.testing.assert_close(info_nce(p, z, temperature=0.2)[s], expected)


@pytest.mark.parametrize("name", LOSSES)
def test_one_loss_per_seed_and_batch_and_no_gradient_between_seeds(name, pair):
    p, z = pair
    losses = LOSSES[name](p, z)
    assert losses.shape == (SEEDS,)
    (g,) = torch.autograd.grad(losses[1], p)
    assert g[1].abs().sum() > 0
    assert g[[0, 2]].abs().sum() == 0
    views = LOSSES[name](p.unsqueeze(1).expand(-1, 2, -1, -1), z.unsqueeze(1).expand(-1, 2, -1, -1))
    torch.testing.assert_close(views, losses.unsqueeze(1).expand(-1, 2))


def test_losses_of_differences_have_gradients_that_sum_to_zero(pair):
    p, z = pair
    for loss in (squared, simple_contrastive):
        gp, gz = torch.autograd.grad(loss(p, z).sum(), (p, z))
        assert (gp.sum(1) + gz.sum(1)).abs().max() < 1e-15 * BATCH * D * 10
