"""BatchNorm biases: do their signs say how rarely two nodes of a layer are open together?

A small network of three convolutions (32, 64, 128 channels), each with BatchNorm and a ReLU, learns
scikit-learn's digits. Its offsets start at zero, at -1 (`low`) or at +1 (`high`); everything else
is the same. At some epochs, on the test images and with the statistics of all training images, for
every layer:

- *negative*: share of channels with an offset below zero;
- *normal*: mean of Phi(offset / |gain|), what the signs and sizes say if inputs are normal;
- *open*: measured share of open gates, mean over channels, images and places;
- *gap*: mean over the channels of |measured share - Phi|;
- *overlap*: the measured overlap ratio of the layer; *joint*: what measured correlations and a
  joint normal law would give; *floor*: the least that any law allows with the measured shares;

and the test *accuracy*.

With `files` nothing is trained: the offsets and gains of trained networks are read from files of
plain arrays, and a table of their layers is recorded. Networks stand in the place of seeds, layers
in the order of the file along `layer`, padded with NaN: *channels*, *negative*, *zero*, *normal*,
*rare* (share of channels with Phi below 0.1), *floor* (with the shares Phi), *mostly* (share of
layers with more than half of the offsets negative), *gain* (whether gains differ), *tiny* (share of
gains below 1e-3 in size), *largest* (offset in size), *consumer* (place in the axis of that name).
For each consumer the metrics `<consumer>/...` are over all channels of a network.

The declared predicates are in the claims file; two looks at seeds 900 to 902 came before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ssl_dynamics.data import digits, generator
from ssl_dynamics.data.checkpoints import UNKNOWN, NormLayer, norm_layers
from ssl_dynamics.data.digits import SIDE
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures.openness import (
    least_overlap,
    normal_open,
    normal_together,
    openness,
    overlap_ratio,
)
from ssl_dynamics.networks import ConvStack, population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import SGD
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive, some_of
from ssl_dynamics.training.threads import tuned

NAME = "negative_bias"
STARTS = {"zero": 0.0, "low": -1.0, "high": 1.0}
"""Where all offsets start."""
CLASSES = 10
BLOCK = 4
"""Seeds that train together."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run, or the files to read instead."""

    device: str = field(default="cpu", metadata={"help": "cpu"})
    starts: tuple[str, ...] = tuple(STARTS)
    """zero, low, high: where the offsets start."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the layers."""
    epochs: int = 10
    at: tuple[int, ...] = (0, 1, 2, 5, 10)
    """Epochs after which everything is measured, as far as the run goes."""
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    files: tuple[str, ...] = ()
    """Read BatchNorm parameters from these .npz or .safetensors files or folders; no training."""
    sources: tuple[str, ...] = ()
    """Where a network of `files` is from: NETWORK=SOURCE;LICENCE."""
    consumer: str = UNKNOWN
    """What reads the layers where the file does not say, such as relu."""

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        some_of("starts", self.starts, STARTS)
        at_least(self, 1, "seeds", "epochs", "batch")
        at_least(self, 0, "first_seed", "momentum")
        positive(self, "lr")


SLICE = {
    "record": "digits",
    "config": {"seeds": 2, "epochs": 1},
    "metrics": [
        f"{start}/{name}/layer={layer}"
        for start in STARTS
        for name in ("negative", "normal", "open", "overlap")
        for layer in (1, 2, 3)
    ],
}
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train the networks of all starts and seeds, or read `files`; metrics are [S, T] or [S]."""
    begin = time.perf_counter()
    if config.files:
        layers = norm_layers(config.files, consumer=config.consumer)
        metrics, axes = surveyed(layers, config.sources)
        seeds: Sequence[int] = range(len(axes["network"]))
    else:
        seeds = config.seed_range()
        axes = {"epoch": sorted({e for e in config.at if e <= config.epochs} | {config.epochs})}
        metrics = {}
        blocks = [seeds[k : k + BLOCK] for k in range(0, len(seeds), BLOCK)]
        work = [(start, block) for start in config.starts for block in blocks]
        parts: dict[str, list[np.ndarray]] = {}
        with tuned(0):
            for start, block in tqdm(work, disable=not progress, desc=NAME):
                for name, values in trained(config, start, block, axes["epoch"]).items():
                    parts.setdefault(f"{start}/{name}", []).append(values)
        metrics = {name: np.concatenate(values) for name, values in parts.items()}
    return finished(
        NAME,
        config,
        seeds,
        metrics,
        axes=axes,
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


def trained(
    config: Config, start: str, seeds: Sequence[int], at: Sequence[int]
) -> dict[str, np.ndarray]:
    """Train one block of seeds; everything measured after the epochs `at`, [S, T]."""
    data = digits().to("cpu", torch.float32)
    images, labels = data.train.view(-1, SIDE, SIDE), data.train_labels
    network = ConvStack(seeds, config.widths, CLASSES, offset=STARTS[start])
    optimiser = SGD([(list(network.parameters()), config.lr)], momentum=config.momentum)
    rows = []
    for epoch in range(max(at) + 1):
        if epoch in at:
            rows.append(measured(network))
        if epoch == max(at):
            break
        orders = [generator(seed, "order", epoch).permutation(len(images)) for seed in seeds]
        order = torch.from_numpy(np.stack(orders))
        for first in range(0, len(images) - config.batch + 1, config.batch):
            chosen = order[:, first : first + config.batch]
            scores = network(images[chosen]).scores
            loss = cross_entropy(scores.flatten(0, 1), labels[chosen].flatten(), reduction="sum")
            (loss / config.batch).backward()
            optimiser.step()
    return {name: np.stack([row[name] for row in rows], 1) for name in rows[0]}


def measured(network: ConvStack) -> dict[str, np.ndarray]:
    """Everything at one moment, [S] each."""
    data = digits().to("cpu", torch.float32)
    seeds = network.scores.weight.shape[0]

    def for_every_seed(images: Tensor) -> Tensor:
        return images.view(-1, SIDE, SIDE).expand(seeds, -1, -1, -1)

    with torch.no_grad(), population_statistics(network, for_every_seed(data.train)):
        passed = network(for_every_seed(data.test))
    right = passed.scores.argmax(-1) == data.test_labels
    found = {"accuracy": right.double().mean(-1).numpy()}
    for layer, (pre, norm) in enumerate(zip(passed.pre, network.norms, strict=True), 1):
        offset, gain = (part.detach().double().numpy() for part in (norm.offset, norm.gain))
        normal, seen = normal_open(offset, gain), openness(pre.flatten(1, 3))
        moved = offset / np.abs(gain)
        together = normal_together(moved[:, :, None], moved[:, None, :], seen.correlation.numpy())
        values = {
            "negative": (offset < 0).mean(-1),
            "normal": normal.mean(-1),
            "open": seen.open.numpy().mean(-1),
            "gap": np.abs(seen.open.numpy() - normal).mean(-1),
            "overlap": seen.overlap.numpy(),
            "joint": overlap_ratio(together, normal),
            "floor": seen.floor.numpy(),
        }
        found |= {f"{name}/layer={layer}": value for name, value in values.items()}
    return found


def surveyed(
    layers: Sequence[NormLayer], sources: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, list]]:
    """The table of layers, networks in the place of seeds: metrics [S, T] and [S], and axes."""
    networks = list(dict.fromkeys(layer.network for layer in layers))
    consumers = sorted({layer.consumer for layer in layers})
    given = {}
    for text in sources:
        name, _, words = text.partition("=")
        given[name] = words.partition(";")[::2]
    if unknown := sorted(set(given) - set(networks)):
        raise ValueError(f"sources: got {unknown[0]!r}; allowed: {', '.join(networks)}")
    of = {name: [layer for layer in layers if layer.network == name] for name in networks}
    longest = max(map(len, of.values()))
    axes: dict[str, list] = {
        "layer": list(range(1, longest + 1)),
        "network": networks,
        "source": [given.get(name, ("", ""))[0].strip() for name in networks],
        "licence": [given.get(name, ("", ""))[1].strip() for name in networks],
        "consumer": consumers,
    }
    names = ("channels", *summary([layers[0]]), "consumer")
    table = {name: np.full((len(networks), longest), np.nan) for name in names}
    totals: dict[str, np.ndarray] = {}
    for row, (name, own) in enumerate(of.items()):
        axes[f"layers of {name}"] = [layer.layer for layer in own]
        for place, layer in enumerate(own):
            values = summary([layer]) | {
                "channels": len(layer.offset),
                "consumer": consumers.index(layer.consumer),
            }
            for metric, value in values.items():
                table[metric][row, place] = value
        for consumer in consumers:
            read = [layer for layer in own if layer.consumer == consumer]
            values = summary(read) if read else {}
            values["layers"] = len(read)
            values["channels"] = sum(len(layer.offset) for layer in read)
            for metric, value in values.items():
                key = f"{consumer}/{metric}"
                totals.setdefault(key, np.full(len(networks), np.nan))[row] = value
    return table | totals, axes


def summary(layers: Sequence[NormLayer]) -> dict[str, float]:
    """Shares and means over all channels of these layers.

    The floor of several layers is their mean, each counted by its mean number of open nodes, as a
    random open node would count them.
    """
    offset = np.concatenate([layer.offset for layer in layers])
    shares = [normal_open(layer.offset, layer.gain) for layer in layers]
    share, counts = np.concatenate(shares), np.array([s.sum() for s in shares])
    floors = np.array([least_overlap(s) for s in shares])
    signs = [(layer.offset < 0).mean() > 0.5 for layer in layers]
    return {
        "negative": float((offset < 0).mean()),
        "zero": float((offset == 0).mean()),
        "normal": float(share.mean()),
        "rare": float((share < 0.1).mean()),
        "floor": float((floors * counts).sum() / max(counts.sum(), 1e-300)),
        "mostly": float(np.mean(signs)),
        "gain": float(np.mean([np.ptp(layer.gain) > 0 for layer in layers])),
        "tiny": float(np.mean(np.abs(np.concatenate([layer.gain for layer in layers])) < 1e-3)),
        "largest": float(np.abs(offset).max()),
    }


def chosen(record: Record, rows: Sequence[int]) -> Record:
    """The record with these of its networks (or seeds) alone, by their place."""
    return replace(
        record,
        seeds=[record.seeds[k] for k in rows],
        metrics={name: value[list(rows)] for name, value in record.metrics.items()},
    )
