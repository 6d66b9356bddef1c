"""BYOL, SimSiam, DirectPred: stop-gradient, moving average, computed predictor."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from ssl_dynamics.methods.directpred import SpectralPredictor
from ssl_dynamics.methods.target import target_rate


def cos(p, z):
    return (p * z).sum(-1) / (p.norm(dim=-1) * z.norm(dim=-1))


def trained_step(method, views, lr=0.1):
    """One step of plain gradient descent, buffers included by the forward pass."""
    value, _ = method.loss(*views)
    value.backward()
    with torch.no_grad():
        for p in method.parameters():
            if p.grad is not None:
                p -= lr * p.grad
                p.grad = None


def test_byol_against_its_equation(build, views):
    one, two, _ = views
    method = build("byol")
    trained_step(method, views)  # the target is no longer the online network
    value, terms = method.loss(one, two)
    expected = 0.0
    for x, y in ((one, two), (two, one)):
        p = method.predictor(method.projector(method.encoder(x)))
        z = method.target["projector"](method.target["encoder"](y))
        gap = p / p.norm(dim=-1, keepdim=True) - z / z.norm(dim=-1, keepdim=True)
        expected = expected + gap.square().sum(-1).mean()
    torch.testing.assert_close(value + 4, expected)
    torch.testing.assert_close(terms["cosine"], -value.detach() / 4)


def test_gradient_into_the_predictions_is_the_known_formula(build):
    """dL/dp_i = -(2 / B) (z - cos p / |p|) / |p| with z of length one: no radius, target fixed."""
    method = build("byol")
    generator = torch.Generator().manual_seed(0)
    p, z = torch.randn(2, 5, 8, dtype=torch.float64, generator=generator)
    p.requires_grad_()
    z = z / z.norm(dim=-1, keepdim=True)
    value, _ = method.compare(p, z, p.detach(), z)
    value.backward()
    length = p.detach().norm(dim=-1, keepdim=True)
    direction = p.detach() / length
    along = (direction * z).sum(-1, keepdim=True)
    torch.testing.assert_close(p.grad, -2 / 5 * (z - along * direction) / length)
    assert (p.grad * p).sum(-1).abs().max() < 1e-15


def test_the_target_takes_no_gradient(build, views):
    method = build("byol")
    method.loss(*views)[0].backward()
    assert all(p.grad is None and not p.requires_grad for p in method.target.parameters())
    assert all(p.grad is not None for p in method.predictor.parameters())


@pytest.mark.parametrize("head_norm", ["mu+sigma", "sigma(det)"])
def test_the_target_follows_weights_biases_and_buffers(build, views, head_norm):
    """target = 0.7 target + 0.3 online for all of them; its own passes do not move its buffers."""
    method = build("byol", head_norm=head_norm, rate=0.7, rate_end=0.7)
    before = {k: v.clone() for k, v in method.target.state_dict().items()}
    trained_step(method, views)
    for key, value in method.target.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[key])
    method.after_step(3, 10)
    online = nn.ModuleDict({"encoder": method.encoder, "projector": method.projector}).state_dict()
    after = method.target.state_dict()
    assert after.keys() == online.keys()
    moved = 0
    for key, value in after.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.7 * before[key] + 0.3 * online[key])
            moved += not torch.equal(value, before[key])
        else:
            assert torch.equal(value, online[key])
    kinds = ("running_mean", "running_var", "bias", "weight")
    assert all(any(kind in key for key in after) for kind in kinds)
    assert moved >= 10


def test_the_rate_rises_along_a_half_cosine():
    rates = [target_rate(step, 100, 0.99, 1.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.99)
    assert rates[100] == 1.0
    assert all(a < b for a, b in itertools.pairwise(rates))
    for step in (10, 50, 73):
        published = 1 - (1 - 0.99) * (math.cos(math.pi * step / 100) + 1) / 2
        assert rates[step] == pytest.approx(published, rel=1e-14)
    assert {target_rate(s, 7, 0.996, 0.996) for s in range(8)} == {0.996}


def test_byol_without_memory_is_simsiam(build, views):
    """At rate 0 the target is the online network: four times SimSiam's loss and gradient."""
    heads = {"projector": (16, 8), "predictor": (12,)}
    byol = build("byol", rate=0.0, rate_end=0.0, **heads)
    siam = build("simsiam", output_norm="none", **heads)
    for _ in range(2):
        trained_step(byol, views)
        byol.after_step(0, 1)
    wanted = siam.state_dict()
    siam.load_state_dict({k: v for k, v in byol.state_dict().items() if k in wanted})
    values = [method.loss(*views)[0] for method in (byol, siam)]
    torch.testing.assert_close(values[0], 4 * values[1])
    for value in values:
        value.backward()
    mine, theirs = dict(byol.named_parameters()), dict(siam.named_parameters())
    for key, p in theirs.items():
        torch.testing.assert_close(mine[key].grad, 4 * p.grad)


def test_simsiam_against_its_equation(build, views):
    one, two, _ = views
    method = build("simsiam")
    z = [method.project(x) for x in (one, two)]
    p = [method.predictor(y) for y in z]
    expected = -(cos(p[0], z[1]).mean() + cos(p[1], z[0]).mean()) / 2
    value, _ = method.loss(one, two)
    torch.testing.assert_close(value, expected)
    assert -1 <= value.item() <= 1


def test_stop_gradient_halves_the_gradient_without_a_predictor(build, views):
    """D(z_1, sg z_2) / 2 + D(z_2, sg z_1) / 2 sends half of what D(z_1, z_2) sends."""
    gradients = []
    for stop in (True, False):
        method = build("simsiam", predictor=None, stop_gradient=stop)
        method.loss(*views)[0].backward()
        gradients.append([p.grad for g in method.parameter_groups() for p in g["params"]])
    for half, full in zip(*gradients, strict=True):
        torch.testing.assert_close(2 * half, full)


def test_stop_gradient_removes_exactly_the_targets_part(build, views):
    one, two, _ = views
    stopped, free = (build("simsiam", stop_gradient=stop) for stop in (True, False))
    for method in (stopped, free):
        method.loss(one, two)[0].backward()
    extra = build("simsiam")
    z = [extra.project(x) for x in (one, two)]
    p = [extra.predictor(y).detach() for y in z]
    (-(cos(p[0], z[1]).mean() + cos(p[1], z[0]).mean()) / 2).backward()
    for a, b, c in zip(*(m.encoder.parameters() for m in (free, stopped, extra)), strict=True):
        torch.testing.assert_close(a.grad, b.grad + c.grad)
        assert c.grad.norm() > 1e-8


@pytest.mark.parametrize("hidden", [None, ()])
def test_other_predictors(build, views, hidden):
    for name in ("byol", "simsiam"):
        method = build(name, predictor=hidden)
        assert len(list(method.predictor.parameters())) == (0 if hidden is None else 2)
        assert method.loss(*views)[0].isfinite()


def test_predictor_learning_rate(build):
    groups = build("byol", predictor_lr=10.0).parameter_groups()
    assert {g["name"]: g["lr"] for g in groups} == {
        "encoder/weights": 1, "encoder/rest": 1, "projector/weights": 1, "projector/rest": 1,
        "predictor/weights": 10, "predictor/rest": 10,
    }  # fmt: skip


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_directpred_against_numpys_eigendecomposition(build, views, epsilon, relative):
    """Two steps: running correlation and predictor equal NumPy's in float64."""
    one, two, _ = views
    method = build("directpred", epsilon=epsilon, relative=relative, decay=0.3)
    f = np.zeros((8, 8))
    for step in range(2):
        trained_step(method, views)
        with torch.no_grad():
            method.outputs(one, two)  # observed again, now with the new weights
            z = np.concatenate([method.project(x).numpy() for x in (one, two)])
        f = 0.3 * f + 0.7 * (z.T @ z) / len(z)
        method.after_step(step, 10)
    s, u = np.linalg.eigh(f)
    if relative:
        s = s / s.max()
    w = u @ np.diag(np.sqrt(s) + epsilon * s.max()) @ u.T
    predictor = method.predictor
    np.testing.assert_allclose(predictor.correlation.numpy(), f, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(predictor.weight.numpy(), w, rtol=1e-7, atol=1e-9)
    p = method.predict([torch.from_numpy(z)])[0]
    np.testing.assert_allclose(p.numpy(), z @ w.T, rtol=1e-7, atol=1e-9)


def test_directpred_shares_the_eigenvectors_of_its_input():
    """Part II: W_p commutes with F; with epsilon 0 it is its square root up to a factor."""
    predictor = SpectralPredictor(6).double()
    rows = torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    predictor.observe(rows)
    predictor.follow(0.0)
    f = predictor.correlation
    torch.testing.assert_close(f, rows.T @ rows / 50)
    for relative in (True, False):
        predictor.compute(0.1, relative=relative)
        w = predictor.weight
        assert (w @ f - f @ w).abs().max() < 1e-12
        assert (w - w.T).abs().max() < 1e-12
    predictor.compute(0.0, relative=False)
    torch.testing.assert_close(predictor.weight @ predictor.weight, f)


def test_directpred_of_a_collapsed_output_is_finite():
    predictor = SpectralPredictor(4)
    for relative in (True, False):
        predictor.compute(0.1, relative=relative)  # F = 0
        assert predictor.weight.isfinite().all()
        predictor.observe(torch.ones(9, 4))
        predictor.follow(0.5)
        predictor.compute(0.1, relative=relative)
        assert predictor.weight.isfinite().all()
        predictor.correlation.zero_()


def test_directpred_is_not_trained_and_counts_its_steps(build, views):
    method = build("directpred", every=3)
    method.loss(*views)[0].backward()
    assert not list(method.predictor.parameters())
    weights = []
    for step in range(6):
        method.loss(*views)
        method.after_step(step, 6)
        weights.append(method.predictor.weight.clone())
    changed = [not torch.equal(a, b) for a, b in itertools.pairwise(weights)]
    assert changed == [False, True, False, False, True]
    assert torch.equal(weights[0], torch.eye(8, dtype=torch.float64))
    seen = method.predictor.seen.clone()
    method.eval().loss(*views)
    assert torch.equal(method.predictor.seen, seen)


def test_directpred_correlation_of_all_processes(build, views):
    """The correlation of half the rows with a gather is that of all rows."""
    rows = torch.randn(10, 8, generator=torch.Generator().manual_seed(0))
    whole, half = SpectralPredictor(8), SpectralPredictor(8)
    whole.observe(rows)
    half.observe(rows[:5], lambda y: torch.cat([y, rows[5:]]))
    torch.testing.assert_close(half.seen, whole.seen)
