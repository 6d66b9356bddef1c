"""Keeping, rewinding, re-drawing nodes, and networks that share a stream of data."""

import pytest
import torch

from ssl_dynamics.training.pruning import (
    Repeated,
    at_random,
    grafted,
    highest,
    kept,
    side_by_side,
    strengths,
    with_lengths,
)
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import Fresh, gaussian, train_students

SEEDS = (3, 8, 21)


def net(widths=(4, 6, 3), purpose="student"):
    return Students.random(SEEDS, widths, purpose=purpose)


@pytest.mark.parametrize(
    ("widths", "layer"), [((4, 6, 3), 0), ((4, 5, 6, 3), 0), ((4, 5, 6, 3), 1)]
)
def test_a_kept_network_is_the_whole_one_with_the_other_nodes_silenced(widths, layer):
    whole = net(widths)
    nodes = at_random(SEEDS, widths[layer + 1], 3)
    part = kept(whole, nodes, layer)
    silent = torch.ones(len(SEEDS), widths[layer + 1], dtype=torch.bool).scatter_(1, nodes, False)
    whole = whole.clone()
    whole.weights[layer + 1].masked_fill_(silent.unsqueeze(1), 0.0)
    x = gaussian(SEEDS, 7, 4, purpose="x")
    torch.testing.assert_close(part.outputs(x), whole.outputs(x), rtol=1e-12, atol=1e-12)
    assert part.widths[layer + 1] == 3


def test_kept_nodes_are_copies():
    start = net()
    part = kept(start, at_random(SEEDS, 6, 2))
    before = [W.clone() for W in start.weights]
    part.step(*Fresh(SEEDS, net(purpose="teacher"), 5).at(0), 0.5)
    assert all(torch.equal(a, b) for a, b in zip(before, start.weights, strict=True))


def test_all_nodes_in_another_order_are_the_same_function():
    whole, x = net(), gaussian(SEEDS, 7, 4, purpose="x")
    turned = kept(whole, at_random(SEEDS, 6, 6))
    torch.testing.assert_close(turned.outputs(x), whole.outputs(x), rtol=1e-12, atol=1e-12)


def test_strengths_do_not_change_when_nodes_are_rescaled():
    whole, x = net(), gaussian(SEEDS, 50, 4, purpose="x")
    scaled = whole.clone()
    factor = torch.tensor([0.5, 1, 2, 3, 4, 5], dtype=torch.float64)
    scaled.weights[0] *= factor[:, None]
    scaled.biases[0] *= factor
    scaled.weights[1] /= factor
    torch.testing.assert_close(strengths(scaled, x), strengths(whole, x))
    assert (strengths(whole, x) >= 0).all()


def test_the_highest_come_first():
    scores = torch.tensor([[1.0, 5.0, 3.0], [2.0, 0.0, 9.0]])
    assert highest(scores, 2).tolist() == [[1, 2], [2, 0]]


def test_random_places_differ_and_belong_to_the_seed():
    places = at_random(SEEDS, 10, 4)
    assert all(len(set(row)) == 4 for row in places.tolist())
    assert torch.equal(at_random(SEEDS[1:2], 10, 4), places[1:2])
    assert not torch.equal(at_random(SEEDS, 10, 4, "other"), places)


def test_lengths_and_directions_are_taken_apart():
    one, other = net(), net(purpose="other")
    mixed = with_lengths(one, other)
    for depth, axis in ((0, 2), (1, 1)):
        for mine, taken in ((mixed, one), (mixed, other)):
            a, b = mine.weights[depth], taken.weights[depth]
            lengths = a.norm(dim=axis), b.norm(dim=axis)
            cosine = (a * b).sum(axis) / lengths[0] / lengths[1]
            if taken is one:
                torch.testing.assert_close(cosine, torch.ones_like(cosine))
            else:
                torch.testing.assert_close(*lengths)
    assert torch.equal(mixed.biases[0], one.biases[0])


def test_a_graft_takes_the_fan_in_of_one_and_the_rest_of_the_other():
    one, other = net(), net(purpose="other")
    mixed = grafted(one, other)
    assert torch.equal(mixed.weights[0], one.weights[0])
    assert torch.equal(mixed.biases[0], one.biases[0])
    assert torch.equal(mixed.weights[1], other.weights[1])
    assert torch.equal(mixed.biases[1], other.biases[1])


def test_side_by_side_each_network_learns_as_it_does_alone():
    teacher = net(purpose="teacher")
    nets = [net(purpose=name) for name in ("a", "b", "c")]
    both = side_by_side(nets)
    train_students(both, Repeated(Fresh(SEEDS, teacher, 5), 3), 20, 0.1)
    for k, alone in enumerate(nets):
        train_students(alone, Fresh(SEEDS, teacher, 5), 20, 0.1)
        for W, V in zip(both.weights, alone.weights, strict=True):
            torch.testing.assert_close(W[3 * k : 3 * k + 3], V, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: kept(net(), torch.zeros(2, 2, dtype=torch.long)), "shape"),
        (lambda: kept(net(), torch.full((3, 2), 6)), "0 to 5"),
        (lambda: kept(net(), torch.zeros(3, 2, dtype=torch.long), layer=1), "hidden"),
        (lambda: at_random(SEEDS, 3, 4), "0 to 3"),
        (lambda: side_by_side([net(), net((4, 5, 3))]), "alike"),
        (lambda: Repeated(None, 0), "times"),
    ],
)
def test_what_cannot_be_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
