"""Closed forms of the two-towers chapter against PyTorch: activations, autograd, finite steps."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from comparing import close
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize
from torch.nn.functional import leaky_relu

from ssl_dynamics.measures import connection as of_net
from ssl_dynamics.networks import ReluNet, with_constant
from ssl_dynamics.symbolic import vec_array
from ssl_dynamics.theory import dual_networks, predictor

DRAWS = 12


def neurons():
    """Random neurons: pre-activation w x, direction v, step, leak; half of the gates flip."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([30, seed])
        x, w, v = rng.normal(size=(3, 4))
        h, rate = w @ x, v @ x
        flip, inside = -h / rate, rng.uniform(0.1, 0.9)
        step = flip * inside if seed % 2 else flip / inside
        yield x, w, v, step, rng.uniform(-0.5, 0.9)


def activation(values, leak):
    return leaky_relu(torch.as_tensor(values), leak).item()


def slope_at_start(x, w, leak):
    """Autograd's derivative of the output by the pre-activation."""
    h = torch.tensor(w @ x, requires_grad=True)
    leaky_relu(h, leak).backward()
    return h.grad.item()


def route_output(form):
    for x, w, v, step, leak in neurons():
        close(activation((w + step * v) @ x, leak), form.numpy(w @ x, v @ x, step, leak))


def route_frozen(form):
    for x, w, v, step, leak in neurons():
        connection = slope_at_start(x, w, leak) * x
        close(connection @ (w + step * v), form.numpy(w @ x, v @ x, step, leak))


def route_flip(form):
    for x, w, v, _, _ in neurons():
        at = form.numpy(w @ x, v @ x)
        root = optimize.brentq(lambda d, x=x, w=w, v=v: (w + d * v) @ x, -1e4, 1e4, xtol=1e-13)
        close(root, at, 1e-8)


def route_gap(form):
    for x, w, v, step, leak in neurons():
        frozen = slope_at_start(x, w, leak) * x @ (w + step * v)
        measured = activation((w + step * v) @ x, leak) - frozen
        close(measured, form.numpy(w @ x, v @ x, step, leak))


def weights_and_slopes():
    for seed in range(DRAWS):
        rng = np.random.default_rng([31, seed])
        yield rng.normal(size=4)


def route_pair(form):
    for k_1, k_2, w, goal in weights_and_slopes():
        weight = torch.tensor(w, requires_grad=True)
        (0.5 * (k_1 * weight - k_2 * goal) ** 2).backward()
        close(weight.grad.item(), form.numpy(k_1, k_2, w, goal))


def route_tied(form):
    for k_1, k_2, w, _ in weights_and_slopes():
        weight = torch.tensor(w, requires_grad=True)
        (0.5 * (k_1 * weight - k_2 * weight) ** 2).backward()
        close(weight.grad.item(), form.numpy(k_1, k_2, w))


def towers():
    """Random tied towers in plain PyTorch: weights and half the squared distance of a pair."""
    for seed in range(DRAWS):
        rng = np.random.default_rng([32, seed])
        d = rng.integers(2, 6, size=4)
        weights = [torch.tensor(rng.normal(size=(d[i + 1], d[i]))) for i in range(3)]
        yield weights, torch.tensor(rng.normal(size=(2, d[0]))), rng.uniform(-0.3, 0.8)


def distance(weights, pair, leak):
    f = pair
    for layer, weight in enumerate(weights):
        f = f @ weight.T
        f = f if layer == 2 else leaky_relu(f, leak)
    return 0.5 * (f[0] - f[1]).square().sum()


def route_along(form):
    for weights, pair, leak in towers():
        for weight in weights:
            weight.requires_grad_()
        r = distance(weights, pair, leak)
        for weight, gradient in zip(weights, torch.autograd.grad(r, weights), strict=True):
            close((weight * gradient).sum().item(), form.numpy(r.item()))


def route_norm_rate(form):
    for weights, pair, leak in towers():
        for weight in weights:
            weight.requires_grad_()
        r = distance(weights, pair, leak)
        for weight, gradient in zip(weights, torch.autograd.grad(r, weights), strict=True):
            step = 1e-6
            ahead, behind = (weight - gradient * s for s in (step, -step))
            rate = (ahead.square().sum() - behind.square().sum()) / (2 * step)
            close(rate.item(), form.numpy(r.item()), 1e-6)


ROUTES = {
    "OUTPUT": route_output,
    "FROZEN": route_frozen,
    "FLIP": route_flip,
    "GAP": route_gap,
    "PAIR": route_pair,
    "TIED": route_tied,
    "ALONG": route_along,
    "NORM_RATE": route_norm_rate,
}


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_the_short_connection_is_that_of_the_networks(leak):
    net = ReluNet((3,), (4, 5, 3, 2), leak=leak)
    x = torch.randn(1, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = [weight[0].detach().numpy() for weight in net.weights]
    for layer in range(3):
        short = dual_networks.connection(weights, x[0].numpy(), layer, leak=leak)
        np.testing.assert_allclose(short, of_net(net, x, layer)[0], rtol=1e-12, atol=1e-14)


def test_the_predictor_chapter_uses_the_same_connection():
    assert predictor.connection is dual_networks.connection


def test_before_the_flip_the_gap_is_exactly_zero_and_after_it_has_the_sign_of_one_minus_leak():
    rng = np.random.default_rng(33)
    for h in (-1.3, 0.7):
        for leak in (-0.5, 0.0, 0.4, 1.0, 1.5):
            rate = rng.normal()
            flip = dual_networks.FLIP.numpy(h, rate)
            assert abs(dual_networks.GAP.numpy(h, rate, 0.9 * flip, leak)) < 1e-15
            after = dual_networks.GAP.numpy(h, rate, 2 * flip, leak)
            np.testing.assert_allclose(after, (1 - leak) * abs(h), rtol=1e-12)


@dataclass
class Tower:
    """An architecture with its own weights and biases, in plain PyTorch and as a network of gates.

    `plain` knows nothing of gates; `net` carries the biases in a constant coordinate. Weights are
    scaled so that signals neither die nor grow with depth.
    """

    widths: list[int]
    leak: float
    pool: int
    biased: bool
    seed: int

    def __post_init__(self):
        g = torch.Generator().manual_seed(self.seed)
        last = len(self.widths) - 2
        rows = [n * (1 if k == last else self.pool) for k, n in enumerate(self.widths[1:])]

        def normal(*shape):
            return torch.randn(*shape, dtype=torch.float64, generator=g)

        shapes = list(zip(rows, self.widths[:-1], strict=True))
        self.weights = [normal(*s).mul((2 / s[1]) ** 0.5).requires_grad_() for s in shapes]
        self.biases = [normal(n).requires_grad_() for n in rows] if self.biased else []
        extra = int(self.biased)
        inner = [n + extra for n in self.widths[:-1]] + self.widths[-1:]
        self.net = ReluNet((0,), inner, leak=self.leak, pool=self.pool)
        batch = [W.detach()[None] for W in self.weights]
        if self.biased:
            batch = with_constant(batch, [b.detach()[None] for b in self.biases], pool=self.pool)
        with torch.no_grad():
            for mine, given_ in zip(self.net.weights, batch, strict=True):
                mine.copy_(given_)

    def plain(self, x):
        for k, W in enumerate(self.weights):
            x = W @ x + (self.biases[k] if self.biased else 0)
            if k < len(self.weights) - 1:
                x = leaky_relu(x, self.leak).unflatten(-1, (-1, self.pool)).amax(-1)
        return x

    def connection(self, x, layer):
        x = torch.cat([x, torch.ones(1, dtype=x.dtype)]) if self.biased else x
        return of_net(self.net, x[None], layer)[0]

    def stacked(self, layer):
        return vec_array(self.net.weights[layer][0].detach())

    def gradient(self, value, layer):
        """Autograd's gradient by the layer's own weights and biases, as one matrix."""
        leaves = [self.weights[layer], *self.biases[layer : layer + 1]]
        parts = torch.autograd.grad(value, leaves, retain_graph=True)
        return torch.cat([parts[0], *(p[:, None] for p in parts[1:])], 1)

    def own(self, slope, layer):
        """The same rows and columns of a stacked gradient: without the row that carries the 1."""
        rows, columns = self.net.weights[layer].shape[1:]
        return slope.reshape(columns, rows).T[: len(self.weights[layer])]


def towers_of(outputs, inputs):
    """Depth 1 to 6, widths 1 to 16, four slopes, pools of 1 to 3, with and without biases."""
    return st.builds(
        lambda inner, leak, pool, biased, seed: Tower(
            [inputs, *inner, outputs], leak, pool, biased, seed
        ),
        st.lists(st.integers(1, 16), max_size=5),
        st.sampled_from([0.0, 0.2, 1.0, -0.5]),
        st.integers(1, 3),
        st.booleans(),
        st.integers(0, 10_000),
    )


SIZES = st.tuples(st.integers(1, 16), st.integers(1, 16))
PAIRS = SIZES.flatmap(lambda n: st.tuples(towers_of(*n), towers_of(*n), st.integers(0, 10_000)))
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def normals(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(PAIRS)
def test_the_connection_gives_output_and_derivative_at_every_layer(drawn):
    tower, _, seed = drawn
    x = normals(seed, tower.widths[0])
    f = tower.plain(x)
    assume(f.abs().max() > 0.01)  # with all outputs zero the identities hold for nothing
    for layer in range(len(tower.weights)):
        K = tower.connection(x, layer)
        torch.testing.assert_close(K.T @ tower.stacked(layer), f, **TIGHT)
        for k, output in enumerate(f):
            wanted = tower.gradient(output, layer)
            torch.testing.assert_close(tower.own(K[:, k], layer), wanted, **TIGHT)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(PAIRS)
def test_the_gradient_of_two_towers_at_every_layer(drawn):
    """Two architectures; then one architecture with tied weights, its inner products and its r."""
    one, two, seed = drawn
    x, y = normals(seed, 2, one.widths[0])
    f, g, f_y = one.plain(x), two.plain(y), one.plain(y)
    apart, tied = 0.5 * (f - g).square().sum(), 0.5 * (f - f_y).square().sum()
    assume(tied > 1e-4)
    m = len(two.weights) - 1
    other = two.connection(y, m).T @ two.stacked(m)
    for layer in range(len(one.weights)):
        K_1, K_2, w = one.connection(x, layer), one.connection(y, layer), one.stacked(layer)
        slope = K_1 @ (K_1.T @ w - other)
        torch.testing.assert_close(one.own(slope, layer), one.gradient(apart, layer), **TIGHT)
        slope = (K_1 - K_2) @ ((K_1 - K_2).T @ w)
        torch.testing.assert_close(one.own(slope, layer), one.gradient(tied, layer), **TIGHT)
        torch.testing.assert_close(w @ slope, dual_networks.ALONG.numpy(1.0) * tied, **TIGHT)


def test_a_dead_layer_keeps_the_theorem_although_pre_activations_are_zero():
    """All neurons of the first layer are closed, so all inputs of the second are zero."""
    tower = Tower([3, 2, 4, 2], 0.0, 1, False, 5)
    x = torch.ones(3, dtype=torch.float64)
    with torch.no_grad():
        for W, net_W in zip(tower.weights[:1], tower.net.weights, strict=False):
            W.copy_(-W.abs())
            net_W.copy_(W[None])
    trace = tower.net.trace(x[None])
    assert (trace.inputs[1] == 0).all()
    for layer in range(3):
        assert (tower.connection(x, layer) == 0).all()
        start = tower.weights[layer].detach().clone()
        for step in (1e-3, -1e-3):  # and the output is zero all around
            with torch.no_grad():
                tower.weights[layer].copy_(start + step * normals(6, *start.shape))
                assert (tower.plain(x) == 0).all()
                tower.weights[layer].copy_(start)
