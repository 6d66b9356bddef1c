"""Losses against plain loops over images, and what their gradients must obey."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from ssl_dynamics.losses import (
    LOSSES,
    barlow_terms,
    barlow_twins,
    beta_simple,
    byol,
    cosine,
    cross_correlation,
    exact_covariance,
    info_nce,
    pair_distances,
    pair_nce,
    simple_contrastive,
    soft_triplet,
    squared,
    vicreg,
    vicreg_terms,
)
from ssl_dynamics.losses.triplets import (
    TRIPLET_LOSSES,
    batch_averaged,
    exact_covariance_one,
    info_nce_one,
    simple,
    soft_triplet_one,
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


def half_square(a, b):
    return ((a - b) ** 2).sum() / 2


def test_beta_simple(pair):
    p, z = pair
    near = torch.stack([squared(p[s], z[s]) for s in range(SEEDS)])
    torch.testing.assert_close(beta_simple(p, z, 0.7), simple_contrastive(p, z) + 0.7 * near)


@pytest.mark.parametrize(("temperature", "margin"), [(0.5, 0.0), (0.3, 0.4), (2.0, -0.2)])
def test_soft_triplet_and_one_negative_by_loops(pair, temperature, margin):
    p, z = pair
    for s in range(SEEDS):
        triplets, entropies = [], []
        for i in range(BATCH):
            for j in range(BATCH):
                if i == j:
                    continue
                near, far = half_square(p[s, i], z[s, i]), half_square(p[s, i], z[s, j])
                triplets.append(
                    temperature * torch.log1p(torch.exp((near - far + margin) / temperature))
                )
                logits = -torch.stack([near, far]) / temperature
                entropies.append(cross_entropy(logits.unsqueeze(0), torch.tensor([0])))
        torch.testing.assert_close(
            soft_triplet(p, z, temperature, margin)[s], sum(triplets) / len(triplets)
        )
        torch.testing.assert_close(pair_nce(p, z, temperature)[s], sum(entropies) / len(entropies))


def test_exact_covariance_has_the_gradient_of_info_nce_at_the_image_means(pair):
    """With both views at the mean of their image, the weights are InfoNCE's own."""
    p, _ = pair
    for temperature in (0.3, 1.0):
        (g,) = torch.autograd.grad(
            exact_covariance(p, p.detach(), temperature, means=p).sum(), p, retain_graph=True
        )
        (h,) = torch.autograd.grad(pair_nce(p, p.detach(), temperature).sum(), p)
        torch.testing.assert_close(g, h)


@pytest.mark.parametrize("negatives", ["one", "all"])
def test_exact_covariance_by_loops(pair, negatives):
    p, z = pair
    T = 0.6
    for s in range(SEEDS):
        c = (p[s] + z[s]).detach() / 2
        m = [[half_square(c[i], c[j]) for j in range(BATCH)] for i in range(BATCH)]
        total = 0
        for i in range(BATCH):
            for j in range(BATCH):
                if i == j:
                    continue
                if negatives == "one":
                    x = 1 / T / (1 + torch.exp(m[i][j] / T))
                else:
                    x = 0
                    for a, b in ((i, j), (j, i)):
                        rest = sum(torch.exp(-m[a][k] / T) for k in range(BATCH) if k != a)
                        x += (BATCH - 1) / T * torch.exp(-m[a][b] / T) / (1 + rest) / 2
                total += x * (half_square(p[s, i], z[s, i]) - half_square(p[s, i], z[s, j]))
        found = exact_covariance(p, z, T, negatives=negatives)[s]
        torch.testing.assert_close(found, total / (BATCH * (BATCH - 1)))


@pytest.mark.parametrize("negatives", ["one", "all"])
def test_exact_covariance_never_shrinks_a_linear_encoder(negatives):
    """Its operator on an enumerated population has no negative eigenvalue; InfoNCE's has."""
    g = torch.Generator().manual_seed(2)
    x = torch.randn(5, 4, 3, dtype=torch.float64, generator=g)  # images, views, pixels
    W = torch.randn(1, 3, dtype=torch.float64, generator=g).requires_grad_()
    f = x @ W.T
    means = f.mean(1)
    loss, views = 0, range(4)
    for a in views:
        for b in views:
            loss = loss + exact_covariance(f[:, a], f[:, b], means=means, negatives=negatives) / 16
    (grad,) = torch.autograd.grad(loss, W)
    bar = x.mean(1)
    V = -grad @ W.detach().T  # along the weight itself
    assert V > 0
    d = bar[:, None] - bar[None]
    m = (means[:, None] - means[None]).square().sum(-1).detach() / 2
    if negatives == "one":
        xi = 1 / 0.5 / (1 + torch.exp(m / 0.5))
        operator = torch.einsum("ij,ijp,ijq->pq", xi, d, d) / 20
        torch.testing.assert_close(-grad, W.detach() @ operator)


def test_bad_settings_are_named(pair):
    p, z = pair
    with pytest.raises(ValueError, match="temperature: got 0"):
        soft_triplet(p, z, 0)
    with pytest.raises(ValueError, match="negatives: got 'some'"):
        exact_covariance(p, z, negatives="some")
    with pytest.raises(ValueError, match="at least 2 images"):
        pair_nce(p[:, :1], z[:, :1])


def triples():
    g = torch.Generator().manual_seed(3)
    return torch.rand(2, SEEDS, BATCH, dtype=torch.float64, generator=g).requires_grad_()


@pytest.mark.parametrize("name", TRIPLET_LOSSES)
def test_every_triplet_loss_pulls_the_positive_and_pushes_the_negative(name):
    both = triples()
    loss = TRIPLET_LOSSES[name](*both, temperature=0.4)
    assert loss.shape == (SEEDS,)
    (slope,) = torch.autograd.grad(loss.sum(), both)
    torch.testing.assert_close(slope[0], -slope[1])
    assert (slope[0] > 0).all()


def test_triplet_losses_by_loops():
    near, far = triples().detach()
    T = 0.4
    for s in range(SEEDS):
        soft, nce, exact = [], [], []
        for a, b in zip(near[s], far[s], strict=True):
            soft.append(T * torch.log1p(torch.exp((a - b + 0.3) / T)))
            nce.append(cross_entropy(-torch.stack([a, b])[None] / T, torch.tensor([0])))
            exact.append((a - b) / T / (1 + torch.exp(b / T)))
        for found, wanted in (
            (soft_triplet_one(near, far, T, 0.3), soft),
            (info_nce_one(near, far, T), nce),
            (exact_covariance_one(near, far, T), exact),
            (simple(near, far), list(near[s] - far[s])),
        ):
            torch.testing.assert_close(found[s], sum(wanted) / BATCH)
        d_near, d_far = (v[s].mean() * 2 / 10 for v in (near, far))
        weights = torch.exp(-torch.stack([d_near, d_far]) / T)
        torch.testing.assert_close(batch_averaged(near, far, T)[s], -weights[0] / weights.sum())


def test_vicreg_against_numpy_loops(pair):
    p, z = pair
    for s in range(SEEDS):
        views = [x[s].detach() for x in (p, z)]
        invariance = ((views[0] - views[1]) ** 2).mean()
        hinge = sum((1 - (x.var(0) + 1e-4).sqrt()).clamp_min(0).mean() / 2 for x in views)
        covariances = [torch.cov(x.mT) for x in views]
        off = sum(
            c[i, j] ** 2 for c in covariances for i in range(D) for j in range(D) if i != j
        ) / D  # fmt: skip
        terms = vicreg_terms(p, z)
        found = torch.stack([terms[k][s] for k in ("invariance", "variance", "covariance")])
        torch.testing.assert_close(found, torch.stack([invariance, hinge, off]))
        torch.testing.assert_close(vicreg(p, z)[s], 25 * invariance + 25 * hinge + off)


def test_a_constant_output_is_a_stationary_point_of_vicreg():
    p = torch.full((1, BATCH, D), 0.7, dtype=torch.float64, requires_grad=True)
    loss = vicreg(p, p * 1.0)
    torch.testing.assert_close(loss, torch.full((1,), 24.75, dtype=torch.float64))
    (g,) = torch.autograd.grad(loss.sum(), p)
    assert g.abs().max() < 1e-12


def test_barlow_twins_against_a_correlation_matrix(pair):
    p, z = pair
    for s in range(SEEDS):
        joint = torch.corrcoef(torch.cat([p[s], z[s]], -1).mT.detach())[:D, D:]
        torch.testing.assert_close(cross_correlation(p, z)[s], joint)
        on = sum((1 - joint[i, i]) ** 2 for i in range(D))
        off = sum(joint[i, j] ** 2 for i in range(D) for j in range(D) if i != j)
        torch.testing.assert_close(barlow_terms(p, z)["redundancy"][s], off)
        torch.testing.assert_close(barlow_twins(p, z)[s], on + 0.0051 * off)


def test_barlow_twins_does_not_see_the_scale_of_a_coordinate(pair):
    p, z = pair
    scale = torch.tensor([0.1, 2.0, 3.0, 40.0], dtype=torch.float64)
    torch.testing.assert_close(barlow_twins(p, z), barlow_twins(scale * p, scale * z))


@pytest.mark.parametrize("loss", [vicreg, barlow_twins])
def test_redundancy_losses_say_what_they_need(loss):
    with pytest.raises(ValueError, match="outputs: got"):
        loss(torch.zeros(1, 3, 2), torch.zeros(1, 3, 4))
    with pytest.raises(ValueError, match="batch: got 1"):
        loss(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))


@pytest.mark.parametrize("ddof", [0, 1])
def test_wide_outputs_take_the_cheaper_sum_and_nothing_else_changes(ddof):
    """With d >= 2 B the squares off the diagonal come from B x B products: values and gradients."""
    generator = torch.Generator().manual_seed(4)
    p, z = torch.randn(2, 3, 5, 16, dtype=torch.float64, generator=generator)
    p, z = p.requires_grad_(), (z + p.detach()).requires_grad_()
    itself = torch.eye(16, dtype=torch.bool)
    plain = 0.0
    for x in (p, z):
        centred = x - x.mean(-2, keepdim=True)
        c = centred.mT @ centred / (5 - ddof)
        plain = plain + c.masked_fill(itself, 0).square().sum((-2, -1)) / 16
    plain_barlow = cross_correlation(p, z).masked_fill(itself, 0).square().sum((-2, -1))
    pairs = [
        (vicreg_terms(p, z, ddof=ddof)["covariance"], plain),
        (barlow_terms(p, z)["redundancy"], plain_barlow),
    ]
    for found, wanted in pairs:
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=0)
        ours, theirs = (torch.autograd.grad(y.sum(), (p, z)) for y in (found, wanted))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
