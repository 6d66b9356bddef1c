"""The algebra of batch vectors for a symbolic batch size, against explicit vectors."""

import pytest
import sympy as sp

from ssl_dynamics.symbolic import BatchSpace, prove_zero

B = sp.Symbol("B", integer=True, positive=True)
t, k = sp.symbols("t k", real=True)


def explicit(space, vector, size, samples):
    """The vector of a batch with these samples: inner products and B take their values."""
    values = {space.size: sp.Integer(size)}
    names = [name for name in space.names if name != "1"]
    samples = {"1": sp.ones(size, 1), **samples}
    for i, first in enumerate(["1", *names]):
        for second in ["1", *names][i:]:
            product = space.inner(first, second)
            if product.is_Symbol:
                values[product] = (samples[first].T * samples[second])[0]
    total = sp.zeros(size, 1)
    for name in space.names:
        total += vector[name].subs(values) * samples[name]
    return total


def draws(size):
    return {
        "x": sp.Matrix([sp.Rational(i * i + 2, 3) for i in range(size)]),
        "g": sp.Matrix([sp.Rational((-1) ** i * (i + 1), 2) for i in range(size)]),
        "v": sp.Matrix([sp.Rational(5 - 2 * i, 7) for i in range(size)]),
    }


def test_the_ones_have_length_B():
    space = BatchSpace(("x",), B)
    assert space.one.dot(space.one) == B
    assert space.one.mean() == 1
    assert space.one.var() == 0
    assert not space.one.centred().simplify().coefficients


def test_centred_has_mean_zero_and_the_same_variance():
    space = BatchSpace(("x",), B)
    x = space.vector("x")
    prove_zero(x.centred().mean())
    prove_zero(x.centred().var() - x.var())
    prove_zero((k * x + t * space.one).var() - k**2 * x.var())


@pytest.mark.parametrize("size", [2, 3, 5])
def test_operations_agree_with_explicit_vectors(size):
    space, samples = BatchSpace(("x", "g", "v"), B), draws(size)
    x, g = space.vector("x"), space.vector("g")
    combined = 3 * x.centred() - g / 2 + space.one
    wanted = 3 * (samples["x"] - sp.ones(size, 1) * sum(samples["x"]) / size)
    wanted += sp.ones(size, 1) - samples["g"] / 2
    assert sp.simplify(explicit(space, combined, size, samples) - wanted) == sp.zeros(size, 1)


@pytest.mark.parametrize("size", [2, 3])
def test_adjoint_of_standardising_is_the_transposed_jacobian(size):
    space, samples = BatchSpace(("x", "g", "v"), B), draws(size)
    moved = space.vector("x") + t * space.vector("v")
    pushed = (moved.centred() / sp.sqrt(moved.var() + 1)).diff(t).subs(t, 0)
    pulled = space.representer(space.vector("g").dot(pushed), "v")

    entries = sp.Matrix(sp.symbols(f"z0:{size}"))
    mean = sum(entries) / size
    variance = sum((z - mean) ** 2 for z in entries) / size
    output = (entries - sp.ones(size, 1) * mean) / sp.sqrt(variance + 1)
    point = dict(zip(entries, samples["x"], strict=True))
    jacobian = output.jacobian(entries).subs(point)
    wanted = jacobian.T * samples["g"]
    assert sp.simplify(explicit(space, pulled, size, samples) - wanted) == sp.zeros(size, 1)


def test_given_inner_products_are_used():
    m, s = sp.symbols("m s", positive=True)
    space = BatchSpace(("x",), B, {("1", "x"): B * m, ("x", "x"): B * (m**2 + s**2)})
    assert space.vector("x").mean() == m
    prove_zero(space.vector("x").var() - s**2)


def test_what_is_not_linear_has_no_representer():
    space = BatchSpace(("x", "v"), B)
    v, x = space.vector("v"), space.vector("x")
    with pytest.raises(ValueError, match="not linear"):
        space.representer(x.dot(v) ** 2, "v")
    with pytest.raises(ValueError, match="not linear"):
        space.representer(x.dot(v) + 1, "v")
    with pytest.raises(ValueError, match="not linear"):
        space.representer(v.dot(v), "v")


def test_misuse_is_named():
    space, other = BatchSpace(("x",), B), BatchSpace(("x",), B)
    with pytest.raises(ValueError, match="no vector named 'y'"):
        space.vector("y")
    with pytest.raises(TypeError, match="same batch space"):
        space.one + other.one
    with pytest.raises(TypeError, match="not defined"):
        space.one * space.vector("x")
    with pytest.raises(ValueError, match="must differ"):
        BatchSpace(("x", "x"), B)
