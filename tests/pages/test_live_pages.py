"""Every widget on the built book, from ``file://``, driven by mouse and by keyboard.

After each move the displayed numbers and the drawn picture are held against Python. At the end no
page may have complained on its console or asked for anything from elsewhere.
"""

from __future__ import annotations

import re

import pytest
from held import CRITICAL, HELD, PAGES, basin_share
from seen import Shown

BOUNDS = {
    "p": (0, 1.25, 0.01), "lambda_I": (0, 2, 0.05), "alpha_a": (0, 3, 0.01),
    "alpha_b": (0, 3, 0.01), "gamma": (0, 0.999, 0.005), "sigma_aug": (0, 1.5, 0.05),
    "a_1": (0.2, 1.6, 0.02), "a_2": (0.2, 1.6, 0.02),
    "mean": (-1, 1, 0.01), "spread": (0, 3, 0.01),
    "beta_plus": (-1, 3, 0.02), "within": (0.4, 2, 0.02),
    "temperature": (0.1, 3, 0.05), "w": (0, 2, 0.02), "noise": (0, 1.5, 0.02),
    "memory": (1, 50, 1), "scale": (0.05, 1.25, 0.01),
    "moved": (0.05, 1, 0.01), "size": (0.1, 1.5, 0.05), "bend": (-1.5, 1.5, 0.05),
    "latent": (0, 30, 1), "delta": (-2, 2, 0.02), "h": (-1, 1, 0.02), "leak": (0, 1, 0.02),
    "decay": (0, 0.2, 0.005), "tau": (0.1, 1.2, 0.01),
    "start_angle": (0, 360, 1), "log_start": (-6, 0, 0.1),
    "input_angle": (0, 360, 1), "node_angle": (0, 360, 1),
    "tickets": (1, 200, 1), "fresh": (1, 50, 1), "inputs": (2, 60, 1),
    "bits": (5, 12, 1), "order": (1, 5, 1), "nodes": (0, 800, 1),
    "turned": (0, 180, 1), "matched_start": (-1, 2, 0.05), "other_start": (-1, 2, 0.05),
    "bias_j": (-2.5, 2.5, 0.05), "bias_k": (-2.5, 2.5, 0.05), "rho": (-0.95, 0.95, 0.01),
    "invariance": (0.5, 3, 0.05),
    "target_angle": (0, 90, 1), "carried": (0, 0.98, 0.02), "sigma_z": (0.05, 2, 0.05),
    "mu_s": (0.1, 3, 0.05), "mu_v": (0, 3, 0.05), "q_n": (0.05, 1, 0.01),
}  # fmt: skip
every = pytest.mark.parametrize("name", PAGES)
WITH_SLIDERS = [
    "collapse_levels",
    "covariance_operator",
    "info_nce",
    "dual_networks",
    "latent_tree",
    "one_neuron",
    "predictor",
    "ema",
    "alternating",
    "expansion",
    "directpred",
    "one_picture",
    "gradient",
    "flat_minima",
    "top_down",
    "lottery",
    "luck",
    "negative_bias",
    "teaser",
    "random_targets",
    "two_layers",
    "two_terms",
]


def held(shown: Shown, name: str) -> str:
    """Hold numbers and picture against Python; return the regime."""
    state = shown.state()
    HELD[name](state, shown.numbers(), shown.picture())
    return shown.regime()


@every
def test_untouched_page_already_shows_python_values(visit, name):
    shown = visit(PAGES[name]).widget(name)
    assert held(shown, name)
    assert len(shown.caption()) > 40
    root = shown.root
    assert root.locator("[data-control]").count() <= 3
    assert root.locator("input:not([id]), select:not([id])").count() == 0


@pytest.mark.parametrize("name", WITH_SLIDERS)
def test_sliders_move_by_keyboard(visit, name):
    shown = visit(PAGES[name]).widget(name)
    for key in shown.sliders():
        low, high, step = BOUNDS[key]
        slider = shown.slider(key)
        before = shown.state()[key]
        shown.keys(slider, "ArrowRight", "ArrowRight", "ArrowLeft")
        assert shown.state()[key] == pytest.approx(before + step, abs=step * 0.999)
        assert shown.state()[key] > before
        held(shown, name)
        for press, end in (("End", high), ("Home", low)):
            shown.keys(slider, press)
            assert shown.state()[key] == pytest.approx(end, abs=step)
            held(shown, name)
        shown.keys(slider, "PageUp", "PageUp", "PageUp")
        assert shown.state()[key] == pytest.approx(min(low + 30 * step, high))
        held(shown, name)


@pytest.mark.parametrize("name", WITH_SLIDERS)
def test_sliders_move_by_mouse_and_say_their_value(visit, name):
    shown = visit(PAGES[name]).widget(name)
    for key in shown.sliders():
        low, high, step = BOUNDS[key]
        for start, end in ((0.5, 0.8), (0.8, 0.25)):
            shown.drag_slider(key, start, end)
            value = shown.state()[key]
            assert value == pytest.approx(low + end * (high - low), abs=0.03 * (high - low) + step)
            text = shown.root.locator(f'[data-control="{key}"] output').inner_text()
            assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.0051)
            assert shown.slider(key).get_attribute("aria-valuetext").startswith(text)
            held(shown, name)


@pytest.mark.parametrize("name", WITH_SLIDERS)
def test_ticks_stand_at_the_critical_values(visit, name):
    shown = visit(PAGES[name]).widget(name)
    captions: dict[str, str] = {}
    starts = {"ema": [(0.5, 0.8, 0.8), (2.5, 0.5, 0.9)], "predictor": [(0.4, 0.5)],
              "teaser": [(0.4, 0.7)], "one_neuron": [(0.6, 0.4)], "latent_tree": [(7.0,)],
              "two_layers": [(1.2, 0.5)], "alternating": [(10.0, 0.6)],
              "expansion": [(0.5, 1.0, 0.0)],
              "directpred": [(0.06, 0.9), (0.12, 0.9)],
              "one_picture": [(0.8,), (0.2,)],
              "dual_networks": [(-1.0, 0.5, 0.2)],
              "random_targets": [(60.0, 0.5, 0.5), (35.0, 0.7, 1.0)],
              "two_terms": [(1.0, 1.0, 0.5), (2.0, 0.4, 0.8)],
              "gradient": [(75.0, 50.0), (330.0, 50.0)],
              "collapse_levels": [(1.5,)],
              "top_down": [(7.0, 3.0, 20.0), (10.0, 2.0, 2.0)],
              "flat_minima": [(40.0, 0.5, 1.5)],
              "lottery": [(50.0, 5.0, 20.0), (10.0, 30.0, 4.0)],
              "luck": [(50.0, -3.0), (290.0, -1.0)],
              "negative_bias": [(-0.5, -0.5, 0.3), (0.6, -1.3, -0.5)],
              "covariance_operator": [(2.0, 0.8)],
              "info_nce": [(0.5, 0.6, 0.8), (1.0, 1.2, 0.3)]}[name]  # fmt: skip

    def back(key: str, value: float) -> None:
        low, high, _ = BOUNDS[key]
        shown.drag_slider(key, 0.5, (value - low) / (high - low))

    for start in starts:
        values = dict(zip(shown.sliders(), start, strict=True))
        for key, value in values.items():
            back(key, value)
        captions[held(shown, name)] = shown.caption()
        for key, value in values.items():
            for tick in shown.ticks(key):
                wanted = CRITICAL[name](shown.state())[key, tick]
                shown.press(key, tick)
                assert shown.state()[key] == pytest.approx(wanted, abs=1e-9)
                button = shown.root.locator(f'[data-control="{key}"] button[data-tick="{tick}"]')
                assert button.get_attribute("aria-pressed") == "true"
                captions[held(shown, name)] = shown.caption()
                back(key, value)
    assert len(captions) >= 3, captions
    assert len(set(captions.values())) == len(captions)
    assert any(regime.startswith("critical") for regime in captions)


def test_layers_grow_fall_and_stay_equal(visit):
    shown = visit(PAGES["layers"]).widget("layers")
    regimes = {held(shown, "layers")}
    for key in ("log_start", "depth", "moment"):
        for tick in shown.ticks(key):
            shown.press(key, tick)
            regimes.add(held(shown, "layers"))
        shown.keys(shown.slider(key), "Home", "ArrowRight", "ArrowRight")
        regimes.add(held(shown, "layers"))
    assert regimes == {"grows with depth", "falls with depth", "equal gains"}


def test_estimates_of_information_meet_every_case(visit):
    shown = visit(PAGES["compression"]).widget("compression")
    pick = {key: shown.root.locator(f'[data-control="{key}"] select') for key in
            ("dimension", "samples")}  # fmt: skip
    regimes = set()
    for d, n in (("1", "1024"), ("4", "16"), ("4", "256"), ("16", "1024")):
        pick["dimension"].select_option(d)
        pick["samples"].select_option(n)
        for tick in shown.ticks("power"):
            shown.press("power", tick)
            regimes.add(held(shown, "compression"))
    shown.keys(shown.slider("power"), "ArrowLeft", "ArrowLeft")
    assert shown.state()["power"] == 0
    held(shown, "compression")
    assert regimes >= {"above the ceiling", "learned by heart", "measurable"}


def test_every_batchnorm_variant(visit):
    shown = visit(PAGES["batchnorm"]).widget("batchnorm")
    select = shown.root.locator("select")
    options = select.locator("option").evaluate_all("o => o.map(e => e.value)")
    assert len(options) == 9
    regimes = {}
    for option in options:
        select.select_option(option)
        assert shown.state()["variant"] == option
        regimes[option] = held(shown, "batchnorm")
    assert regimes["mu_sigma"] == "both"
    assert regimes["mu"] == regimes["mu_sigmadet"] == "centred"
    assert regimes["mudet_sigma"] == "scaled"
    assert regimes["mudet"] == regimes["none"] == regimes["sigma"] == "passes"
    shown.keys(select, "Home", "ArrowDown")
    assert shown.state()["variant"] == options[1]
    held(shown, "batchnorm")


@pytest.mark.parametrize(("variant", "others"), [("mu_sigma", "5 others"), ("mudet", "no other")])
def test_moving_one_sample_stirs_the_others_only_through_the_batch(visit, variant, others):
    shown = visit(PAGES["batchnorm"]).widget("batchnorm")
    shown.root.get_by_text("start again").click()
    shown.root.locator("select").select_option(variant)
    before = shown.state()
    shown.drag_handle("point-2", 14, -40)
    after = shown.state()
    assert after["g"][2] > before["g"][2] + 0.2
    assert after["x"][2] > before["x"][2] + 0.05
    assert after["g"][:2] == before["g"][:2]
    held(shown, "batchnorm")
    assert others in shown.caption()
    handle = shown.root.locator('[data-handle="point-4"]')
    shown.keys(handle, "ArrowUp", "ArrowUp", "ArrowLeft", "Shift+ArrowDown")
    assert shown.state()["g"][4] == pytest.approx(before["g"][4] - 0.3)
    assert shown.state()["x"][4] == pytest.approx(before["x"][4] - 0.1)
    assert f"{shown.state()['g'][4]:.2f}".replace("-", "−") in handle.get_attribute(
        "aria-valuetext"
    )
    held(shown, "batchnorm")


def test_full_batchnorm_is_silent_on_a_straight_line(visit):
    shown = visit(PAGES["batchnorm"]).widget("batchnorm")
    shown.root.locator("select").select_option("mu_sigma")
    for words in ("all equal", "a straight line"):
        button = shown.root.locator("button", has_text=words)
        shown.keys(button, "Enter")
        assert held(shown, "batchnorm") == "silent"


def test_every_method_on_every_spectrum(visit):
    shown = visit(PAGES["one_picture"]).widget("one_picture")
    shown.press("sigma_aug", "1")
    method, spectrum = (
        shown.root.locator(f'[data-control="{key}"] select') for key in ("method", "spectrum")
    )
    regimes = {}
    for kind in ("shaken", "alike"):
        spectrum.select_option(kind)
        for rule in method.locator("option").evaluate_all("o => o.map(e => e.value)"):
            method.select_option(rule)
            assert (shown.state()["method"], shown.state()["spectrum"]) == (rule, kind)
            regimes[rule, kind] = held(shown, "one_picture")
    assert len(regimes) == 16
    assert regimes["simple", "shaken"] == regimes["small", "alike"] == "runaway"
    assert regimes["vicreg", "shaken"] == "noise kept"
    assert regimes["byol", "shaken"] == regimes["barlow", "shaken"] == "overtaken"
    assert regimes["byol", "alike"] == regimes["simclr", "alike"] == "first"
    spectrum.select_option("shaken")
    for rule, sigma, words in (
        ("byol", 0.4, "mode 2 is the strongest"),  # above mode 1, by a higher share
        ("simclr", 0.2, "the share sets the variance"),  # mode 4, by a lower share
    ):
        method.select_option(rule)
        shown.keys(shown.slider("sigma_aug"), "Home", *["ArrowRight"] * round(sigma / 0.05))
        assert shown.state()["sigma_aug"] == pytest.approx(sigma)
        assert held(shown, "one_picture") == "overtaken"
        assert words in shown.caption()
    method.select_option("barlow")
    shown.press("sigma_aug", "modes 1 and 3 equal")
    assert held(shown, "one_picture") == "critical"
    assert "mode 4" in shown.caption()


def test_every_objective_under_every_normalisation(visit):
    shown = visit(PAGES["mean_view"]).widget("mean_view")
    objective, norm = (
        shown.root.locator(f'[data-control="{key}"] select') for key in ("objective", "norm")
    )
    regimes = {}
    for rule in objective.locator("option").evaluate_all("o => o.map(e => e.value)"):
        objective.select_option(rule)
        for kind in norm.locator("option").evaluate_all("o => o.map(e => e.value)"):
            norm.select_option(kind)
            assert (shown.state()["objective"], shown.state()["norm"]) == (rule, kind)
            regimes[rule, kind] = held(shown, "mean_view")
    assert len(regimes) == 28
    assert regimes["mean", "none"] == regimes["mean", "l2"] == "point"
    assert regimes["mean", "output"] == regimes["mean+stop", "output"] == "flat"
    assert regimes["pair+predictor+stop", "output"] == "kept"
    assert regimes["mean+predictor+stop", "output"] == "kept"
    for words, regime in (("the question", "point"), ("the trap", "flat"), ("SimSiam", "kept"),
                          ("the rescue", "kept")):  # fmt: skip
        shown.keys(shown.root.locator("button", has_text=words), "Enter")
        assert held(shown, "mean_view") == regime
    slider = shown.slider("moment")
    shown.keys(slider, "Home")
    assert held(shown, "mean_view") == "start"
    shown.keys(slider, "ArrowRight", "ArrowRight")
    assert shown.state()["moment"] == pytest.approx(0.2)
    held(shown, "mean_view")
    shown.press("moment", "end")
    assert held(shown, "mean_view") == "kept"


def test_the_grid_of_nine_layers(visit):
    shown = visit(PAGES["ablation"]).widget("ablation")
    norm, setting = (
        shown.root.locator(f'[data-control="{key}"] select') for key in ("norm", "setting")
    )
    regimes = {}
    for layer in norm.locator("option").evaluate_all("o => o.map(e => e.value)"):
        norm.select_option(layer)
        for heads in setting.locator("option").evaluate_all("o => o.map(e => e.value)"):
            setting.select_option(heads)
            assert (shown.state()["norm"], shown.state()["setting"]) == (layer, heads)
            regimes[layer, heads] = held(shown, "ablation")
    assert len(regimes) == 36
    assert regimes["mu+sigma", "mlp/ema"] == regimes["mu+sigma", "mlp/same"] == "kept"
    assert regimes["sigma", "mlp/ema"] == regimes["none", "mlp/same"] == "mean"
    for words, layer in (("mean and deviation", "mu+sigma"), ("the deviation alone", "sigma")):
        shown.keys(shown.root.locator("button", has_text=words), "Enter")
        assert held(shown, "ablation") == regimes[layer, "mlp/ema"]
    slider = shown.slider("moment")
    shown.keys(slider, "Home")
    assert held(shown, "ablation") == "start"
    shown.keys(slider, "ArrowRight", "ArrowRight")
    assert 0 < shown.state()["moment"] < 1
    held(shown, "ablation")


def test_a_walk_around_the_ring(visit):
    shown = visit(PAGES["translation"]).widget("translation")
    ends = {}
    for words in ("ends selective", "ends at 1 : 2", "likes 101", "rests"):
        shown.root.locator("button", has_text=words).click()
        assert shown.state()["corner"] == 0
        regimes = [held(shown, "translation")]
        following = shown.root.locator('[data-control="corner"] button[data-tick="next"]')
        for _ in range(4):
            following.click()
            regimes.append(held(shown, "translation"))
        back = shown.root.locator('[data-control="corner"] button[data-tick="previous"]')
        back.click()
        held(shown, "translation")
        ends[words] = regimes
    assert ends["ends selective"][-1] == ends["likes 101"][-1] == "selective"
    assert ends["ends at 1 : 2"][-1] == "shared"
    assert set(ends["rests"]) == {"rests"}
    assert {"straight", "slides"} <= set(ends["ends selective"])
    shown.root.locator("button", has_text="ends selective").click()
    handle = shown.root.locator('[data-handle="weight-1"]')
    shown.keys(handle, "ArrowUp", "ArrowUp", "Shift+ArrowDown")
    assert shown.state()["weights"][1] == pytest.approx(0.4)
    held(shown, "translation")
    shown.drag_handle("weight-4", 0, -60)
    assert shown.state()["weights"][4] > 0
    held(shown, "translation")
    slider = shown.slider("corner")
    shown.keys(slider, "ArrowRight")
    assert shown.state()["corner"] == 1
    held(shown, "translation")


def test_pole_plane_names_every_edge(visit):
    shown = visit(PAGES["ema"]).widget("ema")

    def go(**values: float) -> str:
        for key, value in values.items():
            shown.slider(key).evaluate(
                "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }",
                value,
            )
        return shown.regime()

    go(alpha_a=2.4, alpha_b=2.6, gamma=0.5)
    shown.press("gamma", "pole at −1")
    assert held(shown, "ema") == "critical-minus-grows"
    go(alpha_a=3, alpha_b=3, gamma=0.3)
    shown.press("gamma", "pole at −1")
    assert held(shown, "ema") == "critical-both"
    assert go(alpha_a=3, alpha_b=3, gamma=0.9) == "oscillates"
    assert "stands still" in shown.caption()
    assert go(alpha_a=1, alpha_b=0, gamma=0) == "stable"
    assert shown.root.locator('[data-number="time"]').inner_text() == "at once"


def test_coinciding_points_and_presets_are_named(visit):
    shown = visit(PAGES["batchnorm"]).widget("batchnorm")
    select = shown.root.locator("select")
    select.select_option("mu_sigma")
    shown.root.get_by_text("start again").click()
    shown.drag_handle("point-2", 14, -40)
    assert "You moved sample 3" in shown.caption()
    shown.root.locator("button", has_text="all equal").click()
    assert "You moved" not in shown.caption()
    shown.root.get_by_text("start again").click()
    for i in range(len(shown.state()["x"])):
        handle = shown.root.locator(f'[data-handle="point-{i}"]')
        shown.keys(handle, *["Shift+ArrowLeft"] * 9)
    assert set(shown.state()["x"]) == {-2.5}
    assert shown.regime() == "undefined"
    for layer, regime in (("sigma", "undefined"), ("mu", "flat"), ("none", "flat")):
        select.select_option(layer)
        assert shown.regime() == regime, layer
    select.select_option("mu_sigma")
    shown.keys(shown.root.locator('[data-handle="point-0"]'), "ArrowRight")
    assert "leaves the picture" in shown.caption()
    shown.root.get_by_text("start again").click()


def test_the_edge_of_a_basin_collapses_in_spite_of_rounding(visit):
    shown = visit(PAGES["simsiam"]).widget("simsiam")
    shown.root.locator("button", has_text="full gradient").click()
    shown.root.locator("button", has_text=re.compile(r"^A \(")).click()
    shown.keys(shown.root.locator('[data-handle="start"]'), *["ArrowRight"] * 15)
    assert (shown.state()["phi"], shown.state()["theta"]) == (0.9, 0.1)
    assert shown.regime() == "collapses"


@pytest.mark.parametrize("flow", ["stop", "full", "second"])
def test_phase_portrait_in_every_flow(visit, flow):
    shown = visit(PAGES["simsiam"]).widget("simsiam")
    words = {"stop": "stop-gradient", "full": "full gradient", "second": "second term"}[flow]
    shown.root.locator("button", has_text=words).click()
    assert shown.state()["flow"] == flow
    regimes = []
    starts = shown.root.locator("button", has_text=re.compile(r"^[A-D] \("))
    for index in range(starts.count()):
        starts.nth(index).click()
        regimes.append(held(shown, "simsiam"))
    wanted = {
        "stop": ["survives", "collapses", "collapses", "survives"],
        "full": ["collapses", "collapses", "survives", "survives"],
        "second": ["collapses", "collapses", "survives", "collapses"],
    }
    assert regimes == wanted[flow]
    starts.first.click()
    handle = shown.root.locator('[data-handle="start"]')
    shown.keys(handle, "ArrowRight", "ArrowUp", "Shift+ArrowUp")
    assert (shown.state()["phi"], shown.state()["theta"]) == pytest.approx((0.62, 0.22))
    held(shown, "simsiam")
    shown.drag_handle("start", -60, -30)
    assert shown.state()["phi"] < 0.2
    assert shown.state()["theta"] > 0.3
    held(shown, "simsiam")
    share = shown.root.locator('[data-mark="basin"]').evaluate(
        """path => { const box = path.ownerSVGElement.querySelector("clipPath rect");
        let area = 0;
        for (const m of path.getAttribute("d").matchAll(/M(-?[\\d.]+) -?[\\d.]+H(-?[\\d.]+)v1/g))
          area += m[2] - m[1];
        return area / (box.getAttribute("width") * box.getAttribute("height")); }"""
    )
    assert share == pytest.approx(basin_share(flow), abs=0.01)


def test_a_slow_collapse_is_named_before_the_orbit_gets_there(visit):
    """Without decay the closed form decides: c = -0.005 is below -p*² = -0.0025."""
    shown = visit(PAGES["directpred"]).widget("directpred")
    shown.press("decay", "none")
    shown.keys(shown.slider("tau"), "Home")
    handle = shown.root.locator('[data-handle="start"]')
    shown.keys(handle, *["ArrowRight"] * 20, *["ArrowUp"] * 9)
    assert shown.state() == pytest.approx({"p": 0.3, "s": 0.085, "decay": 0, "tau": 0.1})
    assert held(shown, "directpred") == "collapse"
    assert shown.numbers()["s"] > 1e-4
    assert "slowly" in shown.caption()
    shown.keys(handle, "ArrowUp")
    assert held(shown, "directpred") == "grows"
    assert "it ends at" in shown.caption()


@every
def test_quiet_console_and_no_request_to_anywhere(visit, name):
    watched = visit(PAGES[name])
    watched.widget(name)
    assert watched.complaints_left() == []
    assert watched.foreign == []


def test_each_way_of_training_two_layers(visit):
    shown = visit(PAGES["two_layers"]).widget("two_layers")
    regimes = []
    for words, way in (("bottom alone", "bottom"), ("top alone", "top"), ("both", "both")):
        shown.root.locator(f'button[data-tick="{words}"]').click()
        assert shown.state()["trains"] == way
        regimes.append(held(shown, "two_layers"))
    assert regimes == ["bottom alone", "top alone", "both, bottom larger"]


def test_two_clusters_meet_every_case(visit):
    shown = visit(PAGES["measures"]).widget("measures")
    regimes = {}
    for words in (
        "clear",
        "as clear, 512 dimensions",
        "the same, ten samples",
        "labels that say nothing",
        "collapsed",
    ):
        shown.root.locator(f'button[data-tick="{words}"]').click()
        regimes[words] = held(shown, "measures")
    assert regimes == {
        "clear": "collapsed",
        "as clear, 512 dimensions": "dimension",
        "the same, ten samples": "memory",
        "labels that say nothing": "nothing",
        "collapsed": "collapsed",
    }
    shown.keys(shown.root.locator('[data-handle="mean-a"]'), "ArrowRight", "Shift+ArrowUp")
    assert (shown.state()["a_x"], shown.state()["a_y"]) == pytest.approx((-0.9, 0.5))
    held(shown, "measures")
    shown.drag_handle("mean-b", -60, 40)
    held(shown, "measures")


def test_levels_come_in_every_order(visit):
    shown = visit(PAGES["collapse_levels"]).widget("collapse_levels")
    regimes = {}
    for words in (
        "balanced tree",
        "coarse levels shaken",
        "shaken, equal weights",
        "too much",
        "all the same",
    ):
        shown.root.locator(f'button[data-tick="{words}"]').click()
        regimes[words] = held(shown, "collapse_levels")
    assert regimes == {
        "balanced tree": "critical: equal weights, super-class first",
        "coarse levels shaken": "noise slows, sample first",
        "shaken, equal weights": "critical: equal weights, super-class first",
        "too much": "noise slows, sample first",
        "all the same": "critical: equal weights, together",
    }
    shown.root.locator('button[data-tick="too much"]').click()
    assert "Not resolved at all: super-class, class" in shown.caption()
    handle = shown.root.locator('[data-handle="kept_class"]')
    before = shown.state()["kept_class"]
    shown.keys(handle, "ArrowUp", "ArrowUp", "Shift+ArrowUp")
    assert shown.state()["kept_class"] == pytest.approx(before + 0.35)
    held(shown, "collapse_levels")
    shown.drag_handle("moved_super", 0, 60)
    assert shown.state()["moved_super"] < -0.3
    held(shown, "collapse_levels")


def test_sampled_centres_meet_every_case(visit):
    shown = visit(PAGES["supervised"]).widget("supervised")
    regimes = {}
    for words in (
        "as measured",
        "nothing to learn",
        "more samples",
        "weak signal",
        "weak signal, with views",
    ):
        shown.root.locator(f'button[data-tick="{words}"]').click()
        regimes[words] = held(shown, "supervised")
    assert regimes == {
        "as measured": "memory",
        "nothing to learn": "nothing",
        "more samples": "knowledge",
        "weak signal": "memory",
        "weak signal, with views": "between",
    }
    assert shown.numbers()["own"] < 0.95
    handle = shown.root.locator('[data-handle="left"]')
    before = shown.state()["left"]
    shown.keys(handle, "ArrowRight", "Shift+ArrowRight")
    assert shown.state()["left"] == pytest.approx(before + 0.3)
    held(shown, "supervised")
    shown.keys(handle, *["Shift+ArrowLeft"] * 3)
    assert shown.state()["left"] == 0
    held(shown, "supervised")


def test_two_students_meet_every_case(visit):
    shown = visit(PAGES["recovery"]).widget("recovery")
    regimes = {}
    for words in (
        "equal lengths",
        "closer but longer",
        "mirror images",
        "almost opposite",
        "opposite",
    ):
        shown.root.locator(f'button[data-tick="{words}"]').click()
        regimes[words] = held(shown, "recovery")
    assert regimes == {
        "equal lengths": "closer first",
        "closer but longer": "closer later",
        "mirror images": "closer first",
        "almost opposite": "closer first",
        "opposite": "never",
    }
    shown.root.locator('button[data-tick="mirror images"]').click()
    numbers = shown.numbers()
    assert numbers["late"] == pytest.approx(numbers["early"], rel=1e-9)
    assert "exactly where it began" in shown.caption()
    handle = shown.root.locator('[data-handle="start-a"]')
    shown.keys(handle, "ArrowRight", "Shift+ArrowUp")
    assert (shown.state()["a_x"], shown.state()["a_y"]) == pytest.approx((0.45, 0.35))
    held(shown, "recovery")
    shown.drag_handle("start-b", 60, 90)
    assert shown.state()["b_y"] < 0  # across the teacher's line: the path is mirrored
    held(shown, "recovery")
    shown.root.locator('button[data-tick="opposite"]').click()
    shown.keys(shown.root.locator('[data-handle="start-b"]'), "Shift+ArrowRight", "ArrowUp")
    assert held(shown, "recovery") == "closer first"
    shown.root.locator('button[data-tick="equal lengths"]').click()
    shown.keys(shown.root.locator('[data-handle="start-b"]'), *["Shift+ArrowUp"] * 5)
    assert held(shown, "recovery") == "zero"
