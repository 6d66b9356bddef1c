"""The decision of SymPy statements: what is true is decided, what is not is never passed."""

from __future__ import annotations

import pytest
import sympy as sp

from ssl_dynamics.evidence.decide import Undecided, decide, settle

a, b = sp.symbols("a b", real=True)
p, q = sp.symbols("p q", positive=True)
z = sp.Symbol("z")


@pytest.mark.parametrize(
    ("statement", "how"),
    [
        (sp.true, "evaluation"),
        (a**2 - 2 * a * b + b**2 >= 0, "factored"),
        (-((a - b) ** 2) - 1 < 0, "sign|evaluation"),
        (sp.Ne(a**2 + b**2 + 1, 0, evaluate=False), "sign"),
        (sp.Eq((a + b) ** 2, a**2 + 2 * a * b + b**2), "expand"),
        (sp.Eq(sp.cos(a) ** 2 + sp.sin(a) ** 2, 1), "trig|exponential|simplify"),
        (p / (p + q) < 1, "sign"),
        (a**2 - 4 * a + 5 > 0, "solution set"),
        (sp.Equivalent(p * q - p > 0, q > 1), "positive ratio"),
        (sp.Equivalent(a**2 < 1, (a > -1) & (a < 1)), "solution set"),
        (sp.Implies(p > 1, p**2 > 1), "positive ratio"),
        (sp.Implies(a > 2, a > 1), "sign|solution"),
        (sp.Implies((a > 0) & (a < 1), a**2 < a), "solution set"),
        (sp.Not(a**2 + 1 <= 0, evaluate=False), "logical"),
        ((a**2 + 1 > b) | (p * q + p > 0), "evaluation|sign"),
        (sp.And(p > -1, (a - b) ** 2 + 1 > 0), "evaluation|sign|each"),
        (sp.Q.positive(p * q), "assumptions"),
    ],
)
def test_true_statements_are_decided(statement, how):
    assert any(word in decide(statement) for word in how.split("|"))


@pytest.mark.parametrize(
    "statement",
    [
        sp.false,
        a > b,
        a**2 > 0,
        p > 1,
        p * q < 0,
        sp.Eq(a, b),
        sp.Ne(a, b),
        sp.Eq((a + b) ** 2, a**2 + b**2),
        sp.Equivalent(a > 0, b > 0),
        sp.Equivalent(a > 0, a >= 0),
        sp.Equivalent(a**2 > 1, a > 1),
        sp.Equivalent(p * (q - 1) >= 0, q > 1),
        sp.Equivalent(a * b > 0, b > 0),
        sp.Implies(a > 1, a > 2),
        sp.Implies(a**2 > 1, a > 1),
        sp.Or(a > 0, b > 0),
        sp.Ne(z**2 + 1, 0),
        sp.Implies(sp.Eq(z**4, 1), sp.Eq(z**2, 1)),
        sp.Q.positive(a),
        z,
    ],
)
def test_what_is_false_or_open_is_never_passed(statement):
    with pytest.raises(Undecided):
        decide(statement)


def test_assumptions_are_used_and_not_overstretched():
    assert decide(p * q > p, [q > 1])
    assert decide(a * b > 0, [a > 0, b > 0])
    assert decide(a**2 < a, [a > 0, a < 1])
    for given in ([q > 0], [q >= 1], [q < 2]):
        with pytest.raises(Undecided):
            decide(p * q > p, given)
    with pytest.raises(Undecided):
        decide(a * b > 0, [a > 0])


def test_steps_are_named_where_they_fail():
    assert settle({"one": p > -1, "two": [q + p > 0, lambda: sp.Eq(sp.sqrt(p**2), p)]})
    with pytest.raises(Undecided, match="two: step 1"):
        settle({"one": p > -1, "two": [a > b]})
