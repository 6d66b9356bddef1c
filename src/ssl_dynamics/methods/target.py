"""The target network: a copy without gradient that follows the online one."""

from __future__ import annotations

import copy
import math

from torch import nn

from ssl_dynamics.networks.norm import BatchNorm


def target_of(network: nn.Module) -> nn.Module:
    """A copy that takes no gradient and whose running averages move only by `follow`.

    It normalises with the statistics of its own batch, in training mode, as the online one does.
    """
    twin = copy.deepcopy(network).requires_grad_(False)
    for part in twin.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.momentum = 0.0
        elif isinstance(part, BatchNorm):
            part.rate = 0.0
    return twin


def target_rate(step: int, steps: int, start: float, end: float) -> float:
    """The EMA rate after step `step` of `steps`: a half cosine from `start` up to `end`.

    gamma = end - (end - start) (cos(pi step / steps) + 1) / 2, with end = 1 in Grill and others
    (2020), section 3.3.
    """
    return end - (end - start) * (math.cos(math.pi * step / max(steps, 1)) + 1) / 2
