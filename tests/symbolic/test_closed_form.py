"""A closed form evaluates, prints, and yields wrong versions of itself."""

import numpy as np
import pytest
import sympy as sp
import torch

from ssl_dynamics.symbolic import ClosedForm, CodegenError, NotZero, mutations, prove_zero

a, b = sp.symbols("a b", real=True)
s = sp.Symbol("s", positive=True)


def form(expr, args=(a, b, s), name="form"):
    return ClosedForm(name, args, expr, "a statement", "a source")


def test_all_back_ends_and_the_exact_value():
    growth = form((a - b) / sp.sqrt(s))
    assert growth(3, 1, 4) == 1
    assert growth(a, 0, 4) == a / 2
    assert growth.numpy(3, 1, 4) == 1.0
    assert growth.torch(torch.tensor(3.0), 1, 4).item() == 1.0
    assert "Math.sqrt" in growth.javascript()
    assert growth.javascript("f").startswith("function f(a, b, s)")
    assert growth.latex() == sp.latex(growth.expr)


def test_substitution_is_simultaneous():
    assert form(a - b, (a, b))(b, a) == b - a


def test_matrices_are_frozen_and_keep_their_shape():
    pair = form(sp.Matrix([[a, 1], [b, s]]))
    assert isinstance(pair.expr, sp.ImmutableMatrix)
    assert pair.numpy(np.ones(3), 2, 3).shape == (3, 2, 2)
    assert hash(pair) == hash(form(sp.Matrix([[a, 1], [b, s]])))


def test_what_makes_no_closed_form():
    with pytest.raises(CodegenError, match="no arguments: b"):
        form(a * b, (a,))
    with pytest.raises(CodegenError, match="reserved word"):
        form(a, (a,), name="class")
    with pytest.raises(TypeError, match="expression or a matrix"):
        form(a > 0)
    with pytest.raises(ValueError, match="needs a source"):
        ClosedForm("form", (a,), a, "a statement", " ")
    with pytest.raises(TypeError, match=r"given 1 values, needs \(a, b, s\)"):
        form(a)(1)


@pytest.mark.parametrize(
    "expr",
    [
        a - b / s,
        sp.sqrt(s),
        a,
        sp.Integer(3),
        sp.exp(-s) * a**2,
        sp.Piecewise((a, b > 0), (a * s, True)),
        sp.Matrix([[a, 0], [b * s, 1]]),
    ],
    ids=str,
)
def test_every_mutation_is_another_function(expr):
    original = form(expr)
    wrong = mutations(original)
    assert len(wrong) >= (2 if expr == 3 else 3)
    assert len({version.expr for _, version in wrong}) == len(wrong)
    for description, version in wrong:
        assert description
        assert (version.name, version.args) == (original.name, original.args)
        with pytest.raises(NotZero):
            prove_zero(version.expr - original.expr)


def test_equivalent_changes_are_left_out():
    signs = sp.Symbol("n", integer=True, even=True)
    descriptions = [d for d, _ in mutations(form((-1) ** signs * a, (a, signs)))]
    assert not any("exponent + 1 on n" in d for d in descriptions)
    assert mutations(form(sp.Integer(0))) == []


def test_each_kind_of_change_occurs():
    descriptions = " | ".join(d for d, _ in mutations(form(a - b / s)))
    for kind in ("factor 2", "sign of the term", "exponent + 1"):
        assert kind in descriptions
