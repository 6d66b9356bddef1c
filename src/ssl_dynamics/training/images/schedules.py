"""Schedules of the papers: numbers as functions of the step, 0 at the start and `steps` at the end.

Linear warm-up (Goyal et al. 2017) and half a cosine (Loshchilov and Hutter 2017) for the learning
rate. The rate of an EMA target is its method's own matter (`methods.target`).
"""

from __future__ import annotations

import math


def warmup_cosine(step: int, steps: int, warmup: int = 0) -> float:
    """Factor of the learning rate at `step` of 0 ... steps - 1.

    (step + 1) / warmup while warming up, then (1 + cos) / 2 from 1 down to 0 at `steps`.
    """
    if not (0 <= warmup <= steps and 0 <= step <= steps):
        raise ValueError(
            f"step, steps, warmup: got {step}, {steps}, {warmup}; "
            "allowed: 0 <= step <= steps and 0 <= warmup <= steps"
        )
    if step < warmup:
        return (step + 1) / warmup
    return half_cosine((step - warmup) / max(1, steps - warmup))


def half_cosine(progress: float) -> float:
    """(1 + cos(pi progress)) / 2: 1 at the start, 0 at the end."""
    return (1 + math.cos(math.pi * progress)) / 2
