"""Exact algebra: zero tests, closed forms, vectors over a batch, Kronecker helpers, code."""

from ssl_dynamics.symbolic.batch import BatchSpace, BatchVector
from ssl_dynamics.symbolic.closed_form import ClosedForm
from ssl_dynamics.symbolic.codegen import CodegenError, to_javascript, to_numpy, to_torch
from ssl_dynamics.symbolic.kronecker import commutation, kron, unvec, vec, vec_array
from ssl_dynamics.symbolic.mutation import mutations
from ssl_dynamics.symbolic.zero import NotProved, NotZero, ZeroProof, prove_zero

__all__ = [
    "BatchSpace",
    "BatchVector",
    "ClosedForm",
    "CodegenError",
    "NotProved",
    "NotZero",
    "ZeroProof",
    "commutation",
    "kron",
    "mutations",
    "prove_zero",
    "to_javascript",
    "to_numpy",
    "to_torch",
    "unvec",
    "vec",
    "vec_array",
]
