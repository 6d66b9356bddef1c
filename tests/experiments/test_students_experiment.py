"""Students of published size: the protocols as configured, the comparison with printed figures."""

from itertools import pairwise

import numpy as np
import pytest

from ssl_dynamics.experiments import students as experiment
from ssl_dynamics.experiments.students_published import PUBLISHED, compared
from ssl_dynamics.records import load

RECORDS = ("5x-m10-p1", "10x-m20-p1", "10x-m20-p2.5", "1x-m10-p1", "deep")


def test_sizes_are_the_published_ones():
    def weights(**settings):
        widths = experiment.Config(**settings).student
        return sum(a * b for a, b in pairwise(widths))

    assert weights() == 7_500
    assert weights(nodes=20, multiple=10) == 30_000
    assert weights(protocol="deep", multiple=10) == 122_000
    assert weights(protocol="balanced", multiple=10) == 2_510_000
    assert experiment.Config(protocol="balanced").epoch == 3125


def test_a_short_run_learns_and_a_seed_is_what_it_is_in_company():
    settings = {"at": (0, 1), "name": "5x-m10-p1"}
    two = experiment.run(experiment.Config(seeds=2, **settings), progress=False)
    one = experiment.run(experiment.Config(seeds=1, first_seed=1, **settings), progress=False)
    assert (two["loss"][:, 1] < 0.1 * two["loss"][:, 0]).all()
    np.testing.assert_allclose(one["loss"][0], two["loss"][1], rtol=1e-8)
    assert two["best/layer=1"].shape == (2, 2)
    rows = compared(two)
    assert {row.epoch for row in rows} == {0, 1}
    assert all(row.expected or not row.in_range for row in rows)


def test_fewer_test_inputs_measure_the_same_students_less_exactly():
    settings = {"seeds": 2, "at": (0, 1), "name": "5x-m10-p1"}
    full = experiment.run(experiment.Config(**settings), progress=False)
    few = experiment.run(experiment.Config(test=1000, **settings), progress=False)
    assert (few["loss"] != full["loss"]).all()
    np.testing.assert_allclose(few["loss"], full["loss"], rtol=0.4)
    np.testing.assert_allclose(few["best/layer=1"], full["best/layer=1"], atol=0.05)


def test_the_comparison_sees_a_figure_that_does_not_fit(monkeypatch):
    record = experiment.run(experiment.Config(seeds=8, at=(0,)), progress=False)
    ours = float(np.median(record["loss"][:, 0]))
    for figure, fits in ((ours, True), (100 * ours, False)):
        monkeypatch.setitem(PUBLISHED, record.name, {("loss", 0): (figure,)})
        (row,) = compared(record)
        assert row.in_range is row.expected is fits


@pytest.mark.parametrize(
    "wrong",
    [{"protocol": "wide"}, {"at": (1, 1)}, {"seeds": 0}, {"device": "cuda"}, {"test": -1}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        experiment.Config(**wrong)


LATE = {("loss", 3.875287e-04), ("best/layer=1", 0.9865), ("covered/layer=1", 0.9)}
"""Figures of one event at epoch 6 that is rarer than our 32 seeds show."""


@pytest.mark.parametrize("name", RECORDS)
def test_every_published_figure_but_three_is_one_more_draw_of_ours(name):
    """The first of the declarations, and where it failed."""
    strange = {(r.metric, r.figure) for r in compared(load(f"students/{name}")) if not r.expected}
    assert strange == (LATE if name == "5x-m10-p1" else set())


def test_late_seeds_are_rare_and_the_printed_one_was_the_latest():
    """What was declared after that: the first half held, the second failed."""
    record = load("students/5x-m10-p1-start")
    late = record.values("covered/layer=1", record.axes["epoch"].index(6)) < 1
    assert late.sum() == 1
    inside = {}
    for metric, figure in LATE:
        values = record.values(metric, record.axes["epoch"].index(6))
        inside[metric] = bool(values.min() <= figure <= values.max())
    assert inside == {"loss": False, "best/layer=1": False, "covered/layer=1": True}


def test_most_published_figures_lie_in_the_range_of_our_seeds():
    """The second of the declarations."""
    rows = [row for name in RECORDS[:4] for row in compared(load(f"students/{name}"))]
    assert np.mean([row.in_range for row in rows]) >= 0.8


def test_the_large_run_is_near_its_figures():
    """The fifth of the declarations."""
    record = load("students/large")
    for (metric, epoch), (figure,) in PUBLISHED["large"].items():
        if epoch in (1, 2):
            value = float(record.values(metric, record.axes["epoch"].index(epoch))[0])
            allowed = 0.2 * figure if metric == "loss" else 0.05
            assert abs(value - figure) <= allowed, (metric, epoch)
