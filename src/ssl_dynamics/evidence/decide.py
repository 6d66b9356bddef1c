"""Decide exactly whether a SymPy statement is true, and say by which reduction.

Only exact reductions decide: SymPy's own evaluation, the sign of a difference in some normal form,
a positive ratio between two inequalities, equality of one-variable solution sets, and the rules of
propositional logic. Nothing is decided by sampling.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

from ssl_dynamics.symbolic import NotProved, NotZero, ZeroProof, prove_zero


class Undecided(Exception):
    """The statement is false, or none of the reductions decides it; the message says which."""


def decide(statement: Boolean, assumptions: Iterable[Boolean] = ()) -> str:
    """Return the reduction that shows `statement` true; raise Undecided otherwise.

    Symbols carry their own assumptions; `assumptions` adds relations or `Q` predicates.
    """
    given = tuple(assumptions)
    if isinstance(statement, BooleanAtom):
        if statement == sp.true:
            return "SymPy's evaluation"
        raise Undecided("SymPy evaluates it to false")
    if isinstance(statement, sp.AppliedPredicate):
        return _ask(statement, given)
    if isinstance(statement, sp.And):
        return "each of: " + ", ".join(_unique(decide(arg, given) for arg in statement.args))
    if isinstance(statement, sp.Or):
        return _first(statement.args, given)
    if isinstance(statement, sp.Not) and isinstance(statement.args[0], Relational):
        return decide(statement.args[0].negated, given)
    if isinstance(statement, sp.Equivalent):
        return _equivalent(statement.args, given)
    if isinstance(statement, sp.Implies):
        return _implies(statement.args[0], statement.args[1], given)
    if isinstance(statement, Relational):
        return _relation(statement, given)
    if isinstance(statement, Boolean):
        done = sp.simplify(statement)
        if done == sp.true:
            return "logical simplification"
    raise Undecided(f"no reduction decides {statement}")


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _ask(statement: Boolean, given: tuple) -> str:
    try:
        answer = sp.ask(statement, sp.And(*given))
    except ValueError as error:  # contradictory assumptions
        raise Undecided(f"{statement}: {error}") from None
    if answer is True:
        return "SymPy's assumptions"
    raise Undecided(f"SymPy's assumptions make it {'false' if answer is False else 'undecided'}")


def _first(statements: Iterable[Boolean], given: tuple) -> str:
    for statement in statements:
        try:
            return decide(statement, given)
        except Undecided:
            continue
    raise Undecided("no alternative of the disjunction is decided")


def _relation(relation: Relational, given: tuple) -> str:
    difference = relation.lhs - relation.rhs
    if isinstance(relation, sp.Eq):
        return f"identity ({_zero(difference, given).method})"
    wanted: dict[str, Callable[[sp.Expr], bool | None]] = {
        ">": lambda e: e.is_positive,
        ">=": lambda e: e.is_nonnegative,
        "<": lambda e: e.is_negative,
        "<=": lambda e: e.is_nonpositive,
        "!=": lambda e: e.is_nonzero,
    }
    test = wanted[relation.rel_op]
    for name, form in _normal_forms(difference, given):
        answer = test(form)
        if answer is True:
            return f"sign of the difference ({name})"
        if answer is False and not given:
            raise Undecided(f"it is false: the sign of the difference ({name}) contradicts it")
    return _solution_set(relation, given)


def _normal_forms(expr: sp.Expr, given: tuple) -> Iterable[tuple[str, sp.Expr]]:
    expr = _absorb(expr, given)
    reductions = (
        ("as it stands", lambda e: e),
        ("expanded", sp.expand),
        ("factored", sp.factor),
        ("numerator and denominator expanded", _expanded_quotient),
        ("simplified", sp.simplify),
    )
    for name, reduction in reductions:
        try:
            yield name, reduction(expr)
        except (sp.PolynomialError, NotImplementedError):
            continue


def _expanded_quotient(expr: sp.Expr) -> sp.Expr:
    top, bottom = sp.fraction(sp.cancel(sp.together(expr)))
    return sp.expand(top) / sp.expand(bottom)


def _absorb(expr: sp.Expr, given: tuple) -> sp.Expr:
    """Carry `x > c`, `x >= c`, `x < c`, `x <= c` into `x = c ± gap` with a signed gap."""
    for fact in given:
        for rule in (fact, getattr(fact, "reversed", None)):
            if isinstance(rule, Relational) and rule.lhs.is_Symbol and rule.rel_op[0] in "<>":
                known = {"positive": True} if len(rule.rel_op) == 1 else {"nonnegative": True}
                gap = sp.Dummy("gap", **known)
                shift = gap if rule.rel_op[0] == ">" else -gap
                expr = expr.subs(rule.lhs, rule.rhs + shift)
                break
    return sp.refine(expr, sp.And(*given)) if given else expr


def _zero(difference: sp.Expr, given: tuple) -> ZeroProof:
    try:
        return prove_zero(difference, assumptions=given)
    except (NotZero, NotProved) as error:
        raise Undecided(str(error)) from None


def _variable(statement: Boolean) -> sp.Symbol:
    free = sorted(statement.free_symbols, key=str)
    if len(free) != 1:
        raise Undecided(f"no sign or identity decides {statement}")
    if statement.has(sp.Eq, sp.Ne) and not free[0].is_extended_real:
        raise Undecided(f"{free[0]} may be complex in {statement}; declare it real=True")
    return free[0]


def _domain(variable: sp.Symbol, given: tuple) -> sp.Set:
    domain = sp.S.Reals
    if variable.is_positive:
        domain = sp.Interval.open(0, sp.oo)
    elif variable.is_nonnegative:
        domain = sp.Interval(0, sp.oo)
    elif variable.is_negative:
        domain = sp.Interval.open(-sp.oo, 0)
    elif variable.is_nonpositive:
        domain = sp.Interval(-sp.oo, 0)
    for fact in given:
        if fact.free_symbols == {variable}:
            domain = domain.intersect(_as_set(fact, variable))
    return domain


def _as_set(statement: Boolean, variable: sp.Symbol) -> sp.Set:
    plain = sp.Dummy(variable.name, real=True)  # the domain carries the sign, not the symbol
    try:
        return statement.subs(variable, plain).as_set()
    except (NotImplementedError, ValueError, TypeError, AttributeError) as error:
        raise Undecided(f"the solution set of {statement} is not found: {error}") from None


def _solution_set(statement: Boolean, given: tuple) -> str:
    variable = _variable(statement)
    _subset(_domain(variable, given), _as_set(statement, variable), statement)
    return f"solution set in {variable}"


def _subset(inner: sp.Set, outer: sp.Set, statement: Boolean) -> None:
    if inner.is_subset(outer) is not True:
        raise Undecided(f"{statement} holds on {outer}, which is not seen to cover {inner}")


def _sides(relation: Boolean) -> tuple[sp.Expr, bool] | None:
    """A strict or weak inequality as `difference > 0` (strict) or `difference >= 0`."""
    if not isinstance(relation, Relational) or relation.rel_op not in (">", ">=", "<", "<="):
        return None
    difference = relation.lhs - relation.rhs
    return (difference if relation.rel_op[0] == ">" else -difference), len(relation.rel_op) == 1


def _positive_ratio(first: Boolean, second: Boolean, given: tuple) -> bool:
    one, two = _sides(first), _sides(second)
    if one is None or two is None or one[1] != two[1] or two[0] == 0:
        return False
    return any(form.is_positive for _, form in _normal_forms(one[0] / two[0], given))


def _equivalent(statements: tuple[Boolean, ...], given: tuple) -> str:
    methods = []
    for first, second in itertools.pairwise(statements):
        if _positive_ratio(first, second, given):
            methods.append("the two differences have a positive ratio")
        else:
            one = _implies(first, second, given)
            two = _implies(second, first, given)
            methods.append(", ".join(_unique((one, two))))
    return "; ".join(_unique(methods))


def _implies(premise: Boolean, conclusion: Boolean, given: tuple) -> str:
    if _positive_ratio(premise, conclusion, given):
        return "the two differences have a positive ratio"
    try:
        return decide(conclusion, (*given, *sp.And.make_args(premise)))
    except Undecided:
        variable = _variable(sp.And(premise, conclusion, evaluate=False))
        inner = _domain(variable, given).intersect(_as_set(premise, variable))
        _subset(inner, _as_set(conclusion, variable), conclusion)
        return f"solution sets in {variable}"


def settle(holds: object, assumptions: Iterable[Boolean] = ()) -> list[tuple[str, str]]:
    """Decide an argument: a SymPy statement, a ZeroProof, a callable that returns one, or named or
    numbered steps of these. Returns `(step, reduction)` pairs; raises Undecided otherwise.

    A plain Python bool is refused: it was computed elsewhere and nothing of it can be seen here.
    """
    given = tuple(assumptions)
    if isinstance(holds, ZeroProof):
        return [("", f"identity ({holds.method})")]
    if isinstance(holds, Boolean):
        return [("", decide(holds, given))]
    if isinstance(holds, Mapping):
        steps = [(str(name), step) for name, step in holds.items()]
    elif isinstance(holds, list | tuple):
        steps = [(f"step {number}", step) for number, step in enumerate(holds, 1)]
    elif callable(holds):
        return settle(holds(), given)
    else:
        raise Undecided(
            f"{holds!r} of type {type(holds).__name__} is no statement; pass the SymPy relation "
            "itself, a ZeroProof, a function that returns one, or named steps of these"
        )
    if not steps:
        raise Undecided("no step is given")
    settled = []
    for name, step in steps:
        try:
            settled += [(" ".join(filter(None, (name, n))), how) for n, how in settle(step, given)]
        except Undecided as error:
            raise Undecided(f"{name}: {error}") from None
    return settled
