"""The measures of samples, classes and super-classes, layer by layer, and the run they watch."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from ssl_dynamics.experiments import levels
from ssl_dynamics.measures import linear_accuracy
from ssl_dynamics.training.images import Inputs, layers, pretrain, run_images
from ssl_dynamics.training.images import loop as loop_module
from ssl_dynamics.training.images.maps import mapped_rows, placed
from ssl_dynamics.training.images.readings import narrowed, readings
from ssl_dynamics.training.images.run import ImageRun

QUICK = {
    "dataset": "factors", "method": "vicreg", "encoder": "small", "images": 96, "batch": 48,
    "epochs": 2, "bank": 200, "test": 120, "neighbours": 5, "seeds": 1, "samples": 6,
    "fit_views": 5, "test_views": 3, "options": ("projector=[16,8]",), "probe": "ends",
}  # fmt: skip


@pytest.fixture(scope="module", params=[None, "resample"])
def watched(request):
    """Config, images, levels, and the metrics of a run they watched."""
    config = levels.Config(**QUICK, recipe=request.param)
    images = run_images(config)
    also = levels.measured_levels(config, images)
    return config, images, also, pretrain(config, 0, images, also=also)


def test_the_watched_run_is_the_same_run(watched):
    config, images, _, found = watched
    alone = pretrain(config, 0, images)
    for name, values in alone.items():
        if name != "images_per_s":
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert set(found) > set(alone)


def test_every_number_is_that_of_the_features(watched):
    """Nearest centres by scikit-learn, the rest by loops, at the start of training."""
    config, images, also, found = watched
    run = ImageRun(config, 0, images)
    with loop_module.averages_at(run.method, 1.0):
        run.loss(*run.views(0))
    for name, level in also.levels.items():
        train, test = (layers(run, also.inputs[key]) for key in (level.train, level.test))
        for layer, x in train.items():
            x, y = x.numpy().astype(float), level.train_labels.numpy()
            other, labels = test[layer].numpy().astype(float), level.test_labels.numpy()
            centre = NearestCentroid().fit(x, y)
            got = {k: found[f"{name}/{layer}/{k}"][0] for k in ("ncc_train", "ncc_test")}
            assert got["ncc_train"] == pytest.approx(centre.score(x, y), abs=2 / len(y))
            assert got["ncc_test"] == pytest.approx(centre.score(other, labels), abs=2 / len(y))
            mean = centre.centroids_
            variance = [((x[y == c] - mean[c]) ** 2).sum(1).mean() for c in range(len(mean))]
            assert found[f"{name}/{layer}/variance"][0] == pytest.approx(
                np.mean(variance), rel=1e-4
            )
            ratios, distances = [], []
            for a in range(len(mean)):
                for b in range(a):
                    distances.append(((mean[a] - mean[b]) ** 2).sum())
                    ratios.append((variance[a] + variance[b]) / (2 * distances[-1]))
            assert found[f"{name}/{layer}/cdnv"][0] == pytest.approx(np.mean(ratios), rel=1e-3)
            distance = found[f"{name}/{layer}/distance"][0]
            assert distance == pytest.approx(np.mean(distances), rel=1e-3)


def test_what_is_recorded_when(watched):
    config, _, _, found = watched
    assert found["linear/sample/output"].shape == (2,)
    assert found["sample/layer1/cdnv"].shape == (3,)
    assert levels.layer_names(found) == ["layer1", "layer2", "layer3", "layer4", "output"]
    wanted = {f"linear/{name}/output" for name in ("sample", "class", "super")}
    assert wanted == {name for name in found if name.startswith("linear/")}
    assert config.seed_list == [0]


def test_views_are_the_same_at_every_evaluation_and_new_for_testing(watched):
    config, images, also, _ = watched
    run = ImageRun(config, 0, images)
    fit, test = also.inputs["views/fit"], also.inputs["views/test"]
    assert (len(fit), len(test)) == (30, 18)
    one, again, other = (torch.cat(list(x.batches(run))) for x in (fit, fit, test))
    assert torch.equal(one, again)
    assert one.shape == (30, 3, 32, 32)
    gaps = (one[:, None] - other[None]).flatten(2).abs().amax(-1)
    assert gaps.min() > 0  # no test view among the others
    level = also.levels["sample"]
    assert level.train_labels.tolist() == list(range(6)) * 5
    plain = torch.cat(list(Inputs(images.train[:4]).batches(run)))
    assert torch.equal(plain, torch.cat(list(Inputs(images.train[:4]).batches(run))))


def test_an_interrupted_run_keeps_its_measures(tmp_path, monkeypatch):
    config = levels.Config(**QUICK)
    images = run_images(config)
    also = levels.measured_levels(config, images)
    expected = pretrain(config, 0, images, also=also)
    monkeypatch.setattr(loop_module, "SAVE_EVERY", 0.0)
    calls = []

    def stops(run, probe):
        calls.append(run.now)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return also(run, probe)

    class Once:
        key = also.key

        def __call__(self, run, probe):
            return stops(run, probe)

    with pytest.raises(KeyboardInterrupt):
        pretrain(config, 0, images, folder=tmp_path, also=Once())
    found = pretrain(config, 0, images, folder=tmp_path, also=also)
    for name, values in expected.items():
        if name != "images_per_s":
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert calls == [0, 2, 4]


def test_other_measures_have_another_checkpoint():
    config = levels.Config(**QUICK)
    images = run_images(config)
    keys = {
        levels.measured_levels(levels.Config(**QUICK | change), images).key
        for change in ({}, {"samples": 7}, {"fit_views": 6}, {"normalised": True})
    }
    assert len(keys) == 4


def test_every_layer_at_equal_dimension_changes_nothing_else(watched):
    """What was measured stays to the last bit; the new numbers are those of the features."""
    config, images, also, before = watched
    more = levels.Config(**QUICK, recipe=config.recipe, layerwise=180)
    watching = levels.measured_levels(more, images)
    assert watching.key != also.key
    found = pretrain(more, 0, images, also=watching)
    for name, values in before.items():
        if name != "images_per_s":
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    places = [f"layer{number}" for number in range(1, 5)]
    assert set(found) - set(before) == {
        f"{reading}/{level}/{layer}/{measure}"
        for reading in ("grid", "narrow")
        for level in also.levels
        for layer in places
        for measure in ("linear", "ncc_test")
    }
    run = ImageRun(more, 0, images)
    with loop_module.averages_at(run.method, 1.0):
        run.loss(*run.views(0))
    for name, level in also.levels.items():
        fit, test = (readings(run, also.inputs[key], True) for key in (level.train, level.test))
        for reading, width in (("grid", 256), ("narrow", 32)):
            assert list(fit[reading]) == places
            for layer, x in fit[reading].items():
                assert x.shape == (len(level.train_labels), width)
                x, y = x[:180].double(), level.train_labels[:180]
                other = test[reading][layer].double()
                score = NearestCentroid().fit(x, y).score(other, level.test_labels)
                got = found[f"{reading}/{name}/{layer}/ncc_test"][0]
                assert got == pytest.approx(score, abs=2 / len(other))
                linear = linear_accuracy(x[None], y, other[None], level.test_labels)
                got = found[f"{reading}/{name}/{layer}/linear"][0]
                assert got == pytest.approx(float(linear), abs=3 / len(other))
    assert torch.equal(fit["grid"]["layer4"], fit["pooled"]["output"])


def test_a_narrow_layer_only_turns():
    """The narrowest layer loses no distance in the projection; wide ones lose some of each."""
    chance = torch.Generator().manual_seed(0)
    wide = {f"{width}": torch.randn(7, width, generator=chance) for width in (8, 16, 64)}
    narrow = narrowed(wide, seed=3)
    assert all(x.shape == (7, 8) for x in narrow.values())
    torch.testing.assert_close(torch.cdist(narrow["8"], narrow["8"]), torch.cdist(*[wide["8"]] * 2))
    for width in ("16", "64"):
        assert (torch.cdist(*[narrow[width]] * 2) <= torch.cdist(*[wide[width]] * 2)).all()
    assert torch.equal(narrow["64"], narrowed(wide, seed=3)["64"])
    assert not torch.equal(narrow["64"], narrowed(wide, seed=4)["64"])


def test_maps_show_the_test_inputs_of_ten_groups():
    """Two dimensions per input, at both ends; neighbours in the features are neighbours there."""
    config = levels.Config(**QUICK, mapped=4)
    images = run_images(config)
    record = levels.run(config, progress=False)
    also = levels.measured_levels(config, images)
    assert also.key != levels.measured_levels(levels.Config(**QUICK), images).key
    for name, level in also.levels.items():
        rows = mapped_rows(level.test_labels, 4)
        kept = level.test_labels[rows].unique(return_counts=True)
        assert kept[0].tolist() == level.test_labels.unique()[:10].tolist()
        wanted = [min(4, int((level.test_labels == label).sum())) for label in kept[0]]
        assert kept[1].tolist() == wanted
        ends = [
            np.stack([record[f"map/{name}/{epoch}/{one}"][0] for one in "xy"]) for epoch in (0, 2)
        ]
        assert ends[0].shape == (2, len(rows))
        assert np.isfinite(ends).all()
        assert not np.array_equal(*ends)  # training moves them
        place = list(also.levels).index(name)
        for end, one in zip(ends, levels.maps(record), strict=True):
            np.testing.assert_array_equal(one[place], end.T)
    assert np.isnan(placed(torch.ones(30, 4))).all()  # collapsed: there is no map
    chance = torch.Generator().manual_seed(0)
    middle = torch.randn(6, 1, 12, generator=chance) * 5
    x = (middle + torch.randn(6, 15, 12, generator=chance)).reshape(90, 12)
    places = torch.tensor(placed(x)).reshape(90, 2)
    own = torch.arange(90) // 15
    nearest = (torch.cdist(places, places) + 1e9 * torch.eye(90)).argmin(1)
    assert (own[nearest] == own).all()


def test_a_seed_that_diverges_ends_with_nan_in_every_metric():
    config = levels.Config(
        **QUICK | {"epochs": 3, "eval_every": 1, "lr": 1e30, "warmup": 0.0, "precision": "float32"},
        layerwise=180,
        mapped=3,
    )
    images = run_images(config)
    found = pretrain(config, 0, images, also=levels.measured_levels(config, images))
    assert not np.isfinite(found["loss"][-1])
    for name, values in found.items():
        probed = name.startswith(("linear", "grid/", "narrow/", "map/"))
        assert len(values) == (2 if probed else 4), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mapped": -1}, "mapped: got -1"),
        ({"layerwise": -1}, "layerwise: got -1"),
        ({"dataset": "digits", "encoder": "tiny"}, "dataset: got 'digits'"),
        ({"labels": "coarse"}, "labels: got 'coarse'"),
        ({"samples": 1}, "samples: got 1"),
        ({"test_views": 0}, "test_views: got 0"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        levels.Config(**QUICK | change)


def test_too_few_inputs_for_the_probes_of_layers_are_refused_before_any_work():
    config = levels.Config(**QUICK, layerwise=30)
    images = run_images(config)
    with pytest.raises(ValueError, match="layerwise: got 30, with"):
        levels.measured_levels(config, images)


def test_more_samples_than_images_are_refused():
    config = levels.Config(**QUICK | {"samples": 97})
    images = run_images(config)
    with pytest.raises(ValueError, match="samples: got 97"):
        levels.measured_levels(config, images)
