"""Gradients through the nine normalisation variants: closed forms against autograd, and proofs."""

import numpy as np
import pytest
import sympy as sp
import torch
from comparing import DRAWS, close

from ssl_dynamics.symbolic import BatchSpace, prove_zero
from ssl_dynamics.theory import batchnorm as bn
from ssl_dynamics.theory.notation import B, c_gx, epsilon, g, g_mean, mu, sigma, x


def draw(seed, features=3):
    """A batch ``[B]``, an upstream gradient ``[B]``, layer inputs ``[B, features]``, eps, B."""
    rng = np.random.default_rng([11, seed])
    size = int(rng.integers(2 if seed else 3, 65))
    feature = rng.normal(size=size) * rng.uniform(0.3, 2) + rng.normal() * 2
    upstream = rng.normal(size=size) + rng.normal()
    inputs = rng.normal(size=(size, features)) + rng.normal(size=features)
    return feature, upstream, inputs, rng.uniform(0.05, 1.0), size


def layer(z, mean, std, eps, correction=0):
    """The nine variants, as code: ``z`` is ``[B]``."""
    centre = {"normal": z.mean(), "detach": z.mean().detach(), "omit": 0.0}[mean]
    root = (z.var(correction=correction) + eps).sqrt()
    divisor = {"normal": root, "detach": root.detach(), "omit": 1.0}[std]
    return (z - centre) / divisor


def below(feature, upstream, mean, std, eps=0.0, correction=0):
    """Autograd's gradient at the layer's input, ``[B]``."""
    z = torch.tensor(feature, requires_grad=True)
    layer(z, mean, std, eps, correction).backward(torch.tensor(upstream))
    return z.grad.numpy()


def weight_gradient(inputs, upstream, mean, std, eps):
    """Autograd's gradient of a weight row below the layer; and the feature the row produces."""
    row = torch.linspace(0.5, 1.5, inputs.shape[1], dtype=torch.float64, requires_grad=True)
    z = torch.tensor(inputs) @ row
    layer(z, mean, std, eps).backward(torch.tensor(upstream))
    return row.grad.numpy(), z.detach().numpy(), row.detach().numpy()


def statistics(feature, upstream):
    covariance = np.mean((feature - feature.mean()) * (upstream - upstream.mean()))
    return feature.mean(), feature.std(), upstream.mean(), covariance


def route_gradient(mean, std):
    def route(form):
        for seed in range(DRAWS):
            feature, upstream, _, eps, _ = draw(seed)
            m, s, gm, cov = statistics(feature, upstream)
            close(
                below(feature, upstream, mean, std, eps),
                form.numpy(feature, upstream, m, s, eps, gm, cov),
            )

    return route


def route_mean_below(form):
    for seed in range(DRAWS):
        feature, upstream, _, eps, _ = draw(seed)
        _, s, gm, _ = statistics(feature, upstream)
        for mean, std in (("detach", "normal"), ("detach", "detach"), ("omit", "normal")):
            close(below(feature, upstream, mean, std, eps).mean(), form.numpy(gm, s, eps))


def route_leftover(form):
    for seed in range(DRAWS):
        feature, upstream, _, eps, _ = draw(seed)
        _, s, _, cov = statistics(feature, upstream)
        close(
            np.mean(below(feature, upstream, "normal", "normal", eps) * feature),
            form.numpy(cov, s, eps),
        )


def route_relative_leftover(form):
    for seed in range(DRAWS):
        feature, upstream, _, eps, _ = draw(seed)
        full = np.mean(below(feature, upstream, "normal", "normal", eps) * feature)
        detached = np.mean(below(feature, upstream, "normal", "detach", eps) * feature)
        close(full, form.numpy(feature.std(), eps) * detached)


def route_unbiased(form):
    for seed in range(DRAWS):
        feature, upstream, _, _, size = draw(seed)
        size = max(size, 4)
        feature, upstream = np.resize(feature, size), np.resize(upstream, size)
        biased = below(feature, upstream, "normal", "normal")
        unbiased = below(feature, upstream, "normal", "normal", correction=1)
        close(unbiased, form.numpy(size) * biased)


def route_row_push(form):
    for seed in range(DRAWS):
        _, upstream, inputs, _, size = draw(seed)
        gradient, z, row = weight_gradient(inputs, upstream, "detach", "normal", 0.0)
        m, s, gm, _ = statistics(z, upstream)
        close(row @ gradient, form.numpy(size, m, gm, s))


def covariances(inputs, upstream, z):
    centred = inputs - inputs.mean(0)
    return [np.mean(centred * (v - v.mean())[:, None], axis=0) for v in (upstream, z)]


def route_weight_mu(form):
    for seed in range(DRAWS):
        _, upstream, inputs, eps, size = draw(seed)
        gradient, z, _ = weight_gradient(inputs, upstream, "normal", "omit", eps)
        close(gradient, form.numpy(size, covariances(inputs, upstream, z)[0]))


def route_weight_raw(form):
    for seed in range(DRAWS):
        _, upstream, inputs, eps, size = draw(seed)
        gradient, z, _ = weight_gradient(inputs, upstream, "detach", "omit", eps)
        cov = covariances(inputs, upstream, z)[0]
        close(gradient, form.numpy(size, cov, upstream.mean(), inputs.mean(0)))


def route_weight_full(form):
    for seed in range(DRAWS):
        _, upstream, inputs, eps, size = draw(seed)
        gradient, z, _ = weight_gradient(inputs, upstream, "normal", "normal", eps)
        cov_gf, cov_xf = covariances(inputs, upstream, z)
        _, s, _, cov = statistics(z, upstream)
        close(gradient, form.numpy(size, cov_gf, cov, cov_xf, s, eps))


ROUTES = {form.name: route_gradient(*modes) for modes, form in bn.VARIANTS.items()} | {
    "MEAN_BELOW": route_mean_below,
    "LEFTOVER": route_leftover,
    "RELATIVE_LEFTOVER": route_relative_leftover,
    "UNBIASED": route_unbiased,
    "ROW_PUSH": route_row_push,
    "WEIGHT_MU": route_weight_mu,
    "WEIGHT_RAW": route_weight_raw,
    "WEIGHT_FULL": route_weight_full,
}


def space_of_a_batch():
    """The vectors x, g and a direction v over a batch of symbolic size."""
    inner = {
        ("1", "x"): B * mu,
        ("x", "x"): B * (mu**2 + sigma**2),
        ("1", "g"): B * g_mean,
        ("x", "g"): B * (c_gx + mu * g_mean),
    }
    return BatchSpace(("x", "g", "v"), size=B, inner=inner)


def adjoint(mean, std):
    """The gradient handed down, derived for every batch size."""
    space, t = space_of_a_batch(), sp.Symbol("t", real=True)
    rest = space.vector("x")
    moved = rest + t * space.vector("v")
    centre = {"normal": moved.mean(), "detach": rest.mean(), "omit": 0}[mean]
    root = {"normal": moved.var(), "detach": rest.var(), "omit": 1 - epsilon}[std]
    output = (moved - centre * space.one) / sp.sqrt(root + epsilon)
    pushed = output.diff(t).subs(t, 0)
    return space, space.representer(space.vector("g").dot(pushed), "v")


@pytest.mark.parametrize(("modes", "form"), bn.VARIANTS.items(), ids=str)
def test_gradient_is_derived_for_every_batch_size(modes, form):
    space, u = adjoint(*modes)
    at_one_sample = u["g"] * g + u["x"] * x + u["1"]
    prove_zero(at_one_sample - form.expr)
    mean = modes[0]
    if mean == "normal":
        prove_zero(u.mean())
    else:
        prove_zero(u.mean() - (g_mean if modes[1] == "omit" else bn.MEAN_BELOW.expr))
    if modes[1] == "normal":
        x_hat = space.vector("x").centred()
        if mean != "omit":
            prove_zero(u.dot(x_hat).subs(epsilon, 0))
        if mean != "detach":
            prove_zero(u.dot(space.vector("x")).subs(epsilon, 0))


@pytest.mark.parametrize("seed", range(DRAWS))
def test_full_form_agrees_with_torch_batchnorm(seed):
    feature, upstream, _, eps, _ = draw(seed)
    z = torch.tensor(feature)[:, None].requires_grad_()
    torch.nn.BatchNorm1d(1, eps=eps, affine=False, dtype=torch.float64)(z).backward(
        torch.tensor(upstream)[:, None]
    )
    m, s, gm, cov = statistics(feature, upstream)
    close(z.grad[:, 0].numpy(), bn.MU_SIGMA.numpy(feature, upstream, m, s, eps, gm, cov))
