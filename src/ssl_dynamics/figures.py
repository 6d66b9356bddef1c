"""One style and one palette for every figure, and the plots that recur in the book.

A line is told from its neighbours twice: by a colour of Okabe and Ito's colour-blind-safe set and
by its dash pattern or marker. Fields of numbers use cividis. Every helper returns ``(fig, ax)``
and refuses to draw an axis without a name: a label holds the quantity and, in brackets, its unit.

    fig, ax = figures.trajectories(step, {"with EMA": runs}, xlabel="step", ylabel="mode size")

Source of the colours: Okabe and Ito, *Color Universal Design* (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

STYLE_FILE = Path(__file__).with_name("figures.mplstyle")

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "blue": "#0072B2",
        "vermillion": "#D55E00",
        "green": "#009E73",
        "orange": "#E69F00",
        "purple": "#CC79A7",
        "sky": "#56B4E9",
        "black": "#000000",
    }
)
"""Okabe and Ito's colours by name, in the order of the colour cycle (yellow left out)."""

CYCLE: tuple[str, ...] = tuple(COLOURS.values())
DASHES: tuple = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))
MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P", "X")
COLOUR_MAP = "cividis"

MEASURED = COLOURS["blue"]  # what a run gave
PREDICTED = COLOURS["black"]  # what the closed form says (drawn dashed)
POSITIVE = COLOURS["green"]  # the term that makes weights grow
NEGATIVE = COLOURS["vermillion"]  # the term that makes them shrink; also "outside", "collapse"
QUIET = "#8C8C8C"  # guides: unit circle, zero line, single seeds


def use_style() -> None:
    """Make the book's style the default of this process (first cell of a notebook)."""
    plt.style.use(STYLE_FILE)


@contextmanager
def style() -> Iterator[None]:
    """The book's style inside a ``with`` block only."""
    with plt.style.context(STYLE_FILE):
        yield
        interactive = plt.isinteractive()
    if interactive:  # a notebook's backend, loaded by the first figure inside, has switched it on
        plt.ion()


def look(index: int) -> dict:
    """Colour, dashes and marker of line number `index`; three signs that always go together."""
    k = index % len(CYCLE)
    return {"color": CYCLE[k], "linestyle": DASHES[k], "marker": MARKERS[k]}


def new(
    xlabel: str | Sequence[str],
    ylabel: str | Sequence[str],
    *,
    ncols: int = 1,
    size: tuple[float, float] | None = None,
    **subplot_options: Any,
) -> tuple[Figure, Axes | np.ndarray]:
    """An empty labelled figure: one axes, or a row of `ncols` (then labels may be sequences)."""
    with style():
        fig, axes = plt.subplots(
            1, ncols, figsize=size or (6.6, 3.7), layout="constrained", **subplot_options
        )
    xs = [xlabel] * ncols if isinstance(xlabel, str) else list(xlabel)
    ys = [ylabel] * ncols if isinstance(ylabel, str) else list(ylabel)
    if len(xs) != ncols or len(ys) != ncols:
        raise ValueError(f"{ncols} axes need {ncols} labels each way, got {len(xs)} and {len(ys)}")
    for ax, x, y in zip(np.atleast_1d(axes), xs, ys, strict=True):
        _name_axes(ax, x, y)
    return fig, axes


def trajectories(
    steps: npt.ArrayLike,
    curves: Mapping[str, np.ndarray],
    *,
    xlabel: str,
    ylabel: str,
    predicted: Mapping[str, np.ndarray] | None = None,
    level: float = 0.95,
    logy: bool = False,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Mean over seeds against time, with the Student-t interval of the mean as a band.

    `curves[name]` is ``[S, T]`` (or ``[T]``: one line, no band); `predicted[name]` is ``[T]`` and
    is drawn thin, black and dashed: name it like its curve and it shares the curve's legend entry.
    """
    fig, ax = _canvas(ax, xlabel, ylabel)
    steps = np.asarray(steps)
    predicted = dict(predicted or {})
    with style():
        for k, (name, values) in enumerate(curves.items()):
            values = np.atleast_2d(np.asarray(values, dtype=float))
            if values.shape[1] != len(steps):
                raise ValueError(
                    f"curve {name!r} has {values.shape[1]} points in time, steps has {len(steps)}"
                )
            mean, low, high = interval(values, level)
            sign = look(k)
            every = max(1, len(steps) // 8)
            ax.plot(steps, mean, label=name, markevery=(k % every, every), **sign)
            if len(values) > 1:
                ax.fill_between(steps, low, high, color=sign["color"], alpha=0.22, linewidth=0)
        for k, (name, values) in enumerate(predicted.items()):
            label = None if name in curves or k else "predicted"
            ax.plot(steps, values, color=PREDICTED, linestyle=(0, (4, 3)), lw=1.2, label=label)
        if predicted and all(name in curves for name in predicted):
            ax.plot([], [], color=PREDICTED, linestyle=(0, (4, 3)), lw=1.2, label="predicted")
        if logy:
            ax.set_yscale("log")
        ax.legend()
    return fig, ax


def phase_portrait(
    field: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    *,
    xlabel: str,
    ylabel: str,
    orbits: Mapping[str, np.ndarray] | None = None,
    fixed_points: Sequence[tuple[float, float]] = (),
    grid: int = 41,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Stream lines of ``(dx, dy) = field(x, y)``, darker where slower, with `orbits` ``[T, 2]``.

    An orbit starts at its marker. Fixed points are black rings.
    """
    fig, ax = _canvas(ax, xlabel, ylabel, size=(5.4, 4.4))
    x, y = np.meshgrid(np.linspace(*xlim, grid), np.linspace(*ylim, grid))
    dx, dy = (np.broadcast_to(np.asarray(d, dtype=float), x.shape) for d in field(x, y))
    speed = np.log10(np.hypot(dx, dy) + 1e-6)
    with style():
        shades = plt.Normalize(speed.min(), speed.max() + 0.4 * np.ptp(speed))  # no pale yellow
        ax.streamplot(
            x, y, dx, dy, color=speed, cmap=COLOUR_MAP, norm=shades, linewidth=0.8, arrowsize=0.9
        )
        for k, (name, path) in enumerate((orbits or {}).items()):
            path = np.asarray(path)
            sign = look(k)
            ax.plot(*path.T, label=name, markevery=[0], lw=2.6, markeredgecolor="white", **sign)
        for point in fixed_points:
            ax.plot(*point, "o", mfc="white", mec="black", mew=1.6, ms=8, zorder=5)
        ax.set(xlim=xlim, ylim=ylim)
        if orbits:
            ax.legend(frameon=True, framealpha=0.9)
    return fig, ax


def pole_plane(
    poles: Mapping[str, Sequence[complex] | np.ndarray],
    *,
    xlabel: str = "real part of $z$",
    ylabel: str = "imaginary part of $z$",
    limit: float | None = None,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Poles in the complex plane with the unit circle; a pole outside it is filled, inside hollow.

    The filling repeats what the position says, for readers who look at a small print.
    """
    fig, ax = _canvas(ax, xlabel, ylabel, size=(4.8, 4.4))
    sets = {name: np.atleast_1d(np.asarray(p, dtype=complex)) for name, p in poles.items()}
    reach = max([1.0, *(float(np.abs(p).max()) for p in sets.values() if p.size)])
    limit = limit or 1.15 * reach
    turn = np.linspace(0, 2 * np.pi, 361)
    with style():
        ax.fill(np.cos(turn), np.sin(turn), color="#EDEDED", zorder=0)
        ax.plot(np.cos(turn), np.sin(turn), color=QUIET, lw=1.2, ls="-", zorder=1)
        for k, (name, p) in enumerate(sets.items()):
            sign = look(k)
            inside = np.abs(p) <= 1
            put = {
                "marker": sign["marker"],
                "ls": "none",
                "mec": sign["color"],
                "mew": 1.8,
                "ms": 8,
            }
            ax.plot(p[inside].real, p[inside].imag, mfc="white", zorder=3, **put)
            ax.plot(p[~inside].real, p[~inside].imag, mfc=sign["color"], zorder=3, **put)
            ax.plot([], [], mfc=sign["color"], label=name, **put)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
        ax.set_aspect("equal")
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig, ax


def interval_dots(
    conditions: Mapping[str, np.ndarray | object],
    *,
    xlabel: str,
    ylabel: str = "condition",
    reference: float | None = None,
    predicted: Mapping[str, float] | None = None,
    highlight: Sequence[str] = (),
    level: float = 0.95,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """One row per condition (a forest plot): mean and interval, single seeds behind it.

    A value is ``[S]`` (one number per seed) or any object with ``mean``, ``low`` and ``high``.
    `reference` draws a line to compare with, `predicted` a black tick per row, and conditions in
    `highlight` are drawn in vermillion squares instead of blue discs.
    """
    fig, ax = _canvas(ax, xlabel, ylabel, size=(6.6, 1.3 + 0.36 * len(conditions)))
    rows = np.arange(len(conditions))[::-1]
    with style():
        if reference is not None:
            ax.axvline(reference, color=QUIET, lw=1.2, ls=(0, (5, 3)), zorder=1)
        for row, (name, values) in zip(rows, conditions.items(), strict=True):
            loud = name in highlight
            colour, marker = (NEGATIVE, "s") if loud else (MEASURED, "o")
            if hasattr(values, "mean") and hasattr(values, "low") and hasattr(values, "high"):
                mean, low, high = values.mean, values.low, values.high
            else:
                seeds = np.asarray(values, dtype=float).ravel()
                mean, low, high = (float(v) for v in interval(seeds, level))
                ax.plot(seeds, np.full(len(seeds), row + 0.22), "|", color=QUIET, ms=5, mew=0.8)
            ax.plot([low, high], [row, row], color=colour, ls="-", lw=2.4, solid_capstyle="butt")
            ax.plot(mean, row, marker, color=colour, ms=7)
            if predicted and name in predicted:
                ax.plot(predicted[name], row, "|", color=PREDICTED, ms=17, mew=1.8)
        ax.set_yticks(rows, list(conditions))
        ax.set_ylim(-0.6, len(conditions) - 0.4)
        ax.grid(visible=False, axis="y")
    return fig, ax


def heat_map(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    contours: Sequence[float] = (),
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Numbers over a plane in cividis, `values` ``[len(y), len(x)]``, with named colour bar.

    `contours` draws level lines in white over black, readable on every shade.
    """
    fig, ax = _canvas(ax, xlabel, ylabel, size=(5.8, 4.2))
    if not label.strip():
        raise ValueError("the colour bar has no name: pass label='quantity [unit]'")
    low, high = limits or (None, None)
    with style():
        mesh = ax.pcolormesh(
            x, y, values, cmap=COLOUR_MAP, vmin=low, vmax=high, shading="nearest", rasterized=True
        )
        if contours:
            ax.contour(x, y, values, levels=sorted(contours), colors="black", linewidths=2.6)
            ax.contour(x, y, values, levels=sorted(contours), colors="white", linewidths=1.2)
        ax.grid(visible=False)
        fig.colorbar(mesh, ax=ax, label=label)
    return fig, ax


def islands(
    maps: Sequence[Sequence[np.ndarray]],
    groups: int,
    *,
    xlabel: Sequence[str],
    ylabel: Sequence[str],
) -> tuple[Figure, np.ndarray]:
    """A grid of 2-D maps ``[P, 2]`` without scales; every P / `groups` points in turn are a group.

    `xlabel` names the columns and `ylabel` the rows. A group has a colour, and every second group
    of a colour is hollow.
    """
    size = (2.6 * len(xlabel), 2.5 * len(ylabel))
    with style():
        fig, axes = plt.subplots(
            len(ylabel), len(xlabel), figsize=size, layout="constrained", squeeze=False
        )
    for (i, j), ax in np.ndenumerate(axes):
        places = np.asarray(maps[i][j], dtype=float)
        if places.ndim != 2 or places.shape[1] != 2 or len(places) % groups:
            raise ValueError(
                f"maps[{i}][{j}]: got shape {places.shape}; "
                f"allowed: [P, 2] with P a multiple of groups = {groups}"
            )
        _name_axes(ax, xlabel[j], ylabel[i])
        for k, own in enumerate(places.reshape(groups, -1, 2)):
            colour = CYCLE[k % 5]
            fill = colour if k < 5 else "white"
            ax.plot(*own.T, MARKERS[k % 5], ms=4, mec=colour, mfc=fill, mew=1.0, alpha=0.85)
        ax.set(xticks=[], yticks=[])
        ax.label_outer()
    return fig, axes


def interval(
    values: npt.ArrayLike, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the seeds axis of ``[S, ...]`` and the ends of its Student-t interval.

    With one seed the interval is the point itself: it has no width to show.
    """
    values = np.asarray(values, dtype=float)
    mean = values.mean(axis=0)
    n = len(values)
    if n < 2:
        return mean, mean, mean
    half = stats.t.ppf(0.5 + level / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def _canvas(
    ax: Any, xlabel: str, ylabel: str, size: tuple[float, float] | None = None
) -> tuple[Figure, Any]:
    if ax is None:
        return new(xlabel, ylabel, size=size)
    _name_axes(ax, xlabel, ylabel)
    return ax.figure, ax


def _name_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    for name, text in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not (isinstance(text, str) and text.strip()):
            raise ValueError(f"{name} is {text!r}: an axis needs a name, 'quantity [unit]'")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
