"""The two towers and their loss."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from ssl_dynamics.data import PIXELS
from ssl_dynamics.losses import LOSSES
from ssl_dynamics.networks import mlp, predictor
from ssl_dynamics.training.config import TowerConfig


class Tower(nn.Module):
    """Encoder, then projector: images [S, ..., B, 64] -> outputs [S, ..., B, d]."""

    def __init__(self, config: TowerConfig, seeds: Sequence[int], purpose: str) -> None:
        super().__init__()
        dtype, projected = config.torch_dtype, bool(config.projector)
        self.encoder = mlp(
            seeds,
            (PIXELS, *config.encoder),
            purpose=f"{purpose}/encoder",
            norm=config.encoder_norm,
            output_norm="none" if projected else config.output_norm,
            output_relu=config.feature_relu,
            standardised=config.weight_standardisation,
            dtype=dtype,
        )
        self.projector = mlp(
            seeds,
            (config.encoder[-1], *config.projector),
            purpose=f"{purpose}/projector",
            norm=config.norm,
            affine=config.affine,
            output_norm=config.output_norm if projected else "none",
            standardised=config.weight_standardisation,
            dtype=dtype,
        )
        self.outputs = (*config.encoder, *config.projector)[-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.projector(self.encoder(x))


class Towers(nn.Module):
    """Online tower with predictor, and the target: itself, or a network that follows by EMA."""

    def __init__(self, config: TowerConfig, seeds: Sequence[int]) -> None:
        super().__init__()
        self.config, self.seeds = config, tuple(seeds)
        self.online = Tower(config, seeds, "online")
        self.predictor = predictor(
            seeds,
            self.online.outputs,
            config.predictor,
            width=config.predictor_width,
            norm=config.norm,
            affine=config.affine,
            scale=config.predictor_scale,
            standardised=config.weight_standardisation,
            dtype=config.torch_dtype,
        )
        self.target: Tower | None = None
        if config.ema is not None:
            copy = config.target_start == "copy"
            self.target = deepcopy(self.online) if copy else Tower(config, seeds, "target")
            self.target.requires_grad_(False)

    def loss(self, views: Tensor, mean_view: Tensor | None = None) -> Tensor:
        """The loss of each seed [S] on the views [S, 2, B, 64] of a batch.

        `mean_view` [S, B, 64] is what the target sees when `target_view` is "mean".
        """
        config = self.config
        seen = views if config.symmetric else views[:, :1]
        z = self.online(seen)
        p = self.predictor(z)
        if config.target_view == "mean":
            t = self._target(mean_view.unsqueeze(1)).expand_as(p)
        elif config.symmetric:
            t = (z if self.target is None else self._target(views)).flip(1)
        else:
            t = self._target(views[:, 1:])
        if config.stop_gradient:
            t = t.detach()
        each = LOSSES[config.loss](p, t)  # one loss per seed and direction
        return each.mean(1) if config.loss == "cosine" else each.sum(1)

    def _target(self, x: Tensor) -> Tensor:
        tower = self.online if self.target is None else self.target
        if not self.config.stop_gradient:
            return tower(x)
        with torch.no_grad():
            return tower(x)
