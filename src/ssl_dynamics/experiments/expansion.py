r"""Is it the noise? Training on the pair loss, and on the same loss without any noise over views.

An encoder on the digits, squared loss, plain SGD, no predictor, nine equally likely views per
image. Five losses on the same images in the same order:

- ``all views``: the exact variance of the outputs over the nine views; nothing is sampled but the
  images;
- ``known mean``: one view against the exact mean output of the nine, which is held fixed;
- ``pair``: half the squared distance of two views, so the mean gradient is that of the others;
- ``stopped pair``: that distance itself with the second view held fixed (stop-gradient); its mean
  gradient is again the same;
- ``whole pair``: that distance with both views moving; its mean gradient is twice as large.

Three encoders: one linear layer, for which theory has the course of the mean loss, a ReLU network
with biases, and this network with its outputs brought to length one, as a cosine loss does. Beside
it the variances over views themselves, enumerated at the start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import trange

from ssl_dynamics.data import PIXELS, Digits, StepStream, digits
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.experiments.view_noise import expected_course, fractional, variances
from ssl_dynamics.measures import effective_rank, knn_accuracy, output_std
from ssl_dynamics.networks import mlp
from ssl_dynamics.records import Record
from ssl_dynamics.theory.expansion import MODE_SHARE
from ssl_dynamics.training import SGD
from ssl_dynamics.training.settings import Seeded, at_least, multiple, positive
from ssl_dynamics.training.threads import tuned

NAME = "expansion"


class Encoder(NamedTuple):
    """Hidden widths, and whether the outputs are brought to length one."""

    hidden: tuple[int, ...] = ()
    unit: bool = False

    def build(self, seeds: Sequence[int], config: Config, dtype: torch.dtype) -> nn.Module:
        """The networks of these seeds, with the weights they start from."""
        widths = (PIXELS, *self.hidden, config.outputs)
        net = mlp(seeds, widths, purpose="encoder", dtype=dtype)
        return nn.Sequential(net, Unit()) if self.unit else net


class Unit(nn.Module):
    """Outputs at length one: [..., d] -> [..., d]."""

    def forward(self, outputs: Tensor) -> Tensor:
        return outputs / outputs.norm(dim=-1, keepdim=True).clamp_min(1e-12)


ENCODERS = {
    "linear": Encoder(),
    "relu": Encoder((128,)),
    "unit": Encoder((128,), unit=True),
}


@dataclass(frozen=True)
class Config(Seeded):
    """Settings, the same for every loss."""

    outputs: int = 32
    steps: int = 1000
    batch: int = 32
    lr: float = 0.05
    evaluations: int = 10
    """How many times the encoders are measured after the start."""

    def __post_init__(self) -> None:
        at_least(self, 1, "seeds", "outputs", "steps", "batch", "evaluations")
        at_least(self, 0, "first_seed")
        multiple(self, "steps", of="evaluations")
        positive(self, "lr")


def all_views(outputs: Tensor, pair: Tensor) -> Tensor:
    """Variance over the views, summed over outputs: [S, B, V, d] -> [S, B]."""
    return (outputs - outputs.mean(-2, keepdim=True)).square().sum(-1).mean(-1)


def known_mean(outputs: Tensor, pair: Tensor) -> Tensor:
    """Squared distance of the first drawn view to the mean output, held fixed: -> [S, B]."""
    drawn = _drawn(outputs, pair[..., :1]).squeeze(-2)
    return (drawn - outputs.mean(-2).detach()).square().sum(-1)


def whole_pair(outputs: Tensor, pair: Tensor) -> Tensor:
    """Squared distance of the two drawn views: -> [S, B]."""
    one, two = _drawn(outputs, pair).unbind(-2)
    return (one - two).square().sum(-1)


def half_pair(outputs: Tensor, pair: Tensor) -> Tensor:
    """Half of it, whose mean over pairs is that of `all_views`."""
    return whole_pair(outputs, pair) / 2


def stopped_pair(outputs: Tensor, pair: Tensor) -> Tensor:
    """The squared distance, the second view held fixed: mean gradient of `all_views`."""
    one, two = _drawn(outputs, pair).unbind(-2)
    return (one - two.detach()).square().sum(-1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "all views": all_views,
    "known mean": known_mean,
    "pair": half_pair,
    "stopped pair": stopped_pair,
    "whole pair": whole_pair,
}


def _drawn(outputs: Tensor, views: Tensor) -> Tensor:
    """Outputs of some views by their numbers [S, B, k]: [S, B, V, d] -> [S, B, k, d]."""
    index = views.unsqueeze(-1).expand(*views.shape, outputs.shape[-1])
    return outputs.gather(-2, index)


def train(config: Config, encoder: Encoder, loss: str, *, progress: bool = True) -> dict:
    """Metrics [S, T] of one encoder under one loss, measured on all training images."""
    seeds = config.seed_range()
    device = "cuda" if config.device == "auto" and torch.cuda.is_available() else config.device
    device = "cpu" if device == "auto" else device
    data = digits().to(device, torch.float32)
    net = encoder.build(seeds, config, torch.float32).to(device)
    optimiser = SGD([(net.parameters(), config.lr)])
    images, views = data.views.shape[:2]

    def numbers(rng: np.random.Generator, length: int) -> np.ndarray:
        image = rng.integers(images, size=(length, config.batch, 1))
        return np.concatenate([image, rng.integers(views, size=(length, config.batch, 2))], -1)

    stream = StepStream(seeds, "train/pairs", numbers, device=device)
    found = [measured(net, data)]
    for step in trange(config.steps, disable=not progress, desc=loss):
        drawn = stream.at(step)  # [S, B, 3]: image, first view, second view
        x = data.views[drawn[..., 0]]  # [S, B, V, 64]
        LOSSES[loss](net(x), drawn[..., 1:]).mean(-1).sum().backward()
        optimiser.step()
        if (step + 1) % (config.steps // config.evaluations) == 0:
            found.append(measured(net, data))
    return {name: torch.stack([f[name] for f in found], -1).cpu().numpy() for name in found[0]}


@torch.no_grad()
def measured(net: nn.Module, data: Digits) -> dict[str, Tensor]:
    """Exact loss over views, deviation and effective rank of the outputs, 5-NN accuracy; [S]."""
    seeds = len(next(net.parameters()))
    x, test = (t.expand(seeds, *t.shape) for t in (data.train, data.test))
    of_images = net(x)
    labels = data.train_labels, data.test_labels
    return {
        "loss": all_views(net(data.views.expand(seeds, *data.views.shape)), x).mean(-1).double(),
        "deviation": output_std(of_images),
        "rank": effective_rank(of_images),
        "knn": knn_accuracy(of_images, labels[0], net(test), labels[1]),
    }


@torch.no_grad()
def noise(config: Config, encoder: Encoder) -> dict[str, np.ndarray]:
    """How the losses vary at the start, every view and every pair counted; metrics [S].

    Those of `view_noise.variances` for the nine views, and its ``within`` as ``fractional`` for
    shifts by any fraction of a pixel up to one.
    """
    seeds = config.seed_range()
    nets = encoder.build(seeds, config, torch.float64)
    views, between = digits().views, fractional(digits().views)
    found: list[dict[str, float]] = []
    for k, y in enumerate(nets(views.expand(len(seeds), *views.shape))):
        alone = encoder.build(seeds[k : k + 1], config, torch.float64)
        found.append(variances(y) | {"fractional": variances(alone(between[None])[0])["within"]})
    return {name: np.array([f[name] for f in found]) for name in found[0]}


def predicted(config: Config) -> np.ndarray:
    """Mean loss of the linear encoder over training under exact descent, mode by mode: [S, T].

    The weights that the seeds start from are known, and so is every mode: an eigenvector of the
    mean covariance of the views of an image.
    """
    seeds = config.seed_range()
    net = mlp(seeds, (PIXELS, config.outputs), purpose="encoder", dtype=torch.float64)
    views = digits().views
    apart = (views - digits().mean_view[:, None]).flatten(0, 1)
    values, vectors = torch.linalg.eigh(apart.mT @ apart / len(apart))
    share = (net[0].weight.detach() @ vectors).square().sum(1) * values  # [S, 64]
    every = config.steps // config.evaluations
    left = [
        MODE_SHARE.numpy(config.lr, values.numpy(), float(step))
        for step in range(0, config.steps + 1, every)
    ]
    return share.numpy() @ np.stack(left, -1)


def expected(config: Config, loss: str) -> np.ndarray:
    """Mean over the draws of the loss of the linear encoder over training, exactly: [S, T].

    The noise of the loss is counted to all orders, by the recursion of `view_noise`. The pair loss
    itself is half of it at twice the rate.
    """
    seeds = config.seed_range()
    net = mlp(seeds, (PIXELS, config.outputs), purpose="encoder", dtype=torch.float64)
    weight = net[0].weight.detach()
    every = config.steps // config.evaluations
    course = expected_course(
        digits().views,
        loss.replace("whole ", ""),
        rate=config.lr * (2 if loss == "whole pair" else 1),
        batch=config.batch,
        steps=list(range(0, config.steps + 1, every)),
    )
    return torch.einsum("soi,tij,soj->st", weight, course, weight).numpy()


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every encoder under every loss; metrics ``encoder/loss/metric`` [S, T].

    ``kept``: deviation of the outputs at the end over that at the start, [S]. ``drop``: log10 of
    the mean loss at the end over that at the start, [S].
    """
    begin = time.perf_counter()
    metrics: dict[str, np.ndarray] = {}
    for encoder, kind in ENCODERS.items():
        with tuned(0):
            metrics |= {f"{encoder}/{key}": value for key, value in noise(config, kind).items()}
            for loss in LOSSES:
                found = train(config, kind, loss, progress=progress)
                for name, values in found.items():
                    metrics[f"{encoder}/{loss}/{name}"] = values
                deviation, mean_loss = found["deviation"], found["loss"]
                metrics[f"{encoder}/{loss}/kept"] = deviation[:, -1] / deviation[:, 0]
                metrics[f"{encoder}/{loss}/drop"] = np.log10(mean_loss[:, -1] / mean_loss[:, 0])
    metrics["linear/predicted"] = predicted(config)
    for loss in LOSSES:
        measured_loss = metrics[f"linear/{loss}/loss"][:, -1]
        metrics[f"linear/{loss}/over predicted"] = (
            measured_loss / metrics["linear/predicted"][:, -1]
        )
        metrics[f"linear/{loss}/expected"] = expected(config, loss)
        metrics[f"linear/{loss}/over expected"] = (
            measured_loss / metrics[f"linear/{loss}/expected"][:, -1]
        )
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
        "config": {"seeds": 2, "steps": 100, "evaluations": 1},
        "metrics": [
            "linear/within",
            "relu/within",
            "relu/uneven",
            "relu/pair/loss",
            "unit/pair/loss",
        ],
    },
]
"""What the tests run again beside the committed record."""
