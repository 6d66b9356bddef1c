"""Vectors over a batch of any size, by their inner products alone.

A vector over the batch has one number per sample. Statements about centring and scaling never
look at single samples: they need only sums and inner products. So a vector is kept here as a
combination of named ones, and the batch size ``B`` stays a symbol. What is proved is proved for
every ``B``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

ONE = "1"


class BatchSpace:
    """Named vectors over a batch of symbolic size, with their Gram matrix.

    ``names`` are the free vectors; the all-ones vector is always there. ``inner`` gives known
    inner products, for example ``{("1", "x"): B * mu}``; every other one is a fresh real symbol.
    """

    def __init__(
        self,
        names: Iterable[str],
        size: sp.Symbol,
        inner: Mapping[tuple[str, str], sp.Expr] | None = None,
    ) -> None:
        self.size = size
        self.names: tuple[str, ...] = (ONE, *names)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"vector names must differ, given {self.names}")
        self._gram: dict[frozenset[str], sp.Expr] = {frozenset((ONE,)): sp.sympify(size)}
        for (first, second), value in (inner or {}).items():
            self._known(first, second)
            self._gram[frozenset((first, second))] = sp.sympify(value)
        for i, first in enumerate(self.names):
            for second in self.names[i:]:
                symbol = sp.Symbol(rf"\langle {first}, {second}\rangle", real=True)
                self._gram.setdefault(frozenset((first, second)), symbol)

    def _known(self, *names: str) -> None:
        for name in names:
            if name not in self.names:
                raise ValueError(f"no vector named {name!r}; this space has {self.names}")

    def inner(self, first: str, second: str) -> sp.Expr:
        """The inner product of two named vectors."""
        self._known(first, second)
        return self._gram[frozenset((first, second))]

    def vector(self, name: str) -> BatchVector:
        """A named vector."""
        self._known(name)
        return BatchVector(self, {name: sp.Integer(1)})

    @property
    def one(self) -> BatchVector:
        """The vector with a one for every sample."""
        return self.vector(ONE)

    @property
    def zero(self) -> BatchVector:
        """The zero vector."""
        return BatchVector(self, {})

    def representer(self, functional: sp.Expr, name: str) -> BatchVector:
        """The vector ``u`` with ``<u, v> = functional`` for the free vector ``v = name``.

        The functional must be linear in the inner products of ``v`` with the other vectors, and
        those must be free symbols. This is how an adjoint is read off: ``<g, J v> = <J^T g, v>``.
        """
        products = {other: self.inner(other, name) for other in self.names if other != name}
        if any(not p.is_Symbol for p in products.values()):
            raise ValueError(f"the inner products of {name!r} must be free symbols")
        expanded = sp.expand(functional)
        parts = {other: sp.diff(expanded, product) for other, product in products.items()}
        rest = expanded - sum(parts[o] * products[o] for o in parts)
        tangled = any(part.has(*products.values()) for part in parts.values())
        if tangled or sp.simplify(rest) != 0 or expanded.has(self.inner(name, name)):
            raise ValueError(f"the functional is not linear in {name!r}: {functional}")
        return BatchVector(self, parts)


@dataclass(frozen=True)
class BatchVector:
    """A combination of the named vectors of a space with SymPy coefficients."""

    space: BatchSpace
    coefficients: Mapping[str, sp.Expr]

    def __post_init__(self) -> None:
        kept = {
            name: sp.sympify(self.coefficients[name])
            for name in self.space.names
            if self.coefficients.get(name, 0) != 0
        }
        object.__setattr__(self, "coefficients", kept)

    def __getitem__(self, name: str) -> sp.Expr:
        self.space._known(name)
        return self.coefficients.get(name, sp.Integer(0))

    def _combined(self, other: BatchVector, sign: int) -> BatchVector:
        if not isinstance(other, BatchVector) or other.space is not self.space:
            raise TypeError("only vectors of the same batch space can be added")
        names = self.space.names
        return BatchVector(self.space, {n: self[n] + sign * other[n] for n in names})

    def __add__(self, other: BatchVector) -> BatchVector:
        return self._combined(other, 1)

    def __sub__(self, other: BatchVector) -> BatchVector:
        return self._combined(other, -1)

    def __neg__(self) -> BatchVector:
        return self * -1

    def __mul__(self, scalar: sp.Expr | int) -> BatchVector:
        if isinstance(scalar, BatchVector):
            raise TypeError("a product of two batch vectors is not defined; use .dot")
        return self.map(lambda c: c * scalar)

    __rmul__ = __mul__

    def __truediv__(self, scalar: sp.Expr | int) -> BatchVector:
        return self.map(lambda c: c / scalar)

    def map(self, function: Callable[[sp.Expr], sp.Expr]) -> BatchVector:
        """Apply a function to every coefficient."""
        return BatchVector(self.space, {n: function(c) for n, c in self.coefficients.items()})

    def dot(self, other: BatchVector) -> sp.Expr:
        """Inner product: the sum over the batch of the products."""
        if not isinstance(other, BatchVector) or other.space is not self.space:
            raise TypeError("only vectors of the same batch space have an inner product")
        return sp.Add(
            *(
                c * d * self.space.inner(n, m)
                for n, c in self.coefficients.items()
                for m, d in other.coefficients.items()
            )
        )

    def mean(self) -> sp.Expr:
        """Batch mean."""
        return self.dot(self.space.one) / self.space.size

    def centred(self) -> BatchVector:
        """The vector minus its batch mean."""
        return self - self.mean() * self.space.one

    def var(self) -> sp.Expr:
        """Biased batch variance: the mean square of the centred vector."""
        centred = self.centred()
        return sp.expand(centred.dot(centred)) / self.space.size

    def diff(self, symbol: sp.Symbol) -> BatchVector:
        """Derivative of the coefficients; the named vectors are constant."""
        return self.map(lambda c: sp.diff(c, symbol))

    def subs(self, *args: object) -> BatchVector:
        """Substitute in every coefficient."""
        return self.map(lambda c: c.subs(*args))

    def simplify(self) -> BatchVector:
        """Simplify every coefficient."""
        return self.map(sp.simplify)
