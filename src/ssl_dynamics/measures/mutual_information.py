r"""Mutual information of inputs and representations, in nats: exact on a finite set, and estimated.

Exact: `cell_entropy` of a discrete representation, and `noisy_information` of one with Gaussian
noise, for inputs that are N equally likely ones. Estimated: three bounds from the values of a
critic, and `Mine`, which trains the critic. Every function has seeds as its first axis and gives
one number a seed. None of the bounds says how far it is from the truth.

Sources: Donsker and Varadhan's bound as in Belghazi and others (2018); InfoNCE of van den Oord and
others (2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ssl_dynamics.networks import mlp

AT_ONCE = 2**23
"""Squared distances held at one time."""


def cell_entropy(cells: Tensor) -> Tensor:
    """Entropy of N equally likely rows of integers, which may repeat: [S, N, k] -> [S].

    The information that a discrete representation, or a binned one, holds about which of N inputs
    it came from; log N if all rows differ.
    """
    found = []
    for rows in cells:
        counts = torch.unique(rows, dim=0, return_counts=True)[1].double()
        found.append(torch.special.entr(counts / len(rows)).sum())
    return torch.stack(found)


def in_bins(z: Tensor, width: float | Tensor) -> Tensor:
    """The number of the bin of every coordinate; bins of this width begin at zero."""
    return (z / width).floor().to(torch.int64)


def noisy_information(
    z: Tensor, noise: Tensor, deviation: float | Tensor, group: int = 1
) -> tuple[Tensor, Tensor]:
    r"""I(X; Z + noise) and its part I(group; Z + noise), for X one of N inputs: [S, N, d] -> 2 [S].

    Inputs stand in groups of `group` rows one after the other (the views of an image). `noise`
    [S, N, d] is standard normal, one draw an input; `deviation` (a number, or [S]) multiplies it.
    The values are means over these draws of the logarithm of a ratio of normal densities, without
    bias; by the chain rule, their difference is the information on the input within its group.
    """
    count = z.shape[-2]
    if noise.shape != z.shape:
        raise ValueError(f"noise: got {tuple(noise.shape)}; allowed: {tuple(z.shape)}")
    if count % group:
        raise ValueError(f"group: got {group}; allowed: a divisor of N={count}")
    scale = torch.as_tensor(deviation, dtype=torch.float64, device=z.device).reshape(-1, 1, 1)
    points = z.double() / scale
    seen = points + noise.double()
    own = -noise.double().square().sum(-1) / 2  # log density of the true input, but for a constant
    whole, within = [], []
    rows = max(1, AT_ONCE // (len(z) * count) // group) * group
    for first in range(0, count, rows):
        some = seen[:, first : first + rows]
        logs = -torch.cdist(some, points).square() / 2
        whole.append(logs.logsumexp(-1))
        within.append(_of_own_group(logs, first, group).logsumexp(-1))
    mixed = torch.cat(whole, -1) - math.log(count)
    grouped = torch.cat(within, -1) - math.log(group)
    return (own - mixed).mean(-1), (grouped - mixed).mean(-1)


def _of_own_group(logs: Tensor, first: int, group: int) -> Tensor:
    """The entries [S, n, group] of rows first, first + 1, ... that belong to their own group."""
    rows = torch.arange(logs.shape[-2], device=logs.device)
    start = (first + rows) // group * group
    columns = start.unsqueeze(-1) + torch.arange(group, device=logs.device)
    return logs.gather(-1, columns.expand(*logs.shape[:-1], -1))


def donsker_varadhan(together: Tensor, apart: Tensor) -> Tensor:
    """mean T over pairs - log mean e^T over independent ones: [S, n], [S, m] -> [S].

    In expectation over fresh pairs it lies above the bound of the critic, by Jensen's inequality;
    that bound is at most the information.
    """
    return together.mean(-1) - apart.logsumexp(-1) + math.log(apart.shape[-1])


def info_nce_bound(scores: Tensor) -> Tensor:
    """log n minus the InfoNCE loss of a critic's table T(x_i, z_j): [S, n, n] -> [S].

    At most log n for every table; its expectation over fresh pairs is at most the information.
    """
    matched = scores.diagonal(dim1=-2, dim2=-1)
    return (matched - scores.logsumexp(-1)).mean(-1) + math.log(scores.shape[-1])


class Mine:
    """A critic T(x, z) for every seed, trained to raise the Donsker-Varadhan bound (MINE).

    A network with two hidden layers of `width` reads x and z side by side. The gradient of the
    logarithm is taken with a moving average of the mean of e^T in its denominator, which lessens
    the bias of small batches; `average` is the share kept. Adam, one rate for all seeds.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        inputs: int,
        *,
        width: int = 64,
        lr: float = 1e-3,
        average: float = 0.99,
        purpose: str = "mine",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        if not 0 <= average < 1:
            raise ValueError(f"average: got {average}; allowed: 0 up to, not including, 1")
        self.critic = mlp(seeds, (inputs, width, width, 1), purpose=purpose, dtype=dtype).to(device)
        self.average = average
        self._optimiser = torch.optim.Adam(self.critic.parameters(), lr=lr)
        self._log_mean: Tensor | None = None

    def scores(self, x: Tensor, z: Tensor) -> Tensor:
        """T for pairs [S, n, p], [S, n, d] -> [S, n]."""
        return self.critic(torch.cat([x, z], -1)).squeeze(-1)

    def step(self, x: Tensor, z: Tensor, other: Tensor) -> Tensor:
        """One step on pairs (x, z) and independent pairs (x, other); the batch's bound [S]."""
        together, apart = self.scores(x, z), self.scores(x, other)
        now = apart.detach().logsumexp(-1) - math.log(apart.shape[-1])
        if self._log_mean is None:
            self._log_mean = now
        elif self.average:
            kept = self._log_mean + math.log(self.average)
            self._log_mean = torch.logaddexp(kept, now + math.log1p(-self.average))
        else:
            self._log_mean = now
        weights = (apart.detach() - self._log_mean.unsqueeze(-1)).exp()
        loss = (weights * apart).mean(-1) - together.mean(-1)
        self._optimiser.zero_grad()
        loss.sum().backward()
        self._optimiser.step()
        return donsker_varadhan(together.detach(), apart.detach())

    @torch.no_grad()
    def value(self, x: Tensor, z: Tensor, shifts: int = 8) -> Tensor:
        """The bound on pairs [S, n, ...], with z moved on by 1 to `shifts` rows as independent."""
        if not 1 <= shifts < z.shape[-2]:
            raise ValueError(f"shifts: got {shifts}; allowed: 1 to {z.shape[-2] - 1}")
        apart = [self.scores(x, z.roll(k, -2)) for k in range(1, shifts + 1)]
        return donsker_varadhan(self.scores(x, z), torch.cat(apart, -1))
