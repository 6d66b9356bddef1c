r"""Alternation on digits: ten rules for the target and the predictor, on equal terms.

Two encoders of the digits, a linear one and a ReLU network. Half the squared distance, plain SGD,
no normalisation. Every step draws images and one view of each for the online tower; the batches
and their order are the same for all rules. The target of an image is, behind a stop-gradient,

- ``mean``: the exact mean output of its nine views;
- ``one view``: the output of a second view, drawn independently;
- ``held 10``, ``held 100``: the mean output under the weights of the last refresh, every so many
  steps;
- ``average``: the mean output under a moving average of the weights.

Those have no predictor. With ``one view`` as the target, these rules have a linear predictor:
``optimal`` plugs in the best one of all training images and views in every step, ``optimal 10``
in every tenth, ``trained`` descends on the same loss from `predictor_start` times the identity.
``followed`` and ``decay`` are ``optimal 10`` without the stop-gradient and with weight decay.

The rule ``optimal`` is run for the linear encoder only. Without predictor the mean of the linear
encoder's weights over all batches is known exactly; ``along`` is the projection of the weights at
the end on it, in units of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import trange

from ssl_dynamics.data import PIXELS, Digits, StepStream, digits
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.measures import effective_rank, knn_accuracy, output_std
from ssl_dynamics.networks import follow, mlp
from ssl_dynamics.records import Record
from ssl_dynamics.training import SGD
from ssl_dynamics.training.settings import Seeded, at_least, multiple, positive
from ssl_dynamics.training.threads import tuned

NAME = "alternating"

ENCODERS: dict[str, tuple[int, ...]] = {"linear": (), "relu": (64,)}
"""Hidden widths; no biases."""


@dataclass(frozen=True)
class Rule:
    """Where the target comes from, and which predictor stands before it."""

    held: int = 1
    """Steps for which the target's weights are held."""
    rate: float = 0.0
    """Rate of their moving average."""
    mean: bool = False
    """Whether the target is the mean output of the views, or that of one."""
    every: int = 0
    """Steps between two plug-ins of the best linear predictor; 0: no plugged-in predictor."""
    trained: bool = False
    stop: bool = True
    decay: bool = False
    """Whether the weights decay."""


RULES: dict[str, Rule] = {
    "mean": Rule(mean=True),
    "one view": Rule(),
    "held 10": Rule(mean=True, held=10),
    "held 100": Rule(mean=True, held=100),
    "average": Rule(mean=True, rate=0.99),
    "optimal": Rule(every=1),
    "optimal 10": Rule(every=10),
    "followed": Rule(every=10, stop=False),
    "decay": Rule(every=10, decay=True),
    "trained": Rule(trained=True),
}


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every rule."""

    outputs: int = 16
    steps: int = 1500
    batch: int = 64
    lr: float = 0.02
    predictor_start: float = 0.1
    """The trained predictor starts at this multiple of the identity."""
    weight_decay: float = 0.02
    """Of the rule ``decay``; none elsewhere."""
    evaluations: int = 10
    """How many times the encoders are measured after the start."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "outputs", "steps", "batch")
        at_least(self, 0, "first_seed")
        multiple(self, "steps", of="evaluations")
        positive(self, "lr")


def moments(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Second moments of the mean outputs and of all outputs: [S, N, V, d] -> [S, d, d] twice."""
    means, rows = outputs.mean(-2).double(), outputs.flatten(-3, -2).double()
    between, total = (m.mT @ m / m.shape[-2] for m in (means, rows))
    return between, total


def best_predictor(between: Tensor, total: Tensor) -> Tensor:
    """Best linear guess of one view's output from another's, by `moments`: [S, d, d] -> same.

    Least squares over all ordered pairs of views, a view with itself included, without a constant.
    Directions with less than a ten-thousandth of the largest moment are left out.
    """
    return between @ torch.linalg.pinv(total, rtol=1e-4, hermitian=True)


def train(config: Config, hidden: tuple[int, ...], name: str, *, progress: bool = True) -> dict:
    """Metrics [S, T] of one encoder under one rule, ``gram`` [S]; its weights when it is linear."""
    rule = RULES[name]
    seeds = config.seed_range()
    device = "cuda" if config.device == "auto" and torch.cuda.is_available() else config.device
    device = "cpu" if device == "auto" else device
    data = digits().to(device, torch.float32)
    widths = (PIXELS, *hidden, config.outputs)
    net, target = (mlp(seeds, widths, purpose="encoder", bias=False).to(device) for _ in range(2))
    eye = torch.eye(config.outputs, device=device)
    guess = nn.Parameter((config.predictor_start * eye).repeat(len(seeds), 1, 1))
    groups = [(net.parameters(), config.lr)]
    optimiser = SGD(
        [*groups, ([guess], config.lr)] if rule.trained else groups,
        weight_decay=config.weight_decay if rule.decay else 0.0,
    )
    images, views = data.views.shape[:2]

    def numbers(rng: np.random.Generator, length: int) -> np.ndarray:
        image = rng.integers(images, size=(length, config.batch, 1))
        return np.concatenate([image, rng.integers(views, size=(length, config.batch, 2))], -1)

    stream = StepStream(seeds, "train/pairs", numbers, device=device)
    of_data = moments(data.views)

    def best() -> Tensor:
        if not hidden:
            w = net[0].weight.double()
            return best_predictor(*(w @ m @ w.mT for m in of_data)).float()
        outputs = net(data.views.expand(len(seeds), *data.views.shape))
        return best_predictor(*moments(outputs)).float()

    plugged, found = eye, [measured(net, data)]
    for step in trange(config.steps, disable=not progress, desc=name):
        image, first, second = stream.at(step).unbind(-1)  # [S, B] each
        if rule.mean and step % rule.held == 0:
            follow(target, net, rule.rate)
        if rule.every and step % rule.every == 0:
            with torch.no_grad():
                plugged = best()
        if rule.mean:
            with torch.no_grad():
                wanted = target(data.views[image]).mean(-2)
        else:
            wanted = net(data.views[image, second])
        output = net(data.views[image, first])
        if rule.every or rule.trained:
            output = output @ (guess if rule.trained else plugged).mT
        gap = output - (wanted.detach() if rule.stop else wanted)
        (gap.square().sum(-1).mean(-1).sum() / 2).backward()
        optimiser.step()
        if (step + 1) % (config.steps // config.evaluations) == 0:
            found.append(measured(net, data))
    metrics = {key: torch.stack([f[key] for f in found], -1).cpu().numpy() for key in found[0]}
    start, end = (metrics["gram"][..., at] for at in (0, -1))  # [S, d, d]
    metrics["gram"] = np.linalg.norm(end - start, axis=(1, 2)) / np.linalg.norm(start, axis=(1, 2))
    return metrics if hidden else metrics | {"weights": net[0].weight.detach().cpu().numpy()}


@torch.no_grad()
def measured(net: nn.Module, data: Digits) -> dict[str, Tensor]:
    """Deviation and effective rank of the outputs, 5-NN accuracy, size of the last weights; [S].

    ``best``: mean eigenvalue of the best linear predictor. ``gram``: inner products of the rows of
    the last weights, [S, d, d].
    """
    last = list(net.parameters())[-1].double()
    x, test = (t.expand(len(last), *t.shape) for t in (data.train, data.test))
    of_images = net(x)
    return {
        "deviation": output_std(of_images),
        "rank": effective_rank(of_images),
        "knn": knn_accuracy(of_images, data.train_labels, net(test), data.test_labels),
        "size": last.square().sum((-1, -2)).sqrt(),
        "best": best_predictor(*moments(net(data.views.expand(len(last), *data.views.shape))))
        .diagonal(dim1=-2, dim2=-1)
        .mean(-1),
        "gram": last @ last.mT,
    }


def expected(config: Config, name: str) -> np.ndarray:
    """Mean over all batches of the linear encoder's weights at the end, from its start: [S, d, 64].

    Exact, because a step is linear in the weights and its batch is independent of them. Only for
    rules without predictor.
    """
    rule = RULES[name]
    seeds = config.seed_range()
    net = mlp(seeds, (PIXELS, config.outputs), purpose="encoder", bias=False, dtype=torch.float64)
    data = digits()
    between, total = moments(data.views)
    weights = net[0].weight.detach()
    target = weights
    for step in range(config.steps):
        if step % rule.held == 0:
            target = rule.rate * target + (1 - rule.rate) * weights
        weights = weights - config.lr * (weights @ total - target @ between)
    return weights.numpy()


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every encoder under every rule; metrics ``encoder/rule/metric`` [S, T].

    All [S]: ``kept``, deviation of the outputs at the end over that at the start; ``gain``, 5-NN
    accuracy at the end minus that of the random features it started from; ``turned``, the same for
    the mean eigenvalue of the best predictor; ``grown``, size of the last weights at the end over
    that at the start; ``gram``, change of the inner products of their rows, relative; ``along``,
    see above; ``decay/over predicted``, size with decay over that without, in units of the
    exponential.
    """
    begin = time.perf_counter()
    metrics: dict[str, np.ndarray] = {}
    for encoder, hidden in ENCODERS.items():
        for name, rule in RULES.items():
            if rule.every == 1 and hidden:
                continue  # all views through the network in every step
            with tuned(0):
                found = train(config, hidden, name, progress=progress)
            weights = found.pop("weights", None)
            place = f"{encoder}/{name}"
            metrics |= {f"{place}/{key}": values for key, values in found.items()}
            for new, key in (("kept", "deviation"), ("grown", "size")):
                metrics[f"{place}/{new}"] = found[key][:, -1] / found[key][:, 0]
            for new, key in (("gain", "knn"), ("turned", "best")):
                metrics[f"{place}/{new}"] = found[key][:, -1] - found[key][:, 0]
            if weights is not None and not (rule.every or rule.trained):
                mean = expected(config, name)
                metrics[f"{place}/along"] = np.einsum("sij,sij->s", weights, mean) / np.einsum(
                    "sij,sij->s", mean, mean
                )
        decayed = (1 - config.lr * config.weight_decay) ** config.steps
        with_decay, without = (
            metrics[f"{encoder}/{name}/grown"] for name in ("decay", "optimal 10")
        )
        metrics[f"{encoder}/decay/over predicted"] = with_decay / without / decayed
    every = config.steps // config.evaluations
    return finished(
        NAME,
        config,
        config.seed_range(),
        metrics,
        axes={"step": list(range(0, config.steps + 1, every))},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "digits",
        "config": {"seeds": 2, "steps": 150, "evaluations": 1},
        "metrics": ["linear/mean/deviation", "relu/held 100/deviation", "relu/optimal 10/size"],
    },
]
"""What the tests run again beside the committed record."""
