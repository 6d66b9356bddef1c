"""Every widget with the closed forms that it draws, under the name of its chapter.

The one list from which the tests make widgets: without a browser, and in the cell that JupyterLab
runs.
"""

from __future__ import annotations

from types import ModuleType

from ssl_dynamics import live
from ssl_dynamics.symbolic import ClosedForm
from ssl_dynamics.theory import (
    ablation,
    alternating,
    batchnorm,
    clustering_measures,
    collapse_levels,
    compression,
    covariance_operator,
    depth,
    directpred,
    dual_networks,
    ema,
    expansion,
    flat_minima,
    gradient,
    info_nce,
    latent_tree,
    lottery,
    luck,
    mean_view,
    negative_bias,
    one_neuron,
    one_picture,
    predictor,
    random_targets,
    recovery,
    simsiam,
    supervised,
    teaser,
    top_down,
    translation,
    two_layers,
    two_terms,
)


def _of(module: ModuleType, names: str) -> list[ClosedForm]:
    return [module.FORMS[name] for name in names.split()]


WIDGETS: dict[str, tuple[type[live.Widget], list[ClosedForm]]] = {
    "ablation": (live.AblationGrid, _of(ablation, "SPREAD")),
    "alternating": (
        live.Alternation,
        [alternating.ROUND, ema.STEP, alternating.FOLLOWED_STEP],
    ),
    "batchnorm": (live.BatchNormGradients, list(batchnorm.VARIANTS.values())),
    "compression": (
        live.InformationEstimates,
        _of(compression, "NOISY CORRELATION WEIGHT_VARIANCE"),
    ),
    "collapse_levels": (live.LevelClock, _of(collapse_levels, "RATE END COURSE TIME TIE")),
    "covariance_operator": (live.PairBalance, _of(covariance_operator, "BETA_RATE BETA_EDGE")),
    "directpred": (
        live.ModePlane,
        _of(
            directpred,
            "MODE_FLOW P_PLUS P_MINUS CRITICAL_DECAY ALIGN_ALL GROW_AT_ALL ALIGNMENT_RATE "
            "END_STRENGTH",
        ),
    ),
    "dual_networks": (live.GateFlip, _of(dual_networks, "OUTPUT FROZEN GAP FLIP")),
    "ema": (
        live.PolePlane,
        _of(ema, "STEP TRACE DETERMINANT FIRST_EXIT SECOND_EXIT CRITICAL_GAIN RESPONSE"),
    ),
    "expansion": (
        live.TwoLosses,
        _of(expansion, "OUTPUT_UP OUTPUT_DOWN OUTPUT_STAY PAIR_VARIANCE MEAN_LOSS"),
    ),
    "flat_minima": (
        live.FadingNode,
        [flat_minima.UNIT_FAN_OUT, flat_minima.ANGLE_RATE, gradient.GATED_ALONG],
    ),
    "gradient": (
        live.NodePull,
        [dual_networks.OUTPUT, gradient.PATH, gradient.PULL],
    ),
    "info_nce": (live.ResidualBalance, _of(info_nce, "OPERATOR PSD_PART NCE_WEIGHT")),
    "latent_tree": (live.TreeWalk, _of(latent_tree, "PATH_POLARITY")),
    "layers": (live.LayerCourses, _of(depth, "DEEP_FLOW LAYER_VARIANCE LAYER_RATIO")),
    "lottery": (
        live.SecondDraw,
        [lottery.SINE_STEP, lottery.AGAIN, luck.AT_LEAST_ONE, recovery.TIME],
    ),
    "luck": (live.LuckyNode, _of(gradient, "GATED_ALONG GATED_ACROSS")),
    "measures": (
        live.TwoClusters,
        _of(clustering_measures, "NCC_BOUND PLUGIN TEST_MARGIN TRAIN_MARGIN RANK"),
    ),
    "mean_view": (live.TargetTable, _of(mean_view, "LINE_SPREAD")),
    "negative_bias": (live.OpenQuadrant, _of(negative_bias, "OPEN_RATE BOTH_TURN FLOOR")),
    "one_neuron": (live.WakingNeuron, _of(one_neuron, "RATE GROWTH FIRST_FLIP")),
    "one_picture": (
        live.EightMethods,
        [
            *_of(
                one_picture,
                "SIMPLE_FLOW SMALL_FLOW SIMCLR_FLOW VICREG_FLOW BARLOW_FLOW BYOL_FLOW "
                "SIMSIAM_FLOW DIRECTPRED_FLOW",
            ),
            predictor.THRESHOLD,
        ],
    ),
    "predictor": (
        live.PredictorTerms,
        _of(predictor, "INVARIANCE NEGATIVE POSITIVE GROWTH THRESHOLD BEST_SCALE"),
    ),
    "random_targets": (
        live.TargetAngle,
        _of(random_targets, "ACCURACY STOP_ANGLE SHARE CDNV_OF_SHARE"),
    ),
    "recovery": (live.TwoStudents, _of(recovery, "ANGLE NORM TIME LATE_ANGLE")),
    "simsiam": (
        live.PhasePortrait,
        _of(simsiam, "flow_stop flow_full flow_second limit_stop limit_full limit_second"),
    ),
    "supervised": (
        live.SampledCentres,
        _of(supervised, "INTEGRAND OWN_CORRELATION CENTRES_PLACE OWN_PLACE NEW_PLACE"),
    ),
    "teaser": (live.TwoViews, _of(teaser, "PAIR_GRADIENT THRESHOLD WEIGHT")),
    "top_down": (live.BlindLayer, _of(top_down, "BLIND_ERROR FREE_ERROR")),
    "translation": (live.RingWalk, _of(translation, "SITE CLOCK_TIME MIXTURE")),
    "two_terms": (
        live.InvarianceAndHinge,
        [
            *_of(two_terms, "COLLAPSE_RATE CRITICAL_WEIGHT CRITICAL_SHARE DEVIATION_FLOW"),
            one_picture.VICREG_END,
        ],
    ),
    "two_layers": (live.TwoLayers, _of(two_layers, "BLOW_UP SQUARE PRODUCT FROZEN")),
}
