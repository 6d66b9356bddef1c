r"""Train both layers, or freeze the first: how many nodes does a teacher of combinations ask for?

Inputs are all :math:`2^d` patterns of d bits :math:`\pm 1`, equally likely. The teacher adds up m
of the :math:`\binom dk` conjunctions of k bits (each is one ReLU node), divided by their deviation,
with normal weights over the root of m for every one of 10 outputs, and no mean. Errors are mean
squared errors over all inputs and outputs as shares of the targets' variance: nothing is estimated.

- *joint*: both layers by plain SGD, uniform start as in PyTorch's linear layers, batches of 64;
- *random*: a first layer of ReLU nodes with normal weights over the root of d and biases uniform on
  [-1, 1], never trained; the top layer by exact least squares on all inputs;
- *autoencoder*: the first layer of a network that was trained to give its input back, same top;
- *clusters*: k-means on the inputs; a node is how much nearer than the mean a centre is; same top.

``needed`` is the least number of nodes with an error of at most 0.05. For joint training it is the
smallest on the grid m, 1.5 m, 2 m, 4 m, and 8 m if none of them is enough; for random layers it is
exact, nodes being added one by one. ``growth`` is the exponent with which it grows with the number
of candidates from 8 to 12 bits. ``order/...`` trains 96 nodes twice as long, k going up at 12 bits,
on conjunctions and on parities of k bits (:math:`\pm 1`, k ReLU nodes each).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from math import ceil, comb, log
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import qr_multiply
from sklearn.cluster import KMeans
from torch import Tensor
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.records import Record
from ssl_dynamics.training import Pool, Students, train_students, tuned
from ssl_dynamics.training.settings import Seeded, at_least, one_of, positive, require

NAME = "top_down"

KINDS = ("conjunction", "parity")
BLIND = ("random", "autoencoder", "clusters")
MULTIPLES = (1.0, 1.5, 2.0, 4.0)


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    device: str = field(default="cpu", metadata={"help": "cpu"})
    name: str = "conjunctions"
    bits: tuple[int, ...] = (6, 8, 10, 12)
    """Numbers of input bits."""
    orders: tuple[int, ...] = (2, 3, 4)
    """Bits in one feature."""
    used: tuple[int, ...] = (3, 6, 12, 24)
    """Features that the teacher uses; the second is the one of the other comparisons."""
    middle: tuple[int, int] = (10, 3)
    """Bits and order at which `used` and `nodes` are varied."""
    nodes: tuple[int, ...] = (6, 12, 24, 48, 96, 192, 384)
    """Sizes of the first layer at which all five layers are compared."""
    high: tuple[int, ...] = (2, 4, 6, 8, 10)
    """Orders of the last comparison, at the largest number of bits; none leaves it out."""
    high_nodes: int = 96
    outputs: int = 10
    target: float = 0.05
    """The error that is asked for."""
    most: int = 1500
    """Nodes that a random layer has at most."""
    steps: int = 3000
    batch: int = 64
    lr: float = 0.05

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "outputs", "most", "steps", "batch", "high_nodes")
        positive(self, "lr", "target")
        require(len(self.used) >= 2, "used", self.used, "two or more numbers")
        for d, k in [*product(self.bits, self.orders), self.middle]:
            require(1 <= k <= d, "orders", k, f"1 to the {d} bits")
            require(comb(d, k) >= self.used[1], "used", self.used, f"at most {comb(d, k)}")
        require(self.batch <= 2 ** min(self.bits), "batch", self.batch, "at most all inputs")
        require(max(self.nodes) < 2 ** self.middle[0], "nodes", self.nodes, "fewer than all inputs")


SLICE = {
    "record": "conjunctions",
    "config": {"seeds": 3, "bits": (6, 8), "orders": (2,), "used": (3, 6), "middle": (6, 2),
               "nodes": (6,), "high": (), "most": 300},
    "metrics": ["joint/needed/bits=8,order=2", "random/needed/bits=8,order=2"],
}  # fmt: skip
"""The small re-run that the tests compare with the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """All comparisons; [S], those called `error` [S, T] along the axis `nodes`, and those called
    `order/...` [S, T] along the axis `order`."""
    seeds = config.seed_range()

    def measure() -> dict[str, np.ndarray]:
        with tuned(0):
            found = growth(config, seeds, progress)
            found |= more_used(config, seeds)
            found |= by_nodes(config, seeds)
            found |= by_order(config, seeds)
        return found

    axes = {"nodes": list(config.nodes), "order": list(config.high)}
    return recorded(NAME, config, measure, seeds=seeds, axes=axes)


def growth(config: Config, seeds: Sequence[int], progress: bool) -> dict[str, np.ndarray]:
    """Nodes needed for every number of bits and order; exponents between the 2nd and last."""
    found: dict[str, np.ndarray] = {}
    used, per_candidate, per_used = config.used[1], [], []
    for d in tqdm(config.bits, disable=not progress, desc=NAME):
        tasks = [task(seeds, d, k, used, config.outputs) for k in config.orders]
        random = random_needed(config, seeds, d, [y for _, y in tasks])
        for k, (teacher, y), needed in zip(config.orders, tasks, random, strict=True):
            where = f"bits={d},order={k}"
            found[f"random/needed/{where}"] = needed
            found[f"joint/needed/{where}"] = joint_needed(config, seeds, teacher, y, used)
            per_candidate.append(needed / comb(d, k))
            per_used.append(found[f"joint/needed/{where}"] / used)
    found["random/needed per candidate/least"] = np.min(per_candidate, 0)
    found["joint/needed per used/mean"] = np.mean(per_used, 0)
    low, high = config.bits[1 if len(config.bits) > 2 else 0], config.bits[-1]
    for k in config.orders:
        candidates = log(comb(high, k) / comb(low, k))
        for way in ("joint", "random"):
            ends = [found[f"{way}/needed/bits={d},order={k}"] for d in (low, high)]
            found[f"growth/{way}/order={k}"] = np.log(ends[1] / ends[0]) / candidates
    return found


def more_used(config: Config, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Nodes needed when the teacher uses more features."""
    found: dict[str, np.ndarray] = {}
    d, k = config.middle
    tasks = [task(seeds, d, k, m, config.outputs) for m in config.used]
    random = random_needed(config, seeds, d, [y for _, y in tasks])
    for m, (teacher, y), needed in zip(config.used, tasks, random, strict=True):
        found[f"random/needed/used={m}"] = needed
        found[f"joint/needed/used={m}"] = joint_needed(config, seeds, teacher, y, m)
    return found


def by_nodes(config: Config, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The error against the number of nodes: joint, and the three layers that saw no label."""
    d, k = config.middle
    teacher, y = task(seeds, d, k, config.used[1], config.outputs)
    layers: dict[str, Callable[[int], np.ndarray]] = {
        "random": lambda n: random_layer(seeds, d, n),
        "autoencoder": lambda n: autoencoder(config, seeds, d, n),
        "clusters": lambda n: clusters(seeds, d, n),
    }
    found = {
        f"{name}/error": np.stack(
            [[left(h, t) for h, t in zip(layers[name](n), y, strict=True)] for n in config.nodes],
            1,
        )
        for name in BLIND
    }
    errors = [joint_error(config, seeds, teacher, y, n) for n in config.nodes]
    found["joint/error"] = np.stack(errors, 1)
    return found


def by_order(config: Config, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The error of 96 nodes against k, for conjunctions and parities."""
    if not config.high:
        return {}
    d, n, used = config.bits[-1], config.high_nodes, config.used[1]
    blind = random_layer(seeds, d, n)
    found: dict[str, list] = {}
    for kind, k in product(KINDS, config.high):
        teacher, y = task(seeds, d, k, used, config.outputs, kind)
        trained = joint_error(config, seeds, teacher, y, n, steps=2 * config.steps)
        found.setdefault(f"order/joint/{kind}", []).append(trained)
        rest = [left(h, t) for h, t in zip(blind, y, strict=True)]
        found.setdefault(f"order/random/{kind}", []).append(rest)
    return {name: np.stack(rows, 1) for name, rows in found.items()}


def inputs(bits: int) -> np.ndarray:
    """All patterns of bits, [2^d, d], entries -1 and 1."""
    return np.array(list(product((-1.0, 1.0), repeat=bits)))


def task(
    seeds: Sequence[int], bits: int, order: int, used: int, outputs: int, kind: str = KINDS[0]
) -> tuple[Students, np.ndarray]:
    """The teachers, and what they say to all inputs, [S, 2^d, outputs], the mean taken off."""
    first, second = [], []
    for seed in seeds:
        rng = generator(seed, f"teacher/{kind}/{bits}/{order}/{used}")
        names = list(combinations(range(bits), order))
        chosen = rng.choice(len(names), used, replace=False)
        half = np.zeros((used, bits))
        for row, place in zip(half, chosen, strict=True):
            row[list(names[place])] = 0.5
        fan = rng.normal(size=(outputs, used)) / used**0.5
        first.append(half)
        second.append(fan)
    W, V = (torch.from_numpy(np.stack(part)) for part in (first, second))
    if kind == "conjunction":  # open if all are on: the number of bits that are on, minus k - 1
        V = V / (2.0**-order * (1 - 2.0**-order)) ** 0.5
        b = torch.full((len(seeds), used), 1 - order / 2, dtype=W.dtype)
    else:  # a zigzag in the number of bits that are on, one ReLU for each piece
        W = W.repeat_interleave(order, 1)
        turns = torch.tensor([-2.0, *(4.0 * (-1) ** (j + 1) for j in range(1, order))])
        V = V.repeat_interleave(order, 2) * (turns * (-1) ** order).to(V).repeat(used)
        b = (order / 2 - torch.arange(order, dtype=W.dtype)).repeat(used).repeat(len(seeds), 1)
    teacher = Students([W, V], [b, torch.zeros(len(seeds), outputs, dtype=W.dtype)])
    y = teacher.outputs(_every(seeds, bits))
    mean = y.mean(1)
    teacher.biases[1].sub_(mean)
    return teacher, (y - mean[:, None]).numpy()


def joint_needed(
    config: Config, seeds: Sequence[int], teacher: Students, y: np.ndarray, used: int
) -> np.ndarray:
    """The smallest width of the grid at which the error is at most the target, [S]; twice the
    largest if there is none. Wider students are trained as long as a seed still asks for one."""
    widths = [ceil(q * used) for q in MULTIPLES]
    none = 2.0 * widths[-1]
    needed = np.full(len(seeds), none)
    for width in widths:
        enough = joint_error(config, seeds, teacher, y, width) <= config.target
        needed[enough & (needed == none)] = width
        if (needed < none).all():
            break
    return needed


def joint_error(
    config: Config,
    seeds: Sequence[int],
    teacher: Students,
    y: np.ndarray,
    width: int,
    *,
    steps: int | None = None,
) -> np.ndarray:
    """Both layers trained; the error over all inputs, [S]."""
    x = _every(seeds, teacher.widths[0])
    student = Students.random(seeds, (x.shape[2], width, y.shape[2]))
    pool = Pool(seeds, teacher, x, config.batch)
    train_students(student, pool, config.steps if steps is None else steps, config.lr)
    wanted = torch.from_numpy(y)
    error = (wanted - student.outputs(x)).square().sum((1, 2)) / wanted.square().sum((1, 2))
    return error.nan_to_num(nan=1e6, posinf=1e6).clamp(max=1e6).numpy()


def random_needed(
    config: Config, seeds: Sequence[int], bits: int, targets: Iterable[np.ndarray]
) -> list[np.ndarray]:
    """Nodes of one random layer that leave at most the target of each of several y, [S] each."""
    targets = list(targets)
    H = random_layer(seeds, bits, min(config.most, 2**bits - 1))
    needed = np.empty((len(targets), len(seeds)))
    for place in range(len(seeds)):
        one_by_one = nested(H[place], [y[place] for y in targets])
        needed[:, place] = (one_by_one > config.target).sum(1)
    return list(needed)


def random_layer(seeds: Sequence[int], bits: int, count: int) -> np.ndarray:
    """Activations of nodes that were drawn and left alone, [S, 2^d, n]; more nodes are added to
    the same ones."""
    x, found = inputs(bits), []
    for seed in seeds:
        W = generator(seed, f"random layer/{bits}").normal(size=(count, bits)) / bits**0.5
        b = generator(seed, f"random layer/{bits}/bias").uniform(-1, 1, size=count)
        found.append(np.maximum(x @ W.T + b, 0))
    return np.stack(found)


def autoencoder(config: Config, seeds: Sequence[int], bits: int, count: int) -> np.ndarray:
    """The hidden layer of networks trained to return the input, [S, 2^d, n]."""
    x = _every(seeds, bits)
    same = torch.eye(bits, dtype=x.dtype).repeat(len(seeds), 1, 1)
    identity = Students([same], [torch.zeros(len(seeds), bits, dtype=x.dtype)])
    student = Students.random(seeds, (bits, count, bits), purpose="autoencoder")
    pool = Pool(seeds, identity, x, config.batch, purpose="autoencoder")
    train_students(student, pool, config.steps, config.lr)
    return student.activations(x)[1].numpy()


def clusters(seeds: Sequence[int], bits: int, count: int) -> np.ndarray:
    """How much nearer than the mean over the centres each centre of k-means is, [S, 2^d, n]."""
    x, found = inputs(bits), []
    for seed in seeds:
        start = int(generator(seed, f"clusters/{count}").integers(2**31))
        far = KMeans(count, n_init=1, random_state=start).fit(x).transform(x)
        found.append(np.maximum(far.mean(1, keepdims=True) - far, 0))
    return np.stack(found)


def left(features: np.ndarray, y: np.ndarray) -> float:
    """What least squares with a bias leaves of y [N, C], as a share; features [N, n]."""
    return float(nested(features, [y])[0, -1])


def nested(features: np.ndarray, targets: Sequence[np.ndarray]) -> np.ndarray:
    """What the first 0, 1, ..., n features and a bias leave of each centred y, [targets, n + 1].

    Features that add no direction of their own, up to rounding, add nothing.
    """
    H = features - features.mean(0)
    noise = 1e-10 * max(np.linalg.norm(H, axis=0).max(), 1e-300)
    stacked = np.concatenate([y.T for y in targets])
    kept = np.flatnonzero(np.linalg.norm(H, axis=0) > noise)
    along = np.zeros((len(stacked), H.shape[1]))
    while len(kept):
        new, R = qr_multiply(H[:, kept], stacked, mode="right")
        idle = np.abs(np.diag(R)) <= noise
        if not idle.any():
            along[:, kept] = new
            break
        kept = np.delete(kept, idle.argmax())  # the first; what follows is then done again
    found = []
    parts = np.split(along, np.cumsum([y.shape[1] for y in targets])[:-1])
    for part, y in zip(parts, targets, strict=True):
        taken = np.concatenate([[0.0], np.cumsum(np.square(part).sum(0))])
        found.append(1 - taken / np.square(y).sum())
    return np.stack(found)


def _every(seeds: Sequence[int], bits: int) -> Tensor:
    """All inputs for every seed, [S, 2^d, d]."""
    return torch.from_numpy(inputs(bits)).repeat(len(seeds), 1, 1)
