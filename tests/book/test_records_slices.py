"""Every committed record against a small re-run of its own configuration.

The mean of the re-run's seeds must fall into the prediction interval of the record: the interval
in which the mean of that many further seeds falls, here at level 0.999 for each metric compared.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_dynamics import experiments
from ssl_dynamics.records import Record, load, prediction

ROOT = Path(__file__).resolve().parents[2]
LEVEL = 0.999
RELATIVE = 1e-4
"""What other hardware may change in a figure that does not vary over seeds."""
SLICES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name in experiments.catalogue()
    for number in range(len(experiments.slices(experiments.get(name))))
]


def record_of(module: Any, declared: dict[str, Any]) -> Record:
    """The committed record a slice belongs to."""
    name = declared.get("record", module.Config().name)
    return load(ROOT / "results" / module.NAME / f"{name}.json")


def configured(module: Any, record: Record, changes: dict[str, Any]) -> Any:
    """The record's own config with the slice's changes, on the CPU."""
    fields = {**record.config, **changes, "name": "slice"}
    if "device" in fields:
        fields["device"] = "cpu"
    return module.Config(
        **{key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
    )


def common_place(record: Record, rerun: Record, metric: str) -> tuple[int, int]:
    """Indices of the last place that both runs have on the metric's second axis."""
    if record[metric].ndim == 1:
        return -1, -1
    for name, axis in record.axes.items():
        other = rerun.axes.get(name, [])
        shapes = (record[metric].shape[1], rerun[metric].shape[1])
        if shapes == (len(axis), len(other)):
            shared = [place for place in axis if place in other]
            assert shared, f"{metric}: the two runs share no place on the axis {name!r}"
            return axis.index(shared[-1]), other.index(shared[-1])
    raise AssertionError(f"{metric}: no axis fits both runs")


def disagreements(record: Record, rerun: Record, metrics: list[str]) -> list[str]:
    """The metrics whose mean in the re-run falls outside the record's prediction interval."""
    faults = []
    for metric in metrics:
        at, other = common_place(record, rerun, metric)
        old = record.values(metric, at).astype(float)
        new = rerun.values(metric, other).astype(float)
        interval = prediction(old, len(new), LEVEL)
        slack = RELATIVE * max(np.abs(old).max(), 1e-3)
        if not interval.low - slack <= new.mean() <= interval.high + slack:
            faults.append(f"{metric}: {new.mean():.6g}, expected within {interval}")
    return faults


@pytest.mark.parametrize(("name", "number"), SLICES)
def test_a_small_re_run_agrees_with_the_record(name, number):
    module = experiments.get(name)
    declared = experiments.slices(module)[number]
    record = record_of(module, declared)
    changes = declared.get("config", {} if "metrics" in declared else declared)
    assert set(changes) <= set(inspect.signature(module.Config).parameters)
    rerun = module.run(configured(module, record, changes), progress=False, checkpoint_dir=None)
    metrics = declared.get("metrics") or sorted(set(record.metrics) & set(rerun.metrics))
    assert metrics
    assert disagreements(record, rerun, metrics) == []


def test_a_re_run_that_differs_is_noticed():
    def made(metrics: dict[str, np.ndarray], steps: list[int]) -> Record:
        return Record(
            "toy", "run", {}, list(range(8)), metrics, {"step": steps}, "cpu", {}, "", 1.0, "", ""
        )

    rng = np.random.default_rng(0)
    curve = rng.normal(1.0, 0.01, size=(8, 3))
    record = made({"end": curve[:, 2], "curve": curve}, [0, 10, 20])
    for factor, faults in ((1.0, 0), (1.1, 2), (-1.0, 2), (np.nan, 2)):
        rerun = made({"end": factor * curve[:, 2], "curve": factor * curve[:, :2]}, [0, 10])
        assert len(disagreements(record, rerun, ["end", "curve"])) == faults
    with pytest.raises(AssertionError, match="share no place"):
        disagreements(record, made({"curve": curve}, [1, 2, 3]), ["curve"])


def records() -> list[Path]:
    """All committed records; measured times of the benchmarks are no records."""
    found = sorted((ROOT / "results").rglob("*.json"))
    return [path for path in found if "benchmarks" not in path.parts]


def test_there_are_records():
    assert records()


@pytest.mark.parametrize("path", records(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_record_is_sound_and_has_a_slice(path):
    record = load(path)
    assert (record.experiment, record.name) == (path.parent.name, path.stem)
    assert record.command.startswith(f"python -m ssl_dynamics run {record.experiment}")
    module = experiments.get(record.experiment)
    once = record.name in getattr(module, "ONCE", ())
    assert len(record.seeds) >= 3 or once
    assert record.device
    assert record.versions.get("torch")
    # a setting added since has its default, which does what was done before
    assert set(record.config) <= set(inspect.signature(module.Config).parameters)
    names = [s.get("record", module.Config().name) for s in experiments.slices(module)]
    # a table of the reader's own files cannot be made again without them
    assert record.name in names or record.config.get("files") or once
    sizes = [p.stat().st_size for p in (path, path.with_suffix(".npz"))]
    assert sum(sizes) < 1_000_000


def test_no_array_file_lies_without_its_record():
    for path in (ROOT / "results").rglob("*"):
        if path.is_file() and "benchmarks" not in path.parts:
            assert path.suffix in (".json", ".npz"), path
            assert path.with_suffix(".json").is_file(), path
