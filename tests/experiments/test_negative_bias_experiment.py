"""The experiment on BatchNorm biases: what it measures, and the table of files."""

import json

import numpy as np
import pytest

from ssl_dynamics.experiments import negative_bias as experiment
from ssl_dynamics.records import load

TINY = {"widths": (4, 5), "epochs": 1, "at": (0, 1), "batch": 256}


def test_starts_differ_in_the_offsets_alone_and_floors_are_kept():
    record = experiment.run(experiment.Config(seeds=2, **TINY), progress=False)
    for layer in (1, 2):
        for start, sign in (("zero", 0), ("low", 1), ("high", 0)):
            assert (record[f"{start}/negative/layer={layer}"][:, 0] == sign).all()
            low, high = (record[f"{start}/{m}/layer={layer}"] for m in ("floor", "overlap"))
            assert (low <= high + 1e-12).all()
        normal = [record[f"{start}/normal/layer={layer}"][:, 0] for start in experiment.STARTS]
        np.testing.assert_allclose(np.stack(normal)[:, 0], [0.5, 0.158655, 0.841345], atol=1e-6)
    assert record["zero/accuracy"].shape == (2, 2)


def test_a_seed_alone_is_what_it_is_in_company():
    two = experiment.run(experiment.Config(seeds=2, starts=("zero",), **TINY), progress=False)
    one = experiment.run(
        experiment.Config(seeds=1, first_seed=1, starts=("zero",), **TINY), progress=False
    )
    for name in ("zero/open/layer=2", "zero/normal/layer=1"):
        np.testing.assert_allclose(one[name][0], two[name][1], rtol=1e-3)


def collection(folder):
    arrays = {
        "a|x|beta": np.array([-1.0, -2.0, 0.0]), "a|x|gamma": np.array([1.0, -2.0, 3.0]),
        "a|y|beta": np.array([1.0, 0.5]), "a|y|gamma": np.array([1.0, 1.0]),
        "b|z|beta": np.array([-0.5, 0.5]),
    }  # fmt: skip
    said = {"a|x": "relu", "a|y": "linear", "b|z": "relu"}
    np.savez(folder / "nets.npz", **arrays, consumers_json=np.array(json.dumps(said)))
    return str(folder / "nets.npz")


def test_files_become_a_table_with_networks_in_the_place_of_seeds(tmp_path):
    files, sources = (collection(tmp_path),), ("a=somewhere; MIT",)
    config = experiment.Config(files=files, sources=sources, name="nets")
    record = experiment.run(config, progress=False)
    assert record.axes["network"] == ["a", "b"]
    assert (record.axes["source"], record.axes["licence"]) == (["somewhere", ""], ["MIT", ""])
    assert record.axes["layers of a"] == ["x", "y"]
    assert record.axes["consumer"] == ["linear", "relu"]
    np.testing.assert_array_equal(record["channels"], [[3, 2], [2, np.nan]])
    np.testing.assert_allclose(record["negative"], [[2 / 3, 0], [0.5, np.nan]])
    np.testing.assert_allclose(record["zero"], [[1 / 3, 0], [0, np.nan]])
    np.testing.assert_allclose(record["relu/normal"][0], (2 * 0.15865525 + 0.5) / 3, atol=1e-8)
    np.testing.assert_array_equal(record["relu/gain"], [1, 0])
    floor = (2 * 0.15865525 + 0.5 - 1) / 2
    np.testing.assert_allclose(record["relu/floor"][0], max(floor, 0), atol=1e-8)
    alone = experiment.chosen(record, [1])
    assert alone["negative"].shape == (1, 2)
    bad = experiment.Config(files=files, sources=("c=x",))
    with pytest.raises(ValueError, match="sources: got 'c'"):
        experiment.run(bad, progress=False)


def test_the_recorded_table_names_a_source_and_a_licence_for_every_network():
    record = load("negative_bias/networks")
    assert len(record.axes["network"]) == 8
    assert all(record.axes["source"])
    assert all(record.axes["licence"])
    layers = np.isfinite(record["channels"]).sum()
    assert layers == sum(record[f"{c}/layers"].sum() for c in record.axes["consumer"])


@pytest.mark.parametrize(
    ("change", "said"),
    [({"starts": ("up",)}, "starts"), ({"lr": 0.0}, "lr"), ({"device": "cuda"}, "device")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)
