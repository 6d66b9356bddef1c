"""What Python says a widget must show for the values of its controls: one function a widget.

Each takes the values of the controls, the displayed numbers and the drawn picture, and holds them
against the closed forms of ``ssl_dynamics.theory`` (evaluated by NumPy) or against an independent
computation. :data:`CRITICAL` gives the values that the buttons of a slider must offer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations, product
from typing import Any

import numpy as np
import torch
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import beta as beta_law
from scipy.stats import ncx2, norm

from ssl_dynamics.live.latent_tree import RECORDED, walk_of
from ssl_dynamics.records import load
from ssl_dynamics.theory import (
    batchnorm,
    covariance_operator,
    directpred,
    dual_networks,
    ema,
    info_nce,
    one_neuron,
    predictor,
    simsiam,
    teaser,
)
from ssl_dynamics.training import normal_flow
from ssl_dynamics.training.ring_flow import ring_flow

State = dict[str, Any]
Numbers = dict[str, float]
Picture = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]

PAGES = {
    "collapse_levels": "book/clustering/collapse_levels",
    "covariance_operator": "book/contrastive/covariance_operator",
    "dual_networks": "book/contrastive/dual_networks",
    "info_nce": "book/contrastive/info_nce",
    "batchnorm": "book/no_negatives/batchnorm",
    "ablation": "book/no_negatives/ablation",
    "predictor": "book/no_negatives/predictor",
    "ema": "book/no_negatives/ema",
    "simsiam": "book/no_negatives/simsiam",
    "alternating": "book/no_negatives/alternating",
    "expansion": "book/no_negatives/expansion",
    "mean_view": "book/no_negatives/mean_view",
    "directpred": "book/no_negatives/directpred",
    "one_picture": "book/no_negatives/one_picture",
    "teaser": "book/index",
    "latent_tree": "book/contrastive/latent_tree",
    "one_neuron": "book/contrastive/one_neuron",
    "two_layers": "book/contrastive/two_layers",
    "translation": "book/contrastive/translation",
    "gradient": "book/student_teacher/gradient",
    "flat_minima": "book/student_teacher/flat_minima",
    "lottery": "book/student_teacher/lottery",
    "luck": "book/student_teacher/luck",
    "negative_bias": "book/student_teacher/negative_bias",
    "recovery": "book/student_teacher/recovery",
    "top_down": "book/student_teacher/top_down",
    "measures": "book/clustering/measures",
    "compression": "book/clustering/compression",
    "random_targets": "book/clustering/random_targets",
    "two_terms": "book/clustering/two_terms",
    "supervised": "book/clustering/supervised",
    "layers": "book/clustering/layers",
}
"""The page of the book that shows each widget."""


def close(got: Any, wanted: Any, tolerance: float = 1e-9) -> None:
    """Equal up to ``tolerance``, relative and absolute."""
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def covariance_operator_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The sum is a line in the extra weight; it crosses zero at the edge."""
    beta, within = state["beta_plus"], state["within"]
    for mark, wanted in (
        ("between", lambda b: 2 + 0 * b),
        ("within", lambda b: -2 * b * within),
        ("sum", lambda b: 2 - 2 * b * within),
    ):
        place, height = picture["rate", mark]
        assert (place[0], place[-1], len(place)) == (-1, 3, 101)
        close(height, wanted(place))
    close(numbers["rate"], 2 - 2 * beta * within)
    close(numbers["edge"], covariance_operator.BETA_EDGE.numpy(1.0, within))
    close(np.ravel(picture["rate", "now"]), [beta, numbers["rate"]])
    close(np.ravel(picture["rate", "edge"]), [numbers["edge"], 0])


def info_nce_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """All 32 triples of two images with two views each; the balance by a root finder."""
    T, weight, noise = state["temperature"], state["w"], state["noise"]
    points = np.array([1 + noise, 1 - noise, -1 + noise, -1 - noise])
    triples = [(a, a // 2 * 2 + b, c) for a in range(4) for b in range(2) for c in range(4)]
    anchor, positive, negative = points[np.array(triples).T]
    inputs = (anchor - negative) ** 2 - (anchor - positive) ** 2

    def full(w: Any) -> Any:
        gaps = np.square(w)[..., None] * inputs / 2
        return (inputs / (1 + np.exp(gaps / T))).mean(-1) / T

    def psd(w: Any) -> Any:
        return 2 / T / (1 + np.exp(2 * np.square(w) / T))

    for mark, curve in (("operator", full), ("psd", psd), ("residual", lambda w: full(w) - psd(w))):
        place, height = picture["rates", mark]
        assert (place[0], place[-1], len(place)) == (0, 2, 101)
        close(height, T * curve(place))
    close(numbers["rate"], full(weight))
    close(numbers["psd"], psd(weight))
    close(numbers["residual"], full(weight) - psd(weight))
    close(np.ravel(picture["rates", "now"]), [weight, T * numbers["rate"]])
    close(numbers["edge"], weight**2 / info_nce_balance(noise) if noise and weight else 0)
    gaps, shown = picture["triples", "weight"]
    close(shown, T * info_nce.NCE_WEIGHT.numpy(gaps, T))
    drawn = sorted(float(x[0]) for (plot, m), (x, _) in picture.items() if m.startswith("triple-"))
    close(drawn, np.unique(np.round(weight**2 * inputs / 2, 10)), 1e-8)


def info_nce_balance(noise: float) -> float:
    """Squared weight over temperature at which the rate of the widget's model is zero."""
    if noise == 0:
        return float("nan")

    def rate(q: float) -> float:
        return float(info_nce.OPERATOR.numpy(1.0, noise**2, np.sqrt(q), 1.0))

    return brentq(rate, 1e-3, 50, xtol=1e-13, rtol=1e-13)


def dual_networks_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The output is PyTorch's activation by hand; the prediction keeps the first gate."""
    h, step, leak = state["h"], state["delta"], state["leak"]

    def output(d: Any) -> Any:
        return np.where(h + d > 0, h + d, leak * (h + d))

    def frozen(d: Any) -> Any:
        return (1.0 if h > 0 else leak if h < 0 else (1 + leak) / 2) * (h + d)

    for mark, curve in (("output", output), ("frozen", frozen)):
        steps, height = picture["neuron", mark]
        assert (steps[0], steps[-1], len(steps)) == (-2, 2, 201)
        close(height, curve(steps))
        close(numbers[mark], curve(step))
        close(np.ravel(picture["neuron", f"{mark}-now"]), [step, numbers[mark]])
    close(numbers["gap"], output(step) - frozen(step))
    close(numbers["flip"], dual_networks.FLIP.numpy(h, 1.0))


def batchnorm_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Tips are the controls; the arrows handed down are the closed form at every sample."""
    x, g = np.array(state["x"]), np.array(state["g"])
    mu, sigma = x.mean(), x.std()
    form = batchnorm.FORMS[state["variant"].upper()]
    down = form.numpy(x, g, mu, sigma, 0.0, g.mean(), ((x - mu) * (g - g.mean())).mean())
    for i in range(len(x)):
        close(np.ravel(picture["above", f"tip-{i}"]), [x[i], g[i]])
        close(np.ravel(picture["below", f"down-{i}"]), [x[i], down[i]])
    close(numbers["arriving"], g.mean())
    close(numbers["mean"], down.mean())
    close(numbers["along"], (down * (x - mu) / sigma).mean())
    for plot, values, mark in (("above", g, "fit-g"), ("below", down, "fit-down")):
        ends, line = picture[plot, mark]
        close(line, np.polyval(np.polyfit(x, values, 1), ends))


def predictor_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Curves, marks and numbers are the terms, their sum and the threshold."""
    p, between, within = state["p"], state["lambda_V"], state["lambda_I"]

    def pull(scale: Any) -> Any:
        negative = predictor.NEGATIVE.numpy(scale, between)
        return -negative - predictor.INVARIANCE.numpy(scale, within)

    curves = {
        "positive": lambda s: predictor.POSITIVE.numpy(s, between),
        "pull": pull,
        "growth": lambda s: predictor.GROWTH.numpy(s, between, within),
    }
    for mark, curve in curves.items():
        scale, rate = picture["terms", mark]
        assert (scale[0], scale[-1], len(scale)) == (0, 1.25, 126)
        close(rate, curve(scale))
        close(numbers[mark], curve(p))
    close(numbers["threshold"], predictor.THRESHOLD.numpy(between, within))
    close(np.ravel(picture["terms", "edge"]), [numbers["threshold"], 0])
    close(np.ravel(picture["terms", "growth-now"]), [p, numbers["growth"]])


def _poles(a: float, b: float, rate: float) -> np.ndarray:
    trace, product = (f.numpy(1.0, a, b, rate) for f in (ema.TRACE, ema.DETERMINANT))
    return np.sort(np.roots([1, -trace, product]))[::-1]


def ema_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Crosses are the roots of the polynomial, dots the powers of the step matrix."""
    a, b, rate = state["alpha_a"], state["alpha_b"], state["gamma"]
    poles = _poles(a, b, rate)
    outer, inner = sorted(poles, key=abs, reverse=True)
    for k, pole in enumerate(poles):
        close(picture["poles", f"pole-{k}"][0], pole.real, 1e-6)
    if abs(abs(outer) - abs(inner)) > 1e-6:
        close([numbers["outer"], numbers["inner"]], [outer.real, inner.real], 1e-6)
    step = ema.STEP.numpy(1.0, a, b, rate)
    weights, pair = [], np.ones(2)
    for _ in range(41):
        weights.append(pair[0])
        pair = step @ pair
    steps, height = picture["response", "weight"]
    close(height, np.log10(np.abs(np.array(weights)[steps.astype(int)])), 1e-7)
    if ("response", "closed") in picture and abs(poles[0] - poles[1]) > 1e-3:
        steps, height = picture["response", "closed"]
        start = (1.0, a, b, 1.0, 1.0, poles[0], poles[1])
        closed = np.array([float(ema.RESPONSE.numpy(*start, n)) for n in steps])
        large = np.abs(closed) > 1e-9
        close(height[large], np.log10(np.abs(closed[large])), 1e-5)
    if abs(abs(outer) - 1) > 1e-6 and abs(outer) > 1e-6:
        close(numbers["time"], np.log(2) / abs(np.log(abs(outer))), 1e-5)
    close(abs(numbers["bare"]), np.abs(_poles(a, b, 0.0)).max(), 1e-6)


def alternating_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Two modes, step by step, by the recursions themselves."""
    p, memory, rate = state["scale"], round(state["memory"]), 0.1
    for mode, within in (("A", 0.25), ("B", 1.0)):
        total, w, target, sizes = 1 + within, 1.0, 1.0, [1.0]
        for step in range(200):
            if state["target"] == "held" and step % memory == 0:
                target = w
            if state["target"] == "followed":
                w -= rate * (p**2 * total - 2 * p + total) * w
            else:
                w -= rate * p * (p * total * w - target)
            if state["target"] == "average":
                target += (w - target) / memory
            sizes.append(w)
        steps, height = picture["modes", mode]
        wanted = np.maximum(np.abs(np.array(sizes)[steps.astype(int)]), 1e-12)
        close(height, np.log10(wanted), 1e-6)
        close(numbers[mode], sizes[-1], 1e-6)
        close(numbers[f"rate_{mode}"], 100 * (abs(sizes[-1]) ** (1 / 200) - 1), 1e-6)


def expansion_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Three views and nine pairs, enumerated; the law of both losses, point by point."""
    q, size, bend = state["moved"], state["size"], state["bend"]
    places, share = size * np.array([1, -1, 0]), np.array([q / 2, q / 2, 1 - q])
    outputs = places + bend * places**2 / 2
    _, curve = picture["encoder", "encoder"]
    grid = np.linspace(-1.6, 1.6, 81)
    close(curve, grid + bend * grid**2 / 2)
    joint = np.outer(share, share)
    distance = (outputs[:, None] - outputs) ** 2
    single = 2 * (outputs - share @ outputs) ** 2
    for mark, values, weights in (("twice", single, share), ("pair", distance, joint)):
        x, y = picture["law", mark]
        close(y.sum(), 1)
        for value, height in zip(x, y, strict=True):
            close(height, weights[np.abs(values - value) < 1e-7].sum())
    mean = (joint * distance).sum()
    close([numbers["mean"], numbers["first"]], [mean, 2 * q * size**2])
    close(numbers["factor"], mean / (share @ single / 2))
    noise = (joint * distance**2).sum() - mean**2
    alone = (share @ single**2 - mean**2) / 4
    if alone > 1e-9:
        close(numbers["variance"], noise / alone, 1e-6)
        close(numbers["relative"], np.sqrt(noise / alone) / 2, 1e-6)


def directpred_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The orbit by SciPy on the weight instead of its square; fixed points by NumPy's roots."""
    decay, tau = state["decay"], state["tau"]
    end = max(400.0, 12 / decay) if decay else 400.0

    def flow(_: float, y: np.ndarray) -> list[float]:
        pull = y[1] * (tau - 2 * y[0])
        return [y[1] * pull - decay * y[0], y[0] * pull - decay * y[1]]

    start = (state["p"], np.sqrt(state["s"]))
    last = solve_ivp(flow, (0, end), start, method="DOP853", rtol=1e-11, atol=1e-14).y[:, -1]
    close([numbers["p"], numbers["s"]], [last[0], last[1] ** 2], 2e-5)
    close(numbers["critical"], tau**2 / 8)
    rate = 2 * (state["s"] / 2 + state["p"] ** 2) - tau * state["p"] + 1.5 * decay
    close(numbers["rate"], rate)
    x, y = picture["plane", "parabola"]
    close(y, x**2)
    path = picture["plane", "orbit"]
    close([path[0][0], path[1][0]], [state["p"], state["s"]])
    close([path[0][-1], path[1][-1]], [numbers["p"], numbers["s"]])
    if decay > tau**2 / 8 + 1e-12:
        assert ("plane", "plus") not in picture
        return
    low, high = np.sort(np.roots([2, -tau, decay]).real)
    close([numbers["minus"], numbers["plus"]], [low, high], 1e-6)
    close(np.ravel(picture["plane", "plus"]), [high, high**2], 1e-6)


def mean_view_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The record itself, averaged over its seeds; the line of rank one by a cloud of points."""
    record, name = load("mean_view/digits"), f"{state['objective']}/{state['norm']}"
    steps = record.axes["step"]
    at = round(state["moment"] * (len(steps) - 1))
    for key in ("spread", "rank", "knn"):
        values = record[f"{name}/{key}"].mean(0)
        close(numbers[key], values[at], 1e-4)
        if key != "rank":
            place, height = picture["course", key]
            close(place, steps)
            close(height, values, 1e-4)
            close(np.ravel(picture["course", f"{key}-now"]), [steps[at], values[at]], 1e-4)
    close(numbers["random"], record[f"{name}/knn"][:, 0].mean(), 1e-4)
    cloud = np.array([[1.0, 1.0], [-1.0, -1.0]]) / np.sqrt(2)
    close(picture["course", "line"][1], cloud.std(0).mean() * np.sqrt(2))
    for mark, place in (("share-start", 0), ("share", at)):
        wanted = [record[f"{name}/share {k}"][:, place].mean() for k in range(1, 9)]
        close(picture["spectrum", mark][0], np.arange(1, 9))
        close(picture["spectrum", mark][1], wanted, 1e-4)


def ablation_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The record itself, averaged over its seeds; the line by two listed outputs."""
    record, cell = load("ablation/digits"), f"{state['norm']}/{state['setting']}"
    steps = record.axes["step"]
    at = round(state["moment"] * (len(steps) - 1))
    course = record[f"{cell}/spread"].mean(0)
    spectra = [record[f"{cell}/spectrum/{steps[k]}"].mean(0)[:8] for k in (0, at)]
    close(numbers["spread"], course[at], 1e-3)
    close(numbers["rank"], record[f"{cell}/effective_rank"][:, at].mean(), 1e-3)
    close(numbers["first"], spectra[1][0], 1e-3)
    close(picture["course", "spread"][0], steps)
    close(picture["course", "spread"][1], course, 1e-3)
    close(np.ravel(picture["course", "spread-now"]), [steps[at], course[at]], 1e-3)
    cloud = 1 + np.array([[1.0, -1.0], [-1.0, 1.0]])
    unit = cloud / np.linalg.norm(cloud, axis=1, keepdims=True)
    close(picture["course", "even"][1], unit.std(0).mean() * np.sqrt(2))
    for mark, wanted in zip(("share-start", "share"), spectra, strict=True):
        close(picture["spectrum", mark][0], np.arange(1, 9))
        close(picture["spectrum", mark][1], wanted, 1e-3)


@lru_cache(maxsize=256)
def _orbit(flow: str, phi: float, theta: float) -> Callable[[np.ndarray], np.ndarray]:
    form = {"stop": simsiam.FLOW_STOP, "full": simsiam.FLOW_FULL, "second": simsiam.FLOW_SECOND}
    run = solve_ivp(
        lambda _, y: form[flow].numpy(y[0], y[1])[:, 0], (0, 25), (phi, theta),
        method="DOP853", rtol=1e-10, atol=1e-12, dense_output=True,
    )  # fmt: skip
    return run.sol


_LIMITS = {
    "stop": simsiam.LIMIT_STOP,
    "full": simsiam.LIMIT_FULL,
    "second": simsiam.LIMIT_SECOND,
}


PICTURE_SPECTRA = {"shaken": (1, 0.5, 0, 0.1, 1), "alike": (0.2,) * 5}


def _picture_courses(method: str, within: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Strengths of the five modes, by SciPy on velocities written out here: [5, times]."""
    between = np.array([1, 0.7, 0.5, 0.3, 0])
    total = between + within

    def velocity(_: float, state: np.ndarray) -> np.ndarray:
        rows = state.reshape(-1, 5)
        w = rows[-1] if method == "simsiam" else rows[min(1, len(rows) - 1)]
        if method in ("simple", "small"):  # one negative at temperature 1/2: twice one half
            return 2 * between * w
        if method == "simclr":
            cool = 0.5 / (0.5 + w * w * total)
            return 2 * w * (total * cool * (1 + cool) - 2 * within)
        if method == "vicreg":
            return (total * w / np.sqrt(w * w * total + 1e-4) - 4 * within * w) / 5
        if method == "barlow":
            size, signal = w * w @ total, w * w @ between
            return 4 * (1 - signal / size) * (between * size - signal * total) * w / size**2
        if method == "directpred":
            return (w + 0.05) * w * (between - total * (w + 0.05))
        target = rows[2] if method == "byol" else w
        pull = between * target - total * rows[0] * w
        out = [w * pull, rows[0] * pull]
        return np.concatenate(out + ([w - target] if method == "byol" else []))

    copies = {"byol": 3, "simsiam": 2}.get(method, 1)
    found = solve_ivp(
        velocity, (0, times[-1]), np.full(5 * copies, 0.1), "DOP853", times, rtol=1e-10, atol=1e-13
    ).y
    w = found[5:10] if copies > 1 else found[:5]
    if method == "vicreg":  # rises until the hinge and stays
        w = np.minimum(w, np.sqrt((1 - 1e-4) / total)[:, None])
    return w**2


def one_picture_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """All five courses by SciPy, and the shares of signal."""
    noise, between = PICTURE_SPECTRA[state["spectrum"]], np.array([1, 0.7, 0.5, 0.3, 0])
    within = np.array(noise) * state["sigma_aug"] ** 2 + [0, 0.02, 0.1, 0.02, 0.05]
    share = between / (between + within)
    close([numbers["p_1"], numbers["p_3"]], share[[0, 2]])
    times = picture["course", "mode-1"][0]
    assert times[-1] == (4 if state["method"] in ("simple", "small") else 40)
    courses = _picture_courses(state["method"], within, times)
    close([numbers[f"s_{j}"] for j in (1, 3, 5)], courses[[0, 2, 4], -1], 2e-5)
    for j in range(5):
        x, y = picture["course", f"mode-{j + 1}"]
        close(y, np.log10(np.maximum(courses[j], 1e-7)), 1e-3)
        close(x, times)
        place, height = (float(v[0]) for v in picture["ends", f"end-{j + 1}"])
        close([place, height], [share[j], np.log10(max(courses[j, -1], 1e-6))], 1e-3)


def two_terms_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Both courses by SciPy with the loss written out; the critical values by their formulas."""
    inv, var, share, floor = state["mu_s"], state["mu_v"], state["q_n"], 0.01
    rate = var / 0.1 - 4 * inv * share
    close([numbers["rate"], numbers["edge"]], [rate, 0.4 * inv * share], 1e-8)
    close(numbers["share"], var / (0.4 * inv))
    rest = max(min(1, var / (4 * inv * share)) ** 2 - floor, 0) ** 0.5 if rate > 1e-9 else 0
    close(numbers["rest"], rest, 1e-8)

    def loss(m: Any) -> Any:
        return 2 * inv * share * m**2 + var * np.maximum(0, 1 - np.sqrt(m**2 + floor))

    place, height = picture["valley", "loss"]
    close(height, loss(place))
    close(np.ravel(picture["valley", "rest"]), [rest, loss(rest)], 1e-8)
    kink, reached = (1 - floor) ** 0.5, var >= 4 * inv * share * (1 - 1e-12)
    for mark, start in (("small", 0.01), ("large", 1.5)):
        times, twice = picture["course", f"invariance-{mark}"]
        assert (times[0], times[-1], len(times)) == (0, 8, 161)
        down = max(0.0, np.log(start / kink) / (4 * inv * share))
        m = start * np.exp(-4 * inv * share * times)
        after = times >= down
        if after.any():
            run = solve_ivp(
                lambda _, y: y * (var / np.sqrt(y**2 + floor) - 4 * inv * share),
                (down, 8.0),
                [min(start, kink)],
                t_eval=times[after],
                rtol=1e-9,
                atol=1e-12,
            )
            m[after] = np.minimum(run.y[0], kink) if reached else run.y[0]
        close(twice, 2 * inv * share * m**2, 2e-4)
        close(picture["course", f"hinge-{mark}"][1], loss(m) - 2 * inv * share * m**2, 2e-4)


def layers_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The weight of every layer of a mode, by SciPy from the loss; then lengths of products."""
    depth, start, noise = round(state["depth"]), 10 ** state["log_start"], 0.02
    kept = {"super": 0.42, "class": 0.17, "sample": 0.08}

    def slope(_: float, a: Any, part: float) -> Any:
        """Of the weight a of each of the layers; the whole weight is a to the power L."""
        total = part + noise
        whole = a**depth
        by_whole = 4 * noise * whole + 4 * total * whole * (total * whole**2 - 1)
        return -by_whole * whole / a

    weights = {}
    times, course = picture["ratio", "last"]
    assert (times[0], times[-1], len(times)) == (0, 20, 161)
    for name, part in kept.items():
        run = solve_ivp(
            slope, (0, 20), [start ** (0.5 / depth)], args=(part,), method="LSODA",
            t_eval=times, rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        weights[name] = run.y[0]
    at = round(state["moment"] * 8)
    for name, part in kept.items():
        places, heights = picture["layers", name]
        close(places, np.arange(depth + 1) / depth)
        close(heights, np.log10(part * weights[name][at] ** (2 * np.arange(depth + 1))), 1e-5)
        for number in range(depth + 1):
            mark = picture["layers", f"{name}-{number}"]
            close(np.ravel(mark), [places[number], heights[number]])
    step = (weights["super"] / weights["class"]) ** 2
    close(course, np.log10(0.42 / 0.17 * step**depth), 1e-5)
    close(np.ravel(picture["ratio", "now"]), [times[at], course[at]])
    close(numbers["input"], 0.42 / 0.17)
    close([numbers["last"], numbers["step"]], [10 ** course[at], step[at]], 1e-4)


def simsiam_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The orbit is that of a high-order integrator, its end that of the closed form."""
    flow, phi, theta = state["flow"], state["phi"], state["theta"]
    close(np.ravel(picture["plane", "start"]), [phi, theta])
    limit = float(_LIMITS[flow].numpy(phi, theta)) if theta else 0.0
    close(numbers["limit"], np.sign(theta) * np.sqrt(limit))
    close(picture["time", "limit"][1], numbers["limit"])
    orbit = _orbit(flow, phi, theta)
    for mark, row in (("phi", 0), ("theta", 1)):
        time, weight = picture["time", mark]
        assert time[-1] == 25
        close(weight[::25], orbit(time[::25])[row], 2e-6)
        close(numbers[mark], orbit(25.0)[row], 2e-6)
        close(picture["plane", "orbit"][row], weight)


def basin_share(flow: str, edge: float = 2.2, points: int = 401) -> float:
    """Share of the drawn square that collapses, by the closed form on a grid."""
    axis = (np.arange(points) + 0.5) / points * 2 * edge - edge
    phi, theta = np.meshgrid(axis, axis)
    return float((_LIMITS[flow].numpy(phi, theta) == 0).mean())


@lru_cache(maxsize=1)
def _draws(steps: int = 60, pairs: int = 32) -> np.ndarray:
    """The same numbers as the page: Mulberry's generator and the method of Box and Muller."""
    state, mask = 20100578, 0xFFFFFFFF

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (1 | state)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        return ((t ^ (t >> 14)) + 0.5) / 2**32

    def normal() -> float:
        radius = np.sqrt(-2 * np.log(uniform()))
        return radius * np.cos(2 * np.pi * uniform())

    return np.array([normal() for _ in range(3 * steps * pairs)]).reshape(steps, pairs, 3)


def teaser_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The line is the closed form, the dots are descent on the same draws."""
    p, strength = state["p"], state["sigma_aug"]
    time, weight = picture["weight", "closed"]
    close(weight, teaser.WEIGHT.numpy(time, 1.0, p, strength))
    close(numbers["closed"], weight[-1])
    time, weight = picture["weight", "bare"]
    close(weight, teaser.WEIGHT.numpy(time, 1.0, 1.0, strength))
    run = [1.0]
    for x, first, second in _draws().transpose(0, 2, 1):
        views = x + strength * first, x + strength * second
        run.append(run[-1] - 0.05 * teaser.PAIR_GRADIENT.numpy(run[-1], p, *views).mean())
    close(picture["weight", "descent"][1], run)
    close(numbers["run"], run[-1])
    close(numbers["threshold"], teaser.THRESHOLD.numpy(strength))


def latent_tree_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Numbers, discs and points are the record's; the path's polarity is a plain product."""
    walk = walk_of(load(RECORDED[0]), RECORDED[1])
    latent, parents = int(state["latent"]), [0, *(np.arange(len(walk["end"]) - 1) // 2)]
    way, at = 1.0, latent
    while at:
        way, at = way * walk["polarity"][at], parents[at]
    close(numbers["path"], way)
    wanted = {"before": "start", "after": "end", "ceiling": "ceiling"}
    for name, key in wanted.items():
        close(numbers[name], walk[key][latent])
    for name in ("first", "best"):
        assert numbers[name] == walk[name][latent] + 1
    level = int(np.log2(latent + 1))
    for node in range(2**level - 1, 2 ** (level + 1) - 1):
        for mark, key in (("start", "start"), ("end", "end"), ("top", "ceiling")):
            close(np.ravel(picture["level", f"{mark}-{node}"][1]), walk[key][node])


XI = np.array([0.9, -0.4, -1.1, 0.6, 1.3, -0.3, -1.0])
"""The fluctuation that the widget of one_neuron adds to the mean of the weights."""


def first_flip(mean: float) -> float:
    """The size at which some pre-activation of the ring reaches zero, by solving for each."""
    sums = [XI[p] + XI[(p + step) % 7] for step in (1, 2) for p in range(7)]
    return min((-2 * mean / pair for pair in sums if mean * pair < 0), default=0.0)


def one_neuron_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The flow is that of the enumerated ring; the dashed line is the closed form of its start."""
    relu, start = state["neuron"] == "relu", state["mean"] + state["spread"] * XI

    def look(w: np.ndarray) -> tuple[int, np.ndarray]:
        gates = [(w + np.roll(w, -a) > 1e-12) | (not relu) for a in (1, 2)]
        one, two = (
            g.astype(int) + np.roll(g.astype(int), a) for g, a in zip(gates, (1, 2), strict=True)
        )
        return int(sum(g.sum() for g in gates)), (one - two) / 7

    count, u = look(start)
    rate = float(u @ u) / 2
    close([numbers["open"], numbers["start"], numbers["rate"]], [count, u @ start, rate])
    w = start.copy()
    for _ in range(3000):
        _, u_now = look(w)
        w = w + 0.005 * (u_now @ w) * u_now
    end = look(w)[1] @ w
    close(numbers["end"], end, 5e-3)
    for p in range(7):
        close(picture["weights", f"start-{p}"][1], start[p])
        close(picture["weights", f"end-{p}"][1], w[p], 2e-2)
    time, held = picture["time", "held"]
    assert (time[0], time[-1]) == (0, 30)
    close(held, one_neuron.GROWTH.numpy(u @ start, 2, 0.5, u @ u, time))
    close(picture["time", "gap"][1][0], u @ start)


def translation_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Corners, gates and end are those of the exact flow; the time is that of a quadrature."""
    start = np.array(state["weights"])
    path = ring_flow(start[None])
    last = int(path.corners[0])
    k = min(round(state["corner"]), last)
    like, other = (1, 2) if path.liked[0] >= 0 else (2, 1)

    def mean(w: np.ndarray, step: int) -> float:
        return float(np.maximum(w + np.roll(w, -step), 0).mean())

    def gap(w: np.ndarray) -> float:
        return abs(mean(w, 1) - mean(w, 2))

    now, end = path.weights[k, 0], path.direction[0]
    close([numbers["corner"], numbers["D"]], [k, gap(now)])
    time = 0.0
    for n in range(k):
        one, two = path.weights[n, 0], path.weights[n + 1, 0]
        parts = np.linspace(0, 1, 2001)
        rates = np.array([1 / gap(one + s * (two - one)) for s in parts])
        long = path.clock[n + 1, 0] - path.clock[n, 0]
        time += 2 * long * float(np.trapezoid(rates, parts))
    close(numbers["time"], time, 1e-4)
    close(numbers["ratio"], mean(now, other) / mean(now, like))
    last_way = end if path.liked[0] else start
    close(numbers["end"], mean(last_way, other) / mean(last_way, like), 1e-7)
    close(numbers["places"], (start + np.roll(start, -like) > 0).sum())
    for p in range(5):
        close(picture["weights", f"start-{p}"][1], start[p])
        close(picture["weights", f"now-{p}"][1], now[p])
        clock, weights = picture["clock", f"site-{p}"]
        close(clock[:-1], path.clock[: last + 1, 0])
        close(weights[:-1], path.weights[: last + 1, 0, p])
        for step in (1, 2):
            held = step == other and bool(path.sliding[k, 0, p])
            mark = f"{'held' if held else 'gate'}-{step}-{p}"
            close(picture["gates", mark][1], now[p] + now[(p + step) % 5])


def two_layers_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """The sizes follow the equations, integrated by DOP853; the pole is their blow-up."""
    start = np.array([state["a_1"], state["a_2"]])
    active = np.array([state["trains"] != "top", state["trains"] != "bottom"], float)

    def slope(_: float, a: np.ndarray) -> np.ndarray:
        return active * a * a[::-1] ** 2

    one, two = start**2
    middle = start.prod() if abs(one - two) < 1e-12 else (one - two) / np.log(one / two)
    end = 1 / (2 * (one if abs(one - two) < 1e-12 else middle))
    close(numbers["blow_up"], end)
    close(numbers["difference"], one - two)
    close(numbers["rate"], active @ start[::-1] ** 2)
    time, bottom = picture["sizes", "bottom"]
    early = time <= 0.9 * end
    found = solve_ivp(
        slope, (0, time[early][-1]), start, t_eval=time[early], method="DOP853",
        rtol=1e-11, atol=1e-13,
    ).y  # fmt: skip
    close(bottom[early], found[0], 1e-7)
    close(picture["sizes", "top"][1][early], found[1], 1e-7)
    close(picture["gap", "chosen"][1][early], np.log10(found.prod(0)), 1e-7)
    close(picture["gap", state["trains"]][1], picture["gap", "chosen"][1])
    close(picture["sizes", "blow_up"][0], end)

    def later(_: float, a: np.ndarray) -> float:
        return a.prod() - 10 * start.prod()

    later.terminal = True
    ten = solve_ivp(slope, (0, 40 * end), start, events=later, method="DOP853",
                    rtol=1e-11, atol=1e-13).t_events[0][0]  # fmt: skip
    close(numbers["tenfold"], ten, 1e-7)


def gradient_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Backpropagation through two small networks by hand; the terms by products of Jacobians."""
    up, top = np.array([[1, -0.7], [-0.6, 1]]), np.array([[1, 0.8], [-0.3, 1]])
    x = np.deg2rad(state["input_angle"])

    def passed(first: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        h = np.cos(np.deg2rad([first, 140]) - x)
        f = np.where(h > 1e-9, h, 0)
        jacobian = top @ ((up @ f > 1e-9)[:, None] * up)  # of the outputs, by f
        return f, jacobian, jacobian @ f

    (f, V, output), (f_star, V_star, goal) = passed(state["node_angle"]), passed(20)
    gate = float(f[0] > 0)
    total = gate * V[:, 0] @ (goal - output)
    close(numbers["gradient"], total)
    close([numbers["beta_1"], numbers["beta_2"]], V[:, 0] @ V_star)
    close([numbers["own_1"], numbers["own_2"]], V[:, 0] @ V)
    terms = [*gate * (V[:, 0] @ V_star) * f_star, *-gate * (V[:, 0] @ V) * f, total]
    for k, term in enumerate(terms, 1):
        close(np.ravel(picture["terms", f"term-{k}"]), [k, term])
    close(np.ravel(picture["plane", "input"]), [np.cos(x), np.sin(x)])


def lottery_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Chances by the Beta law of a cosine; times by an integrator on the flow of one node."""
    wide, fresh, inputs = (int(state[key]) for key in ("tickets", "fresh", "inputs"))
    close(numbers["again"], fresh / (fresh + wide))
    law = beta_law((inputs - 1) / 2, (inputs - 1) / 2)

    def within(degrees: np.ndarray, count: int) -> np.ndarray:
        return 1 - (1 - law.sf((1 + np.cos(np.deg2rad(degrees))) / 2)) ** count

    for name, count in (("wide", wide), ("fresh", fresh)):
        angle, chance = picture["chance", name]
        assert len(angle) == 181
        close(chance, within(angle, count), 1e-7)
        close(within(numbers[f"angle_{name}"], count), 0.5, 1e-6)
        close(np.ravel(picture["chance", f"middle-{name}"]), [numbers[f"angle_{name}"], 0.5])
        close(
            np.ravel(picture["clock", f"start-{name}"]),
            [numbers[f"angle_{name}"], numbers[f"time_{name}"]],
        )

    def slope(_: float, w: np.ndarray) -> np.ndarray:
        turned = np.arctan2(w[1], w[0])
        pull = (np.pi - turned) * np.array([1.0, 0.0]) + np.sin(turned) * w / np.linalg.norm(w)
        return pull / (2 * np.pi) - w / 2

    def arrived(_: float, w: np.ndarray) -> float:
        return float(np.arctan2(w[1], w[0]) - np.deg2rad(5))

    for name in ("wide", "fresh"):
        angle = np.deg2rad(numbers[f"angle_{name}"])
        if angle <= np.deg2rad(5):
            close(numbers[f"time_{name}"], 0.0)
            continue
        start = 0.22 * np.array([np.cos(angle), np.sin(angle)])
        run = solve_ivp(slope, (0, 12), start, events=arrived, rtol=1e-10, atol=1e-12)
        close(numbers[f"time_{name}"], run.t_events[0][0], 1e-6)
    if numbers["time_wide"]:
        close(numbers["ratio"], numbers["time_fresh"] / numbers["time_wide"])


def supervised_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Nearest centres from samples: two non-central chi-squares where one deviation is left in all
    directions, else the characteristic function by determinants."""
    far, count, left = state["distance"], round(state["samples"]), state["left"]

    def accuracy(own: bool, dim: float, left: float) -> float:
        rho = 1 / (2 * count - 1) ** 0.5 if own else 0.0
        a = far * (count / 2) ** 0.5
        b = far / 2 / (1 + (-1 if own else 1) / (2 * count)) ** 0.5
        if left == 1:
            up, down = (a + b) ** 2 / (2 * (1 + rho)), (a - b) ** 2 / (2 * (1 - rho))
            x, w = np.polynomial.legendre.leggauss(400)
            width = 12 * (2 * dim + 4 * down) ** 0.5
            low, high = max(0.0, dim + down - width), dim + down + width
            x = low + (high - low) * (x + 1) / 2
            wrong = ncx2.pdf(x, dim, down) * ncx2.cdf(x * (1 - rho) / (1 + rho), dim, up)
            return 1 - (w * wrong).sum() * (high - low) / 2
        t = np.exp(np.linspace(-20, 20, 801))
        swap, joint, mean = np.eye(2)[::-1], np.array([[1, rho], [rho, 1]]), np.array([a, b])

        def factor(size: float, place: Any) -> Any:
            inside = np.eye(2) - 1j * size * t[:, None, None] * (swap @ joint)
            root = 1 - 1j * size * t * (1 + rho), 1 + 1j * size * t * (1 - rho)
            np.testing.assert_allclose(np.linalg.det(inside), root[0] * root[1])
            solved = np.linalg.solve(inside, np.broadcast_to((swap @ place)[:, None], (801, 2, 1)))
            logs = -(np.log(root[0]) + np.log(root[1])) / 2
            return logs + 0.5j * size * t * (place @ solved)[:, 0]

        logs = factor(1.0, mean) + (dim - 1) * factor(left**2, 0 * mean)
        return 0.5 + np.exp(logs).imag.sum() * 0.05 / np.pi

    dim = 2.0 ** state["log_dim"]
    for name in ("own", "new"):
        close(numbers[name], accuracy(name == "own", dim, left), 2e-4)
        logs, height = picture["dims", name]
        close(height[4::4], [accuracy(name == "own", 2**v, left) for v in logs[4::4]], 2e-4)
        lefts, height = picture["views", name]
        close(height[::5], [accuracy(name == "own", dim, v) for v in lefts[::5]], 2e-4)
    close(numbers["gap"], numbers["own"] - numbers["new"])
    close(numbers["best"], accuracy(False, dim, 0.0), 2e-4)


def measures_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Every measure of two isotropic classes, by moments and the normal law."""
    one, two = (np.array([state[f"{c}_x"], state[f"{c}_y"]]) for c in "ab")
    far, spread, count = np.linalg.norm(two - one), state["spread"], state["samples"]

    def scores(dim: Any) -> tuple[Any, Any, Any]:
        """Mean over deviation of the score: true means, a new feature, a sample."""
        share, sure = dim * spread**4 / count, (far * spread) ** 2 * (1 + 1 / count)
        with np.errstate(divide="ignore"):
            new = far**2 / 2 / np.sqrt(sure + 2 * share * (1 + 0.5 / count))
        own = (far**2 / 2 + dim * spread**2 / count) / np.sqrt(sure + 2 * share)
        return far / 2 / spread + 0 * dim, new, own

    dim = 2.0 ** state["log_dim"]
    for name, wanted in zip(("exact", "new", "own"), scores(dim), strict=True):
        close(numbers[name], ndtr(wanted), 1e-8)
        close(picture["accuracy", name][1], ndtr(scores(2 ** picture["accuracy", name][0])[
            ("exact", "new", "own").index(name)]), 1e-8)  # fmt: skip
    found = (1 - 1 / count) * dim * spread**2 / (far**2 + 2 * dim * spread**2 / count)
    close([numbers["found"], numbers["found_directional"]], [found, found / dim])
    close([numbers["same"], numbers["other"] - numbers["same"]], [2 * dim * spread**2, far**2])

    def kept(apart: float) -> float:
        """Mean of exp(-2 z^2) over a coordinate of the difference of two features."""
        law, reach = norm(apart, 2**0.5 * spread), 12 * spread
        return quad(lambda z: law.pdf(z) * np.exp(-2 * z * z), apart - reach, apart + reach,
                    points=[0.0, apart], epsabs=1e-14)[0]  # fmt: skip

    pairs = (1 + kept(far) / kept(0.0)) / 2
    close(numbers["uniform"], np.log(pairs) + dim * np.log(kept(0.0)), 1e-7)
    sizes = np.full(int(dim), spread**2)
    sizes[0] += far**2 / 4
    sizes = sizes / sizes.sum()
    close(numbers["rank"], np.exp(-(sizes * np.log(sizes)).sum()), 1e-8)
    close(np.ravel(picture["plane", "mean-a"]), one)
    close(np.ravel(picture["plane", "mean-b"]), two)
    if far == 0:
        assert numbers["cdnv"] == numbers["directional"] == numbers["nc1"] == np.inf
        assert ("cdnv", "cdnv") not in picture
        return
    along = spread**2 / far**2
    close(
        [numbers["cdnv"], numbers["directional"], numbers["nc1"]], [dim * along, along, 2 * along]
    )
    close(numbers["floor"], 1 - spread**2 / (spread**2 + far**2 / 4))
    logs, height = picture["cdnv", "cdnv"]
    assert (logs[0], logs[-1], len(logs)) == (1, 9, 33)
    close(10**height, 2**logs * along)
    close(10 ** picture["cdnv", "directional"][1], along + 0 * logs)


def recovery_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Each student by an integrator of order 8 on the population gradient, in the plane."""
    teacher = np.array([1.0, 0.0])

    def turned(w: np.ndarray) -> np.ndarray:
        return np.arctan2(np.abs(w[1]), w[0])

    def slope(_: float, w: np.ndarray) -> np.ndarray:
        pull = (np.pi - turned(w)) * teacher + np.sin(turned(w)) * w / np.linalg.norm(w)
        return pull / (2 * np.pi) - w / 2

    def arrived(_: float, w: np.ndarray) -> float:
        return float(turned(w) - np.deg2rad(1))

    late = {}
    for name in "ab":
        start = np.array([state[f"{name}_x"], state[f"{name}_y"]])
        close(np.ravel(picture["plane", f"start-{name}"]), start)
        if not start.any():
            assert ("plane", f"path-{name}") not in picture
            close(picture["length", f"length-{name}"][1], 0.0)
            continue
        time, length = picture["length", f"length-{name}"]
        assert (time[0], time[-1], len(time)) == (0, 12, 121)
        run = solve_ivp(slope, (0, 12), start, t_eval=time, method="DOP853", events=arrived,
                        rtol=1e-11, atol=1e-13)  # fmt: skip
        close(length, np.linalg.norm(run.y, axis=0), 1e-7)
        close(picture["plane", f"path-{name}"], run.y, 1e-7)
        angle = turned(run.y)
        close(numbers[f"angle_{name}"], np.rad2deg(angle[0]))
        if angle[0] > 0:
            close(10 ** picture["angle", f"angle-{name}"][1], np.rad2deg(angle), 1e-6)
        free = start[1] != 0
        wanted = run.t_events[0][0] if len(run.t_events[0]) else np.inf
        if angle[0] <= np.deg2rad(1):
            wanted = 0
        if free and wanted == np.inf:
            assert numbers[f"time_{name}"] > 12
        else:
            close(numbers[f"time_{name}"], wanted, 1e-7)
        end = solve_ivp(slope, (0, 30), start, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        late[name] = turned(end) if free else np.nan
    if len(late) == 2 and not np.isnan([*late.values()]).any():
        close(numbers["late"], late["a"] / late["b"], 2e-3)


def collapse_levels_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Half times as integrals over the variance; the squared form of VICReg by its slope."""
    weight, found = state["invariance"], {}
    for level in ("super", "class", "sample"):
        kept, moved = (10 ** state[f"{kind}_{level}"] for kind in ("kept", "moved"))
        total, start = kept + moved, 1e-4 * (kept + moved)

        def velocity(nu: float, total: float = total, moved: float = moved) -> float:
            w = np.sqrt(nu / total) + 1e-30j
            value = 2 * weight * moved * w**2 + (total * w**2 - 1) ** 2
            return float(-2 * total * w.real * value.imag / 1e-30)

        lives = velocity(2 * start) > 0
        end = brentq(velocity, 2 * start, 1.0) if lives else 0.0
        close(numbers[f"end_{level}"], end, 1e-8)
        close(np.ravel(picture["variances", f"kept_{level}"])[1], np.log10(kept))
        if weight > 1:
            edge = brentq(lambda i, v=kept: v + i - weight * i, 0, 1e7)
            shown = np.ravel(picture["variances", f"edge-{level}"])[1]
            close(shown, np.clip(np.log10(edge), -3, 1), 1e-6)
        if not lives:
            assert numbers[f"time_{level}"] == np.inf
            assert ("course", level) not in picture
            continue
        half = quad(lambda u, f=velocity: np.exp(u) / f(np.exp(u)), np.log(start),
                    np.log(end / 2), epsrel=1e-11, limit=200)[0]  # fmt: skip
        close(numbers[f"time_{level}"], half, 1e-6)
        clock, share = picture["course", level]
        assert (clock[0], clock[-1], len(clock)) == (-1, 4, 151)
        close(np.interp(np.log10(half), clock, share), 0.5, 0.02)
        assert (np.diff(share) >= -1e-12).all()
        found[level] = velocity(start * 1e-6) / (start * 1e-6), kept, moved
    if {"super", "sample"} <= set(found) and weight != 1:
        (_, coarse, _), (rate, *_) = found["super"], found["sample"]
        close(8 * (coarse + (1 - weight) * numbers["tie"]), rate, 1e-5)


def negative_bias_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """SciPy's normal distribution function; the pair by conditioning on one input."""
    bj, bk, rho = state["bias_j"], state["bias_k"], state["rho"]

    def both(r: float) -> float:
        def inside(z: float) -> float:
            return np.exp(-z * z / 2) * ndtr((r * z + bk) / np.sqrt(1 - r * r))

        return quad(inside, -bj, 12, epsabs=1e-13, limit=200)[0] / np.sqrt(2 * np.pi)

    close([numbers["open_j"], numbers["open_k"]], ndtr([bj, bk]))
    close(numbers["both"], both(rho))
    close(numbers["ratio"], both(rho) / ndtr(bj))
    close(numbers["floor"], max((64 * ndtr(bj) - 1) / 63, 0))
    place, height = picture["ratio", "ratio"]
    close(place, np.linspace(-0.95, 0.95, 77))
    close(height[::19], [both(r) / ndtr(bj) for r in place[::19]])
    close(np.ravel(picture["ratio", "now"]), [rho, numbers["ratio"]])
    close(np.ravel(picture["plane", "corner"]), [-bj, -bk])
    for radius in (1, 2, 3):
        x, y = picture["plane", f"ellipse-{radius}"]
        close((x**2 - 2 * rho * x * y + y**2) / (1 - rho**2), radius**2)


@lru_cache(maxsize=32)
def lucky_flow(angle: float, log_start: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the five students in the plane at the end, and their parts of the three teacher
    nodes: vectors in place of angles and lengths, and an adaptive integrator."""
    goal = np.exp(1j * np.radians([20, 140, 260]))
    first = np.exp(1j * np.radians([angle, 100, 165, 235, 330])) * 10 ** (log_start / 2)
    rows = [torch.tensor(np.column_stack([z.real, z.imag]))[None] for z in (goal, first)]
    teacher = normal_flow.Layers(rows[0], torch.eye(3, dtype=torch.float64)[None])

    def layers(y: np.ndarray) -> normal_flow.Layers:
        return normal_flow.Layers(
            torch.tensor(y[:10]).reshape(1, 5, 2), torch.tensor(y[10:]).reshape(1, 5, 3)
        )

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        return np.concatenate([M.ravel() for M in normal_flow.velocity(layers(y), teacher)])

    start = np.concatenate([rows[1].ravel(), np.full(15, abs(first[0]) / 3**0.5)])
    end = solve_ivp(slope, (0, 60), start, method="LSODA", rtol=1e-7, atol=1e-9).y[:, -1]
    W, V = layers(end)
    return W[0].numpy(), 2 * (V * normal_flow.overlaps(W, teacher.W))[0].numpy()


def luck_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Where the paths end and the parts of all students, by another integrator."""
    W, parts = lucky_flow(state["start_angle"], state["log_start"])
    for j in range(5):
        xs, ys = picture["plane", f"path-{j + 1}"]
        assert len(xs) == 121
        close([xs[-1], ys[-1]], W[j], 1e-4)
        close(np.ravel(picture["plane", f"end-{j + 1}"]), [xs[-1], ys[-1]])
    for k in range(3):
        close(numbers[f"part_{k + 1}"], parts[0, k], 1e-4)
        heights = [float(picture["parts", f"part-{j + 1}-{k + 1}"][1][0]) for j in range(5)]
        close(heights, np.cumsum(np.maximum(parts[:, k], 0)), 1e-4)
    close(numbers["largest"], parts[:, parts[0].argmax()].max(), 1e-4)


def flat_minima_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Paths by the eigenvectors of a matrix whose entries are means over the plane, by angles."""
    turn = np.deg2rad(state["turned"])
    sector = np.linspace(turn - np.pi / 2, np.pi / 2, 40001)
    mixed = np.trapezoid(np.cos(sector) * np.cos(sector - turn), sector) / np.pi
    values, vectors = np.linalg.eigh([[0.5, mixed], [mixed, 0.5]])
    if state["turned"] == 0:
        values[0] = 0.0
    start = np.array([state["matched_start"] - 1, state["other_start"]])

    def fan_outs(t: np.ndarray) -> np.ndarray:
        gaps = vectors @ (np.exp(-np.outer(values, t)) * (vectors.T @ start)[:, None])
        return gaps + np.array([[1.0], [0.0]])

    close([numbers["rate"], numbers["fast"]], values, 1e-6)
    close(numbers["end"], fan_outs(np.array([1e9]))[1, 0] if values[0] == 0 else 0, 1e-6)
    logs, matched = picture["course", "matched"]
    times = 10.0**logs
    close(matched, fan_outs(times)[0], 1e-5)
    close(picture["course", "other"][1], fan_outs(times)[1], 1e-5)
    close(picture["valley", "path"][0][1:], fan_outs(times)[0], 1e-5)
    close(np.ravel(picture["valley", "start"]), np.add(start, [1, 0]))
    seen = np.abs(fan_outs(np.append(times, 0)))[1].max()
    close(numbers["highest"], max(seen, abs(numbers["end"])), 1e-5)
    x, y = picture["valley", "level-2"]
    gap = np.stack([x - 1, y])
    if values[0] > 1e-3:
        loss = np.einsum("ik,ij,jk->k", gap, np.array([[0.5, mixed], [mixed, 0.5]]), gap) / 2
        close(loss, np.full(len(x), 0.05), 1e-5)


@lru_cache(maxsize=64)
def conjunctions_left(bits: int, order: int) -> np.ndarray:
    """What the best layers leave of all conjunctions, from the singular values of their table."""
    x = np.array(list(product((0, 1), repeat=bits)))
    names = list(combinations(range(bits), order))
    table = np.stack([x[:, A].all(1) for A in names], 1).astype(float)
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(table.T, bias=True)))
    return np.append(np.cumsum(values)[::-1], 0) / values.sum()


def top_down_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Eigenvalues of the enumerated conjunctions; their tail is what a layer leaves."""
    d, k, n = (int(state[key]) for key in ("bits", "order", "nodes"))
    left = conjunctions_left(d, k)
    T = len(left) - 1
    close(picture["left", "conjunctions"], [np.arange(T + 1), left])
    close(picture["left", "parities"], [[0, T], [1, 0]])
    close(picture["left", "free"], [[0, T], [1 / (2**k - 1), 0]])
    close(numbers["candidates"], T)
    close(numbers["left"], left[min(n, T)])
    close(numbers["parity"], max(1 - n / T, 0))
    close(numbers["needed"], (left > 0.05 + 1e-12).sum())
    close(picture["left", "layer"][1], left[min(n, T)])


def compression_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Information by determinants, the variance by it, the estimates from the record."""
    record = load("mutual_information/gaussian")
    power, d, n = state["power"], int(state["dimension"]), int(state["samples"])

    def exact(k: float) -> float:
        joint = np.array([[1.0, 1.0], [1.0, 1 + 4.0**k]])
        return d * float(np.log(joint[1, 1] / np.linalg.det(joint))) / 2

    close(numbers["exact"], exact(power))
    close(numbers["variance"], np.expm1(2 * exact(power)), 1e-7)
    close(numbers["ceiling"], np.log(n))
    powers = np.array(record.axes["power"])
    at = int(np.flatnonzero(powers == power)[0])
    for name, critic in (("dv", "best"), ("nce", "best"), ("pool", "mine"), ("fresh", "mine")):
        mean = record[f"{critic}/d={d}/n={n}/{name}"].astype(float).mean(0)
        close(picture["values", name], [powers, mean], 1e-4)
        close(numbers[name], mean[at], 1e-4)
    place, height = picture["values", "exact"]
    close(height, [exact(k) for k in place])
    close(np.ravel(picture["values", "now"]), [power, exact(power)])


def _told(degrees: float, moved: float, noise: float) -> float:
    """Share of the variance of a direction that a least-squares fit explains."""
    gain = np.diag(np.sqrt([1 + moved, 1 - moved]))
    target = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    reached = gain @ target
    return float(reached @ np.linalg.solve(gain @ gain + noise**2 * np.eye(2), reached))


def _angle_of_targets(moved: float, noise: float) -> float:
    """The angle whose target is read as well as before, in degrees."""
    if not moved:
        return 45.0
    return brentq(lambda a: _told(a, moved, noise) - _told(a, 0, noise), 0, 90, xtol=1e-13)


def _moved_for(degrees: float, noise: float) -> float:
    """The variance at which this angle is the critical one."""
    gap = lambda x: (_told(degrees, x, noise) - _told(degrees, 0, noise)) / x  # noqa: E731
    ends = gap(1e-9), gap(0.999999)
    return brentq(gap, 1e-9, 0.999999, xtol=1e-13) if ends[0] * ends[1] < 0 else float("nan")


def random_targets_widget(state: State, numbers: Numbers, picture: Picture) -> None:
    """Accuracies by least squares, the ratios by the law of total variance."""
    angle, moved, noise = state["target_angle"], state["carried"], state["sigma_z"]

    def accuracy(degrees: float, x: float) -> float:
        return 1 - np.arccos(np.sqrt(_told(degrees, x, noise))) / np.pi

    close(numbers["before"], accuracy(angle, 0))
    close(numbers["now"], accuracy(angle, moved))
    edge = _angle_of_targets(moved, noise)
    close(numbers["stop"], edge, 1e-6)

    def sizes(degrees: float, x: float) -> np.ndarray:
        way = np.radians(degrees)
        mean = np.sqrt(2 / np.pi * (np.cos(way) ** 2 * (1 + x) + np.sin(way) ** 2 * (1 - x)))
        variance, distance = 2 + 2 * noise**2 - mean**2, 4 * mean**2
        return np.array([variance, distance, variance / distance])

    keys = ("variance", "distance", "cdnv")
    close([numbers[k] for k in keys], sizes(0, moved) / sizes(angle, moved))
    place, height = picture["read", "now"]
    assert (place[0], place[-1], len(place)) == (0, 90, 91)
    close(height, [accuracy(a, moved) for a in place])
    close(picture["read", "before"][1], [accuracy(a, 0) for a in place])
    close(picture["read", "edge"][0], edge, 1e-6)
    close(np.ravel(picture["read", "here"]), [angle, numbers["now"]])
    for k, key in enumerate(keys):
        place, height = picture["ratio", key]
        wanted = [np.log10(sizes(0, x)[k] / sizes(angle, x)[k]) for x in place]
        close(height, wanted)


HELD: dict[str, Callable[[State, Numbers, Picture], None]] = {
    "collapse_levels": collapse_levels_widget,
    "supervised": supervised_widget,
    "covariance_operator": covariance_operator_widget,
    "dual_networks": dual_networks_widget,
    "info_nce": info_nce_widget,
    "batchnorm": batchnorm_widget,
    "predictor": predictor_widget,
    "ema": ema_widget,
    "alternating": alternating_widget,
    "expansion": expansion_widget,
    "ablation": ablation_widget,
    "mean_view": mean_view_widget,
    "directpred": directpred_widget,
    "one_picture": one_picture_widget,
    "simsiam": simsiam_widget,
    "teaser": teaser_widget,
    "latent_tree": latent_tree_widget,
    "one_neuron": one_neuron_widget,
    "two_layers": two_layers_widget,
    "translation": translation_widget,
    "gradient": gradient_widget,
    "flat_minima": flat_minima_widget,
    "luck": luck_widget,
    "negative_bias": negative_bias_widget,
    "lottery": lottery_widget,
    "recovery": recovery_widget,
    "measures": measures_widget,
    "top_down": top_down_widget,
    "compression": compression_widget,
    "random_targets": random_targets_widget,
    "two_terms": two_terms_widget,
    "layers": layers_widget,
}


def _ema_gains(s: State) -> dict[tuple[str, str], float]:
    a, b, rate = s["alpha_a"], s["alpha_b"], s["gamma"]
    edge = a + b - 2
    return {
        ("alpha_a", "pole at +1"): b,
        ("alpha_a", "pole at −1"): float(ema.CRITICAL_GAIN.numpy(1.0, b, rate)),
        ("alpha_b", "pole at +1"): a,
        ("alpha_b", "pole at −1"): (a - 2) * (1 + rate) / (1 - rate),
        ("gamma", "no EMA"): 0.0,
        ("gamma", "0.99"): 0.99,
        ("gamma", "pole at −1"): (b + 2 - a) / edge if edge else float("nan"),
    }


def _walk_ticks() -> dict[tuple[str, str], float]:
    walk = walk_of(load(RECORDED[0]), RECORDED[1])
    start, end, top = (np.array(walk[key]) for key in ("start", "end", "ceiling"))
    return {
        ("latent", "root"): 0,
        ("latent", "largest gain"): int((end - start).argmax()),
        ("latent", "furthest below its ceiling"): int((end / top).argmin()),
    }


def _blind_ticks(s: State) -> dict[tuple[str, str], float]:
    left = conjunctions_left(int(s["bits"]), int(s["order"]))
    return {
        ("bits", "as in the figure, 10"): 10.0,
        ("order", "single bits"): 1.0,
        ("order", "half of the bits"): s["bits"] // 2,
        ("nodes", "as many as are used"): min(6, len(left) - 1),
        ("nodes", "5 % left"): (left > 0.05 + 1e-12).sum(),
        ("nodes", "one for each candidate"): len(left) - 1,
    }


CRITICAL: dict[str, Callable[[State], dict[tuple[str, str], float]]] = {
    "top_down": _blind_ticks,
    "collapse_levels": lambda _: {
        ("invariance", "half"): 0.5,
        ("invariance", "equal"): 1.0,
        ("invariance", "twice"): 2.0,
    },
    "lottery": lambda s: {
        ("tickets", "one"): 1.0,
        ("tickets", "as many as fresh"): s["fresh"],
        ("tickets", "100"): 100.0,
        ("fresh", "one"): 1.0,
        ("fresh", "20"): 20.0,
        ("inputs", "plane"): 2.0,
        ("inputs", "space"): 3.0,
        ("inputs", "20"): 20.0,
    },
    "luck": lambda s: {
        ("start_angle", "on T1"): 20.0,
        ("start_angle", "halfway T1–T2"): 80.0,
        ("start_angle", "halfway T2–T3"): 200.0,
        ("start_angle", "halfway T3–T1"): 320.0,
        ("log_start", "10−6"): -6.0,
        ("log_start", "10−3"): -3.0,
        ("log_start", "as strong as the teacher"): 0.0,
    },
    "flat_minima": lambda _: {
        ("turned", "copy"): 0,
        ("turned", "10 degrees"): 10,
        ("turned", "right angle"): 90,
        ("turned", "opposite"): 180,
        ("matched_start", "nothing"): 0,
        ("matched_start", "as the teacher"): 1,
        ("other_start", "zero"): 0,
        ("other_start", "one"): 1,
    },
    "gradient": lambda s: {
        ("input_angle", "along the node"): s["node_angle"],
        ("input_angle", "node closes"): (s["node_angle"] + 90) % 360,
        ("input_angle", "teacher closed"): 260.0,
        ("node_angle", "as T1"): 20.0,
        ("node_angle", "as T2"): 140.0,
        ("node_angle", "opposite T1"): 200.0,
    },
    "negative_bias": lambda s: {
        **{("bias_j", f"−{-b:g}"): b for b in (-2.0, -1.0, -0.1)},
        ("bias_j", "no bias"): 0.0,
        ("bias_k", "as this node"): s["bias_j"],
        ("bias_k", "no bias"): 0.0,
        ("rho", "almost opposite"): -0.95,
        ("rho", "none"): 0.0,
        ("rho", "0.3"): 0.3,
        ("rho", "almost a copy"): 0.95,
    },
    "one_neuron": lambda s: {
        ("mean", "zero"): 0.0,
        ("spread", "none"): 0.0,
        ("spread", "first flip"): first_flip(s["mean"]),
    },
    "latent_tree": lambda s: _walk_ticks(),
    "alternating": lambda s: {
        ("memory", "renewed every step"): 1.0,
        ("memory", "10"): 10.0,
        ("memory", "50"): 50.0,
        ("scale", "best for A"): 1 / 1.25,
        ("scale", "best for B"): 1 / 2,
        ("scale", "no predictor"): 1.0,
    },
    "expansion": lambda s: {
        ("moved", "kurtosis of Laplace"): 1 / 6,
        ("moved", "normal"): 1 / 3,
        ("moved", "uniform"): 5 / 9,
        ("moved", "two views"): 1.0,
        ("size", "small"): 0.2,
        ("size", "1"): 1.0,
        ("bend", "linear encoder"): 0.0,
        ("bend", "bent"): 1.0,
    },
    "directpred": lambda s: {
        ("decay", "none"): 0.0,
        ("decay", "0.05"): 0.05,
        ("decay", "critical"): float(directpred.CRITICAL_DECAY.numpy(s["tau"], 1.0)),
        ("tau", "all collapse below"): float(directpred.GROW_AT_ALL.numpy(1.0, s["decay"])),
        ("tau", "all align below"): float(directpred.ALIGN_ALL.numpy(1.0, s["decay"])),
        ("tau", "1"): 1.0,
    },
    "one_picture": lambda s: {
        ("sigma_aug", "none"): 0.0,
        ("sigma_aug", "modes 1 and 3 equal"): 0.2**0.5,
        ("sigma_aug", "1"): 1.0,
    },
    "two_terms": lambda s: {
        ("mu_s", "collapse critical"): s["mu_v"] / (0.4 * s["q_n"]),
        ("mu_s", "hinge just reached"): s["mu_v"] / (4 * s["q_n"]),
        ("mu_v", "collapse critical"): 0.4 * s["mu_s"] * s["q_n"],
        ("mu_v", "hinge just reached"): 4 * s["mu_s"] * s["q_n"],
        ("q_n", "collapse critical"): s["mu_v"] / (0.4 * s["mu_s"]),
        ("q_n", "hinge just reached"): s["mu_v"] / (4 * s["mu_s"]),
    },
    "random_targets": lambda s: {
        ("target_angle", "semantic"): 0.0,
        ("target_angle", "critical"): _angle_of_targets(s["carried"], s["sigma_z"]),
        ("target_angle", "45"): 45.0,
        ("target_angle", "nuisance"): 90.0,
        ("carried", "untrained"): 0.0,
        ("carried", "critical"): _moved_for(s["target_angle"], s["sigma_z"]),
        ("sigma_z", "0.5"): 0.5,
        ("sigma_z", "1"): 1.0,
    },
    "two_layers": lambda s: {
        ("a_1", "balanced"): s["a_2"],
        ("a_1", "half the top"): s["a_2"] / 2,
        ("a_2", "balanced"): s["a_1"],
        ("a_2", "half the bottom"): s["a_1"] / 2,
    },
    "covariance_operator": lambda s: {
        ("beta_plus", "no positives"): -1.0,
        ("beta_plus", "simple loss"): 0.0,
        ("beta_plus", "other of 3 views"): 1 / (3 - 1),
        ("beta_plus", "other of 2 views"): 1 / (2 - 1),
        ("beta_plus", "edge"): 1 / s["within"],
        ("within", "as between images"): 1.0,
    },
    "info_nce": lambda s: {
        ("temperature", "critical"): s["w"] ** 2 / info_nce_balance(s["noise"]),
        ("w", "balance"): (info_nce_balance(s["noise"]) * s["temperature"]) ** 0.5,
        ("noise", "none"): 0.0,
        ("noise", "other image as near"): 0.5,
    },
    "dual_networks": lambda s: {
        ("delta", "no step"): 0.0,
        ("delta", "gate flips"): -s["h"],
        ("h", "on the kink"): 0.0,
        ("leak", "ReLU"): 0.0,
        ("leak", "linear"): 1.0,
    },
    "predictor": lambda s: {
        ("p", "fastest"): float(predictor.BEST_SCALE.numpy(s["lambda_V"], s["lambda_I"])),
        ("p", "threshold"): float(predictor.THRESHOLD.numpy(s["lambda_V"], s["lambda_I"])),
        ("lambda_I", "none"): 0.0,
        ("lambda_I", "λI = λV"): s["lambda_V"],
    },
    "ema": _ema_gains,
    "teaser": lambda s: {
        ("p", "fastest"): float(teaser.THRESHOLD.numpy(s["sigma_aug"])) / 2,
        ("p", "threshold"): float(teaser.THRESHOLD.numpy(s["sigma_aug"])),
        ("p", "no predictor"): 1.0,
        ("sigma_aug", "none"): 0.0,
        ("sigma_aug", "as strong as the image"): 1.0,
    },
}
