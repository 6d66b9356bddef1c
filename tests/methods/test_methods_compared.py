"""The losses that compare images, against loops and closed forms; what their gradients obey."""

import numpy as np
import pytest
import torch

from ssl_dynamics.losses import nt_xent, pair_nce


def projections(method, one, two, joint):
    """Outputs of both views through torch calls of our own: one batch, or one for each view."""
    if joint:
        return method.projector(method.encoder(torch.cat([one, two]))).chunk(2)
    return tuple(method.projector(method.encoder(x)) for x in (one, two))


def outputs(count=7, d=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    p, z = torch.randn(2, count, d, dtype=torch.float64, generator=generator)
    return p.requires_grad_(), z.requires_grad_()


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_simclr_against_a_loop(build, views, temperature):
    one, two, _ = views
    method = build("simclr", temperature=temperature)
    value, terms = method.loss(one, two)
    a, b = projections(method, one, two, joint=True)
    every = [*unit(a), *unit(b)]
    total = 0.0
    for i, anchor in enumerate(every):
        partner = (i + len(one)) % len(every)
        others = [torch.exp(anchor @ y / temperature) for k, y in enumerate(every) if k != i]
        total -= torch.log(torch.exp(anchor @ every[partner] / temperature) / sum(others))
    torch.testing.assert_close(value, total / len(every))
    torch.testing.assert_close(terms["cosine"], (unit(a) * unit(b)).sum(-1).mean().detach())


def test_simclr_gradient_is_softmax_minus_partner():
    """Part II: pulled to the candidates by their softmax weights, minus the partner; no radius."""
    p, z = outputs()
    nt_xent(p, z, 0.3).backward()
    every = torch.cat([unit(p), unit(z)]).detach()
    count, logits = len(every), every @ every.T / 0.3
    weights = logits.fill_diagonal_(-torch.inf).softmax(-1)
    partner = torch.eye(count, dtype=torch.float64).roll(count // 2, 0)
    pull = (weights - partner) + (weights - partner).T
    by_unit = pull @ every / (0.3 * count)
    radial = (by_unit * every).sum(-1, keepdim=True) * every
    expected = (by_unit - radial) / torch.cat([p, z]).detach().norm(dim=-1, keepdim=True)
    torch.testing.assert_close(torch.cat([p.grad, z.grad]), expected)
    assert (torch.cat([p.grad, z.grad]) * every).sum(-1).abs().max() < 1e-15


def test_nt_xent_keeps_the_seeds_apart_and_refuses_one_image():
    pairs = [outputs(seed=s) for s in range(3)]
    stacked = nt_xent(*(torch.stack(side) for side in zip(*pairs, strict=True)))
    torch.testing.assert_close(stacked, torch.stack([nt_xent(p, z) for p, z in pairs]))
    equal = torch.ones(5, 4, dtype=torch.float64)
    torch.testing.assert_close(nt_xent(equal, equal).item(), np.log(9))
    with pytest.raises(ValueError, match=r"batch: got 1; allowed: at least 2"):
        nt_xent(torch.ones(1, 4), torch.ones(1, 4))


@pytest.mark.parametrize("scaled", [False, True])
def test_simple_contrastive_is_minus_the_trace_of_a_covariance(build, views, scaled):
    one, two, _ = views
    method = build("simple_contrastive", unit=scaled)
    value, _ = method.loss(one, two)
    a, b = (x.detach().numpy() for x in projections(method, one, two, joint=True))
    if scaled:
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    cross = np.cov(a.T, b.T, bias=True)[: a.shape[1], a.shape[1] :]
    assert value.item() == pytest.approx(-np.trace(cross), rel=1e-10)


@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_soft_triplet_against_a_loop(build, views, margin):
    one, two, _ = views
    method = build("soft_triplet", temperature=0.3, margin=margin)
    value, _ = method.loss(one, two)
    a, b = (unit(x) for x in projections(method, one, two, joint=True))
    gaps = [
        1 - p[i] @ z[i] - (1 - p[i] @ z[j]) + margin
        for p, z in ((a, b), (b, a))
        for i in range(len(p))
        for j in range(len(p))
        if i != j
    ]
    expected = 0.3 * torch.stack([torch.log1p(torch.exp(gap / 0.3)) for gap in gaps]).mean()
    torch.testing.assert_close(value, expected)
    if margin == 0:
        both = (pair_nce(a, b, 0.3) + pair_nce(b, a, 0.3)) / 2
        torch.testing.assert_close(value, 0.3 * both)


@pytest.mark.parametrize("name", ["simple_contrastive", "soft_triplet"])
def test_losses_of_differences_have_gradients_that_sum_to_zero(build, name):
    """Part II, B5: moving all outputs together changes nothing, so BatchNorm adds nothing."""
    method = build(name, unit=False)
    a, b = outputs()
    value, _ = method.compare(a, b)
    value.backward()
    assert (a.grad.sum(0) + b.grad.sum(0)).abs().max() < 1e-14
    assert a.grad.norm() > 1e-3


def test_vicreg_against_numpy(build, views):
    one, two, _ = views
    method = build("vicreg", invariance=3.0, variance=5.0, covariance=7.0)
    value, terms = method.loss(one, two)
    a, b = (x.detach().numpy() for x in projections(method, one, two, joint=False))
    d = a.shape[1]
    spread = [np.maximum(0, 1 - np.sqrt(x.var(0, ddof=1) + 1e-4)).mean() for x in (a, b)]
    covariances = [np.cov(x.T) for x in (a, b)]
    off = [(c**2).sum() - (np.diag(c) ** 2).sum() for c in covariances]
    parts = {
        "invariance": ((a - b) ** 2).mean(),
        "variance": np.mean(spread),
        "covariance": sum(off) / d,
    }
    for name, expected in parts.items():
        assert terms[name].item() == pytest.approx(expected, rel=1e-9)
    expected = 3 * parts["invariance"] + 5 * parts["variance"] + 7 * parts["covariance"]
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_vicreg_at_collapse_is_stationary_and_unstable(build):
    method = build("vicreg")
    a, b = (torch.full((8, 4), 2.0, dtype=torch.float64, requires_grad=True) for _ in range(2))
    value, _ = method.compare(a, b)
    value.backward()
    assert value.item() == pytest.approx(25 * (1 - 1e-2))
    assert a.grad.abs().max() == b.grad.abs().max() == 0
    step = torch.tensor([[1.0], [-1.0]], dtype=torch.float64).repeat(4, 4) * 1e-2
    assert method.compare(a + step, b + step)[0] < value - 0.1


@pytest.mark.parametrize("name", ["vicreg", "barlow_twins"])
def test_moving_all_outputs_together_changes_nothing(build, name):
    method = build(name)
    a, b = outputs()
    value, _ = method.compare(a, b)
    value.backward()
    assert (a.grad.sum(0) + b.grad.sum(0)).abs().max() < 1e-12
    if name == "barlow_twins":  # each view is centred on its own
        assert a.grad.sum(0).abs().max() < 1e-12


def test_barlow_twins_against_numpy(build, views):
    one, two, _ = views
    method = build("barlow_twins", redundancy=0.3, scale=0.7)
    value, terms = method.loss(one, two)
    a, b = (x.detach().numpy() for x in projections(method, one, two, joint=False))
    deviations = [np.sqrt(x.var(0) + 1e-5) for x in (a, b)]
    c = np.cov(a.T, b.T, bias=True)[: a.shape[1], a.shape[1] :] / np.outer(*deviations)
    on = ((1 - np.diag(c)) ** 2).sum()
    off = (c**2).sum() - (np.diag(c) ** 2).sum()
    assert terms["invariance"].item() == pytest.approx(on, rel=1e-9)
    assert terms["redundancy"].item() == pytest.approx(off, rel=1e-9)
    assert value.item() == pytest.approx(0.7 * (on + 0.3 * off), rel=1e-9)


def test_barlow_twins_does_not_see_scale_and_offset(build):
    method = build("barlow_twins")
    a, b = outputs(40)
    scale = torch.tensor([1.0, 3.0, 10.0, 2.0], dtype=torch.float64)
    value, _ = method.compare(a, b)
    moved, _ = method.compare(scale * a + 5, b / 2 - 1)
    torch.testing.assert_close(moved, value, rtol=1e-4, atol=0)


def test_barlow_twins_learning_rate_of_the_rest(build):
    groups = build("barlow_twins", rest_lr=0.024).parameter_groups()
    assert {g["lr"] for g in groups if g["name"].endswith("/rest")} == {0.024}
    assert {g["lr"] for g in groups if g["name"].endswith("/weights")} == {1.0}


def test_supervised_against_a_loop(build, views):
    one, two, labels = views
    method = build("supervised")
    value, terms = method.loss(one, two, labels)
    logits = method.projector(method.encoder(torch.cat([one, two])))
    chosen = [torch.log_softmax(logits[i], 0)[labels[i % 12]] for i in range(24)]
    torch.testing.assert_close(value, -sum(chosen) / 24)
    hits = sum(int(logits[i].argmax() == labels[i % 12]) for i in range(24)) / 24
    assert terms["accuracy"].item() == pytest.approx(hits)
    with torch.no_grad():
        for p in method.projector.parameters():
            p.zero_()
    assert method.loss(one, two, labels)[0].item() == pytest.approx(np.log(5))
