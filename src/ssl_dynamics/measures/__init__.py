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
from ssl_dynamics.measures.probes import knn_accuracy, linear_accuracy, logistic_regression
from ssl_dynamics.measures.recovery import best_correlation, ceiling, correlations

__all__ = [
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
]
