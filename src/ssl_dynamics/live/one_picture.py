"""Eight methods on one spectrum: which modes survive, how fast, how strong?"""

from __future__ import annotations

from typing import ClassVar

import traitlets

from ssl_dynamics.live.base import Widget

METHODS = ("simple", "small", "simclr", "vicreg", "barlow", "byol", "simsiam", "directpred")
SPECTRA = ("shaken", "alike")


class EightMethods(Widget):
    """The strengths of five modes under a method, and what is left of them at the end.

    Give it the eight flows of ``ssl_dynamics.theory.one_picture``, in the order of ``METHODS``, and
    ``THRESHOLD`` of ``ssl_dynamics.theory.predictor``. All weights start at 0.1, the predictor and
    the target with them; temperature 1/2, VICReg's weights 1, constant 10⁻⁴ and five outputs, one
    negative, equal learning rates, target rate 1, DirectPred's constant 0.05; under Barlow Twins
    all modes share one axis.
    """

    TOPIC = "one_picture"
    QUESTION = "Which modes survive under which method, and how strong do they end?"
    ROLES: ClassVar[dict[str, tuple[str, ...]]] = {
        "simple": ("w", "lambda_V"),
        "small": ("w", "lambda_V", "temperature", "n_neg"),
        "simclr": ("w", "lambda_V", "lambda_I", "temperature"),
        "vicreg": ("w", "lambda_V", "lambda_I", "mu_s", "mu_v", "eps_v", "n_out"),
        "barlow": ("w", "lambda_V", "lambda_I", "C_a", "V_a"),
        "byol": ("p", "w", "w_target", "lambda_V", "lambda_I", "alpha_p", "beta"),
        "simsiam": ("p", "w", "lambda_V", "lambda_I", "alpha_p"),
        "directpred": ("w", "lambda_V", "lambda_I", "eps_p"),
        "best": ("lambda_V", "lambda_I"),
    }

    method = traitlets.Enum(METHODS, "byol", help="the method").tag(sync=True)
    spectrum = traitlets.Enum(SPECTRA, "shaken", help="what the views shake").tag(sync=True)
    sigma_aug = traitlets.Float(
        1.0, min=0.0, max=1.5, help="deviation of the augmentation noise"
    ).tag(sync=True)
