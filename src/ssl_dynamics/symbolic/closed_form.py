"""A closed form: one SymPy expression with its arguments, its statement and its source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from ssl_dynamics.symbolic.codegen import to_javascript, to_numpy, to_torch
from ssl_dynamics.symbolic.emit import check_arguments, check_name


@dataclass(frozen=True)
class ClosedForm:
    """A result of a derivation, ready to be printed, evaluated and sent to the browser.

    ``args`` are the symbols in calling order and must cover every free symbol of ``expr``, a
    scalar expression or a matrix. ``statement`` says in a sentence what the expression is, and
    ``source`` where the result comes from.
    """

    name: str
    args: tuple[sp.Symbol, ...]
    expr: sp.Expr | sp.MatrixBase
    statement: str
    source: str

    def __post_init__(self) -> None:
        check_name(self.name, "closed form")
        expr = sp.sympify(self.expr)
        if isinstance(expr, sp.MatrixBase):
            expr = expr.as_immutable()
        elif not isinstance(expr, sp.Expr):
            raise TypeError(
                f"closed form {self.name!r} takes an expression or a matrix, given {expr!r}"
            )
        object.__setattr__(self, "expr", expr)
        object.__setattr__(self, "args", check_arguments(expr, tuple(self.args)))
        for field in ("statement", "source"):
            if not getattr(self, field).strip():
                raise ValueError(f"closed form {self.name!r} needs a {field}")

    def __call__(self, *values: Any) -> sp.Expr | sp.MatrixBase:
        """The exact SymPy value at ``values``, one for each argument, in their order."""
        if len(values) != len(self.args):
            wanted = ", ".join(a.name for a in self.args)
            raise TypeError(f"{self.name} given {len(values)} values, needs ({wanted})")
        return self.expr.subs(dict(zip(self.args, values, strict=True)), simultaneous=True)

    def numpy(self, *arrays: Any) -> Any:
        """The value in float64; the arguments broadcast, a matrix gives ``[..., rows, cols]``."""
        return to_numpy(self.expr, self.args)(*arrays)

    def torch(self, *tensors: Any) -> Any:
        """The value as a tensor, differentiable in every argument; the arguments broadcast."""
        return to_torch(self.expr, self.args)(*tensors)

    def javascript(self, function_name: str | None = None) -> str:
        """The text of a pure JavaScript function of the arguments, by default under its name."""
        return to_javascript(self.expr, self.args, function_name or self.name)

    def latex(self, **settings: Any) -> str:
        """LaTeX of the expression; ``settings`` go to :func:`sympy.latex`."""
        return sp.latex(self.expr, **settings)

    def replaced(self, expr: sp.Expr | sp.MatrixBase) -> ClosedForm:
        """The same form with another expression; the mutation tests build wrong ones with it."""
        return replace(self, expr=expr)
