"""The two forms of an exact proof: an identity of two sides, and an argument that holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom, BooleanFunction

from ssl_dynamics.evidence.decide import Undecided, settle
from ssl_dynamics.symbolic import (
    BatchVector,
    ClosedForm,
    NotProved,
    NotZero,
    ZeroProof,
    prove_zero,
)


def assumed(assumptions: Boolean | Iterable[Boolean]) -> tuple[Boolean, ...]:
    """The assumptions as a tuple of SymPy statements."""
    given = (assumptions,) if isinstance(assumptions, Boolean) else tuple(assumptions)
    for fact in given:
        if not isinstance(fact, Boolean) or isinstance(fact, BooleanAtom):
            raise Undecided(f"assumption {fact!r} is no SymPy relation")
    return given


def _entries(side: Any) -> Any:
    """A side as a SymPy expression or immutable matrix, free of floating-point numbers."""
    if isinstance(side, ClosedForm):
        side = side.expr
    if isinstance(side, BatchVector):
        side = sp.ImmutableMatrix([side[name] for name in side.space.names])
    if isinstance(side, bool | float | str | Relational | BooleanFunction | BooleanAtom):
        raise Undecided(f"{side!r} is no exact expression; use sp.Rational")
    try:
        side = sp.sympify(side, strict=True)
    except sp.SympifyError:
        raise Undecided(f"a side of type {type(side).__name__} is no SymPy object") from None
    if side.has(sp.Float):
        raise Undecided("floating-point numbers are not exact; use sp.Rational")
    return side.as_immutable() if isinstance(side, sp.MatrixBase) else side


def identity(lhs: Any, rhs: Any, given: tuple) -> list[tuple[str, str]]:
    """Prove `lhs = rhs`; the reduction that did it. Trivial identities are refused."""
    if isinstance(lhs, BatchVector) != isinstance(rhs, BatchVector) or (
        isinstance(lhs, BatchVector) and lhs.space is not rhs.space
    ):
        raise Undecided("both sides must be vectors of one batch space")
    if lhs is rhs:
        raise Undecided("both sides are the same object; nothing is proved")
    left, right = _entries(lhs), _entries(rhs)
    if isinstance(left, sp.MatrixBase) != isinstance(right, sp.MatrixBase):
        raise Undecided("one side is a matrix, the other is not")
    if isinstance(left, sp.MatrixBase) and left.shape != right.shape:
        raise Undecided(f"shapes {left.shape} and {right.shape} differ")
    if left == right:
        raise Undecided(
            "both sides are equal before any work, so nothing is proved; pass the "
            "side as it was derived, before it was simplified"
        )
    try:
        proof = prove_zero(left - right, assumptions=given)
    except NotZero as error:
        raise Undecided(f"the sides differ: {error}") from None
    except NotProved as error:
        raise Undecided(f"{error}") from None
    return [("settled by", f"{proof.method}: {proof.detail}")]


def argument(holds: Any, because: str, given: tuple) -> list[tuple[str, str]]:
    """Settle an argument; the statement where it can be shown, and each step's reduction."""
    decided_elsewhere = isinstance(holds, BooleanAtom | ZeroProof | Mapping | list | tuple)
    is_function = callable(holds) and not isinstance(holds, Boolean)
    if (decided_elsewhere or is_function) and not because.strip():
        raise Undecided(
            f"holds={holds!r} does not show the argument by itself (SymPy has evaluated a bare "
            "true, a function or step hides it): state it in one sentence with because=…"
        )
    settled = settle(holds, given)
    facts = [] if decided_elsewhere or is_function else [("shown", f"${sp.latex(holds)}$")]
    return [*facts, *((step or "settled by", how) for step, how in settled)]
