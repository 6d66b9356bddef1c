"""What the public code printed at the sizes of `experiments.students`, beside our seeds.

The two-layer and deep figures were measured with the public code of the papers, run as its
documentation says (one seed each, or a few); an epoch is counted when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ssl_dynamics.records import Record, prediction

PUBLISHED: Mapping[str, Mapping[tuple[str, int], tuple[float, ...]]] = {
    "5x-m10-p1": {
        ("loss", 0): (0.609443,),
        ("loss", 1): (1.773630e-02,),
        ("loss", 6): (3.875287e-04, 5.1e-05),
        ("loss", 21): (5.387233e-06,),
        ("loss", 51): (8.147344e-07,),
        ("loss", 100): (
            1.817232e-07, 8.18e-08, 7.73e-08, 7.41e-08, 1.01e-07, 5.63e-08, 3.76e-07, 3.87e-08,
        ),
        ("best/layer=1", 1): (0.7335,),
        ("best/layer=1", 6): (0.9865,),
        ("best/layer=1", 21): (0.9999,),
        ("best/layer=1", 51): (1.0,),
        ("best/layer=1", 100): (1.0,),
        ("covered/layer=1", 6): (0.9,),
        ("covered/layer=1", 100): (1.0,) * 8,
    },
    "10x-m20-p1": {
        ("loss", 0): (0.644865,),
        ("loss", 1): (2.172397e-02,),
        ("loss", 6): (6.160934e-04,),
        ("loss", 21): (2.636397e-05,),
        ("loss", 51): (5.009698e-06,),
        ("loss", 100): (1.390314e-06,),
        ("best/layer=1", 0): (0.2139,),
        ("best/layer=1", 1): (0.5592,),
        ("best/layer=1", 6): (0.9835,),
        ("best/layer=1", 21): (0.9995,),
        ("best/layer=1", 51): (0.9999,),
        ("best/layer=1", 100): (1.0,),
        ("covered/layer=1", 6): (17 / 20,),
        ("covered/layer=1", 100): (1.0,),
    },
    "10x-m20-p2.5": {
        ("loss", 0): (0.401917,),
        ("loss", 1): (2.044063e-03,),
        ("loss", 6): (1.323440e-04,),
        ("loss", 21): (2.612233e-05,),
        ("loss", 51): (7.705263e-06,),
        ("loss", 100): (2.962194e-06, 2.94e-06, 3.30e-06, 4.80e-06),
        ("best/layer=1", 1): (0.2437,),
        ("best/layer=1", 6): (0.3645,),
        ("best/layer=1", 21): (0.4673,),
        ("best/layer=1", 51): (0.5853,),
        ("best/layer=1", 100): (0.6626, 0.6671, 0.6313, 0.5927),
        ("covered/layer=1", 6): (4 / 20,),
        ("covered/layer=1", 100): (10 / 20, 9 / 20, 9 / 20, 9 / 20),
    },
    "1x-m10-p1": {
        ("loss", 0): (0.609203,),
        ("loss", 1): (4.027210e-02,),
        ("loss", 6): (5.209845e-03,),
        ("loss", 21): (5.047227e-03,),
        ("loss", 51): (4.974307e-03,),
        ("loss", 100): (2.250604e-03,),
        ("best/layer=1", 1): (0.5274,),
        ("best/layer=1", 6): (0.8302,),
        ("best/layer=1", 21): (0.8304,),
        ("best/layer=1", 51): (0.8358,),
        ("best/layer=1", 100): (0.9126,),
        ("covered/layer=1", 6): (8 / 10,),
        ("covered/layer=1", 100): (9 / 10,),
    },
    "deep": {
        (f"best/layer={layer}", epoch): (value,)
        for epoch, row in enumerate(
            (
                (0.9246, 0.7240, 0.7459, 0.6057),
                (0.9879, 0.7654, 0.7695, 0.6366),
                (0.9967, 0.8040, 0.7676, 0.6480),
                (0.9985, 0.8306, 0.7746, 0.6870),
                (0.9990, 0.8713, 0.7907, 0.6407),
                (0.9993, 0.8738, 0.8151, 0.7017),
            ),
            1,
        )
        for layer, value in enumerate(row, 1)
    }
    | {("loss", 6): (0.0277,)},
    "large": {
        (f"best/layer={layer}", epoch): (value,)
        for epoch, row in enumerate(
            (
                (0.562, 0.404, 0.330, 0.278),
                (0.691, 0.576, 0.545, 0.528),
                (0.756, 0.587, 0.555, 0.557),
                (0.795, 0.596, 0.559, 0.588),
            )
        )
        for layer, value in enumerate(row, 1)
    }
    | {
        ("loss", epoch): (value,)
        for epoch, value in enumerate((1.02716, 0.260427, 0.211178, 0.179637))
    },
}  # fmt: skip
"""Record name -> (metric, epoch) -> what the public code printed, one figure per seed of its own;
"large" is the balanced protocol."""


@dataclass(frozen=True)
class Comparison:
    """One published figure beside the seeds of a record."""

    metric: str
    epoch: int
    figure: float
    low: float
    """Smallest of our seeds."""
    median: float
    high: float
    """Largest of our seeds."""
    in_range: bool
    """Between them, when ours are rounded as the figure was printed."""
    expected: bool
    """Between them, or in the 99.9 % prediction interval for one more seed."""


def compared(record: Record) -> list[Comparison]:
    """Every published figure of a record with two or more seeds as one more draw."""
    rows = []
    for (metric, epoch), figures in PUBLISHED[record.name].items():
        if epoch not in record.axes["epoch"]:
            continue
        ours = record.values(metric, record.axes["epoch"].index(epoch)).astype(float)
        scale = np.log10 if metric == "loss" else np.asarray
        interval = prediction(scale(ours), 1, 0.999)
        for figure in figures:
            place = float(scale(figure))
            half = 0.005 if metric == "loss" else 5e-5  # what rounding of the figure can hide
            in_range = scale(ours).min() - half <= place <= scale(ours).max() + half
            expected = in_range or interval.low - half <= place <= interval.high + half
            rows.append(
                Comparison(
                    metric, epoch, figure,
                    float(ours.min()), float(np.median(ours)), float(ours.max()),
                    bool(in_range), bool(expected),
                )
            )  # fmt: skip
    return rows
