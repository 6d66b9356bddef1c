"""The widgets without a browser: one module, matched forms, checked values, stable output."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import traitlets
from widget_table import WIDGETS

from ssl_dynamics import live
from ssl_dynamics.live import BatchNormGradients, PhasePortrait, PolePlane, TwoViews

SMALL = {"decay": 0.005, "vartheta_1": 0.02, "nu_m0": 0.01, "mu_s": 0.1, "N_c": 10}
SMALL |= {"v_s0": 0.1, "v_n": 0.1}
"""Arguments that are far from 1 in every form: a critical weight decay, an angle to arrive at, the
start of a mode, an invariance weight at which modes live, and samples of a class;
a direction that has grown and one that has shrunk."""

FORMS = dict(WIDGETS.values())
PAIR, THRESHOLD, WEIGHT = FORMS[TwoViews]
each = pytest.mark.parametrize("kind", FORMS, ids=lambda k: k.__name__)


@each
def test_output_is_stable_and_self_contained(kind):
    first, second = kind(FORMS[kind]), kind(FORMS[kind])
    data, _ = first._repr_mimebundle_()
    assert data["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert data["text/plain"] == repr(second)
    assert "0x" not in repr(first)
    assert "application/vnd.jupyter.widget-view+json" in data
    page = data["text/html"]
    assert "//" not in page.split("const source")[0]
    assert page.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert page.count("<script") == page.count("</script>") == 1
    assert "<noscript>" in page
    assert first._esm.count("export default") == 1
    assert "import " not in first._esm


@each
def test_changed_values_change_the_id(kind):
    key = kind.controls()[0]
    others = {"variant": "mu", "p": 0.5, "alpha_a": 1.0, "flow": "full", "sigma_aug": 1.0}
    other = (
        others
        | {
            "temperature": 1.5,
            "target": "average",
            "delta": 0.5,
            "input_angle": 30.0,
            "start_angle": 200.0,
            "beta_plus": 0.5,
            "latent": 3.0,
            "objective": "pair",
            "norm": "none",
            "neuron": "linear",
            "moved": 1.0,
            "moment": 5.0,
            "method": "vicreg",
            "a_1": 0.5,
            "mu_s": 0.5,
            "invariance": 2.0,
            "bias_j": -1.0,
            "turned": 60.0,
            "tickets": 20.0,
            "distance": 2.0,
            "bits": 8.0,
            "power": 1.0,
            "a_x": -0.5,
            "target_angle": 30.0,
            "weights": [1.0, 0.5, 0.8, 1.2, 0.6],
        }
    )[key]
    ids = [kind(FORMS[kind], **v)._html().split('id="')[1][:16] for v in ({}, {key: other})]
    assert ids[0] != ids[1]


@each
def test_forms_reach_the_browser_in_the_order_of_the_drawing_code(kind, need, tmp_path):
    widget, rng = kind(FORMS[kind]), np.random.default_rng(5)
    points = {
        role: (rng.uniform(0.2, 0.9, (8, len(names))) * [SMALL.get(n, 1) for n in names]).tolist()
        for role, names in kind.ROLES.items()
    }
    source = widget._esm.split("const QUESTION")[0] + (
        f"\nconst points = {json.dumps(points)};\n"
        "const out = Object.fromEntries(Object.entries(points).map(([k, v]) =>"
        " [k, v.map((p) => forms[k](...p))]));\nconsole.log(JSON.stringify(out));\n"
    )
    script = tmp_path / "forms.mjs"
    script.write_text(source, encoding="utf-8")
    result = subprocess.run(
        [need("node"), str(script)], check=True, capture_output=True, text=True, timeout=60
    )
    got = json.loads(result.stdout)
    for role, names in kind.ROLES.items():
        form, columns = widget.forms[role], np.array(points[role]).T
        by_name = dict(zip(names, columns, strict=True))
        wanted = form.numpy(*(by_name[str(a)] for a in form.args))
        np.testing.assert_allclose(np.array(got[role]), wanted, rtol=1e-12, atol=1e-12)


@each
def test_module_is_valid_javascript(kind, need, tmp_path):
    script = tmp_path / "widget.mjs"
    script.write_text(kind(FORMS[kind])._esm, encoding="utf-8")
    result = subprocess.run([need("node"), "--check", str(script)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_numbers_are_written_for_people(need, tmp_path):
    kit = Path(__file__).parents[2] / "src/ssl_dynamics/live/js/kit.js"
    values = [0.8062257748, -0.24, 1e-14, 3.2e-7, 12345.6, 0, -1]
    script = tmp_path / "kit.mjs"
    script.write_text(
        kit.read_text(encoding="utf-8")
        + f"\nconsole.log(JSON.stringify([{values}.map((v) => kit.show(v)),"
        + " kit.show(Infinity), kit.show(NaN), kit.fixed(-0.001), kit.fixed(-1.5)]));",
        encoding="utf-8",
    )
    result = subprocess.run(
        [need("node"), str(script)], check=True, capture_output=True, text=True, timeout=60
    )
    assert json.loads(result.stdout) == [
        ["0.806", "−0.24", "0", "3.2·10⁻⁷", "12300", "0", "−1"],
        "∞",
        "undefined",
        "0.00",
        "−1.50",
    ]


def test_values_can_be_set_and_are_checked():
    widget = PolePlane(FORMS[PolePlane], gamma=0.9)
    assert widget.values() == {"alpha_a": 0.5, "alpha_b": 0.8, "gamma": 0.9}
    widget.gamma = 0.5
    assert repr(widget) == "PolePlane(alpha_a=0.5, alpha_b=0.8, gamma=0.5)"
    with pytest.raises(traitlets.TraitError, match="gamma"):
        widget.gamma = 1.0
    with pytest.raises(traitlets.TraitError):
        PhasePortrait(FORMS[PhasePortrait], flow="none")
    with pytest.raises(traitlets.TraitError):
        BatchNormGradients(FORMS[BatchNormGradients], x=[9.0] * 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TwoViews([PAIR]), "given 1 forms, it draws 3: gradient, threshold, weight"),
        (
            lambda: TwoViews([WEIGHT, THRESHOLD, PAIR]),
            "'WEIGHT' for the role 'gradient' has the arguments",
        ),
        (lambda: TwoViews({"gradient": PAIR, "other": WEIGHT}), "needs the forms"),
        (lambda: TwoViews(FORMS[TwoViews], sigma=1.0), "no control 'sigma', allowed"),
        (
            lambda: BatchNormGradients(FORMS[BatchNormGradients], x=[0.0, 1.0]),
            "x has 2 points and g has 6",
        ),
    ],
)
def test_wrong_use_is_refused_with_a_reason(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_forms_may_come_by_role():
    by_role = {"weight": WEIGHT, "gradient": PAIR, "threshold": THRESHOLD}
    assert TwoViews(by_role)._esm == TwoViews(FORMS[TwoViews])._esm


def test_the_table_names_every_widget():
    exported = {value for value in vars(live).values() if isinstance(value, type)}
    kinds = {kind for kind in exported if issubclass(kind, live.Widget)} - {live.Widget}
    assert kinds == set(FORMS)
