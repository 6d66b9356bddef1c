"""The BatchNorm experiment: equal starts, places of measurement, fresh seeds, refusals."""

import numpy as np
import pytest

from ssl_dynamics.experiments.batchnorm import Config, measure, run
from ssl_dynamics.networks import VARIANTS

SMALL = {"seeds": 2, "steps": 2, "batch": 16, "device": "cpu"}


def test_variants_share_their_start_and_part_ways():
    found = measure(Config(variants=("mu+sigma", "mu+sigma(det)"), **SMALL), progress=False)
    first, second = found["mu+sigma/loss"], found["mu+sigma(det)/loss"]
    np.testing.assert_array_equal(first[:, 0], second[:, 0])
    assert (first[:, -1] != second[:, -1]).all()


def test_record_has_axes_for_metrics_and_probes():
    record = run(Config(variants=("none",), first_seed=5, **SMALL), progress=False)
    assert record.seeds == [5, 6]
    assert record.axes == {"step": [0, 2], "probe_step": [0, 2]}
    assert record["none/spread"].shape == record["none/knn"].shape == (2, 2)


def test_a_seed_does_not_depend_on_its_company():
    together = measure(Config(variants=("mu",), **SMALL), progress=False)["mu/loss"]
    alone = Config(variants=("mu",), **{**SMALL, "seeds": 1}, first_seed=1)
    np.testing.assert_allclose(measure(alone, progress=False)["mu/loss"], together[1:], rtol=1e-5)


def test_all_nine_variants_are_the_default_and_measured_within_the_run():
    assert Config().variants == tuple(VARIANTS)
    assert Config(steps=60).eval_steps == (0, 25, 50, 60)
    assert Config().eval_steps[-1] == Config().steps


@pytest.mark.parametrize(
    ("field", "value"),
    [("variants", ("nu",)), ("variants", ()), ("seeds", 0), ("first_seed", -1), ("steps", 0),
     ("batch", 1), ("lr", -1.0), ("ema", 1.5)],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=rf"{field}: .*allowed"):
        Config(**{field: value})
