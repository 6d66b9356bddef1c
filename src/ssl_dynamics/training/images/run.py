"""One seed in training on images: method, optimiser, data, and the step it has reached."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from ssl_dynamics.data import generator
from ssl_dynamics.methods import Method, build_method
from ssl_dynamics.networks.vision import encoder
from ssl_dynamics.training.images import distributed
from ssl_dynamics.training.images.config import ImageConfig
from ssl_dynamics.training.images.optim import Optimiser
from ssl_dynamics.training.images.schedules import warmup_cosine
from ssl_dynamics.training.images.sets import RunImages

Watch = Callable[[str], AbstractContextManager]
"""Times a part of the step: `with watch("forward"):`."""


def unwatched(part: str) -> AbstractContextManager:
    """No stopwatch."""
    return nullcontext()


class ImageRun:
    """One seed of a method on images; `step()` is one gradient step.

    Order of the images, crops, colours and initial weights are functions of (seed, purpose, step)
    alone: a run that goes on from a checkpoint needs no state of any generator, and several
    processes see together what one would see.
    """

    def __init__(
        self,
        config: ImageConfig,
        seed: int,
        images: RunImages,
        device: torch.device | str = "cpu",
        method: Method | None = None,
    ) -> None:
        self.config, self.seed, self.images, self.now = config, seed, images, 0
        self.device = torch.device(device)
        self.rows = distributed.part(config.batch)
        if method is None:
            net = encoder(config.encoder, images.size, norm=config.encoder_norm, seed=seed)
            method = build_method(config.method, net, seed=seed, **config.method_options)
        self.method = method.to(self.device)
        self.half = config.precision == "bf16" or (
            config.precision == "auto" and self.device.type == "cuda"
        )
        self.method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        distributed.synchronise(self.method)
        if config.compile:
            self.method.encoder.compile()
        groups = self.method.parameter_groups()
        if config.decay_all is not None:
            on = {"weight_decay": config.decay_all, "lars": config.decay_all}
            groups = [g if g["name"].endswith("weights") else {**g, **on} for g in groups]
        self.optimiser = Optimiser(groups, **config.optimiser_options)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch; images that do not fill a batch wait for the next epoch's draw."""
        return len(self.images.train) // self.config.batch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.config.epochs

    def views(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """This process's part of the batch of a step: two views [B, 3, H, W], labels [B]."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            order = generator(self.seed, "images/order", epoch).permutation(len(self.images.train))
            self._epoch, self._order = epoch, torch.from_numpy(order).to(self.device)
        first = place * self.config.batch
        rows = self._order[first : first + self.config.batch]
        one, two = (self._view(rows, number, step) for number in (0, 1))
        return one, two, self.images.train_labels[rows[self.rows]]

    def _view(self, rows: Tensor, number: int, step: int) -> Tensor:
        chance = torch.Generator().manual_seed(
            int(generator(self.seed, f"images/view-{number}", step).integers(2**63))
        )
        view = self.images.view(rows, self.rows, number, chance)
        return view.contiguous(memory_format=torch.channels_last)

    def loss(
        self, one: Tensor, two: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of two views and its named terms."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            return self.method.loss(one, two, labels)

    def step(self, watch: Watch = unwatched) -> dict[str, Tensor]:
        """One gradient step; the loss and its terms, detached, of this process's images."""
        self.method.train()
        with watch("data"):
            one, two, labels = self.views(self.now)
        with watch("forward"):
            loss, terms = self.loss(one, two, labels)
        with watch("backward"):
            loss.backward()
            distributed.average_gradients(self.method.parameters())
        with watch("optimiser"):
            self.optimiser.step(self.lr(self.now), constant=self.config.peak_lr)
            self.method.zero_grad(set_to_none=True)
            self.method.after_step(self.now, self.steps)
        self.now += 1
        return {"loss": loss.detach(), **terms}

    def lr(self, step: int) -> float:
        """The learning rate of a step."""
        warmup = round(self.config.warmup_epochs * self.steps_per_epoch)
        if step >= warmup and not self.config.falls:
            return self.config.peak_lr
        return self.config.peak_lr * warmup_cosine(step, self.steps, warmup)

    def state(self) -> dict[str, Any]:
        """Everything a checkpoint needs to go on from here: tensors and numbers."""
        return {
            "now": self.now,
            "method": self.method.state_dict(),
            "velocity": self.optimiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.method.load_state_dict(state["method"])
        self.optimiser.restore(state["velocity"])
        self.now = state["now"]
