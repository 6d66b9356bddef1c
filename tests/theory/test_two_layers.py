"""Two layers: each closed form against a high-order integrator, quadrature, or a search.

``ROUTES`` maps the name of a form to a function of that form; it raises ``AssertionError`` when the
form is off. The mutation test uses the same routes on wrong forms.
"""

import numpy as np
from comparing import DRAWS, close
from scipy.integrate import quad, solve_ivp

RNG = np.random.default_rng(1010)


def starts():
    """Rate and squares at the start; the last two draws are balanced."""
    rng = np.random.default_rng(77)
    for draw in range(DRAWS):
        omega, one, two = rng.uniform(0.4, 2.0, size=3)
        yield omega, one, (one if draw >= DRAWS - 2 else two)


def flow(omega, squares, end, trained=None, rates=None, decay=0.0):
    """The weights of any number of layers at time `end`, by DOP853."""
    a0 = np.sqrt(np.asarray(squares, float))
    active = np.ones(len(a0)) if trained is None else np.isin(np.arange(len(a0)), trained)
    speed = active * (np.ones(len(a0)) if rates is None else np.asarray(rates))

    def slope(_, a):
        others = np.array([np.prod(np.delete(a, k)) ** 2 for k in range(len(a))])
        return speed * (omega * a * others - decay * a)

    return solve_ivp(slope, (0, end), a0, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]


def area(squares, end=np.inf):
    """Integral of one over the product of (nu_l + y), by quadrature."""
    return quad(lambda y: 1 / np.prod(np.asarray(squares) + y), 0, end, epsabs=0, epsrel=1e-11)[0]


def log_mean(form):
    for _, one, two in starts():  # the mean of the geometric means along the segment
        value = quad(lambda s, one=one, two=two: one**s * two ** (1 - s), 0, 1)[0]
        close(value, form.numpy(one, two))


def blow_up(form):
    for omega, one, two in starts():
        close(area([one, two]) / (2 * omega), form.numpy(omega, one, two))


def along(form, read, trained=None):
    for omega, one, two in starts():
        end = 0.7 * area([one, two]) / (2 * omega)
        close(read(flow(omega, [one, two], end, trained)), form.numpy(omega, one, two, end))


def square(form):
    along(form, lambda a: a[0] ** 2)


def product(form):
    along(form, np.prod)


def frozen(form):
    along(form, lambda a: a[0] ** 2, trained=[0])


def reach(form):
    for omega, one, two in starts():
        grown = RNG.uniform(0.5, 3.0)
        close(area([one, two], grown) / (2 * omega), form.numpy(omega, one, two, grown))


def reach_frozen(form):
    for omega, one, two in starts():
        grown = RNG.uniform(0.5, 3.0)
        time = form.numpy(omega, one, two, grown)
        assert 0 < time < 20
        close(flow(omega, [one, two], time, [0])[0] ** 2, one + grown)


def decay_blow_up(form):
    for omega, one, two in starts():
        free = area([one, two]) / (2 * omega)
        eta = 0.3 / free
        # the weights without decay in the clock e^(-2 eta t) dt reach infinity at `free`
        low, high = 0.0, 100.0 * free
        for _ in range(80):
            middle = (low + high) / 2
            passed = (1 - np.exp(-2 * eta * middle)) / (2 * eta)
            low, high = (middle, high) if passed < free else (low, middle)
        close(low, form.numpy(omega, one, two, eta))


def decay_flow(omega, one, two, eta, end):
    """With decay, the weights at time `end`."""
    return flow(omega, [one, two], end, decay=eta)


def rates_blow_up(form):
    for omega, one, two in starts():
        first, second = RNG.uniform(0.5, 2.0, size=2)
        squares = [one / first, two / second]  # in weights over the roots of their rates
        close(
            area(squares) / (2 * omega * first * second),
            form.numpy(omega, one, two, first, second),
        )


def depth_blow_up(form):
    for omega, size, _ in starts():
        for layers in (2, 3, 5):
            close(area([size] * layers) / (2 * omega), form.numpy(omega, size, layers), 1e-7)


def depth_square(form):
    for omega, size, _ in starts():
        for layers in (2, 3, 5):
            end = 0.6 * area([size] * layers) / (2 * omega)
            found = flow(omega, [size] * layers, end)[0] ** 2
            close(found, form.numpy(omega, size, layers, end))


ROUTES = {
    "LOG_MEAN": log_mean,
    "BLOW_UP": blow_up,
    "SQUARE": square,
    "PRODUCT": product,
    "FROZEN": frozen,
    "REACH": reach,
    "REACH_FROZEN": reach_frozen,
    "DECAY_BLOW_UP": decay_blow_up,
    "RATES_BLOW_UP": rates_blow_up,
    "DEPTH_BLOW_UP": depth_blow_up,
    "DEPTH_SQUARE": depth_square,
}


def test_decay_stops_the_blow_up_on_one_side_of_its_threshold_only():
    for omega, one, two in starts():
        edge = 1 / (2 * area([one, two]) / (2 * omega))
        small = decay_flow(omega, one, two, 1.05 * edge, 20 / edge)
        assert small.max() < 0.1
        grows = decay_flow(omega, one, two, 0.8 * edge, 0.9 * np.log(5) / (1.6 * edge))
        assert np.prod(grows) > 2 * np.sqrt(one * two)


def test_layers_with_rates_of_their_own_blow_up_where_the_integral_says():
    omega, squares, rates = 0.7, [0.5, 1.4], [1.7, 0.6]
    scaled = [s / r for s, r in zip(squares, rates, strict=True)]
    end = area(scaled) / (2 * omega * np.prod(rates))
    a = flow(omega, squares, 0.999 * end, rates=rates)
    assert 100 < a[0] ** 2 < 1e5


def test_three_unlike_layers_blow_up_at_the_end_of_the_integral():
    omega, squares = 0.9, [0.5, 1.3, 2.1]
    end = area(squares) / (2 * omega)
    assert flow(omega, squares, 0.9999 * end).max() > 5
