"""Records: round trip, intervals, and a clear error for everything that can be wrong."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ssl_dynamics import records
from ssl_dynamics.records import Record, RecordError, load, prediction, save, student_t, wilson
from ssl_dynamics.records import files as record_files


def record(**changes) -> Record:
    fields = {
        "experiment": "toy",
        "name": "run",
        "config": {"seeds": 4, "rates": (0.1, 0.2)},
        "seeds": [0, 1, 2, 3],
        "metrics": {
            "mu+sigma/spread": np.array([1.0, 2.0, 3.0, 4.0]),
            "loss": np.arange(12.0).reshape(4, 3),
            "file": np.array([True, True, False, True]),
        },
        "axes": {"step": [0, 10, 20]},
        "device": "cpu",
        "versions": {"numpy": np.__version__},
        "revision": "unknown",
        "wall_s": 1.5,
        "command": "python -m ssl_dynamics run toy",
        "created": "2024-01-01T00:00:00+00:00",
    }
    return Record(**{**fields, **changes})


# --- the record itself


def test_a_saved_record_comes_back_whole(tmp_path):
    before = record()
    path = save(before, tmp_path)
    assert path == tmp_path / "toy" / "run.json"
    for which in (path, path.with_suffix(".npz"), str(path)):
        assert load(which).seeds == before.seeds
    after = load("toy/run", tmp_path)
    assert set(after.metrics) == set(before.metrics)
    for key, value in before.metrics.items():
        np.testing.assert_array_equal(after[key], value)
        assert after[key].dtype == value.dtype
    assert after.config == {"seeds": 4, "rates": [0.1, 0.2]}
    assert replace(after, metrics={"x": np.zeros(4)}, config={}) is not None
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.json", "run.npz"]


def test_equal_records_give_equal_bytes(tmp_path):
    one, two = (save(record(), tmp_path / part) for part in "ab")
    for suffix in (".json", ".npz"):
        assert one.with_suffix(suffix).read_bytes() == two.with_suffix(suffix).read_bytes()


def test_values_places_and_differences():
    run = record()
    np.testing.assert_array_equal(run.values("loss"), [2, 5, 8, 11])
    np.testing.assert_array_equal(run.values("loss", 0), [0, 3, 6, 9])
    np.testing.assert_array_equal(run.values(("mu+sigma/spread", "loss"), 0), [1, -1, -3, -5])
    with pytest.raises(RecordError, match=r"no metric 'x'.*mu\+sigma/spread"):
        run["x"]
    with pytest.raises(RecordError, match="at = 3 is outside"):
        run.values("loss", 3)
    with pytest.raises(RecordError, match="two metric names"):
        run.values(("loss",))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"experiment": "../up"}, "experiment = '../up'"),
        ({"name": ""}, "name = ''"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [0, 1, 1, 2]}, "seeds"),
        ({"seeds": None}, "NoneType"),
        ({"metrics": {}}, "metrics is empty"),
        ({"metrics": {"x": np.zeros(3)}}, r"metrics\['x'\] has shape"),
        ({"metrics": {"x": np.zeros((4, 2))}}, "2 places"),
        ({"metrics": {"x": np.zeros((4, 3, 1))}}, "shape"),
        ({"metrics": {"x": np.array(["a"] * 4)}}, "dtype"),
        ({"metrics": {"x": np.array([None] * 4)}}, "dtype"),
        ({"metrics": {"/x": np.zeros(4)}}, "name '/x'"),
        ({"metrics": {"x.npy": np.zeros(4)}}, r"name 'x\.npy'"),
        ({"schema": 2}, "schema = 2"),
    ],
)
def test_a_record_that_is_wrong_cannot_be_built(changes, reason):
    with pytest.raises(RecordError, match=reason):
        record(**changes)


def test_what_json_cannot_hold_is_named(tmp_path):
    with pytest.raises(RecordError, match="cannot be written as JSON"):
        save(record(config={"rate": object()}), tmp_path)
    with pytest.raises(RecordError, match="cannot be written as JSON"):
        save(record(config={"rate": float("nan")}), tmp_path)


# --- saving


def test_a_record_is_not_overwritten_silently(tmp_path):
    path = save(record(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(RecordError, match="exists already"):
        save(record(device="other"), tmp_path)
    assert path.read_bytes() == before
    save(record(device="other"), tmp_path, overwrite=True)
    assert load(path).device == "other"


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_failure_while_replacing_keeps_the_old_record(tmp_path, monkeypatch, fails_at):
    path = save(record(), tmp_path)
    calls = []
    replace_file = os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace_file(source, target)

    monkeypatch.setattr(record_files.os, "replace", failing)
    changed = record(metrics={"loss": np.ones(4)})
    with pytest.raises(RecordError, match="No space left on device"):
        save(changed, tmp_path, overwrite=True)
    monkeypatch.undo()
    assert set(load(path).metrics) == set(record().metrics)
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.json", "run.npz"]


def full_disk(monkeypatch) -> None:
    """Every write to disk finds the disk full."""

    def failing(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(record_files.os, "fsync", failing)


def test_a_full_disk_is_noticed_before_the_work(tmp_path, monkeypatch):
    records.check_writable(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    full_disk(monkeypatch)
    with pytest.raises(RecordError, match="No space left on device"):
        records.check_writable(tmp_path / "new")
    with pytest.raises(RecordError, match="No space left on device"):
        save(record(), tmp_path)
    assert not list(tmp_path.rglob("run.*"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "results").write_text("a file, not a folder")
    for attempt in (
        lambda: records.check_writable(tmp_path / "results"),
        lambda: save(record(), tmp_path / "results"),
    ):
        with pytest.raises(RecordError, match=r"results.*cannot be written"):
            attempt()


def test_a_finished_run_is_saved_elsewhere_when_its_folder_fails(tmp_path):
    (tmp_path / "results").write_text("a file, not a folder")
    path, reason = records.save_somewhere(record(), tmp_path / "results")
    assert "cannot be written" in str(reason)
    assert load(path).command == record().command
    for file in (path, path.with_suffix(".npz")):
        file.unlink()
    path, reason = records.save_somewhere(record(), tmp_path / "other")
    assert reason is None
    assert path.is_relative_to(tmp_path / "other")


# --- malformed files


def edited(path: Path, **changes) -> None:
    data = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del data[key]
        else:
            data[key] = value
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: p.write_text("{"), "not valid JSON"),
        (lambda p: p.write_text("[]"), "holds a list"),
        (lambda p: p.write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda p: p.write_text(""), "not valid JSON"),
        (lambda p: edited(p, schema=99), "field schema = 99"),
        (lambda p: edited(p, schema=None), "field schema = None"),
        (lambda p: edited(p, device=None), "field device is missing"),
        (lambda p: edited(p, seeds="all"), "field seeds has type str"),
        (lambda p: edited(p, seeds=[0, 1]), "shape"),
        (lambda p: edited(p, seeds=["a", 1, 2, 3]), "invalid literal"),
        (lambda p: edited(p, axes={"step": [1]}), "places"),
        (lambda p: edited(p, axes={"step": 3}), "iterable"),
        (lambda p: edited(p, metrics={"loss": {"shape": [4, 2]}}), "field metrics"),
        (lambda p: edited(p, metrics={"loss": {"shape": [4, 3]}}), "not listed"),
        (lambda p: edited(p, metrics={"loss": 3}), "field metrics"),
        (lambda p: edited(p, metrics={"gone": {"shape": [4]}}), "'gone' of field metrics"),
        (lambda p: edited(p, arrays={}), r"field arrays\.sha256"),
        (lambda p: p.with_suffix(".npz").unlink(), r"run\.npz: arrays cannot be read"),
        (lambda p: p.with_suffix(".npz").write_bytes(b"zip"), r"field arrays\.sha256"),
        (lambda p: p.unlink(), "no such record"),
    ],
)
def test_a_malformed_record_names_file_and_field(tmp_path, spoil, reason):
    path = save(record(), tmp_path)
    spoil(path)
    with pytest.raises(RecordError, match=reason) as caught:
        load("toy/run", tmp_path)
    assert str(tmp_path / "toy" / "run.") in str(caught.value)


def test_pickled_arrays_are_refused(tmp_path):
    path = save(record(), tmp_path)
    beside = path.with_suffix(".npz")
    np.savez(beside, loss=np.array([{"a": 1}], dtype=object))
    data = json.loads(path.read_text())
    data["arrays"]["sha256"] = record_files.hashlib.sha256(beside.read_bytes()).hexdigest()
    path.write_text(json.dumps(data))
    with pytest.raises(RecordError, match="not a readable array file"):
        load(path)


def test_a_missing_record_lists_its_neighbours(tmp_path):
    save(record(), tmp_path)
    with pytest.raises(RecordError, match=r"no such record.*holds: run"):
        load("toy/rum", tmp_path)


def test_the_results_folder_is_the_nearest_one(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "book" / "part").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book" / "part")
    monkeypatch.delenv("SSL_DYNAMICS_RESULTS", raising=False)
    assert records.results_folder() == tmp_path / "results"
    monkeypatch.setenv("SSL_DYNAMICS_RESULTS", "elsewhere")
    assert records.results_folder() == Path("elsewhere")


# --- intervals


def test_student_t_agrees_with_scipy_and_covers():
    rng = np.random.default_rng(1)
    values = rng.normal(size=9)
    low, high = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    interval = student_t(values)
    assert interval.low == pytest.approx(low, abs=1e-12)
    assert interval.high == pytest.approx(high, abs=1e-12)
    draws = rng.normal(size=(2000, 5))
    covered = [abs(student_t(d).mean) <= (student_t(d).high - student_t(d).mean) for d in draws]
    assert 0.935 < np.mean(covered) < 0.965


def test_wilson_agrees_with_scipy():
    for hits, n in ((0, 5), (5, 5), (3, 16)):
        reference = stats.binomtest(hits, n).proportion_ci(method="wilson")
        interval = wilson([1.0] * hits + [0.0] * (n - hits))
        assert interval.low == pytest.approx(reference.low, abs=1e-12)
        assert interval.high == pytest.approx(reference.high, abs=1e-12)


def test_prediction_covers_the_mean_of_new_seeds():
    rng = np.random.default_rng(2)
    inside = 0
    for old, new in zip(rng.normal(size=(2000, 8)), rng.normal(size=(2000, 3)), strict=True):
        interval = prediction(old, 3)
        inside += interval.low <= new.mean() <= interval.high
    assert 0.935 < inside / 2000 < 0.965


@pytest.mark.parametrize("values", [[1.0], [], [[1.0, 2.0]], [1.0, np.nan], [1.0, np.inf]])
def test_intervals_refuse_what_has_none(values):
    for make in (student_t, wilson, lambda v: prediction(v, 2)):
        with pytest.raises(ValueError, match=r"interval needs|not finite"):
            make(values)


def test_other_refusals():
    with pytest.raises(ValueError, match="0 or 1"):
        wilson([0.5, 1.0])
    with pytest.raises(ValueError, match="again = 0"):
        prediction([1.0, 2.0], 0)
