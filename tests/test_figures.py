"""The palette stays readable without red-green vision, and every helper names its axes."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from ssl_dynamics import figures


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def seen(colour: str, blindness: str | None) -> np.ndarray:
    """sRGB of a colour as seen with full `blindness` (Machado 2009), clipped to the screen."""
    rgb = matplotlib.colors.to_rgb(colour)
    if blindness is None:
        return np.array(rgb)
    space = {"name": "sRGB1+CVD", "cvd_type": blindness, "severity": 100}
    return np.clip(cspace_convert(rgb, space, "sRGB1"), 0, 1)


@pytest.mark.parametrize("blindness", [None, "deuteranomaly", "protanomaly"])
def test_colours_stay_apart(blindness):
    # 10 units of CAM02-UCS: about ten just noticeable differences
    for one, two in combinations(figures.CYCLE, 2):
        distance = deltaE(seen(one, blindness), seen(two, blindness), input_space="sRGB1")
        assert distance > 10, (one, two, blindness, distance)


@pytest.mark.parametrize("blindness", [None, "deuteranomaly", "protanomaly"])
def test_colours_stand_out_from_the_page(blindness):
    for colour in figures.CYCLE:
        assert deltaE(seen(colour, blindness), np.ones(3), input_space="sRGB1") > 20, colour


def test_a_common_red_green_pair_would_fail():
    """The measure bites: pure red and a dark green fall together without the green cone."""
    pair = [seen(c, "deuteranomaly") for c in ("#b04040", "#6b6b00")]
    assert deltaE(*pair, input_space="sRGB1") < 10


def test_every_line_has_a_second_sign():
    assert len(set(figures.CYCLE)) == len(figures.CYCLE)
    assert len(set(figures.DASHES)) == len(figures.DASHES) == len(figures.CYCLE)
    assert len(set(figures.MARKERS)) == len(figures.MARKERS) == len(figures.CYCLE)
    with figures.style():
        cycle = list(plt.rcParams["axes.prop_cycle"])
    assert [c["color"].upper().lstrip("#") for c in cycle] == [c[1:] for c in figures.CYCLE]
    assert len({str(c["linestyle"]) for c in cycle}) == len(figures.DASHES)


def test_cividis_rises_in_lightness():
    samples = matplotlib.colormaps[figures.COLOUR_MAP](np.linspace(0, 1, 32))[:, :3]
    assert (np.diff(cspace_convert(samples, "sRGB1", "CAM02-UCS")[:, 0]) > 0).all()


def drawn(name: str, **labels):
    rng = np.random.default_rng(0)
    match name:
        case "new":
            return figures.new(**labels)
        case "trajectories":
            runs = rng.normal(size=(5, 9)).cumsum(axis=1)
            return figures.trajectories(
                np.arange(9), {"one": runs, "two": runs[0]}, predicted={"one": runs[1]}, **labels
            )
        case "phase_portrait":
            return figures.phase_portrait(
                lambda x, y: (-y, x),
                (-1, 1),
                (-1, 1),
                orbits={"o": rng.normal(size=(4, 2))},
                fixed_points=[(0, 0)],
                **labels,
            )
        case "pole_plane":
            return figures.pole_plane({"A": [-1.469, 0.919], "B": [0.5 + 0.2j]}, **labels)
        case "interval_dots":
            rows = {"a": rng.normal(size=16), "b": SimpleNamespace(mean=1.0, low=0.5, high=1.5)}
            return figures.interval_dots(
                rows, reference=0.0, predicted={"a": 0.1}, highlight=["b"], **labels
            )
        case "heat_map":
            return figures.heat_map(
                [0, 1, 2], [0, 1], rng.normal(size=(2, 3)), label="z", contours=[0.0], **labels
            )


HELPERS = ["new", "trajectories", "phase_portrait", "pole_plane", "interval_dots", "heat_map"]


@pytest.mark.parametrize("name", HELPERS)
def test_helpers_label_their_axes(name):
    fig, ax = drawn(name, xlabel="time [step]", ylabel="size [1]")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time [step]", "size [1]")
    assert ax.figure is fig
    assert not ax.get_title()
    fig.canvas.draw()


@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("blank", ["xlabel", "ylabel"])
def test_helpers_refuse_a_nameless_axis(name, blank):
    with pytest.raises(ValueError, match=blank):
        drawn(name, **({"xlabel": "x", "ylabel": "y"} | {blank: " "}))


def test_the_band_is_the_students_interval():
    values = np.random.default_rng(1).normal(size=(16, 3))
    mean, low, high = figures.interval(values)
    half = 2.131449545559323 * values.std(axis=0, ddof=1) / 4  # t quantile, 15 degrees of freedom
    np.testing.assert_allclose(mean - low, half, rtol=1e-12)
    np.testing.assert_allclose(high - mean, half, rtol=1e-12)
    assert all((v == values[0]).all() for v in figures.interval(values[:1]))


def test_wrong_length_is_named():
    with pytest.raises(ValueError, match="'long' has 4 points in time, steps has 3"):
        figures.trajectories([0, 1, 2], {"long": np.zeros((2, 4))}, xlabel="x", ylabel="y")


def test_islands_are_told_apart_by_colour_marker_and_filling():
    places = np.random.default_rng(2).normal(size=(2, 3, 30, 2))
    fig, axes = figures.islands(places, 10, xlabel=["a", "b", "c"], ylabel=["before", "after"])
    assert axes.shape == (2, 3)
    assert [ax.get_xlabel() for ax in axes[1]] == ["a", "b", "c"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["before", "after"]
    lines = axes[1, 2].lines
    np.testing.assert_array_equal(
        np.concatenate([np.stack(line.get_data(), 1) for line in lines]), places[1, 2]
    )
    signs = {(ln.get_marker(), ln.get_markeredgecolor(), ln.get_markerfacecolor()) for ln in lines}
    assert len(signs) == 10
    fig.canvas.draw()
    with pytest.raises(ValueError, match=r"maps\[0\]\[0\]: got shape \(30, 2\)"):
        figures.islands(places, 7, xlabel=["a", "b", "c"], ylabel=["before", "after"])


def test_poles_outside_are_filled():
    _, ax = figures.pole_plane({"A": [-1.469, 0.919]})
    points = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    filled = {line.get_xdata()[0]: line.get_markerfacecolor() != "white" for line in points}
    assert filled == {-1.469: True, 0.919: False}
