r"""One weight, two noisy views, stochastic gradient descent: does the weight grow or shrink?

The smallest experiment of the book, for its first page. Every step draws `batch` images
:math:`x\sim N(0,1)` and two views of each, and moves every seed's weight by the gradient of
:math:`\tfrac12(p\,w\,x_1-\mathrm{sg}(w\,x_2))^2`, taken by autograd. Two predictors run side by
side: ``none`` is :math:`p=1`, ``half`` is half of the threshold, where the growth is fastest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ssl_dynamics.data import generator
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.theory import teaser
from ssl_dynamics.training.settings import at_least, multiple, one_of, positive

NAME = "teaser"


@dataclass(frozen=True)
class Config:
    """Settings; the strength of the augmentation is in units of the images' deviation."""

    seeds: int = field(default=64, metadata={"help": "number of seeds, trained together"})
    device: str = field(default="cpu", metadata={"help": "cpu: the weights are 64 numbers"})
    name: str = field(default="one-weight", metadata={"help": "name of the record"})
    sigma_aug: float = 0.6
    steps: int = 200
    lr: float = 0.02
    batch: int = 64
    record_every: int = 10

    def __post_init__(self) -> None:
        one_of("device", self.device, ("cpu",))
        at_least(self, 1, "seeds", "steps", "batch")
        multiple(self, "steps", of="record_every")
        positive(self, "lr", "sigma_aug")

    @property
    def predictors(self) -> dict[str, float]:
        """Predictor of each condition."""
        return {"none": 1.0, "half": float(teaser.THRESHOLD.numpy(self.sigma_aug)) / 2}


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Train every seed under both predictors on the same views, and return the record.

    Metrics: ``weight`` [S, T]; ``rate`` [S], the mean growth rate per unit of training time;
    ``ratio`` [S], that rate over the predicted one.
    """
    begin = time.perf_counter()
    shape = (config.steps, 3, config.batch)
    drawn = [generator(seed, "teaser/views").normal(size=shape) for seed in range(config.seeds)]
    draws = torch.from_numpy(np.stack(drawn, 1))  # [T, S, 3, B]
    image, noise = draws[:, :, :1], draws[:, :, 1:]
    x_1, x_2 = (image + config.sigma_aug * noise).unbind(2)  # [T, S, B] each
    p = torch.tensor(list(config.predictors.values()), dtype=torch.float64)[:, None, None]
    w = torch.ones(len(p), config.seeds, 1, dtype=torch.float64, requires_grad=True)  # [C, S, 1]
    path = [w.detach().clone()]
    for step in tqdm(range(config.steps), disable=not progress, unit="step"):
        loss = 0.5 * (p * w * x_1[step] - (w * x_2[step]).detach()) ** 2
        (gradient,) = torch.autograd.grad(loss.mean(-1).sum(), w)
        with torch.no_grad():
            w -= config.lr * gradient
        if (step + 1) % config.record_every == 0:
            path.append(w.detach().clone())
    weights = torch.cat(path, -1).numpy()  # [C, S, T]
    rates = np.log(weights[..., -1]) / (config.lr * config.steps)
    metrics: dict[str, np.ndarray] = {}
    for (condition, scale), weight, rate in zip(
        config.predictors.items(), weights, rates, strict=True
    ):
        predicted = float(teaser.RATE.numpy(scale, config.sigma_aug))
        metrics |= {
            f"{condition}/weight": weight,
            f"{condition}/rate": rate,
            f"{condition}/ratio": rate / predicted,
        }
    return finished(
        NAME,
        config,
        range(config.seeds),
        metrics,
        axes={"step": list(range(0, config.steps + 1, config.record_every))},
        device=config.device,
        wall_s=time.perf_counter() - begin,
    )


SLICES = [
    {
        "record": "one-weight",
        "config": {"seeds": 8},
        "metrics": ["none/rate", "half/rate", "half/ratio"],
    },
]
"""What the tests run again beside the committed record."""
