"""The moving average that a target network follows."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def follow(target: nn.Module, online: nn.Module, rate: float) -> None:
    """target <- rate * target + (1 - rate) * online, for weights, biases and buffers alike.

    Buffers that count (integers) are copied. Both networks must have the same entries.
    """
    mine, theirs = target.state_dict(keep_vars=True), online.state_dict(keep_vars=True)
    if mine.keys() != theirs.keys():
        raise ValueError(f"target and online differ in {sorted(mine.keys() ^ theirs.keys())}")
    follow_tensors(list(mine.values()), list(theirs.values()), rate)


@torch.no_grad()
def follow_tensors(target: list[torch.Tensor], online: list[torch.Tensor], rate: float) -> None:
    """The same for two lists of tensors in the same order (what a training loop prepares once)."""
    floats = [(t, o) for t, o in zip(target, online, strict=True) if t.is_floating_point()]
    counts = [(t, o) for t, o in zip(target, online, strict=True) if not t.is_floating_point()]
    if floats:
        torch._foreach_lerp_([t for t, _ in floats], [o for _, o in floats], 1 - rate)
    for t, o in counts:
        t.copy_(o)
