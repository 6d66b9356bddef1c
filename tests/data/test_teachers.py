"""Random teachers: unit rows that differ, the separation asked for, and one stream per seed."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import random_teacher, two_layer_teacher
from ssl_dynamics.data.teachers import GRID
from ssl_dynamics.networks import ReluNet, with_constant

WIDTHS = (20, 10, 15, 20, 25, 30)


def angles(W):
    """Angles between the rows of [S, n, d] in degrees, the smallest of each seed."""
    cosine = (W @ W.mT).clamp(-1, 1) - 2 * torch.eye(W.shape[1])
    return torch.rad2deg(torch.arccos(cosine.amax((-1, -2))))


def test_rows_come_from_the_grid_have_length_one_and_point_in_different_directions():
    weights, biases = random_teacher(range(4), WIDTHS)
    for W, b in zip(weights, biases, strict=True):
        torch.testing.assert_close(W.norm(dim=-1), torch.ones(W.shape[:2]).double())
        smallest = torch.where(W == 0, torch.inf, W.abs()).amin(-1, keepdim=True)
        steps = W / smallest  # the grid in units of its smallest entry
        assert set(np.round(steps.unique().numpy(), 9)) <= {-2, -1, 0, 1, 2}
        assert b.abs().max() <= 0.5
        assert b.std() > 0.2
    assert len(GRID) == 5
    assert all((angles(W) > 1).all() for W in weights[:-1])


def test_a_separation_is_kept_and_a_crowded_layer_is_refused():
    weights, _ = random_teacher(range(3), (10, 8, 6, 4), rows="normal", separation=60)
    assert all((angles(W) >= 60).all() for W in weights[:-1])
    with pytest.raises(ValueError, match="found no place"):
        random_teacher([0], (2, 8, 3), separation=60)


def test_strength_decay_divides_what_the_layer_above_takes():
    flat, _ = random_teacher(range(2), (5, 4, 3))
    faded, _ = random_teacher(range(2), (5, 4, 3), decay=2.0)
    torch.testing.assert_close(flat[0], faded[0])
    shares = flat[1].norm(dim=-2) / faded[1].norm(dim=-2)
    torch.testing.assert_close(shares, torch.tensor([[1.0, 4, 9, 16]] * 2).double())


def test_a_seed_is_alone_what_it_is_in_company_and_the_network_carries_its_biases():
    weights, biases = random_teacher((3, 7), WIDTHS)
    alone, _ = random_teacher((7,), WIDTHS)
    assert all(torch.equal(W[1], A[0]) for W, A in zip(weights, alone, strict=True))
    net = ReluNet.of(with_constant(weights, biases))
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, 6, 20, generator=g, dtype=torch.float64)
    f = x
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        f = f @ W.mT + b[:, None]
        f = f if layer == len(weights) - 1 else f.relu()
    got = net(torch.cat([x, torch.ones(2, 6, 1)], -1))
    torch.testing.assert_close(got, f, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widths": (3,)}, "widths"),
        ({"rows": "cube"}, "rows"),
        ({"separation": 180}, "separation"),
        ({"seeds": ()}, "seeds"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        random_teacher(**({"seeds": (0,), "widths": (3, 2, 1)} | change))


def test_the_two_layer_teacher_has_unit_rows_below_and_faded_grid_values_above():
    (low, top), biases = two_layer_teacher(range(5), 4, inputs=30, outputs=60, decay=2.0)
    torch.testing.assert_close(low.norm(dim=-1), torch.ones(5, 4).double())
    values = top * torch.tensor([1.0, 4, 9, 16])
    torch.testing.assert_close(values * 4, (values * 4).round())
    assert set((values * 4).round().flatten().tolist()) == set(range(-4, 5))
    assert all((b == -0.1).all() for b in biases)


def test_biases_can_be_divided_by_the_length_their_row_had():
    plain, with_row = (
        random_teacher(range(3), WIDTHS, bias_with_row=flag)[1] for flag in (False, True)
    )
    for layer, (b, divided) in enumerate(zip(plain, with_row, strict=True)):
        lengths = b / divided
        squares = lengths.square() * 16  # a row holds quarters from -1/2 to 1/2
        torch.testing.assert_close(squares, squares.round())
        assert (squares > 0).all()
        assert (squares <= 4 * WIDTHS[layer]).all()
