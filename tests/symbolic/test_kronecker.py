"""vec stacks columns: the identities hold for symbolic matrices, the array version agrees."""

import numpy as np
import pytest
import sympy as sp
import torch

from ssl_dynamics.symbolic import commutation, kron, unvec, vec, vec_array

A = sp.Matrix(2, 3, sp.symbols("a0:6"))
X = sp.Matrix(3, 4, sp.symbols("x0:12"))
C = sp.Matrix(4, 2, sp.symbols("c0:8"))


def test_vec_stacks_columns():
    assert list(vec(sp.Matrix([[1, 2], [3, 4]]))) == [1, 3, 2, 4]


def test_vec_of_a_product():
    assert sp.expand(vec(A * X * C) - kron(C.T, A) * vec(X)) == sp.zeros(4, 1)


def test_unvec_undoes_vec():
    assert unvec(vec(X), 3, 4) == X
    with pytest.raises(ValueError, match="length 12"):
        unvec(vec(A), 3, 4)


def test_commutation_transposes_and_swaps_factors():
    assert commutation(3, 4) * vec(X) == vec(X.T)
    swapped = commutation(2, 4) * kron(C, A) * commutation(3, 2).T
    assert sp.expand(swapped - kron(A, C)) == sp.zeros(8, 6)


def test_kron_takes_one_or_more():
    assert kron(A) == A
    assert kron(A, C, X).shape == (24, 24)
    with pytest.raises(ValueError, match="at least one"):
        kron()


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_arrays_follow_the_same_convention(make):
    numbers = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    stacked = vec_array(make(numbers))
    for one, matrix in zip(stacked, numbers, strict=True):
        assert [float(v) for v in one] == [float(v) for v in vec(sp.Matrix(matrix))]
