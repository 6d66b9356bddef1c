"""The operator dense, matrix-free, and by its top eigenpairs (theory/ tests the connection)."""

import pytest
import torch

from ssl_dynamics.measures import (
    connection,
    covariance_operator,
    operator_product,
    top_eigenpairs,
)
from ssl_dynamics.networks import ReluNet


def population(seed, *shape):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=g)


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
    """The eigenvalues are those of the small Gram matrix of the images' means."""
    net, views = ReluNet((0,), (64, 48, 4)), population(10, 1, 20, 3, 64)
    values, vectors = top_eigenpairs(net, views, 0, 2)
    for k in range(2):
        product = operator_product(net, views, 0, vectors[..., k])
        torch.testing.assert_close(
            product, values[:, k : k + 1] * vectors[..., k], atol=1e-8, rtol=0
        )
    bar = connection(net, views, 0).mean(2)[0]  # [N, weights, outputs]
    u = (bar - bar.mean(0)).transpose(1, 2).flatten(0, 1) / 20**0.5
    gram = torch.linalg.eigvalsh(u @ u.T)
    torch.testing.assert_close(values[0], gram[-2:].flip(-1), rtol=1e-9, atol=1e-12)


def test_an_operator_of_zeros_and_more_pairs_than_its_rank():
    """Equal images have no covariance; two images and two outputs have rank two."""
    net = ReluNet((0, 1), (6, 8, 2))
    views = population(11, 2, 2, 3, 6)
    same = views[:, :1].expand_as(views)
    values, vectors = top_eigenpairs(net, same, 0, 3)
    assert values.abs().max() < 1e-15
    torch.testing.assert_close(vectors.mT @ vectors, torch.eye(3).double().expand(2, 3, 3))
    values, vectors = top_eigenpairs(net, views, 0, 5)
    assert (values[:, 1] > 1e-6).all()
    assert values[:, 2:].abs().max() < 1e-12
    dense = covariance_operator(net, views, 0)
    torch.testing.assert_close(dense @ vectors, vectors * values.unsqueeze(1), atol=1e-10, rtol=0)


def test_single_precision_stays_single():
    net, views = ReluNet((0,), (6, 8, 3), dtype=torch.float32), population(12, 1, 4, 3, 6)
    for count in (2, 20):  # Lanczos, dense
        values, vectors = top_eigenpairs(net, views.float(), 0, count)
        assert values.dtype == vectors.dtype == torch.float32
    every = torch.linalg.eigvalsh(covariance_operator(net, views.float(), 0))
    torch.testing.assert_close(values, every[:, -20:].flip(-1), atol=1e-6, rtol=1e-5)


def test_shapes_that_do_not_fit_are_named():
    net, views = ReluNet((0, 1), (6, 8, 3)), population(13, 2, 4, 3, 6)
    for wrong in (views[:1], views[:, :, 0], views[..., :5]):
        for call in (
            lambda v: covariance_operator(net, v, 0),
            lambda v: operator_product(net, v, 0, torch.zeros(2, 48).double()),
            lambda v: top_eigenpairs(net, v, 0, 2),
        ):
            with pytest.raises(ValueError, match=r"allowed: \[2, N, M, 6\]"):
                call(wrong)
    for layer in (-1, 2):
        with pytest.raises(ValueError, match=f"layer is {layer}, allowed: 0 to 1"):
            operator_product(net, views, layer, torch.zeros(2, 24).double())
    with pytest.raises(ValueError, match=r"the vector has the shape .* allowed: \[2, 48\]"):
        operator_product(net, views, 0, torch.zeros(2, 24).double())
