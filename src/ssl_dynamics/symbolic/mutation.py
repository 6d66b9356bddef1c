"""Wrong versions of a closed form, one change each, that its test must notice."""

from __future__ import annotations

import sympy as sp

from ssl_dynamics.symbolic.closed_form import ClosedForm
from ssl_dynamics.symbolic.zero import NotProved, NotZero, prove_zero

_PER_KIND = 3  # how many places each kind of change visits in one scalar expression
_ENTRIES = 3  # how many entries of a matrix are changed


def mutations(form: ClosedForm) -> list[tuple[str, ClosedForm]]:
    """One-change variants of ``form``: the sign of a term, a factor 2, an exponent plus one.

    Variants that are provably the same function on the domain of the symbols are left out.
    """
    matrix = isinstance(form.expr, sp.MatrixBase)
    found = _of_matrix(form.expr) if matrix else _of_scalar(form.expr)
    unique: dict[sp.Basic, str] = {}
    for description, expr in found:
        if expr != form.expr and expr not in unique and not _equivalent(expr, form.expr):
            unique[expr] = description
    return [(description, form.replaced(expr)) for expr, description in unique.items()]


def _of_matrix(matrix: sp.MatrixBase) -> list[tuple[str, sp.MatrixBase]]:
    found = []
    places = [(i, j) for i in range(matrix.rows) for j in range(matrix.cols) if matrix[i, j] != 0]
    for i, j in places[:_ENTRIES]:
        for description, expr in _of_scalar(matrix[i, j])[:4]:
            changed = matrix.as_mutable()
            changed[i, j] = expr
            found.append((f"entry [{i}, {j}]: {description}", changed.as_immutable()))
    return found


def _of_scalar(expr: sp.Expr) -> list[tuple[str, sp.Expr]]:
    found = [("factor 2", 2 * expr), ("overall sign", -expr)]
    nodes = [n for n in _scalars(expr) if n.free_symbols]
    sums = [n for n in nodes if isinstance(n, sp.Add)]
    for total in sums[:_PER_KIND]:
        term = total.args[-1]
        found.append((f"sign of the term {term}", _swap(expr, total, total - 2 * term)))
    for power in [n for n in nodes if isinstance(n, sp.Pow)][:_PER_KIND]:
        found.append((f"exponent + 1 on {power}", _swap(expr, power, power * power.base)))
    for symbol in [n for n in nodes if isinstance(n, sp.Symbol)][:_PER_KIND]:
        found.append((f"exponent + 1 on {symbol}", _swap(expr, symbol, symbol**2)))
    return found


def _scalars(expr: sp.Expr) -> list[sp.Expr]:
    """Distinct scalar sub-expressions, outside in; conditions of a Piecewise are left alone."""
    seen: dict[sp.Expr, None] = {}
    queue = [expr]
    while queue:
        node = queue.pop(0)
        if not isinstance(node, sp.Expr):
            continue
        seen.setdefault(node)
        if isinstance(node, sp.Piecewise):
            queue.extend(value for value, _ in node.args)
        else:
            queue.extend(sorted(node.args, key=sp.default_sort_key))
    return list(seen)


def _swap(expr: sp.Expr, old: sp.Expr, new: sp.Expr) -> sp.Expr:
    if isinstance(expr, sp.Piecewise):
        return sp.Piecewise(*((_swap(value, old, new), cond) for value, cond in expr.args))
    return expr.xreplace({old: new})


def _equivalent(first: sp.Basic, second: sp.Basic) -> bool:
    try:
        prove_zero(first - second)
    except (NotZero, NotProved):
        return False
    return True
