"""Does the gradient formula of two towers hold along a whole training run on digits?

Two runs, both with plain SGD on InfoNCE in float64. *Two*: two towers of different depth, width
and activation (ReLU; leaky ReLU with max-pooling), each seeing one view. *Tied*: one ReLU tower
that sees both views. At recorded steps, on a few pairs of views, the gradient of half their squared
distance is taken by autograd of PyTorch's own activations and by the formula, layer by layer.

The tied run also asks how far a connection reaches: one layer is moved by its own training step,
and an image counts as moved off when its output is no longer what the old connection predicts.
*Missed* says by how much: the sizes of what the old connection misses, summed over the images, as
a share of the sizes of the changes of the output.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import leaky_relu
from tqdm import trange

from ssl_dynamics.data import PIXELS, PairSampler, digits
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses import info_nce
from ssl_dynamics.measures import connection
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.networks.relu_net import apply
from ssl_dynamics.records import Record
from ssl_dynamics.symbolic import vec_array
from ssl_dynamics.training import SGD
from ssl_dynamics.training.settings import at_least, divisor, one_of, positive, require
from ssl_dynamics.training.threads import tuned

NAME = "dual_networks"
MOVED = 1e-9
"""Relative error from which an image counts as moved off its old connection."""


@dataclass(frozen=True)
class Config:
    """Settings of both runs."""

    seeds: int = 16
    device: str = field(default="cpu", metadata={"help": "cpu: rounding errors are compared"})
    name: str = "digits"
    first: tuple[int, ...] = (48, 32, 16)
    """Widths of the first tower, and of the tied one."""
    second: tuple[int, ...] = (24, 16)
    """Widths of the second tower."""
    leak: float = 0.2
    pool: int = 2
    """Second tower: slope below zero, and neurons per pooled group."""
    steps: int = 200
    every: int = 20
    batch: int = 64
    lr: float = 0.1
    pairs: int = 8
    """Pairs of views on which the gradients are compared."""
    images: int = 200
    """Test images on which a step's reach is measured."""

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        outputs = (self.first[-1], self.second[-1])
        require(outputs[0] == outputs[1], "first, second", outputs, "equally many outputs")
        divisor(self, "every", "steps")
        positive(self, "lr")
        at_least(self, 1, "seeds", "batch", "pairs", "images")


SLICE = {
    "record": "digits",
    "config": {"seeds": 4},
    "metrics": [
        "tied/r",
        *(f"tied/{name}/layer={k}" for name in ("moved", "missed") for k in (1, 2, 3)),
    ],
}
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Both runs; metrics are [S, T] along the axis `step`, and [S] for the largest error."""
    begin, metrics = time.perf_counter(), {}
    steps = list(range(0, config.steps + 1, config.every))
    with tuned(0):
        for label in ("two", "tied"):
            rows = training(config, label, progress)
            for name in rows[0]:
                metrics[f"{label}/{name}"] = np.stack([row[name] for row in rows], 1)
    for name in ("two/error", "tied/error", "tied/along"):
        metrics[f"{name}/largest"] = metrics[name].max(1)
    return finished(
        NAME,
        config,
        range(config.seeds),
        metrics,
        axes={"step": steps},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def training(config: Config, label: str, progress: bool) -> list[dict[str, np.ndarray]]:
    """The metrics of every recorded step of one run, each [S]."""
    seeds, data = range(config.seeds), digits()
    first = ReluNet(seeds, (PIXELS, *config.first), purpose="first")
    towers = [first, first]
    if label == "two":
        towers[1] = ReluNet(
            seeds, (PIXELS, *config.second), leak=config.leak, pool=config.pool, purpose="second"
        )
    weights = [w for tower in dict.fromkeys(towers) for w in tower.parameters()]
    optimiser = SGD([(weights, config.lr)])
    sampler = PairSampler(data, seeds, config.batch)
    probe = PairSampler(data, seeds, config.pairs, purpose="probe").at(0).unbind(1)
    rows = []
    for step in trange(config.steps + 1, disable=not progress, desc=label):
        one, two = sampler.at(step).unbind(1)
        loss = info_nce(towers[0](one), towers[1](two)).sum()
        gradients = torch.autograd.grad(loss, weights)
        if step % config.every == 0:
            row = compared(towers, probe)
            if label == "tied":
                images = data.test[: config.images].expand(config.seeds, -1, -1)
                row |= reach(first, images, [-config.lr * g for g in gradients])
            rows.append({name: value.detach().numpy() for name, value in row.items()})
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        optimiser.step()
    return rows


def by_pytorch(net: ReluNet, x: Tensor) -> Tensor:
    """The network's output with PyTorch's own activations, so that autograd knows no gates."""
    for layer, weight in enumerate(net.weights):
        x = apply(weight, x)
        if layer < net.depth - 1:
            x = leaky_relu(x, net.leak).unflatten(-1, (-1, net.pool)).amax(-1)
    return x


def compared(towers: Sequence[ReluNet], pair: Sequence[Tensor]) -> dict[str, Tensor]:
    """Largest relative error of the formula over the layers, each [S]; r is the mean distance."""
    tied = towers[0] is towers[1]
    outputs = [by_pytorch(net, x) for net, x in zip(towers, pair, strict=True)]
    r = (outputs[0] - outputs[1]).square().sum(-1).mean(-1) / 2
    errors, along = [], []
    for place, net in enumerate(towers[:1] if tied else towers):
        taken = torch.autograd.grad(r.sum(), list(net.weights), retain_graph=True)
        for layer, gradient in enumerate(taken):
            K = connection(net, pair[place], layer)
            w = vec_array(net.weights[layer].detach())
            if tied:
                K = K - connection(net, pair[1], layer)
                rest = torch.einsum("sbpn,sp->sbn", K, w)
            else:
                other, m = towers[1 - place], min(layer, towers[1 - place].depth - 1)
                K_other = connection(other, pair[1 - place], m)
                w_other = vec_array(other.weights[m].detach())
                rest = torch.einsum("sbpn,sp->sbn", K, w)
                rest = rest - torch.einsum("sbpn,sp->sbn", K_other, w_other)
            formula = torch.einsum("sbpn,sbn->sp", K, rest) / K.shape[1]
            found = vec_array(gradient)
            errors.append((found - formula).abs().amax(-1) / found.abs().amax(-1))
            along.append(((w * found).sum(-1) / (2 * r) - 1).abs())
    row = {"r": r, "error": torch.stack(errors).amax(0)}
    return row | ({"along": torch.stack(along).amax(0)} if tied else {})


def reach(net: ReluNet, images: Tensor, steps: Sequence[Tensor]) -> dict[str, Tensor]:
    """What one layer's own step does to its old connection, each [S].

    *moved*: share of the images whose output leaves it; *missed*: the size of what it misses, as
    a share of the size of the change of the output (both summed over the images).
    """
    found = {}
    with torch.no_grad():
        trace = net.trace(images)
        for layer, (weight, step) in enumerate(zip(net.weights, steps, strict=True)):
            frozen = net.push(trace, layer, apply(weight + step, trace.inputs[layer]))
            kept = weight.clone()
            weight += step
            output = by_pytorch(net, images)
            weight.copy_(kept)
            miss = (output - frozen).norm(dim=-1)
            change = (output - trace.output).norm(dim=-1)
            error = miss / output.norm(dim=-1)
            found[f"moved/layer={layer + 1}"] = (error > MOVED).double().mean(-1)
            found[f"missed/layer={layer + 1}"] = miss.sum(-1) / change.sum(-1)
    return found
