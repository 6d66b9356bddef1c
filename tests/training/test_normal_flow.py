"""The exact flow at normal inputs against sampling, finite differences and the closed forms."""

import numpy as np
import pytest
import torch

from ssl_dynamics.theory import flat_minima, gradient
from ssl_dynamics.training.normal_flow import Layers, follow, loss, overlaps, velocity


def drawn(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=g)


def nets(seeds=2, d=4, n=5, m=3, C=2):
    return (
        Layers(drawn(seeds, n, d, seed=1), drawn(seeds, n, C, seed=2)),
        Layers(drawn(seeds, m, d, seed=3), drawn(seeds, m, C, seed=4)),
    )


def test_overlaps_are_lengths_times_the_pull_of_the_gradient_chapter():
    (W, _), (U, _) = nets()
    found = overlaps(W, U).numpy()
    for s in range(2):
        a, b = (np.linalg.norm(M[s], axis=1) for M in (W, U))
        angle = np.arccos((W[s] @ U[s].T).numpy() / np.outer(a, b))
        wanted = np.outer(a, b) * gradient.GATED_ALONG.numpy(angle)
        np.testing.assert_allclose(found[s], wanted, rtol=1e-12)


def test_the_loss_is_the_mean_over_a_sample():
    student, teacher = nets()
    x = drawn(400_000, 4, seed=9)
    outputs = [torch.relu(x @ net.W[0].T) @ net.V[0] for net in (student, teacher)]
    values = (outputs[0] - outputs[1]).square().sum(-1) / 2
    error = values.std() / len(values) ** 0.5
    assert abs(values.mean() - loss(student, teacher)[0]) < 4 * error


def test_velocity_is_minus_the_gradient():
    student, teacher = nets()
    along = Layers(drawn(2, 5, 4, seed=5), drawn(2, 5, 2, seed=6))
    ends = [
        loss(Layers(student.W + h * along.W, student.V + h * along.V), teacher)
        for h in (1e-6, -1e-6)
    ]
    found = velocity(student, teacher)
    slope = (found.W * along.W).sum((1, 2)) + (found.V * along.V).sum((1, 2))
    torch.testing.assert_close(slope, -(ends[0] - ends[1]) / 2e-6, rtol=1e-7, atol=1e-7)


def test_held_features_follow_the_closed_form_and_moving_ones_keep_their_balance():
    angle = 0.7
    W = torch.tensor([[[1.0, 0.0], [np.cos(angle), np.sin(angle)]]]).double()
    student = Layers(W, torch.tensor([[[0.2], [0.5]]]).double())
    teacher = Layers(W[:, :1], torch.ones(1, 1, 1).double())
    overlap = float(gradient.GATED_ALONG.numpy(angle))
    times = (0, 2, 30)
    for t, at in zip(times, follow(student, teacher, times, moving=0.0), strict=True):
        assert (at.W == W).all()
        wanted = flat_minima.UNIT_FAN_OUT.numpy(t, overlap, 0.2 - 1, 0.5)
        assert at.V[0, 1, 0].item() == pytest.approx(float(wanted), abs=1e-7)
    *_, end = follow(student, teacher, times)
    assert (end.W - W).abs().max() > 0.01
    before, after = (n.W.square().sum(-1) - n.V.square().sum(-1) for n in (student, end))
    torch.testing.assert_close(before, after, rtol=0, atol=1e-8)


def test_unordered_times_are_refused():
    with pytest.raises(ValueError, match="times"):
        list(follow(*nets(), (3, 1)))
