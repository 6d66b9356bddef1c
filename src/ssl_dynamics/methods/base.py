"""What all methods share: encoder, projector, the loss of two views, parameter groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ssl_dynamics.methods.published import Published
from ssl_dynamics.methods.settings import MethodConfig
from ssl_dynamics.networks.norm import BatchNorm
from ssl_dynamics.networks.vision import Encoder, FeatureNorm, head
from ssl_dynamics.networks.vision.heads import Gather, at_least_float32

NORMS = (BatchNorm, nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
Compared = tuple[Tensor, dict[str, Tensor]]


class Method(nn.Module):
    """A way to train an encoder on two views of every image.

    A method says what is compared (`outputs`) and how (`compare`); the rest is here. Under
    autocast encoder and heads run in bf16 and every loss in float32: `compare` gets
    outputs of at least float32, outside autocast.

    Several processes: `use_gather(f)`, where f [B, d] -> [B', d] joins the rows of all processes
    and is differentiable (its backward adds the gradients of all processes). Then every process
    computes the loss of the whole batch, and the average of their gradients, which is what
    `DistributedDataParallel` takes, is the gradient of one process with all rows. Methods whose
    loss is a mean over images (`couples = False`) gather nothing for the loss; DirectPred does
    for the correlation of its predictor's input, and the variants of BatchNorm for theirs.

    In channels_last the images and the encoder keep that format to the pooled features. `loss` is
    one graph for `torch.compile`; `after_step` and its eigendecomposition stay outside.
    """

    name: ClassVar[str]
    """The name in `METHODS`."""
    source: ClassVar[str]
    """Paper and section of the loss."""
    defaults: ClassVar[Published]
    """The published recipe for small images that the config's defaults follow."""
    paper: ClassVar[Published]
    """The recipe of the paper itself."""
    Config: ClassVar[type[MethodConfig]] = MethodConfig
    couples: ClassVar[bool] = False
    """Whether the loss compares different images of the batch."""
    joint: ClassVar[bool] = False
    """Whether both views pass as one batch of 2 B, so that a BatchNorm takes both together."""

    def __init__(self, encoder: Encoder, config: MethodConfig | None = None) -> None:
        super().__init__()
        self.config: Any = self.Config() if config is None else config
        if not isinstance(self.config, self.Config):
            given = type(self.config).__name__
            raise TypeError(f"config: got {given}; allowed: {self.Config.__qualname__}")
        self.encoder = encoder
        self.projector: nn.Module = self.make_projector()
        self.gather: Gather | None = None

    # What a method defines.

    def outputs(self, one: Tensor, two: Tensor) -> Sequence[Tensor]:
        """What the loss compares, each [B, d]: the projections of both views unless overridden."""
        if self.joint:
            return self.project(torch.cat([one, two])).chunk(2)
        return self.project(one), self.project(two)

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        """The loss (a scalar) of what `outputs` gave, and its named terms."""
        raise NotImplementedError

    def after_step(self, step: int, steps: int) -> None:
        """What follows the optimiser's step number `step` of `steps`, without gradient."""

    # What every method has.

    def loss(
        self, one: Tensor, two: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (a scalar) and named terms (detached) of two views [B, 3, H, W] of B images."""
        if one.shape != two.shape or one.dim() != 4:
            shapes = f"{tuple(one.shape)} and {tuple(two.shape)}"
            raise ValueError(f"views: got {shapes}; allowed: equal, [B, 3, H, W]")
        given = self.outputs(one, two)
        with torch.autocast(one.device.type, enabled=False):
            compared = [self._of_all(at_least_float32(y)) for y in given]
            value, terms = self.compare(*compared, labels=labels)
        return value, {name: term.detach() for name, term in terms.items()}

    def forward(
        self, one: Tensor, two: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """`loss`, so that the method can be wrapped for several processes."""
        return self.loss(one, two, labels)

    def represent(self, x: Tensor) -> Tensor:
        """Features [B, features] of images, what is kept after training."""
        return self.encoder(x)

    def project(self, x: Tensor) -> Tensor:
        """Projector outputs [B, d] of images, what collapse is measured on."""
        return self.projector(self.encoder(x))

    def trained(self) -> Iterator[tuple[str, nn.Module, float]]:
        """(name, part, learning-rate multiplier) of what the optimiser moves."""
        yield "encoder", self.encoder, 1.0
        yield "projector", self.projector, 1.0

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimiser: name, params, weight_decay, lr (a multiplier), lars, constant.

        Weights and the rest (biases, gains, offsets) of each part stand apart; the rest has
        weight_decay and lars False where the recipe of `defaults` leaves it out. `constant` is
        True where the learning rate should stay while the others' falls.
        """
        groups: list[dict[str, Any]] = []
        for name, part, lr in self.trained():
            weights, rest = _split(part)
            plain = not self.defaults.exclude_bias_and_norm
            for kind, params, on in (("weights", weights, True), ("rest", rest, plain)):
                if params:
                    groups.append(
                        {
                            "name": f"{name}/{kind}",
                            "params": params,
                            "weight_decay": on,
                            "lr": lr,
                            "lars": on,
                            "constant": False,
                        }
                    )
        return groups

    def use_gather(self, gather: Gather | None) -> None:
        """Join rows of all processes with `gather` in the loss and in the heads' own norms.

        torch's BatchNorm layers are not touched: turn those into `SyncBatchNorm`.
        """
        self.gather = gather
        for part in self.modules():
            if isinstance(part, FeatureNorm):
                part.gather = gather

    def make_projector(self) -> nn.Module:
        """The projector of the config on top of the encoder."""
        c = self.config
        return self.make_head(
            "projector",
            (self.encoder.features, *c.projector),
            output_norm=c.output_norm,
            output_affine=c.output_affine,
        )

    def make_head(self, purpose: str, widths: Sequence[int], **options: Any) -> nn.Module:
        """A head with the norms of the config, its weights from the stream of `purpose`."""
        c = self.config
        norms = {"norm": c.head_norm, "affine": c.affine, "seed": c.seed}
        return head(widths, purpose=f"online/{purpose}", **norms, **options)

    def _of_all(self, y: Tensor) -> Tensor:
        return y if self.gather is None or not self.couples else self.gather(y)


def alignment(p: Tensor, z: Tensor) -> Tensor:
    """Mean cosine of the two views, a term every method reports."""
    return torch.nn.functional.cosine_similarity(p.detach(), z.detach(), dim=-1).mean()


def _split(part: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(weights, biases and parameters of norms) of a part, those without gradient left out."""
    weights: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for module in part.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                small = name == "bias" or isinstance(module, NORMS)
                (rest if small else weights).append(parameter)
    return weights, rest
