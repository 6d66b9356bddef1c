"""What does a normalisation layer hand down of the gradient that arrives from above?"""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

_SAMPLE = ("x", "g", "mu", "sigma", "epsilon", "gbar", "c_gx")


def _finite(low: float, high: float) -> traitlets.Float:
    return traitlets.Float(min=low, max=high)


class BatchNormGradients(Widget):
    """A batch on a line with the gradients that arrive, and the gradients that are handed down.

    Give it the nine gradients ``VARIANTS`` of ``ssl_dynamics.theory.batchnorm``, in their order or
    by role. The stabiliser is 0. ``variant`` is the name of a role; ``x`` and ``g`` are lists of
    one length.
    """

    TOPIC = "batchnorm"
    QUESTION = "What does the layer hand down of the gradient that arrives from above?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        (
            "mu_sigma", "mu_sigmadet", "mu", "mudet_sigma", "mudet_sigmadet", "mudet", "sigma",
            "sigmadet", "none",
        ),
        _SAMPLE,
    )  # fmt: skip

    variant = traitlets.Enum(list(ROLES), "mu_sigma", help="kind of normalisation").tag(sync=True)
    x = traitlets.List(
        _finite(-2.5, 2.5), [-1.7, -1.0, -0.4, 0.3, 0.9, 1.8], minlen=2, help="the batch"
    ).tag(sync=True)
    g = traitlets.List(
        _finite(-2.0, 2.0), [-0.6, 1.1, -0.2, 1.5, 0.6, 1.7], minlen=2, help="arriving gradients"
    ).tag(sync=True)

    def __init__(self, forms: Any, **values: Any) -> None:
        super().__init__(forms, **values)
        if len(self.x) != len(self.g):
            raise ValueError(f"x has {len(self.x)} points and g has {len(self.g)}, allowed: equal")
