"""The exact zero test: what it proves, what it refutes, and what it leaves undecided."""

import pytest
import sympy as sp

from ssl_dynamics.symbolic import NotProved, NotZero, prove_zero

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
n = sp.Symbol("n", integer=True)

IDENTITIES = {
    "expand": (x + y) ** 2 - x**2 - 2 * x * y - y**2,
    "quotient": (x**2 - 1) / (x - 1) - x - 1,
    "trigonometry": sp.sin(2 * x) - 2 * sp.sin(x) * sp.cos(x),
    "hyperbolic": sp.cosh(x) ** 2 - sp.sinh(x) ** 2 - 1,
    "root of a positive symbol": sp.sqrt(p**2) - p,
    "nested root": sp.sqrt(3 + 2 * sp.sqrt(2)) - 1 - sp.sqrt(2),
    "rational power": (p + 1) ** sp.Rational(3, 2) - (p + 1) * sp.sqrt(p + 1),
    "logarithm": sp.log(p**2) - 2 * sp.log(p),
    "half-angle": sp.tanh(x / 2) - (sp.exp(x) - 1) / (sp.exp(x) + 1),
    "integer parity": sp.cos(sp.pi * n) ** 2 - 1,
}


@pytest.mark.parametrize("expr", IDENTITIES.values(), ids=IDENTITIES)
def test_proves_an_identity_and_names_the_reduction(expr):
    proof = prove_zero(expr)
    assert proof.method
    assert len(proof.detail) > 10


def test_says_how_it_proved():
    assert prove_zero(IDENTITIES["expand"]).method == "expand"
    assert prove_zero(IDENTITIES["quotient"]).method == "common denominator"


@pytest.mark.parametrize("expr", [x - y, sp.sqrt(x**2) - x, sp.sin(x) - x, p - sp.Rational(1, 2)])
def test_refutes_with_an_exact_point_of_the_domain(expr):
    with pytest.raises(NotZero) as error:
        prove_zero(expr)
    value = expr.subs(error.value.point)
    assert abs(sp.N(value, 30)) > 0
    for symbol, number in error.value.point.items():
        assert number.is_Rational
        assert not symbol.is_positive or number > 0


def test_a_small_difference_is_not_zero():
    tiny = sp.Rational(1, 10**25)
    with pytest.raises(NotZero):
        prove_zero(sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1 + tiny)


def test_sampling_never_proves():
    s = sp.Symbol("s", real=True)
    vanishing = sp.Function("f")(s) - sp.Function("h")(s)
    with pytest.raises(NotProved, match="undecided"):
        prove_zero(vanishing)


@pytest.mark.parametrize(
    ("expr", "facts"),
    [
        (sp.sqrt(x**2) - x, (x > 0,)),
        (sp.sqrt(x**2) + x, (x < 0,)),
        (sp.Abs(x - 1) - x + 1, (x >= 1,)),
        (sp.Abs(x - y) - x + y, (x > y,)),
        (sp.sqrt(x**2) - x, (sp.Q.positive(x),)),
        (x**2 - 2 * x + 1, (sp.Eq(x, 1),)),
        (x / x - 1, (sp.Ne(x, 0),)),
    ],
)
def test_assumptions_decide(expr, facts):
    assert prove_zero(expr, assumptions=facts)


def test_assumptions_bound_the_samples():
    with pytest.raises(NotZero) as error:
        prove_zero(sp.Max(x, 3) - 3, assumptions=(x > 2,))
    assert error.value.point[x] > 2


def test_matrices_entry_by_entry():
    rotation = sp.Matrix([[sp.cos(x), -sp.sin(x)], [sp.sin(x), sp.cos(x)]])
    proof = prove_zero(rotation * rotation.T - sp.eye(2))
    assert "4 entries" in proof.detail
    with pytest.raises(NotZero):
        prove_zero(rotation - rotation.T)


def test_piecewise_branch_by_branch():
    split = sp.Piecewise((x, x > 0), (-x, True))
    assert "branches" in prove_zero(split - sp.Abs(x)).detail
    with pytest.raises(NotZero):
        prove_zero(split - x)


def test_what_is_no_expression_is_refused():
    with pytest.raises(TypeError, match="expression or a matrix"):
        prove_zero(x > 0)
