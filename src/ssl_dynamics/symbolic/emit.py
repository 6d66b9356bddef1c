"""Write one SymPy expression as source text of a target language, or refuse with a clear error."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.relational import Relational


class CodegenError(ValueError):
    """An expression or a name that cannot be turned into code; the message says what is allowed."""


_FUNCTIONS = (
    "exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sign floor ceiling "
    "Abs sqrt Min Max atan2"
)
_COMMON = _FUNCTIONS.split()


@dataclass(frozen=True, eq=False)
class Dialect:
    """Spelling of one target: function names, power, comparison and logic."""

    name: str
    functions: Mapping[str, str]
    power: str  # format with {base} and {exponent}
    logic: tuple[str, str, str]  # and, or, not
    equal: tuple[str, str]  # ==, !=
    pi: str


NUMPY = Dialect(
    "NumPy",
    {f: f"xp.{f}" for f in _COMMON}
    | {"asin": "xp.arcsin", "acos": "xp.arccos", "atan": "xp.arctan", "atan2": "xp.arctan2"}
    | {"asinh": "xp.arcsinh", "acosh": "xp.arccosh", "atanh": "xp.arctanh"}
    | {"Abs": "xp.abs", "ceiling": "xp.ceil", "Min": "xp.minimum", "Max": "xp.maximum"},
    "({base})**({exponent})",
    (" & ", " | ", "~"),
    ("==", "!="),
    repr(float(sp.pi)),
)
TORCH = Dialect(
    "torch",
    {f: f"xp.{f}" for f in _COMMON}
    | {"Abs": "xp.abs", "ceiling": "xp.ceil", "Min": "xp.minimum", "Max": "xp.maximum"},
    "({base})**({exponent})",
    (" & ", " | ", "~"),
    ("==", "!="),
    repr(float(sp.pi)),
)
JAVASCRIPT = Dialect(
    "JavaScript",
    {f: f"Math.{f}" for f in _COMMON}
    | {"Abs": "Math.abs", "ceiling": "Math.ceil", "Min": "Math.min", "Max": "Math.max"},
    "Math.pow({base}, {exponent})",
    (" && ", " || ", "!"),
    ("===", "!=="),
    "Math.PI",
)

_WORDS = """
    abstract arguments await boolean break byte case catch char class const continue debugger
    default delete do double else enum eval export extends false final finally float for function
    goto if implements import in instanceof int interface let long native new null package private
    protected public return short static super switch synchronized this throw throws transient true
    try typeof undefined var void volatile while with yield async of NaN Infinity Math Number
    Array Object globalThis window document xp select lift generated"""
_RESERVED = frozenset(_WORDS.split())
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def check_name(name: str, what: str) -> str:
    """Return ``name`` if it is a plain identifier and no reserved word of Python or JavaScript."""
    if not _IDENTIFIER.match(name):
        raise CodegenError(
            f"{what} {name!r} is no plain identifier; allowed: ASCII letters, digits, underscore"
        )
    if keyword.iskeyword(name) or name in _RESERVED:
        raise CodegenError(
            f"{what} {name!r} is a reserved word of Python or JavaScript; rename it, "
            f"for example {name + '_'!r}"
        )
    return name


def check_arguments(expr: sp.Basic, args: Sequence[sp.Symbol]) -> tuple[sp.Symbol, ...]:
    """Refuse arguments that are no symbols, repeat, or leave a free symbol uncovered."""
    for arg in args:
        if not isinstance(arg, sp.Symbol):
            raise CodegenError(f"arguments must be SymPy symbols, given {arg!r}")
        check_name(arg.name, "argument")
    names = [arg.name for arg in args]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise CodegenError(f"argument name given twice: {', '.join(twice)}")
    missing = sorted(s.name for s in expr.free_symbols - set(args))
    if missing:
        raise CodegenError(
            f"free symbols that are no arguments: {', '.join(missing)}; arguments are "
            f"({', '.join(names)}). Symbols of one name with other assumptions are other symbols."
        )
    return tuple(args)


def number(value: sp.Expr, dialect: Dialect) -> str:
    """A constant: integers as they are, the rest rounded once to double precision."""
    if value == sp.pi:
        return dialect.pi
    if value.is_Integer and abs(int(value)) < 2**53:
        return str(int(value)) if value >= 0 else f"({int(value)})"
    if value.is_real is not True or value.is_finite is not True:
        raise CodegenError(f"the constant {value} is no finite real number")
    text = repr(float(sp.N(value, 30)))
    return text if value >= 0 else f"({text})"


def emit(expr: sp.Basic, dialect: Dialect) -> str:
    """Source text of a scalar expression or condition in the given dialect."""
    if expr in (sp.true, sp.false):
        return str(bool(expr)) if dialect is not JAVASCRIPT else str(bool(expr)).lower()
    if isinstance(expr, sp.Symbol):
        return expr.name
    if isinstance(expr, Relational):
        sign = {"==": dialect.equal[0], "!=": dialect.equal[1]}.get(expr.rel_op, expr.rel_op)
        return f"({emit(expr.lhs, dialect)} {sign} {emit(expr.rhs, dialect)})"
    if isinstance(expr, sp.And | sp.Or):
        joiner = dialect.logic[0 if isinstance(expr, sp.And) else 1]
        return "(" + joiner.join(emit(a, dialect) for a in expr.args) + ")"
    if isinstance(expr, sp.Not):
        return f"({dialect.logic[2]}{emit(expr.args[0], dialect)})"
    if isinstance(expr, sp.Expr) and not expr.free_symbols:
        if not expr.is_number:
            raise CodegenError(f"{expr} is no number that {dialect.name} code can hold")
        return number(expr, dialect)
    if isinstance(expr, sp.Add):
        return "(" + " + ".join(emit(a, dialect) for a in expr.args) + ")"
    if isinstance(expr, sp.Mul):
        return _product(expr, dialect)
    if isinstance(expr, sp.Pow):
        return _power(expr.base, expr.exp, dialect)
    if isinstance(expr, sp.Piecewise):
        return _pieces(expr, dialect)
    if isinstance(expr, sp.Min | sp.Max):
        return _nested(dialect.functions[type(expr).__name__], expr.args, dialect)
    name = type(expr).__name__
    if isinstance(expr, sp.Function) and name in dialect.functions:
        inner = ", ".join(emit(a, dialect) for a in expr.args)
        return f"{dialect.functions[name]}({inner})"
    raise CodegenError(
        f"{name} is not supported in {dialect.name} code (in {str(expr)[:80]}); supported: sums, "
        f"products, powers, Piecewise, {', '.join(sorted(_COMMON))}"
    )


def _product(expr: sp.Mul, dialect: Dialect) -> str:
    above, below = [], []
    for factor in expr.args:
        if isinstance(factor, sp.Rational) and not factor.is_Integer:
            above.append(number(sp.Integer(factor.p), dialect))
            below.append(number(sp.Integer(factor.q), dialect))
        elif isinstance(factor, sp.Pow) and factor.exp.is_number and factor.exp.is_negative:
            below.append(_power(factor.base, -factor.exp, dialect))
        else:
            above.append(emit(factor, dialect))
    if above and above[0] == "1" and len(above) > 1:
        above = above[1:]
    text = " * ".join(above) or "1"
    return f"({text} / ({' * '.join(below)}))" if below else f"({text})"


def _power(base: sp.Expr, exponent: sp.Expr, dialect: Dialect) -> str:
    inner = emit(base, dialect)
    if exponent == 1:
        return inner
    if exponent.is_number and exponent.is_negative:
        return f"(1 / {_power(base, -exponent, dialect)})"
    if exponent == sp.Rational(1, 2):
        return f"{dialect.functions['sqrt']}({inner})"
    if exponent.is_Integer and exponent <= 4 and isinstance(base, sp.Symbol):
        return "(" + " * ".join([inner] * int(exponent)) + ")"
    return dialect.power.format(base=inner, exponent=emit(exponent, dialect))


def _nested(function: str, args: Sequence[sp.Expr], dialect: Dialect) -> str:
    if dialect is JAVASCRIPT:
        return f"{function}({', '.join(emit(a, dialect) for a in args)})"
    texts = [f"lift({emit(a, dialect)})" if not a.free_symbols else emit(a, dialect) for a in args]
    text = texts[0]
    for other in texts[1:]:
        text = f"{function}({text}, {other})"
    return text


def _pieces(expr: sp.Piecewise, dialect: Dialect) -> str:
    if dialect is JAVASCRIPT:
        text = "NaN"
        for value, condition in reversed(expr.args):
            if condition == sp.true:
                text = emit(value, dialect)
                continue
            text = f"({emit(condition, dialect)} ? {emit(value, dialect)} : {text})"
        return text
    names = sorted(s.name for s in expr.free_symbols)
    params = ", ".join(names)
    pairs = ", ".join(
        f"(lambda {params}: {emit(c, dialect)}, lambda {params}: {emit(v, dialect)})"
        for v, c in expr.args
    )
    return f"select([{pairs}], [{params}])"
