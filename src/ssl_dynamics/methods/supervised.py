"""Supervised training, the comparison that is told the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ssl_dynamics.methods.base import Compared, Method
from ssl_dynamics.methods.published import Published
from ssl_dynamics.methods.settings import MethodConfig


@dataclass(frozen=True)
class SupervisedConfig(MethodConfig):
    """Settings of the classifier: hidden widths in `projector`, none by default."""

    least_projector: ClassVar[int] = 0
    projector: tuple[int, ...] = ()
    classes: int = 100
    """How many classes; labels are 0 to classes - 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.classes < 2:
            raise ValueError(f"classes: got {self.classes}; allowed: at least 2")


class Supervised(Method):
    r"""L = -E log softmax(W f + b)_label, cross-entropy, averaged over both views.

    `project` gives the logits. The classifier is one linear map unless hidden widths are given.

    Source: cross-entropy; ResNets by He and others (2016), section 4.2, whose rate, momentum and
    weight decay for CIFAR-10 `defaults` follow; a cosine over as many epochs (64 000 steps of 128)
    stands for the two drops of the learning rate, and the views are SimCLR's, so that it sees
    what the other methods see.
    """

    name = "supervised"
    source = "He et al. (2016), section 4.2"
    Config = SupervisedConfig
    joint = True
    defaults = Published(
        source="He et al. (2016), section 4.2, CIFAR-10, with a cosine schedule",
        optimiser="sgd",
        lr=0.1,
        per=128,
        weight_decay=1e-4,
        batch=128,
        epochs=164,
        warmup_epochs=0,
    )
    paper = defaults

    def make_projector(self) -> nn.Module:
        """The classifier, whose outputs are logits."""
        c = self.config
        return self.make_head("classifier", (self.encoder.features, *c.projector, c.classes))

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        if labels is None:
            raise ValueError("labels: got None; allowed: int64 [B], the classes of the images")
        logits, twice = torch.cat(outputs), labels.repeat(2)
        hits = (logits.detach().argmax(-1) == twice).float().mean()
        return cross_entropy(logits, twice), {"accuracy": hits}
