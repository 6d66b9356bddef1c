"""The learning rates of a run reach the weights: warm-up, cosine, and SimSiam's predictor."""

import pytest
import torch

from ssl_dynamics.training.images import ImageConfig, ImageRun, run_images

SETTINGS = {
    "dataset": "digits", "encoder": "tiny", "epochs": 4, "batch": 64, "images": 128, "bank": 64,
}  # fmt: skip


@pytest.mark.parametrize("method", ["simsiam", "byol"])
def test_only_simsiams_predictor_keeps_its_rate(method):
    """At the last step the rate is a seventh of the peak; without decay weights move by rate v."""
    options = ("projector=[16,16]", "predictor=[16]")
    config = ImageConfig(
        method=method, options=options, optimiser="sgd", lr=0.1, momentum=0.0, weight_decay=0.0,
        warmup=0.0, **SETTINGS,
    )  # fmt: skip
    run = ImageRun(config, 0, run_images(config))
    while run.now < run.steps - 1:
        run.step()
    before = {name: w.detach().clone() for name, w in run.method.named_parameters()}
    loss, _ = run.loss(*run.views(run.now))
    loss.backward()
    slope = {n: w.grad.clone() for n, w in run.method.named_parameters() if w.grad is not None}
    run.method.zero_grad(set_to_none=True)
    run.step()
    now = dict(run.method.named_parameters())
    falls, stays = run.lr(run.steps - 1), config.peak_lr
    assert falls < stays / 6
    for name, g in slope.items():
        rate = stays if method == "simsiam" and name.startswith("predictor") else falls
        torch.testing.assert_close(now[name], before[name] - rate * g, rtol=1e-4, atol=1e-6)
