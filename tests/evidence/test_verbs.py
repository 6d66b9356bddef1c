"""Each verb passes on what it should and refuses, with the reason, what it should not."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
import sympy as sp
import torch

from ssl_dynamics.evidence import EvidenceError, check, observe, prove, refute
from ssl_dynamics.records import Record
from ssl_dynamics.symbolic import BatchSpace, ClosedForm, ZeroProof

pytestmark = pytest.mark.usefixtures("toy_claims")
a, b = sp.symbols("a b", real=True)
p, q = sp.symbols("p q", positive=True)
SQUARE = (a - b) ** 2
EXPANDED = a**2 - 2 * a * b + b**2
PART = "toy/square"


def draws(shift: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, k)) + shift for k in range(1, 9)]


def record(**metrics) -> Record:
    size = len(next(iter(metrics.values())))
    return Record(
        experiment="toy",
        name="run",
        config={},
        seeds=list(range(size)),
        metrics={key: np.asarray(value) for key, value in metrics.items()},
        axes={"step": [0, 10]},
        device="cpu",
        versions={},
        revision="unknown",
        wall_s=1.0,
        command="",
        created="",
    )


# --- prove


def test_prove_says_which_reduction_proved_it():
    evidence = prove(PART, SQUARE, EXPANDED)
    assert evidence.kind == "prove"
    assert dict(evidence.facts)["settled by"].startswith("expand")


def test_prove_takes_matrices_closed_forms_and_batch_vectors():
    assert prove(PART, sp.Matrix([[SQUARE, 0]]), sp.Matrix([[EXPANDED, 0]])).details["method"]
    form = ClosedForm("square", (a, b), EXPANDED, "the square", "nobody")
    assert prove(PART, SQUARE, form).details["method"]
    space = BatchSpace(["x"], sp.Symbol("B", positive=True))
    x = space.vector("x")
    assert prove(PART, x * SQUARE, x * EXPANDED).details["method"]
    with pytest.raises(EvidenceError, match="batch space"):
        prove(PART, x, BatchSpace(["x"], sp.Symbol("B", positive=True)).vector("x"))


def test_prove_uses_assumptions_and_shows_them():
    x = sp.Symbol("x", real=True)
    evidence = prove(PART, sp.sqrt(x**2), x, assumptions=[x > 0])
    assert dict(evidence.facts)["under"] == "$x > 0$"
    with pytest.raises(EvidenceError):
        prove(PART, sp.sqrt(x**2), x)


@pytest.mark.parametrize(
    ("lhs", "rhs", "reason"),
    [
        (SQUARE, SQUARE, "same object"),
        (SQUARE, (a - b) ** 2, "same object|equal before any work"),
        (sp.Matrix([SQUARE]), sp.Matrix([SQUARE]), "equal before any work"),
        (SQUARE, a**2, "the sides differ"),
        (sp.Matrix([SQUARE, 1]), sp.Matrix([EXPANDED, 2]), "the sides differ"),
        (a, 0.5, "no exact expression"),
        (a * 1.5, a, "not exact"),
        (a, "a", "no exact expression"),
        (a, a > b, "no exact expression"),
        (a, None, "no SymPy object"),
        (sp.Matrix([a]), a, "one side is a matrix"),
        (sp.Matrix([a]), sp.Matrix([a, a]), "shapes"),
    ],
)
def test_prove_refuses_sides(lhs, rhs, reason):
    with pytest.raises(EvidenceError, match=reason):
        prove(PART, lhs, rhs)


def test_prove_takes_an_argument_that_sympy_carries():
    assert prove(PART, holds=EXPANDED >= 0).details["method"]
    proof = ZeroProof("expand", "leaves 0")
    assert "identity" in prove(PART, holds=proof, because="the sides agree").details["method"]
    steps = {"limit": lambda: sp.Eq(sp.limit(sp.sin(a) / a, a, 0), 1), "slope": sp.diff(p**2) > 0}
    evidence = prove(PART, holds=steps, because="limit and slope")
    assert [label for label, _ in evidence.facts] == ["because", "limit", "slope"]


@pytest.mark.parametrize(
    ("holds", "because", "reason"),
    [
        (True, "it is so", "no statement"),
        (np.True_, "it is so", "no statement"),
        (lambda: True, "it is so", "no statement"),
        (sp.true, "", "because"),
        (lambda: EXPANDED >= 0, "", "because"),
        (ZeroProof("expand", "leaves 0"), "", "because"),
        (sp.false, "it is so", "false"),
        (a > b, "it is so", "decides"),
        ([], "it is so", "no step"),
        ({"first": EXPANDED >= 0, "second": a > b}, "it is so", "second"),
    ],
)
def test_prove_refuses_arguments(holds, because, reason):
    with pytest.raises(EvidenceError, match=reason):
        prove(PART, holds=holds, because=because)


def test_prove_takes_sides_or_an_argument():
    for arguments in ({}, {"lhs": a}, {"lhs": a, "rhs": b, "holds": EXPANDED >= 0}):
        with pytest.raises(EvidenceError, match="two sides, or holds"):
            prove(PART, **arguments)
    with pytest.raises(EvidenceError, match="no SymPy relation"):
        prove(PART, SQUARE, EXPANDED, assumptions=[True])


# --- check


def test_check_shows_only_the_bound_and_keeps_the_residuals():
    evidence = check(PART, draws(), draws(1e-14), varied="columns 1..8")
    assert "residual < 1e-12" in evidence.text
    assert len(evidence.metadata["residuals"]) == 8
    assert "e-14" not in evidence.text


def test_check_takes_tensors_numbers_and_complex_values():
    tensors = [torch.as_tensor(m).requires_grad_() for m in draws()]
    assert check(PART, tensors, draws(), varied="columns")
    numbers = [float(k) for k in range(8)]
    assert check(PART, numbers, list(range(8)), varied="size")
    assert check(PART, np.arange(8) * 1j, [1j * k for k in range(8)], varied="size")
    assert check(PART, [0.0] * 8, [0] * 8, varied="size")


@pytest.mark.parametrize(
    ("measured", "predicted", "reason"),
    [
        (draws()[:7], draws()[:7], "7 draws"),
        (draws(), draws()[:7], "predicted"),
        (draws(), draws(1e-11), "not below"),
        (draws(), [m[:1] for m in draws()], "shape"),
        ([m.astype(np.float32) for m in draws()], draws(), "float32"),
        ([m + np.nan for m in draws()], draws(), "not finite"),
        (draws(), [m + np.inf for m in draws()], "not finite"),
        ([1.5] * 8, [1.5] * 8, "alike"),
        ([1e-14 * k for k in range(8)], [2e-14 * k for k in range(8)], "twice as large"),
        (3.0, 3.0, "list with one entry per draw"),
        ([np.zeros(0)] * 8, [np.zeros(0)] * 8, "empty|same object"),
    ],
)
def test_check_refuses(measured, predicted, reason):
    with pytest.raises(EvidenceError, match=reason):
        check(PART, measured, predicted, varied="columns")


def test_check_refuses_one_route_passed_twice():
    one = draws()
    for other in (one, list(one), [m[:] for m in one], [torch.as_tensor(m) for m in one]):
        with pytest.raises(EvidenceError, match=r"same object|share memory"):
            check(PART, one, other, varied="columns")
    whole = np.arange(8.0)
    with pytest.raises(EvidenceError, match="share memory"):
        check(PART, whole, whole[:], varied="size")
    with pytest.raises(EvidenceError, match="varied"):
        check(PART, draws(), draws(1e-14), varied=" ")


# --- observe


def test_observe_shows_mean_interval_seeds_and_device():
    evidence = observe("toy/seen", record(x=[0.6, 0.61, 0.62, 0.6]), "x")
    facts = dict(evidence.facts)
    assert facts["mean"] == "0.6075"
    assert facts["95 % interval (Student-t)"] == "0.5923 to 0.6227"
    assert facts["seeds"] == "n = 4"
    assert facts["device"] == "cpu"
    assert facts["declared before the run"] == "mean > 0.5"
    assert "restated" not in facts


def test_observe_says_when_a_predicate_was_restated():
    evidence = observe("toy/changed", record(x=np.full(12, 3.0)), "x")
    facts = dict(evidence.facts)
    assert "declared before the run" not in facts
    assert facts["predicate"] == "mean > 2"
    assert facts["restated"] == "first declared as > 4; changed after a first look at three seeds"
    assert "changed after a first look" in evidence.text
    assert "changed after a first look" in evidence.html
    assert evidence.metadata["restated"] == facts["restated"]


def test_observe_takes_paired_differences_places_and_fractions():
    run = record(x=[2.0, 3.0, 4.1], y=[1.0, 2.0, 3.0], z=[[0.0, 1.0]] * 3)
    assert dict(observe("toy/seen", run, ("x", "y")).facts)["metric"] == "x minus y"
    assert dict(observe("toy/seen", run, "z").facts)["metric"] == "z at step 10"
    with pytest.raises(EvidenceError, match="bad end"):
        observe("toy/seen", run, "z", at=0)
    share = observe("toy/share", record(x=np.ones(12)), "x")
    assert "Wilson" in share.text
    with pytest.raises(EvidenceError, match="bad end"):
        observe("toy/share", record(x=np.ones(3)), "x")


@pytest.mark.parametrize(
    ("metrics", "metric", "reason"),
    [
        ({"x": [0.9, 0.9]}, "x", "2 seeds"),
        ({"x": [0.1, 0.9, 0.8]}, "x", "bad end"),
        ({"x": [0.9, np.nan, 0.8]}, "x", "not finite"),
        ({"x": [0.9, 0.9, 0.8]}, "y", "no metric 'y'"),
    ],
)
def test_observe_refuses(metrics, metric, reason):
    with pytest.raises(EvidenceError, match=reason):
        observe("toy/seen", record(**metrics), metric)


def test_observe_refuses_a_record_that_is_not_there():
    with pytest.raises(EvidenceError, match="no such record"):
        observe("toy/seen", "nothing/here", "x")


# --- refute


def test_refute_evaluates_the_violation_at_the_counter_example():
    text = refute("toy/zero", {a: 0, "note": 0.5}, a**2 <= 0).text
    assert "$a = 0$, note = 0.5" in text
    assert r"$a^{2} \leq 0$" in text
    assert refute("toy/zero", {"a": sp.Rational(0)}, a**2 <= 0, statement="squares are positive")
    assert refute("toy/zero", {"x": np.zeros(2)}, lambda point: point["x"].max() <= 0)


@pytest.mark.parametrize(
    ("point", "violates", "reason"),
    [
        ({a: 1}, a**2 <= 0, "does not violate"),
        ({a: 1}, lambda point: False, "does not violate"),
        ({a: 1}, True, "decided elsewhere"),
        ({a: 1}, sp.true, "decided elsewhere"),
        ({a: 1}, lambda point: 1.0, "no truth value"),
        ({a: 1}, b > 0, "not given: b"),
        ({a: 1}, (a > 0) & (b > 0), "not given: b"),
        ({}, a > 0, "non-empty"),
        ([1], a > 0, "non-empty"),
    ],
)
def test_refute_refuses(point, violates, reason):
    with pytest.raises(EvidenceError, match=reason):
        refute("toy/zero", point, violates)


# --- all of them


def test_unlisted_parts_and_kinds_are_refused():
    with pytest.raises(EvidenceError, match="no claim 'nothing'"):
        prove("nothing/here", SQUARE, EXPANDED)
    with pytest.raises(EvidenceError, match=r"no part 'toy/none'.*toy/square"):
        prove("toy/none", SQUARE, EXPANDED)
    with pytest.raises(EvidenceError, match="asks for refute"):
        prove("toy/zero", SQUARE, EXPANDED)


def test_both_forms_of_the_block_say_the_same():
    run = record(x=[0.6, 0.61, 0.62, 0.6])
    for evidence in (
        prove(PART, SQUARE, EXPANDED),
        check(PART, draws(), draws(1e-14), varied="columns 1..8, a < b & c"),
        observe("toy/seen", run, "x"),
        refute("toy/zero", {a: 0}, a**2 <= 0),
    ):
        words = unescape(re.sub(r"<[^>]+>", "", evidence.html))
        words = re.sub(r"\\\((.+?)\\\)", r"$\1$", words)
        assert words.split() == evidence.text.split()
        assert f'id="{evidence.anchor}"' in evidence.html
        assert not {"script", "style="} & set(re.findall(r"script|style=", evidence.html))
