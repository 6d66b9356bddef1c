"""Closed forms of the chapter on the deviation alone, against autograd, integration, and lists.

The independent side is the definition: the nine layers under autograd, a linear layer's own
gradient step, a head of four numbers on six listed inputs, its flow integrated by `solve_ivp`.
"""

import numpy as np
import pytest
import torch
from comparing import close, rngs
from scipy.integrate import quad, solve_ivp

from ssl_dynamics.measures import spread
from ssl_dynamics.networks import VARIANTS, standardise
from ssl_dynamics.theory import ablation

USES = ("normal", "detach", "omit")
SIGNS = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=float)
INPUTS = np.concatenate([SIGNS, -SIGNS])


def number(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def ratio_rates(form):
    kinds = {tuple(kind): kind for kind in VARIANTS.values()}
    for rng in rngs(1):
        size = int(rng.integers(3, 40))
        start, g = rng.normal(size=size) + rng.normal(), rng.normal(size=size) + rng.normal()
        found = np.zeros((3, 3))
        for i, mean in enumerate(USES):
            for j, deviation in enumerate(USES):
                x = torch.tensor(start[:, None], requires_grad=True)
                out = standardise(x, kinds[mean, deviation])[:, 0]
                (down,) = torch.autograd.grad(out, x, torch.tensor(g), retain_graph=True)
                ratio = x.mean() / x.std(correction=0)
                (slope,) = torch.autograd.grad(ratio, x)
                found[i, j] = -(slope * down).sum().item()
        covariance = ((g - g.mean()) * (start - start.mean())).mean()
        close(found, form.numpy(start.mean(), start.std(), g.mean(), covariance))


def mean_rate(form):
    for rng in rngs(2):
        size = int(rng.integers(3, 20))
        inputs = torch.tensor(rng.normal(size=(size, 4)) + rng.normal(size=4))
        row = torch.tensor(rng.normal(size=4), requires_grad=True)
        bias = number(rng.normal())
        u = rng.normal(size=size) + 1
        ((inputs @ row + bias) * torch.tensor(u)).sum().backward()
        f, f_mean = inputs.numpy(), inputs.numpy().mean(0)
        moved = (f @ row.grad.numpy() + bias.grad.item()).mean()
        along = ((f - f_mean) * (u - u.mean())[:, None]).mean(0) @ f_mean
        close(-moved, form.numpy(size, u.mean(), f_mean @ f_mean, along))


def ratio_after_decay(form):
    for rng in rngs(3):
        inputs, row = rng.normal(size=(9, 4)) + rng.normal(size=4), rng.normal(size=4)
        bias, step = rng.uniform(0.2, 2), rng.uniform(0.05, 0.5)
        on_row, on_bias = rng.uniform(0.1, 1, size=2)
        before = inputs @ row + bias
        after = inputs @ (row * (1 - step * on_row)) + bias * (1 - step * on_bias)
        numbers = (before.mean(), before.std(), bias, step, on_row, on_bias)
        close(after.mean() / after.std(), form.numpy(*numbers))


def head_loss(bias, row, mean_gain, rest_gain, target, agreement):
    """Minus the mean cosine over the six inputs and two views: the second view is the input, or
    its opposite with probability (1 - agreement) / 2. `target`: ratio of the target."""
    f = torch.tensor(INPUTS)
    y = standardise(row * f + bias, VARIANTS["sigma"])
    common = y.mean(1, keepdim=True)  # the part along the all-ones vector
    prediction = mean_gain * common + rest_gain * (y - common)
    cosine = torch.nn.functional.cosine_similarity
    same, other = (cosine(prediction, target + sign * f, dim=1) for sign in (1, -1))
    return -((1 + agreement) / 2 * same + (1 - agreement) / 2 * other).mean()


def numbers(rng):
    return rng.uniform(0.3, 2, size=4), rng.uniform(0.2, 2), rng.uniform(0.1, 0.9)


def cosine(form):
    for rng in rngs(4):
        (b, w, p, q), target, agreement = numbers(rng)
        found = head_loss(*map(number, (b, w, p, q)), target, agreement)
        close(-found.item(), form.numpy(p * b / (q * w), target, agreement))


def push(form):
    for rng in rngs(5):
        (ratio, *_), target, agreement = numbers(rng)
        at = number(ratio)
        head_loss(at, *map(number, (1.0, 1.0, 1.0)), target, agreement).backward()
        close(-at.grad.item(), form.numpy(ratio, target, agreement))


def spread_of(form):
    for rng in rngs(6):
        ratio = rng.uniform(0.1, 4)
        close(spread(torch.tensor(ratio + INPUTS)[None]).item(), form.numpy(ratio))


def gradient_flow(state, target, agreement, speed):
    """Against the gradient of the listed loss; the last two numbers `speed` times as fast."""
    given = list(map(number, state))
    down = torch.autograd.grad(head_loss(*given, target, agreement), given)
    return -np.array([g.item() for g in down]) * np.array([1, 1, speed, speed])


def flow(form):
    for rng in rngs(7):
        state, target, agreement = numbers(rng)
        speed = rng.uniform(0.2, 3)
        found = gradient_flow(state, target, agreement, speed)
        close(found[:, None], form.numpy(*state, target, agreement, speed))


def integrated(state, agreement, speed, time, decay=0.0):
    """The state after `time`, or when one number is used up, by forces of the cosine alone; the
    online network is its own target."""

    def rates(_, now):
        b, w, p, q = now
        hat, ratio = p * b / (q * w), b / w
        lengths = np.sqrt((1 + hat**2) * (1 + ratio**2))
        force = hat * (ratio - agreement * hat) / lengths / (1 + hat**2)
        gain = np.array([force / b, -force / w, speed * force / p, -speed * force / q])
        return gain - decay * now

    def used_up(_, now):
        return min(now) - 1e-4

    used_up.terminal = True
    options = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-12, "events": used_up}
    return solve_ivp(rates, (0, time), state, **options).y[:, -1]


def growth(form):
    for rng in rngs(8, 8):
        (b, w, *_), _, agreement = numbers(rng)
        time = rng.uniform(0.2, 1) * (b * b + w * w)
        end = integrated([b, w, 1, 1], agreement, 0, time)
        close(end[0] / end[1], form.numpy(b / w, agreement, np.hypot(b, w), time), 1e-7)


def resting(rng):
    """A start whose row is large enough, and one whose predictor is too slow for it."""
    agreement, speed = rng.uniform(0.3, 0.8), rng.uniform(0.5, 2)
    b, p, q = rng.uniform(0.3, 1, size=3)
    q = max(q, agreement * p + 0.1)
    moved = (q * q - (agreement * p) ** 2) / (1 + agreement**2) / speed
    return b, np.sqrt(1.5 * moved), p, q, agreement, speed


def moved(form):
    for rng in rngs(9):
        b, w, p, q, agreement, speed = resting(rng)
        end = integrated([b, w, p, q], agreement, speed, 400)
        close([w * w - end[1] ** 2, end[0] ** 2 - b * b], [form.numpy(p, q, agreement, speed)] * 2,
              1e-6)  # fmt: skip


def rest_ratio(form):
    for rng in rngs(10):
        b, w, p, q, agreement, speed = resting(rng)
        end = integrated([b, w, p, q], agreement, speed, 400)
        close(end[0] / end[1], form.numpy(b, w, p, q, agreement, speed), 1e-6)


def critical_speed(form):
    for rng in rngs(11):
        b, w, p, q, agreement, _ = resting(rng)
        critical = form.numpy(w, p, q, agreement)
        assert 0 < critical < 1e3
        slow, fast = (
            integrated([b, w, p, q], agreement, critical * factor, 3000) for factor in (0.9, 1.1)
        )
        assert slow[0] > 1e3 * abs(slow[1])
        assert fast[0] < 1e2 * fast[1]


def clock(form):
    for rng in rngs(12):
        decay, time = rng.uniform(0.1, 0.6), rng.uniform(0.3, 2)
        state, _, agreement = numbers(rng)
        decayed = integrated(state, agreement, 1.3, time, decay)
        free = integrated(state, agreement, 1.3, form.numpy(decay, time))
        close(decayed[[0, 2]] / decayed[[1, 3]], free[[0, 2]] / free[[1, 3]], 1e-7)
        close(quad(lambda t, k=2 * decay: np.exp(k * t), 0, time)[0], form.numpy(decay, time))


ROUTES = {
    "RATIO_RATES": ratio_rates,
    "MEAN_RATE": mean_rate,
    "RATIO_AFTER_DECAY": ratio_after_decay,
    "COSINE": cosine,
    "PUSH": push,
    "SPREAD": spread_of,
    "FLOW": flow,
    "GROWTH": growth,
    "MOVED": moved,
    "REST_RATIO": rest_ratio,
    "CRITICAL_SPEED": critical_speed,
    "CLOCK": clock,
}


@pytest.mark.parametrize("name", ROUTES)
def test_closed_form(name):
    ROUTES[name](ablation.FORMS[name])
