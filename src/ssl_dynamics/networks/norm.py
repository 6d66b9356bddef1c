"""Batch normalisation in nine variants: what is done with the mean, what with the deviation.

The mean is subtracted ("normal"), subtracted as a constant that sends no gradient ("detach"),
or left alone ("omit"); the standard deviation likewise divides, divides as a constant, or does
not. The deviation is always the one about the batch mean, with the biased variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ssl_dynamics.networks.kernels import standardise_by_hand

Use = Literal["normal", "detach", "omit"]


class Variant(NamedTuple):
    """What a normalisation does with the batch mean and with the batch deviation."""

    mean: Use
    std: Use


VARIANTS: dict[str, Variant] = {
    "mu+sigma": Variant("normal", "normal"),
    "mu+sigma(det)": Variant("normal", "detach"),
    "mu": Variant("normal", "omit"),
    "mu(det)+sigma": Variant("detach", "normal"),
    "mu(det)+sigma(det)": Variant("detach", "detach"),
    "mu(det)": Variant("detach", "omit"),
    "sigma": Variant("omit", "normal"),
    "sigma(det)": Variant("omit", "detach"),
    "none": Variant("omit", "omit"),
}


def variant(name: str) -> Variant:
    """The variant of that name; an unknown name is refused with the list of the nine."""
    if name not in VARIANTS:
        raise ValueError(f"unknown normalisation {name!r}; allowed: {', '.join(VARIANTS)}")
    return VARIANTS[name]


def standardise(
    x: Tensor, kind: Variant, eps: float = 0.0, *, among: Tensor | None = None
) -> Tensor:
    """Normalise over the batch axis: [..., B, d] -> [..., B, d], differentiated by autograd.

    With `among` [..., B', d] the statistics are those of a larger batch that x is part of.
    """
    y, among = x, x if among is None else among
    if kind.mean != "omit":
        mu = among.mean(-2, keepdim=True)
        y = y - (mu.detach() if kind.mean == "detach" else mu)
    if kind.std != "omit":
        sigma = (among.var(-2, keepdim=True, correction=0) + eps).sqrt()
        y = y / (sigma.detach() if kind.std == "detach" else sigma)
    return y


class BatchNorm(nn.Module):
    """One of the nine variants for activations [S, ..., B, d].

    `affine` adds a gain and an offset per seed and feature. `running=True` keeps running
    averages of mean and (unbiased) variance, [S, d], as `torch.nn.BatchNorm1d` does, and uses
    them in evaluation mode; otherwise batch statistics are used in both modes.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        features: int,
        kind: str | Variant = "mu+sigma",
        *,
        affine: bool = False,
        eps: float = 1e-5,
        running: bool = False,
        rate: float = 0.1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.kind = variant(kind) if isinstance(kind, str) else kind
        self.eps, self.rate, self.running = eps, rate, running
        shape = (len(seeds), features)
        self.gain = nn.Parameter(torch.ones(shape, dtype=dtype)) if affine else None
        self.offset = nn.Parameter(torch.zeros(shape, dtype=dtype)) if affine else None
        if running:
            self.register_buffer("running_mean", torch.zeros(shape, dtype=dtype))
            self.register_buffer("running_var", torch.ones(shape, dtype=dtype))
        self.population: tuple[Tensor, Tensor] | None = None
        self._recording = False

    def forward(self, x: Tensor) -> Tensor:
        if self._recording:
            self.population = (_flat(x).mean(1), _flat(x).var(1, correction=0))
        if self.population is not None:
            y = self._given(x, *self.population)
        elif self.running and not self.training:
            y = self._given(x, self.running_mean, self.running_var)
        else:
            y = self._batch(x)
        if self.gain is not None:
            y = y * _beside(self.gain, x) + _beside(self.offset, x)
        return y

    def _batch(self, x: Tensor) -> Tensor:
        """Normalise with the statistics of the batch, and let the running averages follow."""
        if self.running:
            self._track(x)
        return standardise_by_hand(x, self.kind.mean, self.kind.std, self.eps)

    def _given(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        """Normalise with given statistics [S, d] instead of those of the batch."""
        if self.kind.mean != "omit":
            x = x - _beside(mean, x)
        if self.kind.std != "omit":
            x = x / (_beside(var, x) + self.eps).sqrt()
        return x

    @torch.no_grad()
    def _track(self, x: Tensor) -> None:
        """Move the running averages; several batches of a seed count as their average."""
        between = tuple(range(1, x.dim() - 2))
        mean, var = x.mean(-2), x.var(-2)
        if between:
            mean, var = mean.mean(between), var.mean(between)
        self.running_mean.lerp_(mean, self.rate)
        self.running_var.lerp_(var, self.rate)

    def extra_repr(self) -> str:
        return f"mean={self.kind.mean}, std={self.kind.std}, eps={self.eps}"


@contextmanager
def population_statistics(network: nn.Module, images: Tensor) -> Iterator[None]:
    """Inside, every norm of `network` uses the statistics of `images` [S, N, d], not its batch's.

    This is how a trained network is evaluated: exact statistics of the training images, free of
    the momentum of running averages.
    """
    norms = [m for m in network.modules() if isinstance(m, BatchNorm)]
    try:
        for norm in norms:
            norm._recording = True
        with torch.no_grad():
            network(images)
        for norm in norms:
            norm._recording = False
        yield
    finally:
        for norm in norms:
            norm._recording, norm.population = False, None


@contextmanager
def averages_at(network: nn.Module, rate: float) -> Iterator[None]:
    """Inside, the running averages of all BatchNorm layers, torch's too, move at `rate`.

    0 leaves them as they are; 1 makes them the statistics of the batch that went through last.
    """
    names = {BatchNorm: "rate", nn.modules.batchnorm._BatchNorm: "momentum"}
    parts = [
        (part, name)
        for part in network.modules()
        for k, name in names.items()
        if isinstance(part, k)
    ]
    before = [getattr(part, name) for part, name in parts]
    try:
        for part, name in parts:
            setattr(part, name, rate)
        yield
    finally:
        for (part, name), was in zip(parts, before, strict=True):
            setattr(part, name, was)


def _flat(x: Tensor) -> Tensor:
    return x.flatten(1, -2)


def _beside(statistic: Tensor, x: Tensor) -> Tensor:
    """[S, d] -> [S, 1, ..., 1, d], to broadcast against x."""
    seeds, features = statistic.shape
    return statistic.view(seeds, *(1,) * (x.dim() - 2), features)
