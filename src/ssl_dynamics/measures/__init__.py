"""Numbers that describe a representation; leaves that know nothing of training."""

from ssl_dynamics.measures.clustering import (
    Classes,
    cdnv,
    class_means,
    classes_of,
    directional_cdnv,
    ncc_accuracy,
    nearest_centres,
    over_pairs,
)
from ssl_dynamics.measures.collapse import (
    covariance_spectrum,
    effective_rank,
    output_std,
    spread,
)
from ssl_dynamics.measures.curvature import Hessian, largest_curvatures, smallest_curvature
from ssl_dynamics.measures.mutual_information import (
    Mine,
    cell_entropy,
    donsker_varadhan,
    in_bins,
    info_nce_bound,
    noisy_information,
)
from ssl_dynamics.measures.neural_collapse import (
    classifier_disagreement,
    classifier_distance,
    simplex_angles,
    simplex_lengths,
    within_over_between,
)
from ssl_dynamics.measures.openness import (
    Openness,
    least_overlap,
    normal_open,
    normal_together,
    openness,
    overlap_ratio,
)
from ssl_dynamics.measures.operator import (
    connection,
    covariance_operator,
    operator_product,
    top_eigenpairs,
)
from ssl_dynamics.measures.overlap import (
    best_students,
    correlation_matrix,
    coverage,
    matched_correlation,
    one_to_one,
)
from ssl_dynamics.measures.probes import (
    knn_accuracy,
    linear_accuracy,
    logistic_regression,
    tuned_linear_accuracy,
)
from ssl_dynamics.measures.recovery import best_correlation, ceiling, correlations
from ssl_dynamics.measures.sphere import alignment, uniformity
from ssl_dynamics.measures.top_down import (
    Coefficients,
    coefficients,
    exact_steps,
    factorised_steps,
    heard,
    mean_coefficients,
    signal,
)

__all__ = [
    "Classes",
    "Coefficients",
    "Hessian",
    "Mine",
    "Openness",
    "alignment",
    "best_correlation",
    "best_students",
    "cdnv",
    "ceiling",
    "cell_entropy",
    "class_means",
    "classes_of",
    "classifier_disagreement",
    "classifier_distance",
    "coefficients",
    "connection",
    "correlation_matrix",
    "correlations",
    "covariance_operator",
    "covariance_spectrum",
    "coverage",
    "directional_cdnv",
    "donsker_varadhan",
    "effective_rank",
    "exact_steps",
    "factorised_steps",
    "heard",
    "in_bins",
    "info_nce_bound",
    "knn_accuracy",
    "largest_curvatures",
    "least_overlap",
    "linear_accuracy",
    "logistic_regression",
    "matched_correlation",
    "mean_coefficients",
    "ncc_accuracy",
    "nearest_centres",
    "noisy_information",
    "normal_open",
    "normal_together",
    "one_to_one",
    "openness",
    "operator_product",
    "output_std",
    "over_pairs",
    "overlap_ratio",
    "signal",
    "simplex_angles",
    "simplex_lengths",
    "smallest_curvature",
    "spread",
    "top_eigenpairs",
    "tuned_linear_accuracy",
    "uniformity",
    "within_over_between",
]
