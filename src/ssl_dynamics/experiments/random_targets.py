"""Which targets does self-supervised training make easier to read: semantic ones, or random ones?

A classifier of digits (its own network, its own start) is stored at several steps, the `stages`.
Its largest logit is a target for the representation of another network, which is trained with
VICReg and no labels: at stage 0 a random function of the image, at the end nearly the digit. Kinds
of targets: ``raw``, the largest logit; ``balanced``, the largest logit after each logit has been
standardised over the training images; and two targets without stage, ``labels`` and ``dealt``, the
labels in a random order, which is no function of the image. All layers read have the same width
(pixels included), so none has the advantage of more coordinates.

Metrics of a target (``labels``, ``dealt``, ``raw/50``, ``balanced/50``):

- ``agree/target`` [S]: test images on which it is the label; ``majority/target`` [S]: test images
  in the class that is the largest of the training images; ``classes/target`` [S]: classes in use;
- ``layer/target/accuracy``, ``/recall``, ``/score`` [S, T] at the steps of the axis: test accuracy
  of a linear probe (least squares with a ridge, one for all targets), its mean over the classes,
  and (accuracy - majority) / (1 - majority), but for raw targets, where it can be 0/0; ``layer``
  is ``pixels`` ([S], no step), ``layer1``, ``layer2``, ``features`` or ``outputs``;
- ``logistic/target`` [S, 2]: the score of the features by logistic regression, at the first and
  the last step, for ``labels`` and ``balanced/0``;
- ``depth/target/score`` [S, T]: the score of the outputs less that of the first layer;
- ``gain/whole/...`` [S]: a score, or a share, at the last step less that at the first;
  ``gain/late/...``: less that at the step nearest to ``late``.

Clusters of the training images in a layer, [S, T], for the labels and the balanced targets:

- ``layer/target/share``: variance between the classes over all variance;
- ``ratio/layer/variance``, ``/distance``, ``/cdnv``: mean variance within classes, mean squared
  distance of their means (classes and pairs weighted by their rows) and the quotient of the two,
  labels over the balanced target of stage 0; ``ratio/layer/pairs``: the same for the mean of the
  CDNV over pairs of classes;
- ``log/whole/layer/...`` [S]: natural logarithm of a ratio at the last step over that at the
  first; ``log/late/...``: over that at the step nearest to ``late``.

Declared before the recorded run, after a pilot with the seeds 900 to 903: see the claims file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot
from tqdm import trange

from ssl_dynamics.data import Digits, StepStream, generator
from ssl_dynamics.experiments.provenance import recorded
from ssl_dynamics.measures import cdnv, classes_of, logistic_regression, over_pairs
from ssl_dynamics.networks import Linear, mlp, population_statistics
from ssl_dynamics.records import Record
from ssl_dynamics.training import TowerConfig
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.run import Run
from ssl_dynamics.training.settings import Seeded, at_least, positive, require
from ssl_dynamics.training.shard import device_for
from ssl_dynamics.training.threads import tuned

NAME = "random_targets"

CLASSES = 10
HIDDEN = ("layer1", "layer2", "features", "outputs")
Targets = dict[str, tuple[Tensor, Tensor]]
"""Name -> labels of the training and of the test images, [S, N] and [S, n]."""


@dataclass(frozen=True)
class Config(Seeded):
    """Settings of the run."""

    device: str = "cpu"
    steps: int = 3000
    eval_at: tuple[int, ...] = (0, 30, 100, 300, 1000, 3000)
    late: int = 100
    """Step of the self-supervised run from which on its later part is counted."""
    stages: tuple[int, ...] = (0, 10, 20, 50, 100, 500)
    """Steps of the classifier at which its largest logit becomes a target."""
    batch: int = 128
    lr: float = 0.01
    classifier_lr: float = 0.05
    noise: float = 0.3
    """Deviation of the pixel noise of the views."""
    contrast: float = 0.3
    """Deviation of the log contrast of the views."""
    penalty: float = 1e-3
    """Ridge penalty of the probes."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "steps", "batch")
        at_least(self, 0, "first_seed", "noise", "contrast")
        positive(self, "lr", "classifier_lr", "penalty")
        inside = len(self.eval_at) > 0 and all(0 <= at <= self.steps for at in self.eval_at)
        require(inside, "eval_at", self.eval_at, f"steps from 0 to {self.steps}, at least one")
        starts = 0 in self.stages and min(self.stages) == 0
        require(starts, "stages", self.stages, "0 and steps after it")

    def towers(self) -> TowerConfig:
        """The settings of the self-supervised run: four layers of 64 nodes."""
        return TowerConfig(
            encoder=(64, 64, 64),
            feature_relu=False,
            projector=(64, 64),
            predictor="none",
            stop_gradient=False,
            ema=None,
            loss="vicreg",
            lr=self.lr,
            momentum=0.9,
            weight_decay=1e-4,
            noise=self.noise,
            contrast=self.contrast,
            steps=self.steps,
            batch=self.batch,
            probe_at=(),
        )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 4, "steps": 100, "eval_at": (0, 100), "stages": (0, 20)},
        "metrics": [
            "features/labels/score",
            "features/balanced/0/score",
            "ratio/features/distance",
            "majority/raw/0",
        ],
    },
]
"""What the tests run again beside the committed record."""


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Make the targets, train, and read them on the way; metrics are [S, T] or [S]."""
    ends = [config.eval_at[0], config.eval_at[-1]]
    axes = {"step": list(config.eval_at), "stage": list(config.stages), "end": ends}
    return recorded(
        NAME, config, lambda: measured(config, progress), seeds=config.seed_range(), axes=axes
    )


def measured(config: Config, progress: bool = False) -> dict[str, np.ndarray]:
    """All metrics by name."""
    course: dict[str, list[Tensor]] = {}
    with tuned(0):
        training = Run(config.towers(), config.seed_range(), device_for(config.device))
        targets = made(config, training.data)
        found = described(config, training.data, targets)
        for now in trange(config.steps + 1, disable=not progress, desc=NAME):
            if now in config.eval_at:
                ends = now in (config.eval_at[0], config.eval_at[-1])
                for key, value in looked_at(config, training, targets, ends).items():
                    course.setdefault(key, []).append(value)
            if now < config.steps:
                training.step()
    found |= {key: torch.stack(values, 1) for key, values in course.items()}
    metrics = {k: v.cpu().numpy().astype(np.float32) for k, v in found.items()}
    return metrics | changes(config, metrics)


def changes(config: Config, metrics: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is computed from the other metrics: depth [S, T], gains and logarithms [S]."""
    near = int(np.argmin([abs(at - config.late) for at in config.eval_at]))
    found = {}
    for key, value in metrics.items():
        if value.ndim != 2:
            continue
        layer, _, rest = key.partition("/")
        if layer == "outputs" and key.endswith("/score"):
            found[f"depth/{rest}"] = value - metrics[f"layer1/{rest}"]
        if layer == "logistic":
            found[f"gain/whole/{key}"] = value[:, -1] - value[:, 0]
            continue
        for since, at in (("whole", 0), ("late", near)):
            if key.endswith(("/score", "/share")):
                found[f"gain/{since}/{key}"] = value[:, -1] - value[:, at]
            elif layer == "ratio":
                found[f"log/{since}/{rest}"] = np.log(value[:, -1] / value[:, at])
    return found


def made(config: Config, data: Digits) -> Targets:
    """The targets of every seed."""
    seeds = config.seed_range()
    sets = [images.expand(len(seeds), -1, -1) for images in (data.train, data.test)]
    labels = [each.expand(len(seeds), -1) for each in (data.train_labels, data.test_labels)]
    dealt = [each.gather(1, _orders(seeds, f"dealt/{k}", each)) for k, each in enumerate(labels)]
    found: Targets = {"labels": (labels[0], labels[1]), "dealt": (dealt[0], dealt[1])}
    widths = (64, 64, 64, 64, CLASSES)
    net = mlp(seeds, widths, purpose="targets/classifier").to(data.train.device)
    optimiser = SGD([(net.parameters(), config.classifier_lr)], momentum=0.9)

    def rows(rng: np.random.Generator, length: int) -> np.ndarray:
        return rng.integers(len(data.train), size=(length, config.batch))

    index = StepStream(seeds, "targets/rows", rows, device=data.train.device)
    for now in range(max(config.stages) + 1):
        if now in config.stages:
            with torch.no_grad():
                logits = [net(images) for images in sets]
            mean, std = logits[0].mean(1, keepdim=True), logits[0].std(1, keepdim=True)
            found[f"raw/{now}"] = tuple(z.argmax(-1) for z in logits)
            found[f"balanced/{now}"] = tuple(((z - mean) / std).argmax(-1) for z in logits)
        if now < max(config.stages):
            batch = index.at(now)
            loss = cross_entropy(net(data.train[batch]).mT, data.train_labels[batch])
            (loss * len(seeds)).backward()  # the mean over the batch, summed over the seeds
            optimiser.step()
    return found


def _orders(seeds: Sequence[int], purpose: str, labels: Tensor) -> Tensor:
    orders = [generator(seed, purpose).permutation(labels.shape[1]) for seed in seeds]
    return torch.from_numpy(np.stack(orders)).to(labels.device)


def described(config: Config, data: Digits, targets: Targets) -> dict[str, Tensor]:
    """What is known of the targets without the self-supervised network, [S] each."""
    found, seeds = {}, config.seeds
    train, test = (images.expand(seeds, -1, -1) for images in (data.train, data.test))
    for name, (fitted, asked) in targets.items():
        found[f"agree/{name}"] = (asked == data.test_labels).double().mean(1)
        found[f"majority/{name}"] = (asked == largest_class(fitted)[:, None]).double().mean(1)
        found[f"classes/{name}"] = counted(fitted).gt(0).sum(1).double()
    return found | read(config, "pixels", train, test, targets)


def counted(labels: Tensor) -> Tensor:
    """Rows of every class: [S, N] -> [S, C]."""
    return one_hot(labels, CLASSES).sum(1)


def largest_class(labels: Tensor) -> Tensor:
    """The class with most rows, the first of several: [S, N] -> [S]."""
    return counted(labels).argmax(1)


@torch.no_grad()
def looked_at(config: Config, training: Run, targets: Targets, logistic: bool) -> dict[str, Tensor]:
    """Probes and clusters in every layer at this step, [S] each."""
    found: dict[str, Tensor] = {}
    train, test = layers_of(training)
    for layer in HIDDEN:
        found |= read(config, layer, train[layer], test[layer], targets)
        sizes = {}
        for name, (fitted, _) in targets.items():
            if not name.startswith(("raw", "dealt")):
                sizes[name] = clusters(train[layer], fitted)
                found[f"{layer}/{name}/share"] = sizes[name]["share"]
        for key in ("variance", "distance", "cdnv", "pairs"):
            found[f"ratio/{layer}/{key}"] = sizes["labels"][key] / sizes["balanced/0"][key]
    if logistic:
        found |= by_logistic(config, train["features"], test["features"], targets)
    return found


@torch.no_grad()
def layers_of(training: Run) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What every layer makes of the training and of the test images: name -> [S, N, 64].

    Hidden layers are read after their ReLU, the features and the outputs have none.
    """
    tower, count = training.towers.online, len(training.seeds)
    both = []
    train = training.data.train.expand(count, -1, -1)
    with population_statistics(tower, train):
        for images in (training.data.train, training.data.test):
            z = images.expand(count, -1, -1)
            found: dict[str, Tensor] = {}
            for layer in tower.encoder:
                z = layer(z)
                if isinstance(layer, Linear):
                    found[HIDDEN[len(found)]] = z
                else:
                    found[HIDDEN[len(found) - 1]] = z
            both.append(found | {"outputs": tower.projector(z)})
    return both[0], both[1]


def read(
    config: Config, layer: str, train: Tensor, test: Tensor, targets: Targets
) -> dict[str, Tensor]:
    """Accuracy, recall and, but for raw targets, score of the linear probes of a layer, [S] each.

    One factor serves all targets.
    """
    wanted = torch.cat([one_hot(fitted, CLASSES) for fitted, _ in targets.values()], -1)
    scores = ridge(train, wanted, test, config.penalty).split(CLASSES, -1)
    found: dict[str, Tensor] = {}
    for said, (name, (fitted, asked)) in zip(scores, targets.items(), strict=True):
        found |= {f"{layer}/{name}/{k}": v for k, v in judged(said.argmax(-1), asked).items()}
        if not name.startswith("raw"):
            majority = (asked == largest_class(fitted)[:, None]).double().mean(1)
            over = found[f"{layer}/{name}/accuracy"] - majority
            found[f"{layer}/{name}/score"] = over / (1 - majority)
    return found


def ridge(train: Tensor, wanted: Tensor, test: Tensor, penalty: float) -> Tensor:
    """Least squares with a ridge on standardised coordinates, and a constant: test values.

    train [S, N, d], wanted [S, N, k], test [S, n, d] -> [S, n, k].
    """
    x, y = standardised(train.double(), test.double())
    middle = wanted.double().mean(1, keepdim=True)
    square = x.mT @ x / x.shape[1] + penalty * torch.eye(x.shape[-1], dtype=x.dtype)
    weight = torch.linalg.solve(square, x.mT @ (wanted - middle) / x.shape[1])
    return y @ weight + middle


def standardised(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the means and deviations of the training rows."""
    mean, std = train.mean(1, keepdim=True), train.std(1, keepdim=True)
    floor = torch.where(std > 0, std, 1.0)
    return (train - mean) / floor, (test - mean) / floor


def judged(guesses: Tensor, asked: Tensor) -> dict[str, Tensor]:
    """Share of right guesses, over all rows and as a mean over the classes: [S, n] -> [S]."""
    right = (guesses == asked).double()
    member = one_hot(asked, CLASSES).double()
    count = member.sum(1)
    recall = (member * right[..., None]).sum(1) / count.clamp_min(1)
    return {"accuracy": right.mean(1), "recall": recall.sum(1) / count.gt(0).sum(1)}


def by_logistic(config: Config, train: Tensor, test: Tensor, targets: Targets) -> dict[str, Tensor]:
    """The scores of the labels and of the most random target by logistic regression."""
    x, y = standardised(train.double(), test.double())
    found = {}
    for name in ("labels", "balanced/0"):
        fitted, asked = targets[name]
        weight, bias = logistic_regression(x, fitted, penalty=config.penalty)
        accuracy = judged((y @ weight.mT + bias.unsqueeze(1)).argmax(-1), asked)["accuracy"]
        majority = (asked == largest_class(fitted)[:, None]).double().mean(1)
        found[f"logistic/{name}"] = (accuracy - majority) / (1 - majority)
    return found


def clusters(features: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Share, variance, distance, CDNV of the rows of every seed; classes without rows are left out.

    With p the shares of the classes: variance is the mean over the rows, distance the mean over
    pairs of rows of different classes, of the squared distance of their means.
    """
    each = []
    for z, given in zip(features.double(), labels, strict=True):
        found = classes_of(z[None], given.unique(return_inverse=True)[1])
        p = found.count / found.count.sum()
        variance = (p * found.variance).sum()
        within_pairs = p[:, None] * p * found.squared_distances[0]
        between = within_pairs.sum() / 2
        distance = within_pairs.sum() / (1 - p.square().sum())
        each.append(
            {
                "share": between / (variance + between),
                "variance": variance,
                "distance": distance,
                "cdnv": variance / distance,
                "pairs": over_pairs(cdnv(found)).squeeze(),
            }
        )
    return {key: torch.stack([one[key] for one in each]) for key in each[0]}
