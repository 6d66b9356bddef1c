r"""The exact flow of ReLU neurons on a ring with two objects: straight pieces, flips and slides.

A picture of an object with step c lights the sites p and p + c of a ring of d sites. The class
difference D of a neuron is the mean answer to the one object minus that to the other. Call the
object with the larger mean answer *liked* (step a) and the other one (step b) *disliked*. On the
clock :math:`\ell` with :math:`d\ell=\kappa\pi(1-\pi)\,|D|\,dt` the gradient flow of the simple
contrastive loss is

.. math:: \frac{dw}{d\ell}=v,\qquad
          v=\tfrac1d\Bigl(\sum_p g^+_p(e_p+e_{p+a})-\sum_p g^-_p(e_p+e_{p+b})\Bigr),

so v is constant between two flips of a gate and the path is a chain of straight pieces. A gate of
the liked object takes the new side when its pre-activation crosses zero. A gate of the disliked
object may be held at zero; then it is open for a part of the time, and v is the shortest vector
that any such parts give. No step size enters: a piece ends exactly where the next gate changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ZERO = 1e-9
"""Pre-activations (in units of the largest weight) and slopes below this count as zero."""
SWEEPS, OVER = 4000, 1.3
"""Most sweeps of the quadratic problem, and its over-relaxation (between 0 and 2)."""


@dataclass(frozen=True)
class RingFlow:
    """Paths of n neurons through up to E pieces; a path that has ended repeats its last corner.

    Attributes:
        liked: +1 if the first object is liked, -1 if the second, 0 for a neuron that rests, [n].
        clock: the clock at each corner, [E + 1, n].
        weights: the weights at each corner, [E + 1, n, d].
        velocity: v on each piece, the last one to be held for ever, [E, n, d].
        liked_gates: gates of the liked object on each piece, 0 or 1, [E, n, d].
        other_gates: gates of the disliked one, between 0 and 1 while sliding, [E, n, d].
        corners: how many gates changed or began or ceased to slide before the last piece, [n].
        ended: whether the last piece lasts for ever, [n].
    """

    liked: np.ndarray
    clock: np.ndarray
    weights: np.ndarray
    velocity: np.ndarray
    liked_gates: np.ndarray
    other_gates: np.ndarray
    corners: np.ndarray
    ended: np.ndarray

    @property
    def direction(self) -> np.ndarray:
        """The velocity of the last piece, which the weights approach in direction, [n, d]."""
        return self.velocity[-1]

    @property
    def sliding(self) -> np.ndarray:
        """Which gates slide on each piece, [E, n, d]."""
        return (self.other_gates > ZERO) & (self.other_gates < 1 - ZERO)


def inputs(w: np.ndarray, step: int) -> np.ndarray:
    """Pre-activations of a neuron w [..., d] on the pictures of an object, [..., d]."""
    return w + np.roll(w, -step, -1)


def pushed(gates: np.ndarray, step: int) -> np.ndarray:
    """Sum of the pictures of an object, each times its gate, for gates [..., d]; [..., d]."""
    return gates + np.roll(gates, step, -1)


def shortest(up: np.ndarray, gates: np.ndarray, free: np.ndarray, step: int) -> np.ndarray:
    """The gates between 0 and 1, those not `free` as given, that make `up` minus the pushed
    pictures shortest; all [n, d]. One free gate after the other is set to its best value."""
    found, up = gates.astype(float), up.astype(float)
    rest = np.arange(len(up))
    for _ in range(SWEEPS):
        g, held = found[rest], free[rest]
        left, moved = up[rest] - pushed(g, step), np.zeros(len(rest))
        for p in range(up.shape[-1]):
            q = (p + step) % up.shape[-1]
            best = np.clip(g[:, p] + OVER * (left[:, p] + left[:, q]) / 2, 0, 1)
            by = np.where(held[:, p], best - g[:, p], 0)
            g[:, p] += by
            left[:, p] -= by
            left[:, q] -= by
            moved = np.maximum(moved, np.abs(by))
        found[rest] = g
        rest = rest[moved > 1e-14]
        if not len(rest):
            break
    return found


def class_gap(w: np.ndarray, steps: tuple[int, int]) -> np.ndarray:
    """D of neurons w [..., d]: mean answer to the first object minus that to the second."""
    one, two = (np.maximum(inputs(w, step), 0).mean(-1) for step in steps)
    return one - two


def selectivity(direction: np.ndarray, liked: np.ndarray, steps: tuple[int, int]) -> np.ndarray:
    """Mean answer to the disliked object over that to the liked one, [n]; nan for a neuron that
    rests or answers to nothing."""
    one, two = (np.maximum(inputs(direction, step), 0).sum(-1) for step in steps)
    like, other = np.where(liked > 0, one, two), np.where(liked > 0, two, one)
    other = np.where(other < 1e-7, 0.0, other)
    return np.divide(other, like, out=np.full(len(like), np.nan), where=(liked != 0) & (like > 0))


def ring_flow(
    w: np.ndarray, steps: tuple[int, int] = (1, 2), *, most: int = 200, keep: bool = True
) -> RingFlow:
    """Follow n neurons w [n, d] to the end of their paths, or through `most` pieces.

    With `keep=False` only the last corner and the last piece are returned. A neuron whose two
    mean answers are equal rests. A liked gate that starts at zero is closed, as in autograd; if
    it could also rise when open, the flow has other paths, and this is one of them.

    Raises:
        ValueError: w is no finite [n, d]; the steps are no two different distances, or one is half
            the ring or more.
    """
    w = np.asarray(w, float)
    if w.ndim != 2 or not np.isfinite(w).all():
        raise ValueError(f"w: got shape {w.shape}; allowed: finite weights [n, d]")
    n, d = w.shape
    if steps[0] == steps[1] or min(steps) < 1 or 2 * max(steps) >= d:
        raise ValueError(f"steps: got {steps} on {d} sites; allowed: two different, 1 to below d/2")
    gap = class_gap(w, steps)
    liked = np.sign(np.where(np.abs(gap) < ZERO, 0, gap)).astype(int)
    parts = [
        (np.flatnonzero(liked == sign), order) for sign, order in ((1, steps), (-1, steps[::-1]))
    ]
    state = _State(w.copy(), np.zeros((n, d)))
    for rows, (like, _) in parts:
        state.liked_gates[rows] = inputs(w[rows], like) > 0
    clock, corners, ended = np.zeros(n), np.zeros(n, int), liked == 0
    clocks, corner = [clock], [w]
    pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    while len(pieces) < most:
        v, other, wait = np.zeros((n, d)), np.zeros((n, d)), np.full(n, np.inf)
        before = state.liked_gates.copy()
        for rows, order in parts:
            v[rows], other[rows], wait[rows] = state.piece(rows, order)
        ended = np.isinf(wait)
        pieces.append((v, before, other))
        if ended.all():
            break
        by = np.where(ended, 0, wait)
        state.w = state.w + by[:, None] * v
        clock, corners = clock + by, corners + ~ended
        if not keep:
            pieces, clocks, corner = pieces[-1:], [], []
        clocks.append(clock)
        corner.append(state.w)
    v, gates, parts_open = (np.stack(piece) for piece in zip(*pieces, strict=True))
    clocks_all, corner_all = np.stack(clocks), np.stack(corner)
    return RingFlow(liked, clocks_all, corner_all, v, gates, parts_open, corners, ended)


class _State:
    """Weights and gates of the liked object; a piece updates the gates that flip at its end."""

    def __init__(self, w: np.ndarray, liked_gates: np.ndarray) -> None:
        self.w, self.liked_gates, self.other_gates = w, liked_gates, np.zeros(w.shape)

    def piece(
        self, rows: np.ndarray, order: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """v, the gates of the disliked object, and how long the piece lasts."""
        (like, other), w, gates = order, self.w[rows], self.liked_gates[rows]
        d = w.shape[-1]
        if not len(rows):
            return w, w, np.zeros(0)
        scale = np.maximum(1, np.abs(w).max(-1, keepdims=True))
        h = inputs(w, other)
        edge = np.abs(h) < ZERO * scale
        part = np.where(edge, self.other_gates[rows], h > 0)
        part = shortest(pushed(gates, like), part, edge, other)
        self.other_gates[rows] = part
        v = (pushed(gates, like) - pushed(part, other)) / d
        v[np.abs(v) < ZERO / d] = 0
        slope, slope_liked = inputs(v, other), inputs(v, like)
        slope[np.abs(slope) < 10 * ZERO / d] = 0
        slope_liked[np.abs(slope_liked) < 10 * ZERO / d] = 0
        h_liked = np.where(
            gates > 0, np.maximum(inputs(w, like), 0), np.minimum(inputs(w, like), 0)
        )
        never = np.full(h.shape, np.inf)
        flips = np.where(gates > 0, slope_liked < 0, slope_liked > 0)
        to_liked = np.divide(-h_liked, slope_liked, out=never.copy(), where=flips)
        reaches = ~edge & (h * slope < 0)
        to_other = np.divide(-h, slope, out=never, where=reaches)
        wait = np.minimum(to_liked.min(-1), to_other.min(-1))
        hit = flips & (to_liked <= wait[:, None] * (1 + 1e-12) + 1e-13)
        self.liked_gates[rows] = np.where(hit, 1 - gates, gates)
        return v, part, wait


def rule(w: np.ndarray, steps: tuple[int, int] = (1, 2), *, rounds: int = 20) -> np.ndarray:
    """Where a neuron should end, read off the liked object's gates at the start alone, [n, d].

    While those gates stay, the weights end along the shortest vector that they and any gates of
    the disliked object give. Gates of the liked object to which this vector gives the other sign
    are flipped, and the vector is found again, at most `rounds` times.
    """
    gap, d = class_gap(w, steps), w.shape[-1]
    found = np.zeros(w.shape)
    for sign, (like, other) in ((1, steps), (-1, steps[::-1])):
        rows = np.flatnonzero(np.where(np.abs(gap) < ZERO, 0, np.sign(gap)) == sign)
        gates = (inputs(w[rows], like) > 0).astype(float)
        for _ in range(rounds):
            up = pushed(gates, like)
            part = shortest(up, np.zeros(up.shape), np.ones(up.shape, bool), other)
            found[rows] = (up - pushed(part, other)) / d
            h = inputs(found[rows], like)
            after = np.where(np.abs(h) > 1e-7, h > 0, gates)
            if np.array_equal(after, gates):
                break
            gates = after
    return found
