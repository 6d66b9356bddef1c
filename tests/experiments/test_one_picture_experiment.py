"""The experiment behind the one picture: its modes, their measured strengths, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import digits
from ssl_dynamics.experiments import one_picture

SMALL = {"seeds": 2, "steps": 4, "evaluations": 1, "batch": 16, "width": 8, "outputs": 4,
         "modes": 5, "device": "cpu"}  # fmt: skip


class Plain(torch.nn.Module):
    """A linear map for every seed."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        return x @ self.weight.mT


def test_modes_are_those_of_the_mean_views():
    modes = one_picture.Modes.of(digits(), 6)
    mean = digits().mean_view.numpy()
    covariance = np.cov(mean.T, bias=True)
    np.testing.assert_allclose(
        covariance @ modes.directions, modes.directions * modes.between, atol=1e-10
    )
    apart = (digits().views.numpy() - mean[:, None]) @ modes.directions
    np.testing.assert_allclose((apart**2).mean((0, 1)), modes.within, rtol=1e-10)
    assert (np.diff(modes.between) < 0).all()


def test_the_measured_strength_of_a_linear_network_is_that_of_its_weights():
    """A single linear layer in place of the tower: the strengths are squared columns."""
    config = one_picture.Config(**SMALL)
    run, _ = one_picture.start(config, "simple")
    modes = one_picture.Modes.of(digits(), 5)
    weight = torch.randn(2, 4, 64, generator=torch.Generator().manual_seed(0))
    towers = run.towers
    towers.online = Plain(weight)
    wanted = ((weight.double().numpy() @ modes.directions) ** 2).sum(1)
    np.testing.assert_allclose(one_picture.strengths(towers, run.data, modes), wanted, rtol=1e-3)


def test_every_method_starts_from_the_same_encoder():
    starts = []
    for method in one_picture.METHODS:
        run, step = one_picture.start(one_picture.Config(**SMALL), method)
        starts.append(run.towers.online.encoder[0].weight.detach().clone())
        step()
        assert not torch.equal(run.towers.online.encoder[0].weight, starts[-1]), method
    assert all(torch.equal(starts[0], other) for other in starts[1:])


def test_the_slowed_step_keeps_the_direction():
    config = one_picture.Config(**SMALL)
    gradients = []
    for kind in (one_picture.Run, one_picture.Slowed):
        run = kind(config.towers("simple"), (0,), "cpu")
        run.loss().sum().backward()
        gradients.append(run.towers.online.encoder[0].weight.grad.flatten())
    cosine = torch.nn.functional.cosine_similarity(*gradients, dim=0)
    assert cosine.item() == pytest.approx(1, abs=1e-5)
    assert gradients[1].norm() < gradients[0].norm()


def test_metrics_have_the_shapes_they_say():
    modes = one_picture.Modes.of(digits(), 5)
    config = one_picture.Config(**SMALL)
    found = one_picture.train(config, "vicreg", modes, progress=False)
    assert found["order"].shape == found["kept"].shape == (2, 2)
    assert found["strength/end"].shape == (2, 5)
    assert found["invariance ratio"].shape == (2,)
    np.testing.assert_allclose(found["kept"][:, 0], 1)


def test_seeds_do_not_know_of_each_other():
    modes = one_picture.Modes.of(digits(), 5)
    ends = [
        one_picture.train(one_picture.Config(**{**SMALL, **change}), "byol", modes, progress=False)
        for change in ({"seeds": 1, "first_seed": 1}, {})
    ]
    np.testing.assert_allclose(ends[0]["strength/end"][0], ends[1]["strength/end"][1], rtol=1e-3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("first_seed", -1), ("modes", 2), ("steps", 5), ("methods", ("none",)),
     ("warm", 0.0), ("warm", float("inf")), ("batch", 1)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    changed = {"evaluations": 2} if field == "steps" else {}
    with pytest.raises(ValueError, match=f"{field}: got"):
        one_picture.Config(**{field: value}, **changed)
