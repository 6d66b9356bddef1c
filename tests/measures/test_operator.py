"""Connections against autograd; the operator dense, matrix-free, and by its top eigenpairs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_dynamics.measures import (
    connection,
    covariance_operator,
    operator_product,
    top_eigenpairs,
)
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.symbolic import vec_array


def population(seed, *shape):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=g)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    widths=st.lists(st.integers(1, 16), min_size=2, max_size=7),
    leak=st.sampled_from([0.0, 0.2, 1.0, -0.5]),
    pool=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_the_connection_gives_output_and_jacobian_at_every_layer(widths, leak, pool, seed):
    """Depth 1 to 6, widths 1 to 16, leaky ReLU and max-pooling."""
    net = ReluNet((seed,), widths, leak=leak, pool=pool)
    x = population(seed, 1, widths[0])
    for layer, weight in enumerate(net.weights):
        K = connection(net, x, layer)[0]
        torch.testing.assert_close(K.T @ vec_array(weight)[0], net(x)[0], rtol=1e-10, atol=1e-10)
        for k in range(widths[-1]):
            (g,) = torch.autograd.grad(net(x)[0, k], weight, allow_unused=True)
            g = torch.zeros_like(weight) if g is None else g
            torch.testing.assert_close(K[:, k], vec_array(g)[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.0), (1.3, -0.4), (0.0, 1.0)])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_dense_and_matrix_free_agree(between, within, layer):
    net = ReluNet((0, 5), (6, 4, 5, 3), leak=0.1, pool=2)
    views = population(7, 2, 5, 3, 6)
    options = {"between": between, "within": within}
    dense = covariance_operator(net, views, layer, **options)
    v = population(8, 2, dense.shape[-1])
    product = operator_product(net, views, layer, v, **options)
    torch.testing.assert_close(product, (dense @ v.unsqueeze(-1)).squeeze(-1))
    values, vectors = top_eigenpairs(net, views, layer, 3, **options)
    every = torch.linalg.eigvalsh(dense)[:, -3:].flip(-1)
    torch.testing.assert_close(values, every, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(dense @ vectors, vectors * values.unsqueeze(1), atol=1e-8, rtol=0)


def test_the_whole_spectrum_and_counts_that_cannot_be():
    net, views = ReluNet((0,), (3, 2)), population(9, 1, 4, 2, 3)
    values, vectors = top_eigenpairs(net, views, 0, 6)
    dense = covariance_operator(net, views, 0)
    rebuilt = vectors @ torch.diag_embed(values) @ vectors.mT
    torch.testing.assert_close(rebuilt, dense, atol=1e-12, rtol=0)
    for count in (0, 7):
        with pytest.raises(ValueError, match=f"count is {count}, allowed: 1 to 6"):
            top_eigenpairs(net, views, 0, count)


def test_a_layer_of_thousands_of_weights():
    net, views = ReluNet((0,), (64, 48, 16)), population(10, 1, 20, 3, 64)
    values, vectors = top_eigenpairs(net, views, 0, 2)
    for k in range(2):
        product = operator_product(net, views, 0, vectors[..., k])
        torch.testing.assert_close(
            product, values[:, k : k + 1] * vectors[..., k], atol=1e-8, rtol=0
        )
