"""The experiment on VICReg's two terms: what it measures, and what it refuses."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import two_terms as experiment
from ssl_dynamics.losses import vicreg, vicreg_terms

SMALL = {"seeds": 2, "steps": 4, "every": 4, "batch": 16, "pairs": 32, "encoder": (8, 6),
         "expander": (6, 4), "device": "cpu"}  # fmt: skip


def test_an_arm_trains_on_the_loss_with_its_weights():
    run = experiment.start(experiment.Config(**SMALL), "more covariance")
    z = run.towers.online(run.sampler.at(0))
    wanted = vicreg(z[:, 0], z[:, 1], 25.0, 25.0, 5.0)
    torch.testing.assert_close(run.loss(), wanted)


def test_arms_start_alike_but_for_the_scale_of_the_last_layer():
    config = experiment.Config(**SMALL)
    plain, large = (experiment.start(config, arm).towers.online for arm in ("both", "large"))
    last = [tower.projector[-1].weight for tower in (plain, large)]
    torch.testing.assert_close(last[0] * experiment.LARGE, last[1])
    torch.testing.assert_close(plain.encoder[0].weight, large.encoder[0].weight)


def test_terms_and_balance_of_outputs_that_are_known():
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(3, 2, 400, 5, generator=rng, dtype=torch.float64) * 0.4
    found = experiment.terms(z, (2.0, 3.0, 4.0))
    plain = vicreg_terms(z[:, 0], z[:, 1])
    torch.testing.assert_close(found["regulariser"], 25 * plain["variance"] + plain["covariance"])
    deviation = (z.var(-2) + 1e-4).sqrt()
    active = (z.var(-2) / deviation).mean((1, 2))  # all are below 1
    torch.testing.assert_close(found["active"], active)
    pulls = 4 * plain["invariance"] + 16 * plain["covariance"]
    torch.testing.assert_close(found["balance"], pulls / (3 * active))
    # views that know nothing of each other are noise alone; equal ones have none
    assert (found["share"] - 1).abs().max() < 0.1
    same = experiment.terms(z[:, :1].expand(-1, 2, -1, -1), (2.0, 0.0, 4.0))
    assert same["share"].abs().max() == same["balance"].abs().max() == 0


def test_metrics_have_the_shapes_they_say():
    arms = ("both", "less variance", "large")
    record = experiment.run(experiment.Config(**SMALL, arms=arms), progress=False)
    assert record["both/share"].shape == (2, 4)
    assert record["less variance/linear"].shape == (2,)
    assert record["large/invariance ratio"].shape == (2,)
    assert record.axes["step"] == [0, 1, 2, 4]
    assert "across/invariance/linear" not in record.metrics


def test_correlations_are_of_decreases():
    """A term that falls while the accuracy rises has correlation 1 with it."""
    config = experiment.Config(seeds=2, steps=800)
    falling = np.tile(np.linspace(2, 1, len(config.places)), (2, 1))
    metrics = {
        f"{arm}/{key}": falling if key in experiment.TERMS else 1 - falling / 4
        for arm in experiment.WEIGHTS
        for key in (*experiment.TERMS, *experiment.READINGS)
    }
    for rank, arm in enumerate(experiment.WEIGHTS):  # across arms: the other way round
        for key in (*experiment.TERMS, *experiment.READINGS):
            metrics[f"{arm}/{key}"] = metrics[f"{arm}/{key}"] + rank
        if arm not in experiment.WATCHED:
            for key in (*experiment.TERMS, *experiment.READINGS):
                metrics[f"{arm}/{key}"] = metrics[f"{arm}/{key}"][:, -1]
    found = experiment.correlations(metrics, config)
    np.testing.assert_allclose(found["tracks/regulariser/linear"], 1)
    np.testing.assert_allclose(found["across/regulariser/linear"], -1)
    np.testing.assert_allclose(found["both/part"], 1 / 26)
    np.testing.assert_allclose(found["both/linear gain"], 0.25)


def test_seeds_do_not_know_of_each_other():
    shares = [
        experiment.train(experiment.Config(**{**SMALL, **change}), "both", progress=False)["share"]
        for change in ({"seeds": 1, "first_seed": 1}, {})
    ]
    np.testing.assert_allclose(shares[0][0], shares[1][1], rtol=1e-3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("first_seed", -1), ("every", 3), ("arms", ("none",)), ("arms", ()),
     ("batch", 1), ("pairs", 1), ("lr", 0.0), ("noise", -1.0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        experiment.Config(**{field: value})
