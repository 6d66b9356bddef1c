"""The four verbs that settle a claim: prove, check, observe, refute.

Each settles one part of a claim (`"slug/part-id"`), shows one block in a notebook and returns the
Evidence; when it does not hold it raises EvidenceError and shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean, BooleanAtom

from ssl_dynamics.evidence.claims import ClaimError, Part, find_part
from ssl_dynamics.evidence.decide import Undecided
from ssl_dynamics.evidence.display import Evidence, show
from ssl_dynamics.evidence.draws import compare
from ssl_dynamics.evidence.exact import argument, assumed, identity
from ssl_dynamics.records import Record, RecordError, load

LEAST_SEEDS = 3
_MISSING = object()


class EvidenceError(Exception):
    """The evidence does not hold, or it is not of the kind the claim demands."""


def prove(
    part: str,
    lhs: Any = _MISSING,
    rhs: Any = _MISSING,
    *,
    holds: Any = _MISSING,
    because: str = "",
    assumptions: Iterable[Boolean] = (),
) -> Evidence:
    """Settle a part exactly: an identity `lhs = rhs`, or an argument that `holds`.

    Identity: both sides are SymPy expressions, matrices of one shape, closed forms or batch
    vectors, without floating-point numbers. It is refused when the sides are one object or equal
    before any work; `prove_zero` must then reduce their difference to 0.

    Argument: `holds` is a SymPy relation or Boolean, which is decided here by exact reductions
    (module `decide`); or a function without arguments that carries the argument out when called
    and returns such statements; or named steps `{"sign at 0": …, "monotone": …}` of these. A
    statement that SymPy has already evaluated to true, a ZeroProof, a function and named steps
    need `because`, the argument in one sentence. A Python `True` is refused: what was computed
    elsewhere cannot be seen here. `assumptions` are SymPy relations or `Q` predicates.
    """
    claim_part = _listed(part, "prove")
    sides = (lhs is not _MISSING) + (rhs is not _MISSING)
    if sides + 2 * (holds is not _MISSING) != 2:
        raise EvidenceError(f"prove {part}: give two sides, or holds=…, and not both")
    try:
        given = assumed(assumptions)
        facts = identity(lhs, rhs, given) if sides else argument(holds, because, given)
    except Undecided as error:
        raise EvidenceError(f"prove {part}: {error}") from None
    method = "; ".join(how for label, how in facts if label != "shown")
    if given:
        facts.insert(0, ("under", ", ".join(f"${sp.latex(fact)}$" for fact in given)))
    if because.strip():
        facts.insert(0, ("because", because.strip()))
    return _emit(claim_part, "prove", facts, {"method": method})


def check(
    part: str,
    measured: Sequence[Any],
    predicted: Sequence[Any],
    *,
    varied: str,
) -> Evidence:
    """Settle a part by two independent routes in float64, on 8 or more random draws.

    `measured[i]` and `predicted[i]` are numbers, arrays or tensors of one shape, in float64 or
    complex128. The residual of a draw is `max|m - p| / max(1, max|p|)` and must stay below
    the tolerance the claims file declares. `varied` says what changed from draw to draw. Refused:
    fewer draws, values that are not finite or of lower precision, one object or one memory passed
    as both routes, draws that are all alike, and predictions so small (but not zero) that twice
    the prediction would pass as well.
    """
    claim_part = _listed(part, "check")
    if not varied.strip():
        raise EvidenceError(f"check {part}: varied must say what changed from draw to draw")
    tolerance = claim_part.bound
    try:
        residuals = compare(measured, predicted, tolerance)
    except ValueError as error:
        raise EvidenceError(f"check {part}: {error}") from None
    worst = int(np.argmax(residuals))
    if not residuals[worst] < tolerance:
        raise EvidenceError(
            f"check {part}: residual {residuals[worst]:.3g} in draw {worst} is not below the "
            f"declared tolerance {tolerance:g}"
        )
    facts = [
        ("bound", f"residual < {tolerance:g}"),
        ("draws", f"{len(residuals)}"),
        ("varied", varied.strip()),
    ]
    details = {"tolerance": tolerance, "residuals": [float(r) for r in residuals]}
    return _emit(claim_part, "check", facts, details)


def observe(
    part: str,
    record: Record | str,
    metric: str | tuple[str, str],
    *,
    at: int = -1,
) -> Evidence:
    """Settle a part by an experiment over 3 or more seeds.

    `metric` names a metric [S] or [S, T] of the record (then taken at index `at`), or a pair whose
    difference, seed by seed, is meant. The predicate declared in the claims file must hold at both
    ends, and so at the bad end, of the 95 % Student-t interval over seeds (Wilson's interval for a
    part with `fraction = true`). A part whose predicate was `restated` after a first look says so.
    """
    claim_part = _listed(part, "observe")
    try:
        record = load(record) if isinstance(record, str) else record
        metric = tuple(metric) if isinstance(metric, list) else metric
        if len(record.seeds) < LEAST_SEEDS:
            raise EvidenceError(
                f"observe {part}: {len(record.seeds)} seeds; allowed: {LEAST_SEEDS} or more"
            )
        interval = record.interval(metric, at, fraction=claim_part.fraction)
    except RecordError as error:
        raise EvidenceError(f"observe {part}: {error}") from None
    predicate = claim_part.expected
    if not predicate.holds_throughout(interval):
        raise EvidenceError(
            f"observe {part}: {_metric_name(metric)} is {interval}; "
            f"the declared predicate is '{predicate}' and fails at the interval's bad end"
        )
    kind = "Wilson" if claim_part.fraction else "Student-t"
    facts = [
        ("record", f"{record.experiment}/{record.name}"),
        ("metric", _metric_name(metric) + _place(record, metric, at)),
        ("mean", _signed(interval.mean)),
        (f"95 % interval ({kind})", f"{_signed(interval.low)} to {_signed(interval.high)}"),
        ("seeds", f"n = {interval.n}"),
        ("device", record.device),
        ("predicate" if claim_part.restated else "declared before the run", str(predicate)),
    ]
    details = {
        "record": f"{record.experiment}/{record.name}",
        "metric": list(metric) if isinstance(metric, tuple) else metric,
        "at": at,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "device": record.device,
        "revision": record.revision,
        "predicate": str(predicate),
    }
    if claim_part.restated:
        facts.append(("restated", claim_part.restated))
        details["restated"] = claim_part.restated
    return _emit(claim_part, "observe", facts, details)


def refute(
    part: str,
    counterexample: Mapping[Any, Any],
    violates: Boolean | Callable[[Mapping[Any, Any]], Any],
    *,
    statement: str = "",
) -> Evidence:
    """Settle a part by a concrete counter-example to a statement as it is commonly made.

    `violates` says when the statement is violated, and is evaluated here at the counter-example:
    a SymPy relation or Boolean in the counter-example's symbols, or a function of the mapping that
    returns a truth value. `statement` is the statement refuted; without it the claim's own.
    """
    claim_part = _listed(part, "refute")
    if not isinstance(counterexample, Mapping) or not counterexample:
        raise EvidenceError(f"refute {part}: the counter-example must be a non-empty mapping")
    if isinstance(violates, Boolean) and not isinstance(violates, BooleanAtom):
        how, answer = f"${sp.latex(violates)}$", _at_point(part, violates, counterexample)
    elif callable(violates):
        how, answer = (violates.__doc__ or "").strip().partition("\n")[0], violates(counterexample)
    else:
        raise EvidenceError(
            f"refute {part}: violates = {violates!r} was decided elsewhere; pass a SymPy relation "
            "in the counter-example's symbols or a function of the counter-example"
        )
    if not isinstance(answer, bool | np.bool_ | BooleanAtom):
        raise EvidenceError(f"refute {part}: violates gave {answer!r}, which is no truth value")
    if not bool(answer):
        raise EvidenceError(f"refute {part}: the counter-example does not violate the statement")
    claim, _ = find_part(part)
    facts = [
        ("statement", statement.strip() or claim.statement),
        ("counter-example", ", ".join(_equation(k, v) for k, v in counterexample.items())),
    ]
    if how:
        facts.append(("violated, since", how))
    details = {"counterexample": {str(k): _plain(v, 17) for k, v in counterexample.items()}}
    return _emit(claim_part, "refute", facts, details)


def _listed(ref: str, kind: str) -> Part:
    try:
        _, part = find_part(ref)
    except ClaimError as error:
        raise EvidenceError(f"{kind}: {error}") from None
    if kind not in part.evidence:
        raise EvidenceError(
            f"{kind} {ref}: the claims file asks for {', '.join(part.evidence)} here; list "
            f"{kind!r} there first"
        )
    return part


def _emit(part: Part, kind: str, facts: list[tuple[str, str]], details: dict) -> Evidence:
    anchor = part.anchor(kind)
    return show(
        Evidence(kind, part.ref, part.sentence, anchor, part.fingerprint, tuple(facts), details)
    )


def _at_point(part: str, violates: Boolean, point: Mapping[Any, Any]) -> Any:
    by_name = {str(key): value for key, value in point.items()}
    free = sorted(violates.free_symbols, key=str)
    missing = [str(symbol) for symbol in free if str(symbol) not in by_name]
    if missing or not free:
        raise EvidenceError(
            f"refute {part}: {violates} must be a statement about the counter-example's symbols; "
            f"not given: {', '.join(missing) or 'it has no symbol'}"
        )
    return violates.subs({s: sp.sympify(by_name[str(s)]) for s in free}, simultaneous=True)


def _metric_name(metric: str | tuple[str, str]) -> str:
    return metric if isinstance(metric, str) else f"{metric[0]} minus {metric[1]}"


def _place(record: Record, metric: str | tuple[str, str], at: int) -> str:
    value = record[metric if isinstance(metric, str) else metric[0]]
    if value.ndim == 1:
        return ""
    for name, axis in record.axes.items():
        if len(axis) == value.shape[1]:
            # the steps at which probes were taken are steps
            unit = "step" if name == "probe" else name.removeprefix("probe_")
            return f" at {unit} {_plain(axis[at])}"
    return ""


def _equation(name: Any, value: Any) -> str:
    if isinstance(name, sp.Basic) and isinstance(value, sp.Basic | int):
        return f"${sp.latex(name)} = {sp.latex(value)}$"
    return f"{name} = {_plain(value)}"


def _signed(value: float) -> str:
    """Four significant digits, with a true minus sign."""
    return f"{value:.4g}".replace("-", "−", 1) if value < 0 else f"{value:.4g}"


def _plain(value: Any, digits: int = 6) -> str:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(item, digits) for item in value) + "]"
    return str(value)
