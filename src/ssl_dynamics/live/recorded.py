"""What widgets draw of a record: means and intervals over seeds, rounded for the page."""

from __future__ import annotations

from ssl_dynamics.records import Record
from ssl_dynamics.records.intervals import student_t


def course(record: Record, key: str, digits: int = 4) -> list[list[float]]:
    """[mean, half width of the 95 % interval] of a metric [S, T] at each of its T places."""
    found = [student_t(record[key][:, at]) for at in range(record[key].shape[1])]
    return [[round(i.mean, digits), round((i.high - i.low) / 2, digits)] for i in found]
