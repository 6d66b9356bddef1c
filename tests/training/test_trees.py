"""Receptive-field networks on trees: exact passes, streams, recovery, resuming."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ssl_dynamics.losses.triplets import TRIPLET_LOSSES, distances, output_gradient, unit
from ssl_dynamics.measures.recovery import best_correlation, correlations, readout
from ssl_dynamics.networks.receptive import ReceptiveTree
from ssl_dynamics.training.trees import TreeConfig, TreeRun, train_trees

SMALL = TreeConfig(branching=(2, 2, 2), hid=4, batch=16, steps=10, test=512)


@pytest.mark.parametrize("branching", [(2, 2), (3, 1, 2), (2, 2, 2, 2)])
def test_the_network_is_the_one_written_out_node_by_node(branching):
    net = ReceptiveTree([0, 5], branching, 3, dtype=torch.float64)
    leaves = int(np.prod(branching))
    x = torch.rand(2, leaves, 7, dtype=torch.float64)
    levels = net(x)
    for seed in range(2):
        values = [x[seed, i : i + 1] for i in range(leaves)]
        for level, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            c = branching[-1 - level]
            values = [torch.cat(values[i * c : (i + 1) * c]) for i in range(len(values) // c)]
            pre = [weight[seed, i] @ v + bias[seed, i, :, None] for i, v in enumerate(values)]
            for i, p in enumerate(pre):
                torch.testing.assert_close(levels[level][seed, i], p, rtol=0, atol=1e-13)
            values = [torch.relu(p) for p in pre]
    assert len(values) == 1


@pytest.mark.parametrize("loss", TRIPLET_LOSSES)
def test_passes_by_hand_are_autograd(loss):
    run = TreeRun(replace(SMALL, loss=loss, dtype="float64"), [0, 1, 2])
    for step in range(3):
        x = run.sampler.at(step)
        losses, g = output_gradient(run.passes.forward(x), run.criterion)
        run.passes.backward(g)
        by_hand = [p.grad.clone() for p in run.net.parameters()]
        run.net.zero_grad()
        expected = run.criterion(*distances(unit(run.net(x)[-1][:, 0])))
        expected.sum().backward()
        torch.testing.assert_close(losses, expected.detach(), rtol=0, atol=1e-13)
        for mine, p in zip(by_hand, run.net.parameters(), strict=True):
            torch.testing.assert_close(mine, p.grad, rtol=0, atol=1e-13)
        run.net.zero_grad()


def test_the_released_form_averages_before_it_compares():
    f = torch.randn(1, 10, 12, dtype=torch.float64)
    near, far = distances(unit(f))
    one, two, three = (unit(f)[0, :, k * 4 : k * 4 + 4] for k in range(3))
    p, n = ((one - other).square().mean() for other in (two, three))
    expected = -torch.exp(-p / 0.1) / (torch.exp(-p / 0.1) + torch.exp(-n / 0.1))
    found = TRIPLET_LOSSES["released"](near, far, temperature=0.1, width=10)
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_a_seed_learns_the_same_alone_and_in_company(dtype, tolerance):
    config = replace(SMALL, dtype=dtype)
    company, alone = TreeRun(config, range(5)), TreeRun(config, [3])
    for w, v in zip(company.net.parameters(), alone.net.parameters(), strict=True):
        assert torch.equal(w[3], v[0])
    for _ in range(10):
        company.step()
        alone.step()
    for w, v in zip(company.net.parameters(), alone.net.parameters(), strict=True):
        torch.testing.assert_close(w[3], v[0], rtol=tolerance, atol=tolerance)


def test_a_constant_neuron_finds_nothing():
    z = torch.rand(1000) < 0.5
    rows = torch.stack([torch.full((1000,), 0.4265), 0.4265 + 1e-3 * z, -z.float()])
    found = correlations(rows, z)
    assert found[0] == 0
    assert found[1] == pytest.approx(1, abs=1e-3)
    assert found[2] == pytest.approx(-1, abs=1e-12)
    assert found.abs().max() <= 1 + 1e-12
    size, index = best_correlation(rows, z)
    assert index in (1, 2)
    assert size == pytest.approx(1, abs=1e-3)
    assert (correlations(rows, torch.ones(1000)) == 0).all()


def test_correlations_are_numpys():
    rows, z = torch.randn(3, 4, 200, dtype=torch.float64), torch.rand(3, 200) < 0.3
    for group, target, found in zip(rows, z, correlations(rows, z), strict=True):
        expected = [np.corrcoef(row.numpy(), target.numpy())[0, 1] for row in group]
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_training_finds_latents_and_never_passes_the_ceiling():
    config = TreeConfig(branching=(2, 2, 2), hid=8, batch=128, steps=600, test=4096)
    found = train_trees(config, range(4), device="cpu", progress=False)
    assert found["found"].shape == (4, 2, 7)
    start, end = found["found"][:, 0].mean(0), found["found"][:, 1].mean(0)
    assert end[0] > start[0] + 0.1
    assert (found["found"] <= found["ceiling"][:, None] + 0.02).all()


def test_a_run_resumes_to_the_same_numbers(tmp_path):
    config = replace(SMALL, eval_at=(0, 4, 10))
    whole = train_trees(config, [0, 1], device="cpu", progress=False)
    stopped = TreeRun(config, [0, 1])
    for _ in range(4):
        stopped.step()
    other = TreeRun(config, [0, 1])
    other.restore(stopped.state())
    for _ in range(6):
        other.step()
    np.testing.assert_allclose(other.recovery()["found"], whole["found"][:, -1], atol=1e-6)
    first = train_trees(config, [0, 1], device="cpu", progress=False, checkpoint_dir=tmp_path)
    again = train_trees(config, [0, 1], device="cpu", progress=False, checkpoint_dir=tmp_path)
    for key, value in first.items():
        np.testing.assert_array_equal(value, again[key])


@pytest.mark.parametrize(
    ("field", "value"),
    [("loss", "byol"), ("hid", 0), ("batch", 0), ("temperature", 0.0), ("eval_at", (3, 1))],
)
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: "):
        replace(SMALL, **{field: value})


def test_the_readout_is_the_best_linear_fit():
    rows, z = torch.randn(4, 3, 500, dtype=torch.float64), torch.rand(4, 500) < 0.4
    rows[1, 2] = rows[1, 0]  # two equal rows
    rows[2, 0] = 0.0  # a silent one
    for group, target, found in zip(rows, z, readout(rows, z), strict=True):
        design = np.vstack([group.numpy(), np.ones(500)]).T
        fitted = design @ np.linalg.lstsq(design, target.double().numpy(), rcond=None)[0]
        expected = np.corrcoef(fitted, target.numpy())[0, 1]
        assert found == pytest.approx(expected, abs=1e-10)
    assert (readout(rows, torch.ones(4, 500)) == 0).all()
