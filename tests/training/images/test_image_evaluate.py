"""What an evaluation leaves alone, what it may look at, and the untrained network as baseline."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ssl_dynamics.training.images import ImageConfig, ImageRun, encoded, pretrain, run_images
from ssl_dynamics.training.images import evaluate as measure
from ssl_dynamics.training.images.sets import Labelled

SETTINGS = {
    "dataset": "digits", "encoder": "tiny", "epochs": 1, "batch": 64, "images": 128, "bank": 100,
    "test": 90, "neighbours": 5, "options": ("projector=[16,8]",),
}  # fmt: skip


@pytest.fixture
def run():
    config = ImageConfig(method="byol", **SETTINGS)
    made = ImageRun(config, 0, run_images(config))
    made.step()
    return made


def test_an_evaluation_changes_nothing(run):
    before = {name: value.clone() for name, value in run.method.state_dict().items()}
    first = measure(run, probe=True)
    assert run.method.training
    assert all(torch.equal(value, before[name]) for name, value in run.method.state_dict().items())
    assert all(w.grad is None for w in run.method.parameters())
    assert measure(run, probe=True) == first


def test_features_of_an_image_do_not_depend_on_its_company(run):
    """Evaluation mode: alone, or among others, the same numbers."""
    images = run.images.test.images
    features, outputs = encoded(run, images)
    alone = [encoded(run, images[n : n + 1]) for n in range(5)]
    for n, (f, y) in enumerate(alone):
        torch.testing.assert_close(f[0], features[n], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(y[0], outputs[n], rtol=1e-4, atol=1e-5)
    run.method.train()
    with torch.no_grad():
        together = run.method.represent(images.float() / 255)
    assert not torch.allclose(together, features, rtol=1e-2)


def test_labels_of_test_images_decide_accuracies_alone(run):
    """Nothing is chosen by them, not even the penalty of the probe."""
    first = measure(run, probe=True)
    test = run.images.test
    run.images = replace(run.images, test=Labelled(test.images, test.labels.roll(1)))
    again = measure(run, probe=True)
    changed = {name for name in first if again[name] != first[name]}
    assert changed == {"knn", "linear"}


@pytest.mark.parametrize("norm", ["mu+sigma", "sigma"])
def test_the_untrained_network_is_judged_with_statistics_of_images(norm):
    """At epoch 0 every BatchNorm uses the first batch, and training does not notice."""
    options = ("projector=[16,8]", f"head_norm={norm}")
    config = ImageConfig(method="vicreg", **{**SETTINGS, "options": options})
    images = run_images(config)
    found = pretrain(config, 0, images)
    run = ImageRun(config, 0, images)
    loss, _ = run.loss(*run.views(0))
    np.testing.assert_allclose(found["loss"][0], loss.item(), rtol=1e-5)
    stale = measure(run)  # one batch at a tenth
    _, two, _ = run.views(0)
    for module in run.method.modules():
        for name in ("momentum", "rate"):
            if hasattr(module, name):
                setattr(module, name, 1.0)
    run.method.project(two)
    exact = measure(run)
    for name in ("knn", "effective_rank", "spread", "feature_rank"):
        assert found[name][0] == pytest.approx(exact[name], rel=1e-4)
    assert abs(stale["spread"] - exact["spread"]) > 0.01
    again = ImageRun(config, 0, images)
    total = sum(float(again.step()["loss"]) for _ in range(again.steps)) / again.steps
    np.testing.assert_allclose(found["loss"][1], total, rtol=1e-5)


def test_a_run_in_half_precision_is_measured_in_float32(run):
    """The rounding of bf16 does not enter: collapsed outputs keep their rank."""
    last = run.method.projector[-1]
    with torch.no_grad():
        last.weight.mul_(1e-4)  # the offset remains
        last.weight[1:] = 0
    first = measure(run)
    run.half = True
    assert measure(run) == first
    assert first["effective_rank"] < 1.01
    assert first["spread"] < 1e-3
