"""The claims files: every fault is refused with the file, the claim and the field."""

from __future__ import annotations

import pytest

from ssl_dynamics.evidence import ClaimError, load_claims
from ssl_dynamics.evidence.claims import KINDS
from ssl_dynamics.evidence.predicates import Predicate
from ssl_dynamics.records import Interval

GOOD = """
[[claim]]
slug = "toy"
row = "B8"
title = "Toy"
statement = "Text."
source = "someone2020"
chapters = ["part/toy"]
[[claim.part]]
id = "one"
sentence = "A sentence."
evidence = ["prove", "check", "observe"]
tolerance = 1e-12
predicate = "between 0.9 1.1"
"""


def test_a_good_file_is_read(write_claims):
    claim = load_claims(write_claims(GOOD))["toy"]
    part = claim.parts[0]
    assert part.ref == "toy/one"
    assert part.anchor("check") == "evidence-toy-one-check"
    assert str(part.predicate) == "mean between 0.9 and 1.1"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('slug = "toy"', "", "slug is missing"),
        ('slug = "toy"', 'slug = "Toy one"', "slug must be"),
        ('slug = "toy"', "slug = 3", "slug = 3"),
        ('row = "B8"', 'row = "8"', "row = '8'"),
        ('title = "Toy"', 'title = " "', "title"),
        ('title = "Toy"', 'title = "Toy"\ncolour = "red"', "unknown key 'colour'"),
        ('source = "someone2020"', "", "source is missing"),
        ('["part/toy"]', '["part/other"]', "unknown chapter"),
        ('["part/toy"]', '["part/toy", "a b"]', "'a b' is not of the form"),
        ('["part/toy"]', "[]", "chapters"),
        ('id = "one"', 'id = "One!"', "id must be"),
        ('"prove", "check", "observe"', '"prove", "guess"', "unknown evidence kind 'guess'"),
        ('"prove", "check", "observe"', '"prove", "prove"', "evidence"),
        ('"prove", "check", "observe"', "", "evidence"),
        ('"prove", "check", "observe"', '"prove", "observe"', "tolerance is given"),
        ("tolerance = 1e-12", "", "tolerance is missing"),
        ("tolerance = 1e-12", "tolerance = 0", "tolerance = 0"),
        ("tolerance = 1e-12", "tolerance = 0.5", "tolerance = 0.5"),
        ("tolerance = 1e-12", "tolerance = true", "tolerance = True"),
        ('predicate = "between 0.9 1.1"', "", "predicate is missing"),
        ('predicate = "between 0.9 1.1"', 'predicate = "about 1"', "allowed"),
        ('predicate = "between 0.9 1.1"', 'predicate = "> 1"\nfraction = 1', "fraction = 1"),
        ('"between 0.9 1.1"', '"> 1"\nrestated = ""', "restated = ''"),
        ('"between 0.9 1.1"', '"> 1"\nrestated = true', "restated = True"),
        (
            '"prove", "check", "observe"]\ntolerance = 1e-12\npredicate = "between 0.9 1.1"',
            '"prove"]\nrestated = "first > 4"',
            "restated is given",
        ),
        ("[[claim.part]]", "[claim.part]", "part"),
        ("[[claim]]", "[[claims]]", "only"),
        ('row = "B8"', "row = B8", "toy.toml"),
    ],
)
def test_every_fault_is_named(write_claims, old, new, reason):
    assert old in GOOD
    with pytest.raises(ClaimError, match=r"toy\.toml") as caught:
        load_claims(write_claims(GOOD.replace(old, new)))
    assert reason in str(caught.value)


def test_duplicates_are_refused(write_claims):
    part = GOOD[GOOD.index("[[claim.part]]") :]
    with pytest.raises(ClaimError, match="part id 'one' is used twice"):
        load_claims(write_claims(GOOD + part))
    folder = write_claims(GOOD)
    write_claims(GOOD.replace("part/toy", "part/more"), "more.toml")
    with pytest.raises(ClaimError, match="slug 'toy' is used twice"):
        load_claims(folder)


def test_two_parts_never_share_an_anchor(write_claims):
    text = GOOD.replace('id = "one"', 'id = "a-b"')
    folder = write_claims(text)
    write_claims(
        text.replace("part/toy", "part/more").replace('"toy"', '"toy-a"').replace('"a-b"', '"b"'),
        "more.toml",
    )
    with pytest.raises(ClaimError, match="share the anchor"):
        load_claims(folder)


def test_a_changed_file_is_read_again_and_changes_the_fingerprint(write_claims):
    before = load_claims(write_claims(GOOD))["toy"].parts[0].fingerprint
    after = load_claims(write_claims(GOOD.replace("1e-12", "1e-9")))["toy"].parts[0].fingerprint
    assert before != after
    same = '"between 0.9 1.1"\nrestated = "first > 4"'
    later = load_claims(write_claims(GOOD.replace('"between 0.9 1.1"', same)))["toy"].parts[0]
    assert later.fingerprint != before
    assert later.restated == "first > 4"


def test_the_books_claims_are_valid():
    claims = load_claims()
    assert claims
    assert {kind for c in claims.values() for p in c.parts for kind in p.evidence} <= set(KINDS)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("mean > 0.5", (0.6, 0.9), (0.4, 0.9)),
        ("< -1e-3", (-2.0, -0.1), (-2.0, 0.0)),
        (">= 0", (0.0, 1.0), (-1e-9, 1.0)),
        ("<= 1", (0.0, 1.0), (0.0, 1.1)),
        ("between 0.9 1.1", (0.95, 1.05), (0.95, 1.2)),
        ("mean between 0.9 and 1.1", (0.95, 1.05), (0.8, 1.05)),
    ],
)
def test_predicates_hold_at_the_bad_end(text, inside, outside):
    predicate = Predicate.parse(text)
    assert Predicate.parse(str(predicate)) == predicate
    for (low, high), holds in ((inside, True), (outside, False)):
        interval = Interval((low + high) / 2, low, high, 5)
        assert predicate.holds_throughout(interval) is holds


@pytest.mark.parametrize(
    "text", ["", "0.5", "> ", "> a", "> 1 2", "= 1", "between 1", "between 2 1", "> nan", "> inf"]
)
def test_other_predicates_are_refused(text):
    with pytest.raises(ValueError, match="allowed"):
        Predicate.parse(text)
