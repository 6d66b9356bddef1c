"""Several processes on one batch: the loss and the gradients of one process.

`torchrun` starts the processes; each encodes its part of the images. What looks at the whole batch
is made to: the methods gather their outputs where the loss compares images (`Method.use_gather`,
also for the nine norms of the heads), and torch's BatchNorm layers become `SyncedBatchNorm`, which
adds its sums over the processes, on CPU and GPU alike (`torch.nn.SyncBatchNorm` is made for
accelerators). Every such sum differentiates to a sum, so a process ends up with the gradient of
the sum of all processes' losses in its own copy of the weights, and the mean over processes is the
gradient of the loss of the whole batch.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ssl_dynamics.methods import Method
from ssl_dynamics.training.shard import world


def part(batch: int) -> slice:
    """The rows of a batch that this process encodes; ValueError when they do not come out even."""
    rank, processes = world()
    if batch % processes:
        raise ValueError(
            f"batch: got {batch} for {processes} processes; allowed: a multiple of {processes}"
        )
    size = batch // processes
    return slice(rank * size, (rank + 1) * size)


class _Sum(torch.autograd.Function):
    """The sum over processes of equal shapes; its derivative is the sum of the gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.clone()
        dist.all_reduce(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,) = gradients
        g = g.clone()
        dist.all_reduce(g)
        return g


class _Gather(torch.autograd.Function):
    """[n, ...] of every process, stacked in rank order: [processes, n, ...]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(world()[1])]
        dist.all_gather(parts, x.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,) = gradients
        g = g.contiguous().clone()
        dist.all_reduce(g)
        return g[world()[0]]


def gathered(x: Tensor) -> Tensor:
    """The rows of all processes in rank order, differentiable: [n, ...] -> [processes n, ...]."""
    return x if world()[1] == 1 else _Gather.apply(x).flatten(0, 1)


class SyncedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """`nn.BatchNorm1d` or `2d` whose batch is that of all processes, equally many rows in each.

    Sums in float32 at least, under autocast too.
    """

    def _check_input_dim(self, x: Tensor) -> None:
        if x.dim() not in (2, 4):
            raise ValueError(f"input: got {tuple(x.shape)}; allowed: [B, d] or [B, C, H, W]")

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        rest = [axis for axis in range(x.dim()) if axis != 1]
        shape = (1, -1, *(1,) * (x.dim() - 2))
        count = x.numel() // x.shape[1] * world()[1]
        y = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        mean = _Sum.apply(y.sum(rest)) / count
        y = y - mean.view(shape)
        var = _Sum.apply(y.square().sum(rest)) / count
        self._track(mean, var * (count / (count - 1)))
        y = y * (var + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor) -> None:
        if self.track_running_stats and self.momentum is not None:
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)


def synchronise(method: Method) -> None:
    """Make a method act on the batch of all processes. Alone, a process leaves it as it is.

    The names of parameters and buffers stay, so checkpoints travel between numbers of processes.
    """
    if world()[1] == 1:
        return
    method.use_gather(gathered)
    for module in method.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
            module.__class__ = SyncedBatchNorm


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    _, processes = world()
    if processes == 1:
        return
    weights = [w for w in parameters if w.requires_grad]
    flat = torch.cat(
        [(torch.zeros_like(w) if w.grad is None else w.grad).flatten() for w in weights]
    )
    dist.all_reduce(flat)
    for w, g in zip(weights, (flat / processes).split([w.numel() for w in weights]), strict=True):
        w.grad = g.view_as(w).clone()


@torch.no_grad()
def mean_over_processes(x: Tensor) -> Tensor:
    """The mean of a tensor over the processes."""
    _, processes = world()
    if processes == 1:
        return x
    total = x.clone()
    dist.all_reduce(total)
    return total / processes


@torch.no_grad()
def shared_rows(x: Tensor, count: int) -> Tensor:
    """All `count` rows of a table whose rows rank, rank + processes, ... this process made."""
    rank, processes = world()
    if processes == 1:
        return x
    whole = x.new_zeros(count, *x.shape[1:])
    whole[rank::processes] = x
    dist.all_reduce(whole)
    return whole


def agree(flag: bool) -> bool:
    """Whether the flag is up on any process; every process learns the same."""
    if world()[1] == 1:
        return flag
    found = torch.tensor(int(flag))
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found)


def from_first(state: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the first process holds, on every process: plain tensors and numbers, sent as bytes.

    So only the first one needs the disk with the checkpoints.
    """
    rank, processes = world()
    if processes == 1:
        return state
    buffer = io.BytesIO()
    if rank == 0:
        torch.save(state, buffer)
    size = torch.tensor(buffer.getbuffer().nbytes)
    dist.broadcast(size, 0)
    data = torch.zeros(int(size), dtype=torch.uint8)
    if rank == 0:
        data = torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
    dist.broadcast(data, 0)
    return torch.load(io.BytesIO(data.numpy().tobytes()), map_location="cpu", weights_only=True)
