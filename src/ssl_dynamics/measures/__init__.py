"""Numbers that describe a representation; leaves that know nothing of training."""

from ssl_dynamics.measures.collapse import (
    covariance_spectrum,
    effective_rank,
    output_std,
    spread,
)
from ssl_dynamics.measures.operator import (
    connection,
    covariance_operator,
    operator_product,
    top_eigenpairs,
)
from ssl_dynamics.measures.probes import (
    knn_accuracy,
    linear_accuracy,
    logistic_regression,
    tuned_linear_accuracy,
)
from ssl_dynamics.measures.recovery import best_correlation, ceiling, correlations
from ssl_dynamics.measures.sphere import alignment, uniformity

__all__ = [
    "alignment",
    "best_correlation",
    "ceiling",
    "connection",
    "correlations",
    "covariance_operator",
    "covariance_spectrum",
    "effective_rank",
    "knn_accuracy",
    "linear_accuracy",
    "logistic_regression",
    "operator_product",
    "output_std",
    "spread",
    "top_eigenpairs",
    "tuned_linear_accuracy",
    "uniformity",
]
