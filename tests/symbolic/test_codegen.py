"""One expression, three back ends: the same numbers, gradients, and clear refusals."""

import json
import subprocess

import numpy as np
import pytest
import sympy as sp
import torch

from ssl_dynamics.symbolic import CodegenError, to_javascript, to_numpy, to_torch

a, b = sp.symbols("a b", real=True)
s = sp.Symbol("s", positive=True)
ARGS = (a, b, s)

EXPRESSIONS = {
    "rational": (a**2 / 3 - 7 * b) / (s + 1) ** 3 - sp.Rational(22, 7),
    "roots": sp.sqrt(a**2 + s) + s ** sp.Rational(-1, 2) + s ** sp.Rational(2, 3) - 1 / s**2,
    "constants": sp.pi * a + sp.E + sp.sqrt(2) * b - sp.GoldenRatio,
    "exponential": sp.exp(-(a**2) / 2) + sp.log(s) + 2**a + s**b,
    "trigonometry": sp.sin(a) * sp.cos(b) + sp.tan(a / 9) + sp.atan2(a, s) + sp.atan(b),
    "inverse": sp.asin(a / 10) + sp.acos(b / 10) + sp.asinh(a) + sp.acosh(s + 2) + sp.atanh(b / 10),
    "hyperbolic": sp.tanh(a) + sp.sinh(b) + sp.cosh(a),
    "kinks": sp.Abs(a) + sp.sign(b) + sp.Min(a, b, 1) + sp.Max(s, b) + sp.floor(a) + sp.ceiling(b),
    "pieces": sp.Piecewise((sp.log(a), a > 0), (sp.sqrt(-a), a < -1), (b / 2, True)) * s,
    "logic": sp.Piecewise((1, (a > 0) & (b > 0)), (s, (a < -1) | (b < -1)), (sp.pi, True)),
    "equality": sp.Piecewise((a, sp.Ne(a, b)), (s, True)),
    "constant": sp.Rational(1, 3),
    "matrix": sp.Matrix([[a / s, sp.pi], [sp.exp(b), sp.Max(a, b)], [0, a * b * s]]),
}  # fmt: skip


def points(count=20):
    rng = np.random.default_rng(5)
    return rng.normal(size=count) * 2, rng.normal(size=count) * 2, rng.uniform(0.1, 3, size=count)


def exact(expr, values):
    """SymPy's own evaluation to 30 digits at each point."""
    rows = []
    for point in zip(*values, strict=True):
        at = expr.subs(dict(zip(ARGS, map(sp.Float, point), strict=True)))
        entries = list(at) if isinstance(at, sp.MatrixBase) else [at]
        rows.append([float(sp.N(e, 30)) for e in entries])
    return np.array(rows)


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_numpy_and_torch_agree_with_sympy(expr):
    values = points()
    wanted = exact(expr, values)
    from_numpy = to_numpy(expr, ARGS)(*values)
    from_torch = to_torch(expr, ARGS)(*map(torch.tensor, values))
    assert from_torch.dtype == torch.float64
    for found in (from_numpy, from_torch.numpy()):
        np.testing.assert_allclose(
            found.reshape(len(values[0]), -1), wanted, rtol=1e-12, atol=1e-12
        )


def test_javascript_agrees_with_sympy(need):
    node, values = need("node"), points()
    texts = [to_javascript(e, ARGS, f"form_{k}") for k, e in enumerate(EXPRESSIONS.values())]
    calls = ", ".join(f"form_{k}(...p)" for k in range(len(texts)))
    data = json.dumps(list(zip(*(v.tolist() for v in values), strict=True)))
    script = '"use strict";\n' + "\n".join(texts)
    script += f"\nconsole.log(JSON.stringify({data}.map(p => [{calls}])));"
    done = subprocess.run(
        [node, "-"], input=script, capture_output=True, text=True, timeout=60, check=True
    )
    results = json.loads(done.stdout)
    for k, expr in enumerate(EXPRESSIONS.values()):
        found = np.array([np.ravel(row[k]) for row in results])
        np.testing.assert_allclose(found, exact(expr, values), rtol=1e-12, atol=1e-12)


def test_javascript_is_one_plain_function_that_shares_work():
    shared = sp.sqrt(a**2 + s)
    text = to_javascript(shared + sp.sin(shared) + 1 / shared, ARGS, "growth")
    assert text.startswith("function growth(a, b, s) {\n")
    assert text.count("Math.sqrt") == 1
    assert text.endswith("}")


def test_torch_differentiates_batched_tensors():
    expr = sp.exp(a) * sp.sqrt(s) + sp.Abs(b)
    tensors = [torch.tensor(v).reshape(4, 5).requires_grad_() for v in points()]
    to_torch(expr, ARGS)(*tensors).sum().backward()
    for symbol, tensor in zip(ARGS, tensors, strict=True):
        wanted = to_numpy(sp.diff(expr, symbol), ARGS)(*(t.detach().numpy() for t in tensors))
        np.testing.assert_allclose(tensor.grad.numpy(), wanted, rtol=1e-12, atol=1e-12)


def test_torch_gradients_stay_finite_where_another_branch_is_singular():
    x = torch.tensor([-1.0, 0.0, 4.0], dtype=torch.float64, requires_grad=True)
    to_torch(sp.Piecewise((sp.sqrt(a), a > 0), (0, True)), (a,))(x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.25]


def test_arguments_broadcast_and_matrices_come_last():
    matrix = EXPRESSIONS["matrix"]
    assert to_numpy(matrix, ARGS)(np.ones((5, 1)), np.ones(4), 2.0).shape == (5, 4, 3, 2)
    assert to_torch(matrix, ARGS)(torch.ones(5, 1), torch.ones(4), 2.0).shape == (5, 4, 3, 2)
    assert to_numpy(sp.Integer(2), ARGS)(np.ones(3), 1, 1).tolist() == [2.0, 2.0, 2.0]


def test_whole_numbers_are_taken_as_floats():
    assert to_numpy(1 / a, (a,))(2) == 0.5
    assert to_numpy(a**-2, (a,))(np.array([2, 4])).tolist() == [0.25, 0.0625]
    assert to_torch(1 / a, (a,))(torch.tensor([2, 4])).tolist() == [0.5, 0.25]


def test_torch_keeps_the_dtype_of_the_tensors():
    assert to_torch(a + s / 3, (a, s))(torch.ones(2), 1.5).dtype == torch.float32


def test_wrong_number_of_values():
    with pytest.raises(TypeError, match=r"given 1 values, needs 3: \(a, b, s\)"):
        to_numpy(a, ARGS)(1.0)


BACK_ENDS = {
    "numpy": to_numpy,
    "torch": to_torch,
    "javascript": lambda expr, args: to_javascript(expr, args, "form"),
}


@pytest.mark.parametrize("back_end", BACK_ENDS.values(), ids=BACK_ENDS)
@pytest.mark.parametrize("word", ["lambda", "function", "new", "var", "import", "Math", "eval"])
def test_reserved_words_are_refused(back_end, word):
    with pytest.raises(CodegenError, match=f"'{word}' is a reserved word"):
        back_end(sp.Symbol(word), (sp.Symbol(word),))


@pytest.mark.parametrize("back_end", BACK_ENDS.values(), ids=BACK_ENDS)
def test_bad_names_symbols_and_functions_are_refused(back_end):
    with pytest.raises(CodegenError, match="plain identifier"):
        back_end(sp.Symbol(r"\mu"), (sp.Symbol(r"\mu"),))
    with pytest.raises(CodegenError, match="free symbols that are no arguments: b, s"):
        back_end(a + b * s, (a,))
    with pytest.raises(CodegenError, match="given twice: a"):
        back_end(a, (a, sp.Symbol("a", positive=True)))
    with pytest.raises(CodegenError, match="gamma is not supported"):
        back_end(sp.gamma(a), (a,))
    with pytest.raises(CodegenError, match="f is not supported"):
        back_end(sp.Function("f")(a), (a,))
    with pytest.raises(CodegenError, match="no finite real number"):
        back_end(a + sp.I, (a,))
    with pytest.raises(CodegenError, match="must be SymPy symbols"):
        back_end(a, ("a",))


@pytest.mark.parametrize("name", ["delete", "2x", "a"])
def test_bad_function_names_are_refused(name):
    with pytest.raises(CodegenError, match=f"{name!r}"):
        to_javascript(a + b, (a, b), name)
