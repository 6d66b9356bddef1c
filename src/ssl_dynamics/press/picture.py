"""The picture of the README: the scalar SimSiam with and without stop-gradient.

Drawn from the closed forms of ``ssl_dynamics.theory.simsiam`` alone: the streams are the flow, the
shaded starts are those whose final encoder weight is zero, the orbit is the flow integrated from
the start of the source.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ssl_dynamics.symbolic import ClosedForm

START = (0.6, 0.1)
LIMITS = ((-0.25, 1.25), (-1.0, 1.0))
TITLES = ("with stop-gradient", "without stop-gradient")


def orbit(flow: ClosedForm, start: tuple[float, float] = START, until: float = 400.0) -> np.ndarray:
    """Points ``[T, 2]`` of the flow from ``start``."""
    from scipy.integrate import solve_ivp

    def speed(_: float, point: np.ndarray) -> np.ndarray:
        return np.asarray(flow.numpy(*point), dtype=np.float64).reshape(2)

    return solve_ivp(speed, (0.0, until), start, rtol=1e-9, atol=1e-12).y.T


def draw(path: Path) -> Path:
    """Draw both portraits side by side into the PNG ``path``; no window, no time stamp."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ssl_dynamics.figures import COLOURS, NEGATIVE, style
    from ssl_dynamics.theory import simsiam

    (left, right), (low, high) = LIMITS
    phi, theta = np.meshgrid(np.linspace(left, right, 241), np.linspace(low, high, 241))
    pairs = ((simsiam.FLOW_STOP, simsiam.LIMIT_STOP), (simsiam.FLOW_FULL, simsiam.LIMIT_FULL))
    with style():
        figure = Figure(figsize=(9.0, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, title, (flow, limit) in zip(axes, TITLES, pairs, strict=True):
            field = np.asarray(flow.numpy(phi, theta))
            ends = np.broadcast_to(np.asarray(limit.numpy(phi, theta), dtype=np.float64), phi.shape)
            ax.contourf(phi, theta, ends <= 1e-12, levels=[0.5, 1.5], colors=[NEGATIVE], alpha=0.22)
            ax.streamplot(
                phi[::6, ::6],
                theta[::6, ::6],
                field[::6, ::6, 0, 0],
                field[::6, ::6, 1, 0],
                color="0.45",
                linewidth=0.7,
                arrowsize=0.8,
                density=1.1,
            )
            path_taken = orbit(flow)
            ax.plot(*path_taken.T, color=COLOURS["blue"], lw=3)
            ax.plot(*START, "o", color=COLOURS["blue"], mec="white", ms=9)
            ax.plot(*path_taken[-1], "s", color=COLOURS["blue"], mec="white", ms=9)
            ax.axvline(1, color="black", lw=1, ls=":")
            ax.set(xlim=(left, right), ylim=(low, high))
            ax.set_xlabel(rf"predictor $\varphi$   ({title})")
        axes[0].set_ylabel(r"encoder $\theta$")
        figure.savefig(path, dpi=110, metadata={"Software": None})
    return path
