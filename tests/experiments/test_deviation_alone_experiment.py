"""One setting at a time: what the conditions change, the ratio by hand, decay of rows or biases."""

import dataclasses

import numpy as np
import pytest
import torch

from ssl_dynamics.data import digits
from ssl_dynamics.experiments import deviation_alone
from ssl_dynamics.training import Run

Config = deviation_alone.Config


def test_every_condition_changes_what_it_says_and_no_more():
    config = Config()
    base = dataclasses.asdict(config.tower("base", "sigma"))
    for condition, changes in deviation_alone.CONDITIONS.items():
        found = dataclasses.asdict(config.tower(condition, "sigma"))
        assert {k: v for k, v in found.items() if v != base[k]} == changes
    sgd, lars = (config.image(condition, "none") for condition in deviation_alone.ENGINE)
    assert (sgd.optimiser_options["kind"], lars.optimiser_options["kind"]) == ("sgd", "lars")
    assert sgd.decay_all
    assert not lars.decay_all
    assert config.image("convolutions", "group-ws").encoder_norm == "group-ws"
    assert sgd.encoder_norm == "batch"
    norms = [norm for condition, norm in config.cells if condition == "base"]
    assert tuple(norms) == deviation_alone.VARIANTS
    assert [n for c, n in config.cells if c == "affine"] == ["sigma"]


def test_an_unknown_condition_is_refused():
    with pytest.raises(ValueError, match="conditions: got"):
        Config(conditions=("slow",))


def test_the_ratio_is_that_of_the_hidden_features():
    run = Run(Config(steps=1).tower("base", "sigma"), (0, 1))
    x = run.towers.online.encoder(digits().test.float().expand(2, -1, -1))
    hidden = run.towers.online.projector[0](x).detach().double().numpy()
    wanted = np.sqrt((hidden.mean(1) ** 2 / hidden.var(1)).mean(-1))
    found = deviation_alone.ratio(run.towers, digits().to("cpu", torch.float32))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


@pytest.mark.parametrize("decay", ["all", "rows", "biases"])
def test_what_decays(decay):
    """One step with and without decay, at momentum 0: the difference is rate times decay."""
    config = Config(steps=1).tower("base", "none")
    settings = {"momentum": 0.0, "decay": decay, "dtype": "float64", "batch": 16}
    ends = []
    for strength in (0.0, 0.5):
        run = Run(dataclasses.replace(config, weight_decay=strength, **settings), (0,))
        start = {name: w.clone() for name, w in run.towers.online.named_parameters()}
        run.step()
        ends.append(dict(run.towers.online.named_parameters()))
    for name, value in start.items():
        kind = "rows" if name.endswith("weight") else "biases"
        factor = 0.03 * 0.5 if decay in ("all", kind) else 0.0
        torch.testing.assert_close(ends[0][name] - ends[1][name], factor * value)
