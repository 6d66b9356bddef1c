"""Each closed form of the scalar SimSiam toy against autograd, an integrator, or quadrature.

``ROUTES`` maps the name of a form to a function of that form; it raises ``AssertionError`` when the
form is off. The mutation test uses the same routes on wrong forms.
"""

from functools import cache

import numpy as np
import pytest
import torch
from comparing import close
from scipy.integrate import quad, solve_ivp

from ssl_dynamics.symbolic import CodegenError
from ssl_dynamics.theory import simsiam

RNG = np.random.default_rng(7980)
DRAWS = RNG.uniform([-2, 0.2, 0.1], [2, 2, 1], size=(8, 3))  # predictor, encoder, noise
# Starts (predictor, encoder) on every side of every boundary, with both signs of the encoder.
STARTS = np.array(
    [
        (0.6, 0.1), (0.6, -0.5), (-0.6, 0.1), (-0.6, 0.7), (1.5, 0.1), (1.5, 0.6), (1.5, -1.4),
        (-1.4, -1.1), (-1.4, 1.9), (0.0, 0.3), (0.2, 1.3), (0.6, 1.0), (1.9, 1.3), (1.2, 0.4),
    ]
)  # fmt: skip
NOISE = np.linspace(0.2, 1.0, len(STARTS))
RATE = np.linspace(0.5, 3.0, len(STARTS))
END = 400.0


def value(form, *args):
    """The form in float64; one that leaves the real numbers is off, with no warning on the way."""
    try:
        with np.errstate(all="ignore"):
            return form.numpy(*args)
    except CodegenError as error:
        raise AssertionError(f"{form.name} is not real: {error}") from error


def autograd(phi, theta, variant, noise=0.0):
    """Minus the gradients of the toy loss; the target branch is held fixed, kept, or alone kept."""
    phi = torch.tensor(phi, dtype=torch.float64, requires_grad=True)
    theta = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    online = theta.detach() if variant == "second" else theta
    target = theta.detach() if variant == "stop" else theta
    images = torch.tensor([1.0, -1.0], dtype=torch.float64)
    shifts = noise * torch.tensor([1.0, -1.0], dtype=torch.float64)
    view1 = (images[:, None, None] + shifts[None, :, None])[..., None]  # every image, shift pair
    view2 = (images[:, None, None] + shifts[None, None, :])[..., None]
    loss = ((phi * online * view1 - target * view2) ** 2).mean(dim=(0, 1, 2)).sum() / 2
    loss.backward()
    return loss.item(), np.stack([-phi.grad.numpy(), -theta.grad.numpy()], axis=-1)


@cache
def trajectory(variant, noisy=False, rated=False, times=(END,), tight=False):
    """[len(times), len(STARTS), 2] by a high-order integrator; its right-hand side is autograd's,
    written out for speed (the flow tests hold the two together)."""
    noise2 = NOISE**2 if noisy else 0.0
    rate = RATE if rated else 1.0

    def slope(_, y):
        phi, theta = y.reshape(2, -1)
        error = phi * theta - theta
        first, second = error * phi + noise2 * phi**2 * theta, -error + noise2 * theta
        encoder = {"stop": first, "full": first + second, "second": second}[variant]
        predictor = error * theta + noise2 * phi * theta**2
        return -np.concatenate([rate * predictor, encoder])

    method = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14} if tight else {
        "method": "LSODA", "rtol": 1e-9, "atol": 1e-11}  # fmt: skip
    found = solve_ivp(slope, (0, times[-1]), STARTS.T.ravel(), t_eval=times, **method)
    assert found.success
    return found.y.T.reshape(len(times), 2, -1).transpose(0, 2, 1)


def flow_route(variant, noisy=False):
    def route(form):
        for phi, theta, noise in DRAWS:
            noise = noise if noisy else 0.0
            args = (phi, theta, noise) if noisy else (phi, theta)
            _, slope = autograd([phi], [theta], variant, noise)
            close(slope[0], value(form, *args)[:, 0], 1e-12)

    return route


def loss_route(noisy):
    def route(form):
        for phi, theta, noise in DRAWS:
            args = (phi, theta, noise) if noisy else (phi, theta)
            loss, _ = autograd([phi], [theta], "full", noise if noisy else 0.0)
            close(loss, value(form, *args), 1e-12)

    return route


def conserved_route(variant, at_end):
    """The value at the start is what the end of the simulated orbit says it must be.

    ``at_end(encoder²)`` is the value on the line predictor = 1, so survivors fix it absolutely.
    """

    def route(form):
        starts, (ends,) = STARTS, trajectory(variant)
        close(value(form, *starts.T), value(form, *ends.T), 1e-6)
        alive = np.abs(ends[:, 1]) > 1e-3
        assert alive.sum() >= 6
        close(at_end(ends[alive, 1] ** 2), value(form, *starts[alive].T), 1e-6)

    return route


def limit_route(variant, noisy=False):
    def route(form):
        (ends,) = trajectory(variant, noisy)
        args = (*STARTS.T, NOISE) if noisy else STARTS.T
        close(ends[:, 1] ** 2, value(form, *args), 1e-5)

    return route


def limit_rate(form):
    (ends,) = trajectory("stop", rated=True)
    alive = np.abs(ends[:, 1]) > 1e-3
    assert alive.sum() >= 8
    close(ends[alive, 1] ** 2, value(form, *STARTS[alive].T, RATE[alive]), 1e-5)


def clock_integrand(form):
    """dt/d(predictor) is one over the autograd speed of the predictor."""
    for phi, theta, _ in DRAWS:
        _, slope = autograd([phi], [theta], "stop")
        close(1 / slope[0, 0], value(form, phi, theta**2 - phi**2), 1e-10)


def clock_route(below):
    """Differences of the clock against adaptive quadrature of dt/d(predictor)."""

    def route(form):
        draws = np.random.default_rng(1).uniform(size=(8, 3))
        for first, second, third in draws:
            if below:  # 0 < sqrt(-C) < predictor < 1
                c_stop = -((0.1 + 0.5 * first) ** 2)
                low = np.sqrt(-c_stop) * 1.05
            else:
                c_stop, low = 0.05 + first, -1.0
            start = low + 0.4 * (0.9 - low) * second
            end = start + (0.95 - start) * (0.3 + 0.7 * third)
            time, _ = quad(lambda f, c=c_stop: 1 / ((1 - f) * (f * f + c)), start, end,
                           epsabs=1e-12, epsrel=1e-12)  # fmt: skip
            close(time, value(form, end, c_stop) - value(form, start, c_stop), 1e-9)

    return route


def time_route(variant, coordinate):
    def route(form):
        times = tuple(np.linspace(0.0, 8.0, 9))
        path = trajectory(variant, times=times, tight=True)
        for t, states in zip(times, path, strict=True):
            close(states[:, coordinate], value(form, t, *STARTS.T), 1e-9)

    return route


def ratio_route(variant):
    def route(form):
        for phi, theta, _ in DRAWS:
            _, slope = autograd([phi], [theta], variant)
            close(slope[0, 1] / slope[0, 0], value(form, phi, theta), 1e-10)

    return route


ROUTES = {
    "loss": loss_route(noisy=False),
    "flow_stop": flow_route("stop"),
    "flow_full": flow_route("full"),
    "flow_second": flow_route("second"),
    "conserved_stop": conserved_route("stop", lambda encoder2: encoder2 - 1),
    "conserved_full": conserved_route("full", lambda encoder2: -encoder2),
    "conserved_second": conserved_route("second", lambda encoder2: 1 + encoder2 / 2),
    "clock_integrand": clock_integrand,
    "clock_below": clock_route(below=True),
    "clock_above": clock_route(below=False),
    "predictor_full": time_route("full", 0),
    "encoder_full": time_route("full", 1),
    "predictor_second": time_route("second", 0),
    "limit_stop": limit_route("stop"),
    "limit_full": limit_route("full"),
    "limit_second": limit_route("second"),
    "ratio_stop": ratio_route("stop"),
    "ratio_full": ratio_route("full"),
    "limit_stop_rate": limit_rate,
    "loss_noisy": loss_route(noisy=True),
    "flow_stop_noisy": flow_route("stop", noisy=True),
    "flow_full_noisy": flow_route("full", noisy=True),
    "limit_stop_noisy": limit_route("stop", noisy=True),
}


@pytest.mark.parametrize("name", simsiam.FORMS)
def test_form_agrees_with_an_independent_route(name):
    ROUTES[name](simsiam.FORMS[name])


def test_every_form_has_a_route():
    assert set(ROUTES) == set(simsiam.FORMS)


def test_the_article_start_in_numbers():
    path = trajectory("stop", times=(0.0, 5.0, 10.0, 20.0), tight=True)[:, 0]
    assert path[1:].round(5).tolist() == [
        [0.67367, 0.32222],
        [0.92242, 0.70772],
        [0.99985, 0.80604],
    ]
    start, end = (simsiam.CLOCK_BELOW.numpy(f, -0.35) for f in (0.6, 0.99))
    assert round(float(end - start), 3) == 13.513
