"""One SymPy expression as a function for NumPy, for torch (differentiable) and for the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import sympy as sp

from ssl_dynamics.symbolic.emit import (
    JAVASCRIPT,
    NUMPY,
    TORCH,
    CodegenError,
    Dialect,
    check_arguments,
    check_name,
    emit,
)

__all__ = ["CodegenError", "to_javascript", "to_numpy", "to_torch"]


def to_numpy(expr: sp.Expr | sp.MatrixBase, args: Sequence[sp.Symbol]) -> Callable[..., Any]:
    """A function of float64 arrays (broadcast together); a matrix gives ``[..., rows, cols]``."""
    return _compiled(sp.sympify(expr).as_immutable() if _matrix(expr) else expr, tuple(args), NUMPY)


def to_torch(expr: sp.Expr | sp.MatrixBase, args: Sequence[sp.Symbol]) -> Callable[..., Any]:
    """A differentiable function of tensors (broadcast together), on their device and dtype.

    Python numbers among the arguments take the dtype of the tensors, or float64 without any.
    Branches of a Piecewise are evaluated only where they apply, so gradients stay finite.
    """
    return _compiled(sp.sympify(expr).as_immutable() if _matrix(expr) else expr, tuple(args), TORCH)


def to_javascript(
    expr: sp.Expr | sp.MatrixBase, args: Sequence[sp.Symbol], function_name: str
) -> str:
    """The text of a pure function ``function NAME(a, b) {...}`` that uses ``Math`` alone.

    A matrix gives an array of rows.
    """
    expr = sp.sympify(expr)
    args = check_arguments(expr, args)
    check_name(function_name, "function name")
    if function_name in {a.name for a in args}:
        raise CodegenError(f"function name {function_name!r} is also an argument")
    shared, bodies = _shared(_entries(expr), args)
    lines = [f"  const {s.name} = {emit(value, JAVASCRIPT)};" for s, value in shared]
    texts = [emit(body, JAVASCRIPT) for body in bodies]
    if _matrix(expr):
        columns = expr.shape[1]
        rows = [texts[i : i + columns] for i in range(0, len(texts), columns)]
        result = "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows) + "]"
    else:
        result = texts[0]
    head = f"function {function_name}({', '.join(a.name for a in args)}) {{"
    return "\n".join([head, *lines, f"  return {result};", "}"])


def _matrix(expr: object) -> bool:
    return isinstance(expr, sp.MatrixBase)


def _entries(expr: sp.Expr | sp.MatrixBase) -> list[sp.Expr]:
    return list(expr) if _matrix(expr) else [expr]


def _shared(
    entries: list[sp.Expr], args: Sequence[sp.Symbol]
) -> tuple[list[tuple[sp.Symbol, sp.Expr]], list[sp.Expr]]:
    taken = {a.name for a in args}
    names = (s for s in sp.numbered_symbols("t") if s.name not in taken)
    shared, bodies = sp.cse(entries, symbols=names, order="canonical", list=True)
    return shared, bodies


@lru_cache(maxsize=512)
def _compiled(
    expr: sp.Expr | sp.MatrixBase, args: tuple[sp.Symbol, ...], dialect: Dialect
) -> Callable[..., Any]:
    expr = sp.sympify(expr)
    check_arguments(expr, args)
    entries = _entries(expr)
    if expr.has(sp.Piecewise):  # sharing would evaluate pieces of a branch outside its domain
        shared: list[tuple[sp.Symbol, sp.Expr]] = []
        bodies = entries
    else:
        shared, bodies = _shared(entries, args)
    lines = [f"    {s.name} = {emit(value, dialect)}" for s, value in shared]
    results = ", ".join(emit(body, dialect) for body in bodies)
    source = "\n".join(
        [f"def generated({', '.join(a.name for a in args)}):", *lines, f"    return [{results}]"]
    )
    xp: Any = np
    if dialect is TORCH:
        import torch

        xp = torch
    scope: dict[str, Any] = {"xp": xp, "select": _selector(xp)}
    scope["lift"] = xp.as_tensor if dialect is TORCH else xp.asarray
    exec(compile(source, "<generated from SymPy>", "exec"), scope)
    generated, shape = scope["generated"], expr.shape if _matrix(expr) else None

    def function(*values: Any) -> Any:
        if len(values) != len(args):
            wanted = ", ".join(a.name for a in args)
            raise TypeError(f"given {len(values)} values, needs {len(args)}: ({wanted})")
        arrays = _floats(values, xp)
        batch = xp.broadcast_shapes(*(a.shape for a in arrays)) if arrays else ()
        like = _constant_maker(arrays, xp)
        outputs = [xp.broadcast_to(like(out), batch) for out in generated(*arrays)]
        if shape is not None:
            stacked = xp.stack(outputs, -1) if outputs else like(np.zeros((*batch, 0)))
            return stacked.reshape(*batch, *shape)
        return outputs[0][()] if xp is np else outputs[0]

    function.__name__, function.__doc__ = "generated", source
    return function


def _floats(values: Sequence[Any], xp: ModuleType) -> list[Any]:
    if xp is np:
        arrays = [np.asarray(v) for v in values]
        return [a if a.dtype.kind == "f" else a.astype(np.float64) for a in arrays]
    floating = [v for v in values if isinstance(v, xp.Tensor) and v.is_floating_point()]
    dtype = floating[0].dtype if floating else xp.float64
    device = next((v.device for v in values if isinstance(v, xp.Tensor)), None)
    return [
        v if isinstance(v, xp.Tensor) and v.is_floating_point()
        else xp.as_tensor(v, dtype=dtype, device=device)
        for v in values
    ]  # fmt: skip


def _constant_maker(arrays: list[Any], xp: ModuleType) -> Callable[[Any], Any]:
    if xp is np:
        return lambda out: np.asarray(out, dtype=np.result_type(*arrays) if arrays else float)
    dtype = arrays[0].dtype if arrays else xp.float64
    device = arrays[0].device if arrays else None
    return lambda out: (
        out if isinstance(out, xp.Tensor) else xp.as_tensor(out, dtype=dtype, device=device)
    )


def _selector(xp: ModuleType) -> Callable[[list, list], Any]:
    """Piecewise: each branch is evaluated on the elements where its condition is the first true."""

    def select(pairs: list[tuple[Callable, Callable]], values: list[Any]) -> Any:
        shape = xp.broadcast_shapes(*(v.shape for v in values))
        flat = [xp.broadcast_to(v, shape).reshape(-1) for v in values]
        result = xp.full_like(flat[0], float("nan"))
        open_ = xp.ones_like(flat[0], dtype=bool if xp is np else xp.bool)
        for condition, branch in pairs:
            here = open_ & condition(*flat)
            if here.any():
                found = branch(*(v[here] for v in flat))
                if xp is np:
                    result[here] = found
                else:
                    found = found if isinstance(found, xp.Tensor) else result.new_tensor(found)
                    result = result.masked_scatter(here, found.expand(int(here.sum())))
            open_ = open_ & ~here
        return result.reshape(shape)

    return select
