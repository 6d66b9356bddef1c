"""Students on the seeds axis: the step against autograd, the network against ReluNet, the loop."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import random_teacher
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import (
    Fresh,
    Pool,
    gaussian,
    in_blocks,
    step_cost,
    train_students,
)

SIZES = [(6, 4), (7, 12, 3), (5, 9, 8, 4), (4, 6, 5, 7, 8, 3), (3, 1, 2, 1, 6, 2, 4)]
SEEDS = (4, 11, 30)


def pair(widths, scale=None):
    """Teacher and student of the same widths, and a batch."""
    teacher = Students.random(SEEDS, widths, purpose="teacher")
    student = Students.random(SEEDS, widths, scale=scale)
    return teacher, student, gaussian(SEEDS, 10, widths[0], spread=2.0, purpose="x")


def plain(weights, biases, x):
    """The same function in ordinary PyTorch, for one seed."""
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        x = torch.nn.functional.linear(x, W, b)
        if layer < len(weights) - 1:
            x = x.relu()
    return x


def by_autograd(student, x, target, lr, decay, layers):
    """The parameters of every seed after a step of torch.optim.SGD on half the squared error."""
    found = []
    for seed in range(len(student)):
        weights = [W[seed].clone().requires_grad_() for W in student.weights]
        biases = [b[seed].clone().requires_grad_() for b in student.biases]
        learned = [group[layer] for layer in layers for group in (weights, biases)]
        error = target[seed] - plain(weights, biases, x[seed])
        (error.square().sum(-1).mean() / 2).backward()
        torch.optim.SGD(learned, lr=lr, weight_decay=decay).step()
        found.append([p.detach() for p in (*weights, *biases)])
    return [torch.stack(same) for same in zip(*found, strict=True)]


@pytest.mark.parametrize("widths", SIZES)
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_step_is_autograds(widths, decay):
    teacher, student, x = pair(widths)
    target = teacher.outputs(x)
    for _ in range(3):  # the second and third use the reserved memory again
        expected = by_autograd(student, x, target, 0.1, decay, range(student.depth))
        student.step(x, target, 0.1, decay=decay)
        for mine, other in zip((*student.weights, *student.biases), expected, strict=True):
            assert (mine - other).abs().max() <= 1e-10 * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("layers", [(0,), (2,), (1, 3), (0, 1, 2, 3), ()])
def test_only_the_named_layers_move(layers):
    teacher, student, x = pair((5, 8, 7, 6, 4))
    target = teacher.outputs(x)
    expected = by_autograd(student, x, target, 0.1, 0.0, layers) if layers else None
    before = student.clone()
    student.step(x, target, 0.1, layers=layers)
    for layer in range(4):
        moved = not torch.equal(student.weights[layer], before.weights[layer])
        assert moved == (layer in layers)
    if layers:
        for mine, other in zip((*student.weights, *student.biases), expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("widths", SIZES)
def test_outputs_and_activations_are_relu_nets(widths):
    teacher, _, x = pair(widths)
    net, carried = teacher.relu_net(), torch.cat([x, torch.ones(3, 10, 1, dtype=x.dtype)], -1)
    trace, layers = net.trace(carried), teacher.activations(x)
    torch.testing.assert_close(layers[-1], trace.output, rtol=1e-12, atol=1e-12)
    for mine, other in zip(layers[:-1], trace.inputs, strict=True):
        torch.testing.assert_close(mine, other[..., :-1], rtol=1e-12, atol=1e-12)


def test_the_step_goes_where_relu_net_says():
    from ssl_dynamics.measures import exact_steps

    teacher, student, x = pair((5, 9, 8, 4))
    carried = torch.cat([x, torch.ones(3, 10, 1, dtype=x.dtype)], -1)
    steps = exact_steps(student.relu_net(), teacher.relu_net(), carried)
    before = student.clone()
    student.step(x, teacher.outputs(x), 0.5)
    for layer, (W, was, step) in enumerate(
        zip(student.weights, before.weights, steps, strict=True)
    ):
        inner = step[:, : W.shape[1], :-1] if layer < 2 else step[..., :-1]
        torch.testing.assert_close(W - was, 0.5 * inner, rtol=1e-10, atol=1e-13)


def test_a_seed_learns_the_same_alone_as_in_company():
    widths, seeds = (6, 10, 8, 3), (3, 5, 8)

    def job(some):
        teacher = Students(*random_teacher(some, widths))
        student = Students.random(some, widths)
        pool = Pool(some, teacher, gaussian(some, 50, 6, purpose="pool"), 8)
        history = train_students(
            student, pool, 40, 0.05, eval_at=(0, 40), measure=lambda s: {"b": s.biases[0]}
        )
        assert history["b"].shape == (len(some), 2, 10)
        return history

    together = job(seeds)["b"]
    alone = np.concatenate([job(seeds[k : k + 1])["b"] for k in range(3)])
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)
    blocks = in_blocks(seeds, 2**40, job)["b"]
    np.testing.assert_allclose(together, blocks, rtol=1e-12, atol=1e-14)


def test_students_of_a_small_teacher_learn_it():
    seeds = range(4)
    teacher = Students(*random_teacher(seeds, (8, 3, 4), separation=30.0))
    student = Students.random(seeds, (8, 12, 4), scale=0.05)
    probe = gaussian(seeds, 400, 8, purpose="probe")

    def loss(students):
        return {"loss": (teacher.outputs(probe) - students.outputs(probe)).square().mean((1, 2))}

    data = Fresh(seeds, teacher, 16)
    history = train_students(student, data, 4000, 0.05, eval_at=(0, 4000), measure=loss)["loss"]
    assert (history[:, 1] < 0.02 * history[:, 0]).all()


def test_copies_do_not_share_memory_and_can_be_indexed():
    _, student, x = pair((7, 12, 3), scale=0.1)
    assert all((b == 0).all() for b in student.biases)
    assert len(student) == 3
    assert student.widths == (7, 12, 3)
    some, twin = student[[2, 0]], student.clone()
    torch.testing.assert_close(some.outputs(x[[2, 0]]), student.outputs(x)[[2, 0]])
    before = student.weights[0].clone()
    torch.testing.assert_close(student.view(2).outputs(x[2:]), student.outputs(x)[2:])
    assert student.view(1).weights[0].data_ptr() == student.weights[0][1].data_ptr()
    for copy in (some, twin, student[:1]):
        copy.step(x[: len(copy)], torch.ones(len(copy), 10, 3, dtype=x.dtype), 0.1)
    assert torch.equal(student.weights[0], before)
    assert not torch.equal(twin.weights[0], before)


def test_pools_give_their_own_samples_and_epochs_give_each_once():
    teacher, _, _ = pair((6, 4))
    x = gaussian(SEEDS, 23, 6, purpose="pool")
    seen = []
    pool = Pool(SEEDS, teacher, x, 5, sampling="epochs")
    for step in range(8):
        batch, target = pool.at(step)
        torch.testing.assert_close(target, teacher.outputs(batch))
        place = (batch[:, :, None] == x[:, None]).all(-1)
        assert (place.sum(-1) == 1).all()
        seen.append(place.int().argmax(-1).clone())
    for epoch in (seen[:4], seen[4:]):
        for seed in torch.cat(epoch, 1):
            assert len(set(seed.tolist())) == 20
    drawn = torch.cat([Pool(SEEDS, teacher, x, 5).at(k)[0].clone() for k in range(30)], 1)
    assert all(len(torch.unique(seed, dim=0)) == 23 for seed in drawn)


def test_what_cannot_be_is_refused():
    teacher, student, x = pair((6, 4))
    with pytest.raises(ValueError, match=r"allowed: \[3, batch, 6\]"):
        student.outputs(x[..., :5])
    with pytest.raises(ValueError, match="batch: got 11; allowed: 1 to the 10"):
        Pool(SEEDS, teacher, x, 11)
    with pytest.raises(ValueError, match="sampling"):
        Pool(SEEDS, teacher, x, 5, sampling="none")
    with pytest.raises(ValueError, match="widths"):
        Students.random(SEEDS, (6,))
    with pytest.raises(ValueError, match="layer 1 has a weight"):
        Students([torch.zeros(1, 3, 2), torch.zeros(1, 2, 4)], [torch.zeros(1, 3)] * 2)
    with pytest.raises(ValueError, match="eval_at"):
        train_students(student, Fresh(SEEDS, teacher, 4), 3, 0.1, eval_at=(4,))


def test_costs_count_the_products():
    multiplications, touched = step_cost((100, 50, 50), 16)
    assert multiplications == 16 * (2 * 5000 + 3 * 2500)
    assert touched == 8 * (7500 + 2 * 16 * 200)
