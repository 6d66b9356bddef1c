"""Conditions share all but what is asked about; mean views and their error by another route."""

import dataclasses

import numpy as np
import pytest
import torch

from ssl_dynamics.data.images import RECIPES, recipe, standardise
from ssl_dynamics.experiments import photographs

QUICK = {"datasets": ("digits",), "epochs": 1, "eval_every": 1, "seeds": 1, "draws": 2}


@pytest.mark.parametrize("question", photographs.QUESTIONS)
def test_conditions_differ_in_method_and_options_alone(question):
    config = photographs.Config(question=question)
    for dataset in config.datasets:
        images = [config.image(dataset, condition) for condition in config.asked]
        same = {dataclasses.replace(image, method="simclr", options=()) for image in images}
        assert len(same) == 1
        assert len({(image.method, image.options) for image in images}) == len(images)
        projectors = {image.method_options["projector"] for image in images}
        assert len(projectors) == 1


def test_the_rates_are_the_published_ones():
    predictors = photographs.Config().image("cifar100", "linear/ema")
    assert predictors.peak_lr == pytest.approx(0.03)
    targets = photographs.Config(question="targets").image("cifar100", "pair+predictor+stop")
    assert targets.peak_lr == targets.published.learning_rate(128)
    assert targets.weight_decay == targets.published.weight_decay


def test_mean_views_of_a_flip_alone_are_known():
    """Flips with probability 1/2: the mean is (x + flipped)/2 and its error follows exactly."""
    images = torch.randint(256, (60, 3, 8, 8), generator=torch.Generator().manual_seed(0)).byte()
    flips = dataclasses.replace(recipe("plain", 8), flip=0.5)
    x = standardise(images, flips)
    exact = (x + x.flip(-1)) / 2
    among = (exact - exact.mean(0)).flatten(1).pow(2).sum(1).mean()
    spread = (x - exact).flatten(1).pow(2).sum(1).mean()
    for draws in (4, 64):
        found, error = photographs.mean_views(images, flips, draws)
        off = (found - exact).flatten(1).pow(2).sum(1).mean()
        assert error == pytest.approx(float((spread / draws / among).sqrt()), rel=0.15)
        assert error == pytest.approx(float((off / among).sqrt()), rel=0.25)


def test_the_error_agrees_with_that_of_two_halves():
    images = torch.randint(256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(1)).byte()
    both, error = photographs.mean_views(images, RECIPES["digits"], 64)
    half, _ = photographs.mean_views(images, RECIPES["digits"], 32)
    other = 2 * both - half
    off = ((half - other) / 2).flatten(1).pow(2).sum(1).mean()
    among = (both - both.mean(0)).flatten(1).pow(2).sum(1).mean() - off
    assert error == pytest.approx(float((off / among).sqrt()), rel=0.15)


def test_no_draw_leaves_the_mean_of_a_recipe_without_chance():
    images = torch.randint(256, (5, 3, 8, 8), generator=torch.Generator().manual_seed(2)).byte()
    found, error = photographs.mean_views(images, recipe("plain", 8), 3)
    torch.testing.assert_close(found, standardise(images, recipe("plain", 8)))
    assert error < 1e-3


@pytest.mark.parametrize(
    ("question", "conditions"),
    [("predictors", ("directpred/online",)), ("targets", ("mean+stop", "pair+predictor+stop"))],
)
def test_a_record_holds_every_condition_and_the_baselines(question, conditions):
    config = photographs.Config(question=question, conditions=conditions, device="cpu", **QUICK)
    record = photographs.run(config, progress=False)
    assert record.axes == {"epoch": [0, 1], "probe_epoch": [0, 1]}
    for condition in conditions:
        for name in ("loss", "knn", "effective_rank", "spread", "alignment", "linear"):
            values = record[f"digits/{condition}/{name}"]
            assert values.shape == (1, 2)
            assert np.isfinite(values).all()
    starts = {float(record[f"digits/{condition}/knn"][0, 0]) for condition in conditions}
    assert len(starts) == 1  # the same weights before training
    assert record["digits/knn_pixels"][0] > 0.9
    assert ("digits/mean_view_error" in record.metrics) == (question == "targets")


@pytest.mark.parametrize(
    ("field", "value"),
    [("question", "both"), ("conditions", ("mean+stop",)), ("datasets", ("mnist",)),
     ("datasets", ()), ("seeds", 0), ("draws", 1), ("epochs", 0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"{field}: .*allowed"):
        photographs.Config(**{field: value})
