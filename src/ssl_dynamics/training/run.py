"""One block of seeds in training: its networks, optimiser and data, and the step it has reached."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ssl_dynamics.data import Digits, PairSampler, digits
from ssl_dynamics.measures import (
    effective_rank,
    knn_accuracy,
    linear_accuracy,
    output_std,
    spread,
)
from ssl_dynamics.networks import Linear, population_statistics
from ssl_dynamics.networks.following import follow_tensors
from ssl_dynamics.training.config import TowerConfig
from ssl_dynamics.training.optim import SGD
from ssl_dynamics.training.towers import Towers

Measure = Callable[[Towers, Digits], Tensor]
"""A metric of your own: (towers, data) -> one number per seed [S]."""


class Run:
    """All seeds of a block in one set of tensors; `step()` is one gradient step of each.

    For loops of your own: `run.towers` holds the networks, `run.sampler` the data, `run.now`
    the number of steps done. Wrap them in `with tuned(0):`, or collapsing networks crawl (see
    `training.threads`).
    """

    def __init__(
        self, config: TowerConfig, seeds: tuple[int, ...], device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.seeds, self.now = config, tuple(seeds), 0
        self.data = digits().to(device, config.torch_dtype)
        self.towers = Towers(config, self.seeds).to(device)
        rates = {"online": config.lr, "predictor": config.lr * config.predictor_lr}
        self.optimiser = SGD(
            [
                (parameters, lr, float(config.decay in ("all", which)))
                for part, lr in rates.items()
                for which, parameters in kinds(self.towers.get_submodule(part)).items()
            ],
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        if not config.predictor_lr:
            self.towers.predictor.requires_grad_(False)
        self.sampler = PairSampler(
            self.data, self.seeds, config.batch, noise=config.noise, contrast=config.contrast
        )
        if self.towers.target is not None:
            self._target = list(self.towers.target.state_dict().values())
            self._online = list(self.towers.online.state_dict().values())

    def loss(self) -> Tensor:
        """The loss of each seed [S] on the batch of the current step."""
        views = self.sampler.at(self.now)
        mean = self.sampler.mean_at(self.now) if self.config.target_view == "mean" else None
        return self.towers.loss(views, mean)

    def step(self) -> None:
        """One gradient step of every seed, then the target follows."""
        self.loss().sum().backward()
        self.optimiser.step()
        if self.towers.target is not None:
            follow_tensors(self._target, self._online, self.config.ema)
        self.now += 1

    @torch.no_grad()
    def metrics(
        self, *, probe: bool = True, measures: dict[str, Measure] | None = None
    ) -> dict[str, Tensor]:
        """The metrics of the current step, each [S] in float64 on the CPU."""
        data, tower, count = self.data, self.towers.online, len(self.seeds)
        train, test = (x.expand(count, -1, -1) for x in (data.train, data.test))
        found = {"loss": self.loss()}
        with population_statistics(tower, train):
            features = tower.encoder(test)
            outputs = tower.projector(features)
            found |= {
                "spread": spread(outputs),
                "output_std": output_std(outputs),
                "rank": effective_rank(outputs),
                "feature_rank": effective_rank(features),
            }
            if probe:
                sets = (tower.encoder(train), data.train_labels, features, data.test_labels)
                found |= {"knn": knn_accuracy(*sets), "linear": linear_accuracy(*sets)}
        for name, measure in (measures or {}).items():
            found[name] = measure(self.towers, data)
        return {name: value.double().cpu() for name, value in found.items()}

    def state(self) -> dict:
        """Everything a checkpoint needs to go on from here."""
        return {
            "now": self.now,
            "towers": self.towers.state_dict(),
            "velocity": self.optimiser.state(),
        }

    def restore(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self.towers.load_state_dict(state["towers"])
        self.optimiser.restore(state["velocity"])
        self.now = state["now"]


def kinds(network: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The parameters of a network: "rows" of weights, and "biases" with gains and offsets."""
    named = list(network.named_parameters())
    rows = [value for name, value in named if name.endswith("weight")]
    return {"rows": rows, "biases": [v for n, v in named if not n.endswith("weight")]}


def cost(config: TowerConfig) -> tuple[float, int]:
    """(multiplications, bytes touched) of one training step of one seed, roughly.

    Bytes: weights, gradients, velocities and target weights; activations of both views, kept and
    differentiated.
    """
    layers = [m for m in Towers(config, (0,)).modules() if isinstance(m, Linear)]
    weights = sum(layer.weight.numel() for layer in layers)
    widths = sum(layer.weight.shape[1] for layer in layers)
    views = 2 if config.symmetric else 1
    numbers = 4 * weights + 2 * views * config.batch * widths
    return 3.0 * views * config.batch * weights, numbers * config.torch_dtype.itemsize
