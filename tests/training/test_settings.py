"""Checks of settings: what passes, what is refused, and what the refusal says."""

import re
from types import SimpleNamespace

import pytest

from ssl_dynamics.training import settings

NAN, INF = float("nan"), float("inf")
CONFIG = SimpleNamespace(
    one=1, two=2, six=6, seven=7, zero=0, negative=-0.5, half=0.5, nan=NAN, inf=INF
)

PASSED = [
    (settings.require, (True, "two", 2, "two")),
    (settings.one_of, ("loss", "byol", ("byol", "infonce"))),
    (settings.some_of, ("losses", ("byol",), {"byol": 1, "infonce": 2})),
    (settings.at_least, (CONFIG, 2, "two", "six")),
    (settings.not_negative, (CONFIG, "zero", "half")),
    (settings.positive, (CONFIG, "half", "one")),
    (settings.multiple, (CONFIG, "six", "two")),
    (settings.multiple, (CONFIG, "six", "six")),
    (settings.divisor, (CONFIG, "two", "six")),
]
REFUSED = [
    (settings.require, (False, "two", 2, "three"), "two: got 2; allowed: three"),
    (settings.one_of, ("loss", "l1", ("byol", "infonce")), "loss: got 'l1'; allowed: byol, inf"),
    (settings.some_of, ("kinds", (), ("a", "b")), "kinds: got (); allowed: one or more of a, b"),
    (settings.some_of, ("kinds", ("a", "c"), ("a", "b")), "kinds: got ('a', 'c'); allowed: one"),
    (settings.at_least, (CONFIG, 2, "six", "one"), "one: got 1; allowed: at least 2"),
    (settings.at_least, (CONFIG, 1, "nan"), "nan: got nan; allowed: at least 1"),
    (settings.at_least, (CONFIG, 1, "inf"), "inf: got inf; allowed: at least 1"),
    (settings.not_negative, (CONFIG, "negative"), "negative: got -0.5; allowed: a finite number"),
    (settings.not_negative, (CONFIG, "nan"), "nan: got nan; allowed: a finite number of at least"),
    (settings.positive, (CONFIG, "zero"), "zero: got 0; allowed: a finite number above 0"),
    (settings.positive, (CONFIG, "inf"), "inf: got inf; allowed: a finite number above 0"),
    (settings.multiple, (CONFIG, "seven", "two"), "seven: got 7; allowed: a multiple of two=2"),
    (settings.multiple, (CONFIG, "zero", "two"), "zero: got 0; allowed: a multiple of two=2"),
    (settings.multiple, (CONFIG, "six", "zero"), "zero: got 0; allowed: at least 1"),
    (settings.divisor, (CONFIG, "two", "seven"), "two: got 2; allowed: a divisor of seven=7"),
    (settings.divisor, (CONFIG, "zero", "six"), "zero: got 0; allowed: a divisor of six=6"),
]


@pytest.mark.parametrize(("check", "arguments"), PASSED)
def test_passes(check, arguments):
    check(*arguments)


@pytest.mark.parametrize(("check", "arguments", "message"), REFUSED)
def test_says_field_value_and_what_is_allowed(check, arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        check(*arguments)
