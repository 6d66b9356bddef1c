"""Recorded runs: a plain dataclass, its file format, and intervals over seeds.

A leaf: imports nothing else of the package.
"""

from ssl_dynamics.records.files import (
    check_free,
    check_writable,
    load,
    record_path,
    results_folder,
    save,
    save_somewhere,
)
from ssl_dynamics.records.intervals import LEVEL, Interval, prediction, student_t, wilson
from ssl_dynamics.records.record import SCHEMA, Record, RecordError

__all__ = [
    "LEVEL",
    "SCHEMA",
    "Interval",
    "Record",
    "RecordError",
    "check_free",
    "check_writable",
    "load",
    "prediction",
    "record_path",
    "results_folder",
    "save",
    "save_somewhere",
    "student_t",
    "wilson",
]
