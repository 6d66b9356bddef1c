"""SimSiam with the target at the mean view of the image instead of at another view."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ssl_dynamics.methods.base import Compared, alignment
from ssl_dynamics.methods.simsiam import SimSiam
from ssl_dynamics.networks import averages_at


class MeanView(SimSiam):
    r"""L = D(p_1, sg z(m)) / 2 + D(p_2, sg z(m)) / 2 with D = -E cos, m the mean view, p = h(z).

    With `predictor` None and without stop-gradient this is the plain comparison of F(T x) with F at
    the mean view. In `loss` the third argument is the mean view of each image [B, 3, H, W];
    with class labels, or nothing, in its place the mean of the two views stands in for it.

    BatchNorm normalises the batch of mean views with that batch's own statistics, and its running
    averages follow the views alone: a mean view is smoother than an image.

    Source: Su (2020), the first of the two questions at the end. Heads, rate and decay of
    `defaults` and `paper` are SimSiam's; nobody has published a recipe of its own.
    """

    name = "mean_view"
    source = "Su (2020), first question at the end"
    _means: Tensor | None = None

    def loss(
        self, one: Tensor, two: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and terms of two views [B, 3, H, W]; `labels` are their mean views, if 4-D."""
        given = labels is not None and labels.dim() > 1
        if given and labels is not None and labels.shape != one.shape:
            raise ValueError(
                f"mean views: got {tuple(labels.shape)}; allowed: {tuple(one.shape)}, as the views"
            )
        self._means = labels if given else None
        try:
            return super().loss(one, two)
        finally:
            self._means = None

    def outputs(self, one: Tensor, two: Tensor) -> Sequence[Tensor]:
        """Predictions of both views and the projection of the mean view, each [B, d]."""
        p_one, p_two = (self.predictor(self.project(view)) for view in (one, two))
        mean = (one + two) / 2 if self._means is None else self._means
        with averages_at(self, 0.0), torch.set_grad_enabled(not self.config.stop_gradient):
            target = self.project(mean)
        return p_one, p_two, target

    def compare(self, *outputs: Tensor, labels: Tensor | None = None) -> Compared:
        p_one, p_two, target = outputs
        value, terms = super().compare(p_one, target, p_two, target)
        return value, {"cosine": terms["cosine"], "views": alignment(p_one, p_two)}
