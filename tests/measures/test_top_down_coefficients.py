"""Coefficients against autograd and against the recursion; the relation at every layer."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_dynamics import measures
from ssl_dynamics.networks import ReluNet, with_constant
from ssl_dynamics.symbolic import vec_array

TIGHT = {"rtol": 1e-10, "atol": 1e-10}


class Plain:
    """A ReLU network with biases in plain PyTorch, and the same as a network of gates."""

    def __init__(self, widths, seed, scale=1.0):
        g = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(*shape, dtype=torch.float64, generator=g)

        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        self.W = [(scale * normal(o, i) * (2 / i) ** 0.5).requires_grad_() for o, i in pairs]
        self.b = [normal(o).requires_grad_() for o, _ in pairs]
        batch = [[p.detach()[None] for p in given_] for given_ in (self.W, self.b)]
        self.net = ReluNet.of(with_constant(*batch))

    def __call__(self, x):
        for layer, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            x = x @ W.T + b
            x = x if layer == len(self.W) - 1 else x.relu()
        return x


def carried(x):
    return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], -1)[None]


@st.composite
def pairs(draw):
    """Teacher and student of one depth (2 to 6 layers) and different widths, and inputs."""
    depth = draw(st.integers(2, 6))
    n_in, n_out = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    inner = st.lists(st.integers(1, 10), min_size=depth - 1, max_size=depth - 1)
    seed = draw(st.integers(0, 10_000))
    teacher = Plain([n_in, *draw(inner), n_out], seed)
    student = Plain([n_in, *draw(inner), n_out], seed + 1)
    g = torch.Generator().manual_seed(seed)
    return student, teacher, torch.randn(6, n_in, dtype=torch.float64, generator=g)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(pairs())
def test_the_relation_is_the_gradient_at_every_layer(drawn):
    student, teacher, x = drawn
    loss = 0.5 * (teacher(x) - student(x)).square().sum(-1).mean()
    wanted = torch.autograd.grad(loss, [*student.W, *student.b])
    inputs = student.net.trace(carried(x)).inputs
    found = measures.signal(student.net, teacher.net, carried(x))
    exact = measures.exact_steps(student.net, teacher.net, carried(x))
    for layer, (W, g) in enumerate(zip(student.W, found, strict=True)):
        step = g.mT @ inputs[layer] / len(x)
        torch.testing.assert_close(step, exact[layer], **TIGHT)
        own = step[0, : len(W)]
        torch.testing.assert_close(own[:, :-1], -wanted[layer], **TIGHT)
        torch.testing.assert_close(own[:, -1], -wanted[len(student.W) + layer], **TIGHT)


def pair_of(widths, seeds=(0, 1), times=2):
    teacher = ReluNet(seeds, widths, purpose="teacher")
    wide = (widths[0], *(times * n for n in widths[1:-1]), widths[-1])
    g = torch.Generator().manual_seed(5)
    x = torch.randn(len(seeds), 7, widths[0], dtype=torch.float64, generator=g)
    return ReluNet(seeds, wide), teacher, x


def test_heard_is_the_derivative_of_the_output():
    net, _, x = pair_of((4, 3, 5, 2))
    for layer, V in enumerate(measures.heard(net, net.trace(x))):
        for seed in range(2):
            trace = net.of_seed(seed).trace(x[seed : seed + 1, :1])
            f = [*trace.inputs, trace.output][layer].detach()

            def above(f, seed=seed, layer=layer):
                for k in range(layer, net.depth):
                    f = net.weights[k][seed] @ f
                    f = f if k == net.depth - 1 else f.relu()
                return f

            jacobian = torch.autograd.functional.jacobian(above, f[0, 0])
            torch.testing.assert_close(V[seed, :, 0], jacobian, rtol=1e-12, atol=1e-14)


def test_the_recursion_and_the_means():
    student, teacher, x = pair_of((4, 3, 5, 2))
    each = measures.coefficients(student, teacher, x)
    gates, gates_star = student.trace(x).gates, teacher.trace(x).gates
    mean = measures.mean_coefficients(student, teacher, x)
    gated = measures.mean_coefficients(student, teacher, x, gated=True)
    for layer in range(1, student.depth + 1):
        W, W_star = (net.weights[layer - 1].unsqueeze(1) for net in (student, teacher))
        d, d_star = gates[layer - 1], gates_star[layer - 1]
        inside = d[..., None] * each[layer].pull * d_star[..., None, :]
        torch.testing.assert_close(each[layer - 1].pull, W.mT @ inside @ W_star, **TIGHT)
        torch.testing.assert_close(gated[layer].pull, inside.mean(1), **TIGHT)
        inside = d[..., None] * each[layer].own * d[..., None, :]
        torch.testing.assert_close(each[layer - 1].own, W.mT @ inside @ W, **TIGHT)
        torch.testing.assert_close(gated[layer].own, inside.mean(1), **TIGHT)
    for sample, batch in zip(each, mean, strict=True):
        torch.testing.assert_close(sample.pull.mean(1), batch.pull, **TIGHT)
        torch.testing.assert_close(sample.own.mean(1), batch.own, **TIGHT)
        assert torch.linalg.eigvalsh(batch.own).min() > -1e-12


def test_equal_weights_are_told_nothing_and_the_factorised_step_vanishes_too():
    _, teacher, x = pair_of((4, 3, 5, 2))
    for steps in (measures.exact_steps, measures.factorised_steps, measures.signal):
        for step in steps(teacher, teacher, x):
            assert step.abs().max() < 1e-14


def test_the_factorised_step_is_exact_at_the_top_and_not_below():
    student, teacher, x = pair_of((4, 3, 5, 2))
    exact = measures.exact_steps(student, teacher, x)
    factorised = measures.factorised_steps(student, teacher, x)
    torch.testing.assert_close(factorised[-1], exact[-1], **TIGHT)
    assert all(
        (f - e).norm() > 0.05 * e.norm() for f, e in zip(factorised[:-1], exact[:-1], strict=True)
    )


def test_the_factorised_step_of_one_sample_is_exact():
    """With one sample every mean is that sample, and there is nothing to drop."""
    student, teacher, x = pair_of((4, 3, 5, 2))
    exact = measures.exact_steps(student, teacher, x[:, :1])
    factorised = measures.factorised_steps(student, teacher, x[:, :1])
    for f, e in zip(factorised, exact, strict=True):
        torch.testing.assert_close(f, e, **TIGHT)


def test_the_relation_is_the_two_tower_gradient():
    student, teacher, x = pair_of((4, 3, 5, 2))
    found = measures.signal(student, teacher, x)
    trace = student.trace(x)
    for layer, g in enumerate(found):
        K = measures.connection(student, x, layer)
        apart = teacher(x) - torch.einsum("sbpn,sp->sbn", K, vec_array(student.weights[layer]))
        towers = torch.einsum("sbpn,sbn->sbp", K, apart)
        outer = g.unsqueeze(-1) * trace.inputs[layer].unsqueeze(-2)
        torch.testing.assert_close(towers, vec_array(outer), **TIGHT)


def test_other_depths_and_pools_are_refused():
    student, _, x = pair_of((4, 3, 5, 2))
    shallow = ReluNet((0, 1), (4, 3, 2))
    with pytest.raises(ValueError, match="depths 3 and 2"):
        measures.coefficients(student, shallow, x)
    pooled = ReluNet((0, 1), (4, 3, 2), pool=2)
    with pytest.raises(ValueError, match="pool"):
        measures.heard(pooled, pooled.trace(x))
