"""Settings of runs on images: what they resolve to and what is refused before any work."""

import dataclasses

import pytest

from ssl_dynamics.methods import method_class
from ssl_dynamics.training.images import ImageConfig

BAD = [
    ("dataset", "imagenet"), ("labels", "medium"), ("method", "moco"), ("precision", "fp8"),
    ("probe", "sometimes"), ("optimiser", "adam"), ("encoder_norm", "layer"), ("recipe", "moco"),
    ("options", ("temperature",)), ("options", ("heat=1",)), ("options", ("temperature=0",)),
    ("options", ("seed=3",)), ("epochs", 0), ("batch", 1), ("images", 10), ("images", -1),
    ("bank", 3), ("test", -1), ("neighbours", 0), ("eval_every", 0), ("lr", -1.0),
    ("lr", float("nan")), ("weight_decay", float("inf")), ("momentum", 1.0), ("warmup", 6.0),
    ("encoder", "resnet-big"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_bad_settings_are_refused_with_what_is_allowed(field, value):
    name = "temperature" if value == ("temperature=0",) else field
    with pytest.raises(ValueError, match=rf"{name}: "):
        ImageConfig(**{field: value})


def test_coarse_labels_need_super_classes():
    with pytest.raises(ValueError, match="labels: got 'coarse'; allowed: fine, on digits"):
        ImageConfig(dataset="digits", labels="coarse")


@pytest.mark.parametrize("method", ["simclr", "byol"])
def test_unset_fields_follow_the_published_recipe(method):
    published = method_class(method).defaults
    config = ImageConfig(method=method, batch=512, epochs=1000)
    assert config.peak_lr == pytest.approx(published.lr * 512 / published.per)
    assert config.optimiser_options["kind"] == published.optimiser
    assert config.optimiser_options["weight_decay"] == published.weight_decay
    assert config.warmup_epochs == published.warmup_epochs
    assert ImageConfig(method=method, epochs=5).warmup_epochs == 0.5
    own = ImageConfig(method=method, optimiser="sgd", lr=0.03, weight_decay=0.0, momentum=0.5)
    assert own.optimiser_options["kind"] == "sgd"
    assert own.optimiser_options["weight_decay"] == 0
    assert own.optimiser_options["momentum"] == 0.5
    assert own.peak_lr == pytest.approx(0.03)


def test_options_are_read_as_numbers_lists_words_and_null():
    config = ImageConfig(
        method="byol", options=("projector=[64,16]", "head_norm=sigma", "predictor=null")
    )
    expected = {"projector": (64, 16), "head_norm": "sigma", "predictor": None}
    assert config.method_options == expected


def test_evaluations_always_include_both_ends():
    assert ImageConfig(epochs=5, eval_every=2).eval_epochs == (0, 2, 4, 5)
    assert ImageConfig(epochs=5, eval_every=9, probe="always").probe_epochs == (0, 5)
    assert ImageConfig(probe="never").probe_epochs == ()


def test_the_fingerprint_knows_settings_and_seed():
    a, b = ImageConfig(), ImageConfig(lr=0.1)
    assert len({a.fingerprint(0), a.fingerprint(1), b.fingerprint(0)}) == 3
    assert a.fingerprint(0) == ImageConfig().fingerprint(0)


def test_the_fingerprint_knows_the_recipe_that_unset_fields_follow(monkeypatch):
    before = ImageConfig(method="byol").fingerprint(0)
    kind = method_class("byol")
    monkeypatch.setattr(kind, "defaults", dataclasses.replace(kind.defaults, lr=0.9))
    assert ImageConfig(method="byol").fingerprint(0) != before
