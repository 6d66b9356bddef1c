"""The flow behind slow targets on the digits: its data, its velocity, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import digits
from ssl_dynamics.experiments import curriculum

SMALL = {"seeds": 2, "outputs": 3, "end": 3.0}


def test_the_velocity_is_descent_on_all_images_and_pairs_of_views():
    """Autograd on the loss over all pairs of views of every image, mean image removed."""
    data = digits()
    views = data.views - data.mean_view.mean(0)
    top = np.linalg.eigvalsh(np.cov(data.mean_view.numpy().T, bias=True))[-1]
    rng = np.random.default_rng(0)
    weights = [torch.tensor(rng.normal(size=s) / 8, requires_grad=True) for s in ((3, 3), (3, 64))]
    predictor, encoder = weights
    target = torch.tensor(rng.normal(size=(3, 64)) / 8)
    online, wanted = views @ (predictor @ encoder).T, views @ target.T
    cross = (online.mean(1) * wanted.mean(1)).sum(-1).mean()
    loss = (online.square().sum(-1).mean() - 2 * cross) / 2 / top
    down = torch.autograd.grad(loss, weights)
    state = tuple(m.detach().numpy()[None] for m in (predictor, encoder, target))
    # with a predictor that is not symmetric the encoder needs its transpose: compare that part
    push, _, follow = curriculum.velocity(state, curriculum.moments(), 0.1, 0.02)
    want = -down[0].numpy()
    np.testing.assert_allclose(
        push[0], (want + want.T) / 2 - 0.02 * state[0][0], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(follow, 0.1 * (state[1] - state[2]))


def test_the_encoder_descends_as_well_for_a_symmetric_predictor():
    between, within = curriculum.moments()
    rng = np.random.default_rng(1)
    root, encoder = torch.tensor(rng.normal(size=(3, 3))), torch.tensor(rng.normal(size=(3, 64)))
    predictor, encoder = root @ root.T, encoder.requires_grad_()
    both, first = torch.tensor(between + within), torch.tensor(between)
    whole = predictor @ encoder
    loss = torch.trace(whole @ both @ whole.T) / 2 - torch.trace(whole @ first @ encoder.detach().T)
    (down,) = torch.autograd.grad(loss, encoder)
    state = (predictor.numpy()[None], encoder.detach().numpy()[None], np.zeros((1, 3, 64)))
    _, moved, still = curriculum.velocity(state, (between, within), None, 0.02)
    np.testing.assert_allclose(moved[0], -down.numpy() - 0.02 * state[1][0], rtol=1e-9, atol=1e-9)
    assert not still.any()


def test_the_moment_of_half_the_strength():
    """First place at or above the level; NaN where it never comes."""
    commutator = np.array([[0.5, 0.4, 0.3], [0.6, 0.5, 0.4]])
    strength = np.array([[1.0, 2.0, 3.0], [1.0, 1.5, 1.9]])
    moment, there = curriculum.at_half(np.stack([commutator, strength]), np.array([2.0, 2.0]))
    np.testing.assert_array_equal(moment, [1.0, np.nan])
    np.testing.assert_array_equal(there, [0.4, np.nan])


def test_aligned_matrices_have_no_commutator():
    config = curriculum.Config(**SMALL)
    _, encoder, _ = curriculum.start(config)
    strength = encoder @ encoder.swapaxes(1, 2)
    apart, size = curriculum.measured((strength @ strength, encoder, encoder))
    np.testing.assert_allclose(apart, 0, atol=1e-12)
    np.testing.assert_allclose(size, (encoder**2).sum((1, 2)))


def test_seeds_do_not_know_of_each_other_and_steps_are_small_enough():
    beside = curriculum.course(curriculum.Config(**SMALL), 0.1, progress=False)
    alone = curriculum.Config(**{**SMALL, "seeds": 1, "first_seed": 1})
    np.testing.assert_allclose(
        curriculum.course(alone, 0.1, progress=False)[:, 0], beside[:, 1], rtol=1e-9
    )
    finer = curriculum.Config(**SMALL, per_unit=40)
    np.testing.assert_allclose(
        curriculum.course(finer, 0.1, progress=False), beside, rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("outputs", 1), ("end", 0.5), ("per_unit", 0), ("first_seed", -1),
     ("weight_decay", float("nan")), ("encoder_scale", -1.0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        curriculum.Config(**{field: value})
