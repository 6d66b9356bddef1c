r"""Do hidden neurons find the hidden variables of a tree? All levels beside the Bayes ceiling.

Every seed has its own tree (polarities) and its own weights. A receptive-field ReLU network sees
the leaves of anchor, positive and negative; augmentation keeps the root's value and draws all else
again. For each latent the record holds the largest correlation, in size, of a pre-activation in its
group: `found`, averaged over the latents of a level, and `fraction`, that average over the average
of the ceilings, the correlation of each latent with its exact posterior mean given the leaves below
it, on the same test values. Height 1 stands just above the leaves.

Conditions: the main sweep (two ranges of polarity, three losses), then the number of neurons per
latent, other ranges, and other shapes of the tree. The losses see one negative per anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from ssl_dynamics.data.latent_tree import random_tree
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.losses.triplets import TRIPLET_LOSSES
from ssl_dynamics.records import Record
from ssl_dynamics.training.settings import at_least, require, some_of
from ssl_dynamics.training.trees import TreeConfig, train_trees

NAME = "latent_tree"

CLEAR = 0.05
"""Size of a correlation from which its sign is counted."""


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; a tuple may be empty to leave its conditions out."""

    seeds: int = 16
    """Number of seeds: trees and weights."""
    first_seed: int = 0
    """The first of them; the others follow one by one. (Rate and temperature of InfoNCE were
    chosen on seeds 0 to 15.)"""
    device: str = "auto"
    name: str = "sweep"
    losses: tuple[str, ...] = ("info_nce", "released", "simple")
    other_losses: tuple[str, ...] = ("info_nce", "released", "simple")
    """Losses of the conditions outside the main sweep, some of `losses`."""
    branching: tuple[int, ...] = (2, 2, 2, 2, 2)
    """Children per latent at each depth of the main tree, from the root."""
    lows: tuple[float, ...] = (0.7, 0.8)
    """Main sweep: lower ends of the range of polarities, whose upper end is 1."""
    hid: int = 10
    """Main sweep: neurons per latent."""
    steps: int = 5000
    eval_at: tuple[int, ...] = (0, 500, 1000, 2000, 4000, 5000)
    widths: tuple[int, ...] = (2, 5, 1, 20)
    """Neurons per latent beside `hid`, at every range of `lows`."""
    other_lows: tuple[float, ...] = (0.5, 0.9)
    """Ranges beside the main ones, at `hid`."""
    depths: tuple[int, ...] = (3, 4, 6)
    """Depths of binary trees beside the main one, at the last range of `lows`."""
    triples: tuple[int, ...] = (3,)
    """Depths of trees with three children each, likewise."""
    short_steps: int = 2000
    """Steps of every condition outside the main sweep."""
    short_eval_at: tuple[int, ...] = (0, 2000)
    lr: float = 0.1
    """Of the released and the simple loss."""
    info_nce_lr: float = 0.3
    batch: int = 128
    final_lr: float = 0.1
    """Learning rate of the last fifth of the steps over that before."""
    temperature: float = 0.1
    """Of the released form."""
    info_nce_temperature: float = 0.5
    """Of InfoNCE, whose distances are not averaged over the output coordinates."""
    test: int = 8192
    """Test values per tree."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds")
        at_least(self, 0, "first_seed")
        some_of("losses", self.losses, TRIPLET_LOSSES)
        if self.other_losses:
            some_of("other_losses", self.other_losses, self.losses)
        for field in ("lows", "other_lows"):
            ends = getattr(self, field)
            require(all(0 <= low <= 1 for low in ends), field, ends, "0 to 1 each")
        for field in ("widths", "depths", "triples"):
            values = getattr(self, field)
            require(all(value >= 1 for value in values), field, values, "at least 1 each")
        require(len(self.lows) > 0, "lows", self.lows, "at least one lower end")
        for _, settings in conditions(self):  # the trainer refuses what is left
            assert settings


_SMALL = {"seeds": 4, "widths": (), "other_lows": (), "depths": (), "test": 4096, "final_lr": 1.0}

SLICES = [
    {
        "record": "sweep",
        "config": {
            **_SMALL, "losses": ("released",), "other_losses": (), "lows": (0.8,), "triples": (),
            "steps": 500, "eval_at": (0, 500),
        },
        "metrics": [
            "depth=5 children=2/low=0.8/hid=10/released/height=2/found",
            "depth=5 children=2/low=0.8/hid=10/released/height=4/found",
        ],
    },
    {
        "record": "fresh",
        "config": {
            **_SMALL, "other_losses": (), "lows": (0.8,), "steps": 500, "eval_at": (0, 500),
        },
        "metrics": [
            "depth=5 children=2/low=0.8/hid=10/info_nce/height=2/found",
            "depth=5 children=2/low=0.8/hid=10/info_nce/height=4/found",
        ],
    },
    {
        "record": "shapes",
        "config": {
            **_SMALL, "triples": (2,), "steps": 1, "eval_at": (0, 1), "short_steps": 2000,
            "short_eval_at": (0, 2000),
        },
        "metrics": [
            "depth=2 children=3/low=0.8/hid=10/info_nce/height=1/found",
            "depth=2 children=3/low=0.8/hid=10/info_nce/height=2/found",
        ],
    },
]  # fmt: skip
"""The small re-runs that the tests compare with the committed record."""


def shape_name(branching: tuple[int, ...]) -> str:
    """`depth=5 children=2`, or the children depth by depth where they differ."""
    same = len(set(branching)) == 1
    children = str(branching[0]) if same else "-".join(map(str, branching))
    return f"depth={len(branching)} children={children}"


def conditions(config: Config) -> Iterator[tuple[str, TreeConfig]]:
    """Name and settings of every condition, loss by loss, the main sweep first."""
    main = TreeConfig(
        branching=config.branching, hid=config.hid, batch=config.batch,
        final_lr=config.final_lr, steps=config.steps, eval_at=config.eval_at, test=config.test,
    )  # fmt: skip
    short = replace(main, steps=config.short_steps, eval_at=config.short_eval_at)
    last = config.lows[-1]
    plans = [(main, config.branching, config.hid, low) for low in config.lows]
    plans += [(short, config.branching, n, low) for n in config.widths for low in config.lows]
    plans += [(short, config.branching, config.hid, low) for low in config.other_lows]
    plans += [(short, (2,) * depth, config.hid, last) for depth in config.depths]
    plans += [(short, (3,) * depth, config.hid, last) for depth in config.triples]
    for loss in config.losses:
        for base, branching, hid, low in plans:
            if base is short and loss not in config.other_losses:
                continue
            nce = loss == "info_nce"
            settings = replace(
                base, branching=branching, hid=hid, polarity=(low, 1.0), loss=loss,
                temperature=config.info_nce_temperature if nce else config.temperature,
                lr=config.info_nce_lr if nce else config.lr,
            )  # fmt: skip
            yield f"{shape_name(branching)}/low={low:g}/hid={hid}/{loss}", settings


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every condition in turn. Metrics `<condition>/height=h/found` and `/fraction` are [S, T]
    along the axis `step` (or `short_step`), and so is `/readable`, what the best linear function
    of a group's inputs correlates over the ceiling. `/gain` [S] is found at the end minus at the
    start; `<condition>/spread` [S, T]; `<shape>/low=../height=h/ceiling` [S]. `/winner` [S] is the
    share of latents whose best neuron at the end was already the best at the start, `/kept` [S]
    that of neurons whose correlation has the sign of the start, of those that started at 0.05 or
    more; `<condition>/winner` and `/kept` take all heights from 2 on.

    The conditions of the main sweep also hold `/start` and `/end`, what each latent's best neuron
    correlates, and `/first` and `/best`, which neuron that is at the start and at the end, along
    the axis `latent` from the root; their trees `/ceilings` and `/polarity`, of the edge above
    each latent, 1 for the root.
    """
    spent = 0.0
    metrics: dict[str, np.ndarray] = {}
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    for name, settings in conditions(config):
        result = train_trees(
            settings, seeds, device=config.device, progress=progress,
            checkpoint_dir=checkpoint_dir, label=name,
        )  # fmt: skip
        spent += float(result["seconds"].sum())
        main = settings.branching == config.branching and settings.steps == config.steps
        metrics |= summary(name, settings, result)
        if main:
            metrics |= by_latent(name, settings, result, seeds)
    latents = sum(accumulate(config.branching[:-1], lambda n, c: n * c, initial=1))
    axes = {"step": config.eval_at, "latent": range(latents)}
    if any(settings.steps == config.short_steps for _, settings in conditions(config)):
        axes["short_step"] = config.short_eval_at
    return finished(
        NAME, config, seeds, metrics, axes=axes, device=config.device,
        wall_s=spent,
    )  # fmt: skip


def summary(
    name: str, settings: TreeConfig, result: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The metrics of one condition, level by level."""
    metrics = {f"{name}/spread": result["spread"]}
    shape = "/".join(name.split("/")[:2])
    end, depth = 0, len(settings.branching)
    counts = list(accumulate(settings.branching[:-1], lambda n, c: n * c, initial=1))
    for level, count in enumerate(counts):
        part = slice(end, end + count)
        end += count
        found = result["found"][:, :, part].mean(-1)
        best = result["ceiling"][:, part].mean(-1)
        height = f"height={depth - level}"
        metrics[f"{name}/{height}/found"] = found
        metrics[f"{name}/{height}/fraction"] = found / best[:, None]
        metrics[f"{name}/{height}/readable"] = (
            result["readable"][:, :, part].mean(-1) / best[:, None]
        )
        metrics[f"{name}/{height}/gain"] = found[:, -1] - found[:, 0]
        metrics[f"{shape}/{height}/ceiling"] = best
        for key, value in lottery(result["signed"][:, :, part]).items():
            metrics[f"{name}/{height}/{key}"] = value
    above = slice(0, sum(counts[:-1])) if depth > 1 else slice(0, 1)
    for key, value in lottery(result["signed"][:, :, above]).items():
        metrics[f"{name}/{key}"] = value
    return metrics


def lottery(signed: np.ndarray) -> dict[str, np.ndarray]:
    """Does the start decide? Of [S, T, latents, hid]: winner and kept, [S]."""
    first, last = signed[:, 0], signed[:, -1]
    same = np.abs(first).argmax(-1) == np.abs(last).argmax(-1)
    counted = np.abs(first) >= CLEAR
    kept = (first * last > 0) & counted
    share = kept.sum((1, 2)) / np.maximum(counted.sum((1, 2)), 1)
    return {"winner": same.mean(1), "kept": share}


def by_latent(
    name: str, settings: TreeConfig, result: dict[str, np.ndarray], seeds: range
) -> dict[str, np.ndarray]:
    """What each latent's best neuron correlates, and what the tree allows, from the root down."""
    shape = "/".join(name.split("/")[:2])
    trees = [random_tree(seed, settings.branching, settings.polarity) for seed in seeds]
    return {
        f"{name}/start": result["found"][:, 0],
        f"{name}/end": result["found"][:, -1],
        f"{name}/first": result["best"][:, 0],
        f"{name}/best": result["best"][:, -1],
        f"{shape}/ceilings": result["ceiling"],
        f"{shape}/polarity": np.stack([[1.0, *np.concatenate(t.polarity[:-1])] for t in trees]),
    }
