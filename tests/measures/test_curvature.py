"""Hessian products and Lanczos against the whole matrix."""

import numpy as np
import pytest
import torch

from ssl_dynamics.measures import Hessian, largest_curvatures, smallest_curvature


def problem(seed=0, shapes=((3, 4), (5,), ())):
    """A smooth loss of several tensors, and where to stand."""
    g = torch.Generator().manual_seed(seed)
    parameters = [torch.randn(s, dtype=torch.float64, generator=g) for s in shapes]
    mix = torch.randn(9, sum(p.numel() for p in parameters), dtype=torch.float64, generator=g)

    def loss(*given):
        flat = torch.cat([p.flatten() for p in given])
        return (torch.sin(mix @ flat) + (mix @ flat) ** 2).mean()

    return loss, parameters


def test_products_and_the_dense_matrix_are_those_of_torch():
    loss, parameters = problem()
    sizes = [p.numel() for p in parameters]

    def of_one(flat):
        return loss(*(v.view_as(p) for v, p in zip(flat.split(sizes), parameters, strict=True)))

    whole = torch.cat([p.flatten() for p in parameters])
    wanted = torch.autograd.functional.hessian(of_one, whole).numpy()
    operator = Hessian(loss, parameters)
    np.testing.assert_allclose(operator.dense(), wanted, atol=1e-12)
    vector = np.random.default_rng(1).normal(size=sum(sizes))
    np.testing.assert_allclose(operator @ vector, wanted @ vector, atol=1e-12)
    np.testing.assert_allclose(operator.T @ vector, wanted @ vector, atol=1e-12)


def test_a_parameter_that_the_loss_does_not_see_has_no_curvature():
    here = [torch.ones(2, dtype=torch.float64), torch.ones(3, dtype=torch.float64)]
    matrix = Hessian(lambda a, b: a.pow(4).sum() + 0 * b.sum(), here).dense()
    np.testing.assert_allclose(matrix, np.diag([12.0, 12, 0, 0, 0]))


def test_both_ends_of_the_spectrum_with_a_flat_space_taken_out():
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    values = np.concatenate([np.zeros(15), np.linspace(0.3, 7, 25)])
    matrix = torch.from_numpy(basis * values @ basis.T)
    operator = Hessian(lambda x: x @ matrix @ x / 2, [torch.zeros(40, dtype=torch.float64)])
    np.testing.assert_allclose(largest_curvatures(operator, 3), values[:-4:-1], atol=1e-8)
    assert smallest_curvature(operator, basis[:, :15]) == pytest.approx(0.3, abs=1e-6)
    # one direction fewer: a zero is left, and it is found
    assert smallest_curvature(operator, basis[:, :14]) == pytest.approx(0, abs=1e-6)


def test_bad_requests_are_named():
    loss, parameters = problem()
    operator = Hessian(loss, parameters)
    with pytest.raises(ValueError, match="orthonormal"):
        smallest_curvature(operator, np.ones((operator.shape[0], 2)))
    with pytest.raises(ValueError, match="one number"):
        Hessian(lambda *given: given[0], parameters)
