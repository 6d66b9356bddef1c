"""How large must fluctuations of the initial weights be before a neuron can learn?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget


class WakingNeuron(Widget):
    """A neuron on a ring of seven sites with two objects, and the growth of its class difference.

    Give it ``RATE``, ``GROWTH`` and ``FIRST_FLIP`` of ``ssl_dynamics.theory.one_neuron``, in this
    order or by role. The weights start at ``mean`` plus ``spread`` times one fixed fluctuation.
    """

    TOPIC = "one_neuron"
    QUESTION = "How large must the fluctuations of the initial weights be before a neuron learns?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "rate": ("kappa", "pi_0", "u_square"),
        "growth": ("D_0", "kappa", "pi_0", "u_square", "t"),
        "first_flip": ("w_mean", "xi_low"),
    }

    neuron = traitlets.Enum(["relu", "linear"], "relu", help="gates or none").tag(sync=True)
    mean = traitlets.Float(0.5, min=-1.0, max=1.0, help="mean of the weights").tag(sync=True)
    spread = traitlets.Float(1.6, min=0.0, max=3.0, help="size of the fluctuations").tag(sync=True)
