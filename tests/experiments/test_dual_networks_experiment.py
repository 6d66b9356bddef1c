"""The two-towers experiment: its comparison can fail, and bad settings are named."""

import pytest
import torch

from ssl_dynamics.experiments import dual_networks as experiment
from ssl_dynamics.networks import ReluNet


def pair(seeds, count, d):
    g = torch.Generator().manual_seed(0)
    return torch.randn(2, seeds, count, d, dtype=torch.float64, generator=g).unbind(0)


def test_the_comparison_sees_a_wrong_connection(monkeypatch):
    net = ReluNet((0, 1), (5, 4, 3))
    right = experiment.compared([net, net], pair(2, 3, 5))
    assert (right["error"] < 1e-12).all()
    assert (right["along"] < 1e-12).all()
    true = experiment.connection
    monkeypatch.setattr(experiment, "connection", lambda *a: true(*a) * (1 + 1e-6))
    assert (experiment.compared([net, net], pair(2, 3, 5))["error"] > 1e-7).all()


def test_a_step_too_small_to_flip_a_gate_moves_no_image_and_a_large_one_does():
    net = ReluNet((0, 1), (5, 8, 3))
    images, _ = pair(2, 20, 5)
    g = torch.Generator().manual_seed(1)
    steps = [torch.randn(w.shape, dtype=w.dtype, generator=g) for w in net.weights]
    before = [w.detach().clone() for w in net.weights]
    tiny = experiment.reach(net, images, [1e-12 * s for s in steps])
    large = experiment.reach(net, images, steps)
    assert (tiny["moved/layer=1"] == 0).all()
    assert (large["moved/layer=1"] > 0.5).all()
    assert (large["moved/layer=2"] == 0).all()  # above the top layer there is no gate
    assert (tiny["missed/layer=1"] < 1e-3).all()  # rounding over a change of 1e-12
    assert (large["missed/layer=1"] > 0.1).all()
    assert (large["missed/layer=2"] < 1e-12).all()
    assert all(torch.equal(w, old) for w, old in zip(net.weights, before, strict=True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first": (4, 3)}, "equally many"),
        ({"every": 7}, "every"),
        ({"lr": 0.0}, "lr"),
        ({"pairs": 0}, "pairs"),
        ({"device": "cuda"}, "device"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
