"""``vec`` and Kronecker products, columns stacked: ``vec(A X B) = (B^T ⊗ A) vec(X)``."""

from __future__ import annotations

from typing import Any

import sympy as sp


def vec(matrix: sp.MatrixBase) -> sp.Matrix:
    """Stack the columns of an ``[m, n]`` matrix into a column of length ``m n``."""
    rows, cols = matrix.shape
    return sp.Matrix(rows * cols, 1, [matrix[i, j] for j in range(cols) for i in range(rows)])


def unvec(column: sp.MatrixBase, rows: int, cols: int) -> sp.Matrix:
    """Undo :func:`vec`: an ``[rows, cols]`` matrix from a column of length ``rows * cols``."""
    if column.shape != (rows * cols, 1):
        raise ValueError(
            f"unvec to {rows} x {cols} needs a column of length {rows * cols}, "
            f"given shape {column.shape}"
        )
    return sp.Matrix(rows, cols, lambda i, j: column[j * rows + i])


def kron(*factors: sp.MatrixBase) -> sp.Matrix:
    """Kronecker product of explicit matrices, from left to right."""
    if not factors:
        raise ValueError("kron needs at least one matrix")
    product = sp.Matrix(factors[0])
    for factor in factors[1:]:
        product = sp.Matrix(sp.kronecker_product(product, sp.Matrix(factor)))
    return product


def commutation(rows: int, cols: int) -> sp.Matrix:
    """The permutation ``K`` with ``K vec(X) = vec(X^T)`` for every ``[rows, cols]`` matrix X."""
    permutation = sp.zeros(rows * cols, rows * cols)
    for i in range(rows):
        for j in range(cols):
            permutation[i * cols + j, j * rows + i] = 1
    return permutation


def vec_array(array: Any) -> Any:
    """:func:`vec` for a NumPy array or tensor ``[..., m, n]`` (row-major): gives ``[..., m n]``."""
    *lead, rows, cols = array.shape
    return array.swapaxes(-1, -2).reshape(*lead, rows * cols)
