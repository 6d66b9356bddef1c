"""The linear encoder on drawn trees: parts that add up, its own law, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ssl_dynamics.experiments import collapse_levels as experiment
from ssl_dynamics.theory import collapse_levels as theory

SHORT = replace(experiment.Config(), seeds=2, first_seed=5, time=4.0)


def test_the_parts_are_the_variance_of_the_features():
    parts = experiment.covariances(SHORT)
    moved, weight, width = experiment.setting(SHORT, parts, "even")
    W = experiment.weights_at(SHORT, "even", [2.0])[2.0]
    course = experiment.descend(SHORT, parts, moved, weight, width)
    at = SHORT.times.index(2.0)
    features = experiment.images(SHORT).reshape(2, -1, SHORT.inputs) @ W.swapaxes(1, 2)
    kept = sum(course[f"part/{level}"] for level in experiment.LEVELS)
    np.testing.assert_allclose(kept[:, at], features.var(1).sum(-1), rtol=1e-10)
    noise = SHORT.noise * (W**2).sum((1, 2))
    np.testing.assert_allclose(course["part/view"][:, at], noise, rtol=1e-10)


def test_orthogonal_trees_have_the_variances_of_the_closed_form():
    parts = experiment.covariances(SHORT, orthogonal=True)
    place = (*SHORT.lengths, SHORT.supers, SHORT.classes, SHORT.samples)
    values = np.linalg.eigvalsh(parts.sum(0).numpy())[:, ::-1]
    expected = np.concatenate([
        np.full(count, theory.FORMS[f"TREE_{level.upper()}"].numpy(*place))
        for level, count in zip(experiment.LEVELS, (3, 8, 36), strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(values[:, :47], np.broadcast_to(expected, (2, 47)), rtol=1e-9)
    assert np.abs(values[:, 47:]).max() < 1e-12


def test_a_run_is_reproducible_and_seeds_do_not_touch_each_other():
    together = experiment.run(SHORT, progress=False)
    alone = experiment.run(replace(SHORT, seeds=1, first_seed=6), progress=False)
    assert together.axes["time"][-1] == 4.0
    assert together["even/part/class"].shape == (2, len(SHORT.times))
    for key, values in alone.metrics.items():
        np.testing.assert_allclose(together[key][1], values[0], rtol=1e-5, err_msg=key)
    four = [together[f"narrow/part/{name}"] for name in (*experiment.LEVELS, "view")]
    ratio = theory.RATIO_CLASS.numpy(*four)
    np.testing.assert_allclose(together["narrow/ratio/class"], ratio, rtol=1e-5)


def test_half_time_is_interpolated():
    times = np.arange(5.0)
    course = np.array([[0, 1, 3, 4, 4], [4, 3, 1, 0, 0.0]])
    np.testing.assert_allclose(experiment.half_time(times, course), [1.5, 1.5])


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("supers", 1), ("noise", 0.0), ("hard", (0.5, 1.0)), ("hard", (0.5,)),
     ("lengths", (1.0, 1.0)), ("inputs", 20), ("lr", -1.0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"{field}: .*allowed"):
        experiment.Config(**{field: value})
