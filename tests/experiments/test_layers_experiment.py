"""The deep linear encoder on drawn trees: its gradient, its parts, the law, refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import collapse_levels as trees
from ssl_dynamics.experiments import layers as experiment

SHORT = replace(experiment.Config(), seeds=2, first_seed=5, time=2.0)


def parts_of(config):
    between = trees.covariances(config.tree)
    noise = config.noise * torch.eye(config.inputs, dtype=between.dtype)
    return torch.cat([between, noise.expand_as(between[:1])])


@pytest.mark.parametrize("name", experiment.STARTS)
def test_a_step_goes_down_the_slope_of_the_loss_in_every_layer(name):
    parts = parts_of(SHORT)
    weights = experiment.start(SHORT, name).requires_grad_()
    whole = experiment.first_layers(weights)[-1]
    spread = whole @ parts.sum(0) @ whole.mT
    one = torch.eye(SHORT.inputs, dtype=spread.dtype)
    moved = (whole @ parts[-1] @ whole.mT).diagonal(dim1=-2, dim2=-1).sum(-1)
    loss = 2 * SHORT.invariance * moved + ((spread - one) ** 2).sum((-2, -1))
    loss.sum().backward()
    steps = experiment.descend(SHORT, parts, weights.detach())
    _, (_, after) = next(steps), next(steps)
    expected = weights.detach() - SHORT.lr * weights.grad
    torch.testing.assert_close(after, expected, rtol=1e-9, atol=1e-12)


def test_the_balanced_start_keeps_the_law_and_the_others_do_not():
    found = experiment.measured(SHORT)
    assert found["balanced/law"].max() < 1e-3
    assert found["small/law"].min() > 0.1
    assert found["plain/law"].min() > 0.1


def test_layer_zero_is_the_input_and_the_last_is_that_of_the_shallow_measure():
    found = experiment.measured(SHORT)
    parts = parts_of(SHORT)
    for name in experiment.STARTS:
        for k, level in enumerate(experiment.LEVELS):
            first = parts[k].diagonal(dim1=-2, dim2=-1).sum(-1)
            got = found[f"{name}/part/{level}/0"]
            np.testing.assert_allclose(got, np.broadcast_to(first[:, None], got.shape), rtol=1e-6)
        begun = experiment.start(SHORT, name)
        whole = experiment.first_layers(begun)[-1]
        wanted = ((whole @ parts[1]) * whole).sum((-2, -1))
        np.testing.assert_allclose(found[f"{name}/part/class/4"][:, 0], wanted, rtol=1e-6)
        share = [
            np.log(found[f"{name}/part/super/{k}"] / found[f"{name}/part/class/{k}"])[:, -1]
            for k in (0, 4)
        ]
        np.testing.assert_allclose(found[f"{name}/slope/end"], share[1] - share[0], atol=1e-5)


def test_a_run_is_reproducible_and_seeds_do_not_touch_each_other():
    together = experiment.run(SHORT, progress=False)
    alone = experiment.run(replace(SHORT, seeds=1, first_seed=6), progress=False)
    assert together.axes["time"] == SHORT.times
    assert SHORT.times[:3] == [0, 0.05, 0.1]
    assert together["small/part/class/2"].shape == (2, len(SHORT.times))
    for key, values in alone.metrics.items():
        np.testing.assert_allclose(together[key][1], values[0], rtol=1e-4, atol=1e-9, err_msg=key)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("depth", 1), ("scale", 0.0), ("every", 4), ("noise", 0.0), ("inputs", 20)],
)
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=field):
        replace(SHORT, **{field: value})
