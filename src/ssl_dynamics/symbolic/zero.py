"""Decide exactly whether an expression is zero, and say which reduction decided it.

Sampling at exact rational points can only *refute*. A proof is always a reduction to the literal
``0`` by a named rewriting. What neither refutes nor reduces is reported as undecided.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean


@dataclass(frozen=True)
class ZeroProof:
    """How an expression was reduced to zero: the last rewriting, and a sentence about it."""

    method: str
    detail: str


class NotZero(ValueError):
    """The expression is not zero: ``point`` is an exact counter-example, ``value`` its value."""

    def __init__(self, point: dict[sp.Symbol, sp.Expr], value: sp.Expr) -> None:
        where = ", ".join(f"{s} = {v}" for s, v in sorted(point.items(), key=lambda p: str(p[0])))
        super().__init__(f"not zero: value {sp.N(value, 6)} at {where or 'every point'}")
        self.point, self.value = point, value


class NotProved(ValueError):
    """No reduction reached zero and no sampled point refuted: undecided."""


def _numerator(e: sp.Expr) -> sp.Expr:
    return sp.expand(sp.fraction(sp.together(e))[0])


_REDUCTIONS: tuple[tuple[str, Callable[[sp.Expr], sp.Expr], str], ...] = (
    ("evaluate", lambda e: e.doit(), "SymPy's own evaluation leaves 0"),
    ("expand", sp.expand, "expanding products and powers leaves 0"),
    ("common denominator", _numerator, "the expanded numerator over a common denominator is 0"),
    ("cancel", sp.cancel, "the rational normal form is 0"),
    ("factor", sp.factor, "factoring leaves 0"),
    ("radsimp", lambda e: sp.expand(sp.radsimp(e)), "rationalising the denominators leaves 0"),
    (
        "powsimp",
        lambda e: sp.powsimp(sp.powdenest(sp.expand(e)), deep=True),
        "joining powers of one base leaves 0",
    ),
    ("logcombine", lambda e: sp.expand(sp.expand_log(e)), "splitting logarithms leaves 0"),
    ("trigsimp", lambda e: sp.trigsimp(sp.expand_trig(e)), "trigonometric identities leave 0"),
    (
        "exponentials",
        lambda e: sp.simplify(sp.expand(e.rewrite(sp.exp))),
        "rewriting in exponentials leaves 0",
    ),
    ("simplify", sp.simplify, "SymPy's general simplification leaves 0"),
)
_CHEAP = 2  # reductions tried before the first sampling


def prove_zero(
    expr: sp.Expr | sp.MatrixBase,
    *,
    assumptions: Iterable[Boolean] = (),
    samples: int = 6,
) -> ZeroProof:
    """Prove that ``expr`` (or every entry of a matrix) is identically zero.

    ``assumptions`` are relations such as ``x > 0`` or ``sp.Ne(x, 1)``, or ``Q`` predicates; the
    assumptions carried by the symbols always count. Quotients are read where their denominators
    do not vanish. Raises :class:`NotZero` with an exact counter-example, or :class:`NotProved`.
    """
    given = tuple(assumptions)
    if isinstance(expr, sp.MatrixBase):
        proofs = [prove_zero(e, assumptions=given, samples=samples) for e in expr]
        methods = sorted({p.method for p in proofs}) or ["empty"]
        return ZeroProof(", ".join(methods), f"each of the {len(proofs)} entries reduces to 0")
    expr = sp.sympify(expr)
    if not isinstance(expr, sp.Expr):
        raise TypeError(f"prove_zero takes an expression or a matrix, given {type(expr).__name__}")
    if expr.is_Number and expr != 0:
        raise NotZero({}, expr)
    if expr.has(sp.Piecewise):
        folded = sp.piecewise_fold(expr)
        if isinstance(folded, sp.Piecewise):
            return _prove_branches(folded, given, samples)
        expr = folded
    reduced, renamed = _absorb(expr, given)
    for number, (method, reduce, sentence) in enumerate(_REDUCTIONS):
        if number == _CHEAP:
            _refute(expr, given, samples)
        if _attempt(reduce, reduced) == 0:
            extra = f" (using {renamed})" if renamed else ""
            return ZeroProof(method, sentence + extra)
    raise NotProved(
        f"undecided: no reduction turned {sp.count_ops(expr)} operations into 0 and no sample "
        f"refuted it; pass assumptions or split the expression: {str(expr)[:200]}"
    )


def _attempt(reduce: Callable[[sp.Expr], sp.Expr], expr: sp.Expr) -> sp.Expr:
    try:
        return reduce(expr)
    except (sp.PolynomialError, NotImplementedError, AttributeError, RecursionError):
        return expr


def _prove_branches(pieces: sp.Piecewise, given: tuple, samples: int) -> ZeroProof:
    methods, earlier = [], given
    for value, condition in pieces.args:
        here = (*earlier, *(() if condition == sp.true else sp.And.make_args(condition)))
        methods.append(prove_zero(value, assumptions=here, samples=samples).method)
        earlier = (*earlier, sp.Not(condition))
    return ZeroProof(
        ", ".join(sorted(set(methods))), f"each of the {len(methods)} branches reduces to 0"
    )


def _absorb(expr: sp.Expr, given: tuple) -> tuple[sp.Expr, str]:
    """Carry one-variable assumptions into the symbols, and hand the rest to ``refine``."""
    used = []
    for fact in given:
        swap = _as_substitution(fact)
        if swap is not None and expr.has(swap[0]):
            expr = expr.subs(*swap)
            used.append(str(fact))
    try:
        refined = sp.refine(expr, sp.And(*given)) if given else expr
    except (TypeError, ValueError, AttributeError):
        refined = expr
    return refined, ", ".join(used)


def _as_substitution(fact: Boolean) -> tuple[sp.Symbol, sp.Expr] | None:
    """``x > c`` as ``x -> c + positive``; the same for <, >=, <=, ≠ 0 and Q.positive(x)."""
    if isinstance(fact, sp.AppliedPredicate) and len(fact.arguments) == 1:
        name, x = fact.function.name, fact.arguments[0]
        if x.is_Symbol and name in ("positive", "negative", "nonzero", "nonnegative"):
            return x, sp.Dummy(x.name, **{name: True, "real": True})
        return None
    if not isinstance(fact, Relational):
        return None
    x, c, kind = fact.lhs, fact.rhs, fact.rel_op
    if not x.is_Symbol or x in c.free_symbols:
        flip = fact.reversed
        x, c, kind = flip.lhs, flip.rhs, flip.rel_op
        if not x.is_Symbol or x in c.free_symbols:
            return None
    if kind in (">", ">=", "<", "<="):
        if (c == 0 and kind == ">" and x.is_positive) or (c == 0 and kind == "<" and x.is_negative):
            return None
        facts = {"positive": True} if kind in ("<", ">") else {"nonnegative": True}
        gap = sp.Dummy("gap", **facts)
        return x, c + gap if kind[0] == ">" else c - gap
    if kind == "==":
        return x, c
    if kind == "!=" and c == 0:
        return x, sp.Dummy(x.name, **{**x.assumptions0, "zero": False})
    return None


def _refute(expr: sp.Expr, given: tuple, samples: int) -> None:
    """Look for an exact rational point of the domain at which the expression is not zero."""
    if expr.has(AppliedUndef, sp.Derivative, sp.Integral, sp.Sum, sp.Product, sp.Limit):
        return
    free = expr.free_symbols.union(*(fact.free_symbols for fact in given))
    symbols = sorted(free, key=lambda s: (s.name, str(s.assumptions0)))
    draw = random.Random(20240607)
    found = 0
    for _ in range(40 * samples):
        if found == samples:
            return
        point = {s: _rational(s, draw) for s in symbols}
        if not all(_holds(fact, point) for fact in given):
            continue
        value = expr.subs(point, simultaneous=True)
        if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            continue
        found += 1
        if value.is_Rational:
            if value != 0:
                raise NotZero(point, value)
            continue
        number = sp.N(value, 50, maxn=400)
        if number.is_number and number.has(sp.Float) and abs(number) > sp.Rational(1, 10**30):
            raise NotZero(point, value)


def _rational(symbol: sp.Symbol, draw: random.Random) -> sp.Expr:
    magnitude = sp.Rational(draw.randint(1, 60), draw.randint(1, 12))
    if symbol.is_integer:
        magnitude = sp.Integer(draw.randint(2, 9))
    if symbol.is_nonnegative:
        return magnitude
    if symbol.is_nonpositive:
        return -magnitude
    return draw.choice((1, -1)) * magnitude


def _holds(fact: Boolean, point: dict) -> bool:
    if isinstance(fact, sp.AppliedPredicate):
        return bool(sp.ask(fact.subs(point)))
    return fact.subs(point) in (True, sp.true)
