"""The public code's settings: sizes, scales, and what its figures say before training."""

from itertools import pairwise

import pytest
import torch

from ssl_dynamics.data import random_teacher
from ssl_dynamics.training import Students, gaussian, train_students
from ssl_dynamics.training.student_protocols import (
    balance,
    deep,
    progress_of,
    two_layer,
    wider,
)


def count(students):
    return sum(W[0].numel() for W in students.weights)


@pytest.mark.parametrize(
    ("nodes", "multiple", "decay", "published", "parameters"),
    [
        (20, 10, 1.0, 0.644865, 30_250),
        (20, 10, 2.5, 0.401917, 30_250),
        (10, 5, 1.0, 0.609443, 7_600),
        (10, 1, 1.0, 0.609203, 1_560),
    ],
)
def test_two_layers_have_the_published_size_and_first_loss(
    nodes, multiple, decay, published, parameters
):
    seeds = range(8)
    setup = two_layer(seeds, nodes=nodes, multiple=multiple, decay=decay, samples=16, test=1000)
    biases = sum(b.shape[1] for b in setup.student.biases)
    assert count(setup.student) + biases == parameters
    loss = progress_of(setup.teacher, setup.probe)(setup.student)["loss"]
    assert loss.min() <= published <= loss.max()
    x, target = setup.batches.at(0)
    assert x.shape == (8, 16, 100)
    assert abs(float(x.std()) - 1.5) < 0.02
    torch.testing.assert_close(target, setup.teacher.outputs(x))


def test_deep_students_have_the_published_sizes():
    setup = deep(range(2), samples=128)
    assert count(setup.student) == 122_000
    assert setup.lr == pytest.approx(0.001)
    assert setup.probe.shape == (2, 192, 20)
    large = wider((20, 50, 75, 100, 125, 100), 10)
    assert sum(a * b for a, b in pairwise(large)) == 2_510_000


def test_a_balanced_teacher_is_active_half_of_the_time_and_standardised():
    seeds = range(3)
    x = gaussian(seeds, 2000, 20, spread=10.0, purpose="tuning")
    teacher = Students(*random_teacher(seeds, (20, 8, 9, 6), rows="fine"))
    before = teacher.clone()
    balance(teacher, x)
    *hidden, output = teacher.activations(x)[1:]
    for f in hidden:
        assert ((f > 0).double().mean(1) - 0.5).abs().max() < 0.01
    torch.testing.assert_close(output.mean(1), torch.zeros(3, 6).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(output.std(1), torch.ones(3, 6).double())
    for W, was in zip(teacher.weights[:-1], before.weights[:-1], strict=True):
        assert torch.equal(W, was)


def test_a_student_that_is_its_teacher_is_measured_as_found():
    setup = two_layer(range(2), nodes=4, multiple=2, inputs=12, outputs=9, samples=64, test=500)
    found = progress_of(setup.teacher, setup.probe)(setup.teacher)
    assert (found["loss"] == 0).all()
    assert (found["covered/layer=1"] == 1).all()
    history = train_students(
        setup.student,
        setup.batches,
        20,
        setup.lr,
        eval_at=(0, 20),
        measure=progress_of(setup.teacher, setup.probe),
    )
    assert (history["loss"][:, 1] < history["loss"][:, 0]).all()
