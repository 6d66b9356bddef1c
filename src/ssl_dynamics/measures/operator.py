r"""The connection of a layer and the covariance operator it makes, dense and matrix-free.

For a layer with weights W_l the connection is :math:`K_l(x) = f_{l-1}(x) \otimes J_l(x)^\top`, one
row per weight (columns of W_l stacked) and one column per output. On a population of N images with
M equally likely views each, the operator is

.. math:: b\,V_x[\bar K_l] + c\,E_x V_{x'|x}[K_l],

the covariance of the image means and the mean covariance over views, with coefficients `between`
and `within`. The matrix-free product costs one pass forwards and one backwards.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from ssl_dynamics.networks.relu_net import ReluNet, apply

DENSE_BELOW = 4
"""Layers with at most this many times the wanted eigenvalues are solved densely."""


def connection(net: ReluNet, x: Tensor, layer: int) -> Tensor:
    """K_l(x), [S, ..., in * out, outputs], for inputs [S, ..., d]; layers count from 0."""
    with torch.no_grad():
        trace = net.trace(x)
        outputs = trace.output.shape[-1]
        columns = []
        for k in range(outputs):
            unit = torch.zeros_like(trace.output)
            unit[..., k] = 1.0
            columns.append(net.pull(trace, layer, unit))
        J_T = torch.stack(columns, -1)  # [S, ..., out, outputs]
        K = trace.inputs[layer][..., :, None, None] * J_T[..., None, :, :]
        return K.flatten(-3, -2)


def covariance_operator(
    net: ReluNet, views: Tensor, layer: int, *, between: float = 1.0, within: float = 0.0
) -> Tensor:
    """The operator of each seed as a matrix [S, in * out, in * out], for views [S, N, M, d]."""
    _check(net, views, layer)
    K = connection(net, views, layer)
    bar = K.mean(2)
    u, e = bar - bar.mean(1, keepdim=True), K - bar.unsqueeze(2)
    found = between * torch.einsum("sipn,siqn->spq", u, u) / K.shape[1]
    if within:
        found = found + within * torch.einsum("siapn,siaqn->spq", e, e) / (K.shape[1] * K.shape[2])
    return found


def operator_product(
    net: ReluNet,
    views: Tensor,
    layer: int,
    vector: Tensor,
    *,
    between: float = 1.0,
    within: float = 0.0,
) -> Tensor:
    """The operator times one vector per seed, [S, in * out] -> the same, without the matrix."""
    return _Product(net, views, layer, between, within)(vector)


def top_eigenpairs(
    net: ReluNet,
    views: Tensor,
    layer: int,
    count: int,
    *,
    between: float = 1.0,
    within: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """The `count` largest eigenvalues [S, count], largest first, and their eigenvectors
    [S, in * out, count], by Lanczos iterations on the matrix-free product (ARPACK).

    Where eigenvalues coincide, any orthonormal basis of their space may come back.
    """
    _check(net, views, layer)
    seeds, outs, ins = net.weights[layer].shape
    size = outs * ins
    if not 0 < count <= size:
        raise ValueError(f"count is {count}, allowed: 1 to {size}")
    if size <= DENSE_BELOW * count:
        dense = covariance_operator(net, views, layer, between=between, within=within)
        values, vectors = torch.linalg.eigh(dense)
        return values[:, -count:].flip(-1), vectors[:, :, -count:].flip(-1)
    values, vectors = [], []
    for seed in range(seeds):
        product = _Product(net.of_seed(seed), views[seed : seed + 1], layer, between, within)

        def times(v: np.ndarray, product: _Product = product) -> np.ndarray:
            return product(torch.from_numpy(v.reshape(1, -1).copy()).to(views))[0].cpu().numpy()

        start = np.random.default_rng(seed).normal(size=size)
        if not times(start).any():  # the operator is zero: ARPACK cannot start
            values.append(views.new_zeros(count))
            vectors.append(torch.eye(size, count).to(views))
            continue
        operator = LinearOperator((size, size), matvec=times, dtype=np.float64)
        tol = 0.0 if views.dtype == torch.float64 else torch.finfo(views.dtype).eps
        found, columns = eigsh(operator, k=count, which="LA", v0=start, tol=tol)
        order = np.argsort(found)[::-1]
        values.append(torch.from_numpy(found[order].copy()).to(views))
        vectors.append(torch.from_numpy(columns[:, order].copy()).to(views))
    return torch.stack(values), torch.stack(vectors)


def _check(net: ReluNet, views: Tensor, layer: int) -> None:
    if not 0 <= layer < net.depth:
        raise ValueError(f"layer is {layer}, allowed: 0 to {net.depth - 1}")
    seeds, _, width = net.weights[0].shape
    if views.dim() != 4 or views.shape[0] != seeds or views.shape[-1] != width:
        raise ValueError(
            f"views have the shape {list(views.shape)}, allowed: [{seeds}, N, M, {width}]"
        )


class _Product:
    """The operator of one layer as a function of a vector; the forward pass is done once."""

    def __init__(
        self, net: ReluNet, views: Tensor, layer: int, between: float, within: float
    ) -> None:
        _check(net, views, layer)
        with torch.no_grad():
            self.trace = net.trace(views)
        self.net, self.layer, self.between, self.within = net, layer, between, within

    @torch.no_grad()
    def __call__(self, vector: Tensor) -> Tensor:
        inputs = self.trace.inputs[self.layer]
        seeds, outs, ins = self.net.weights[self.layer].shape
        if vector.shape != (seeds, ins * outs):
            raise ValueError(
                f"the vector has the shape {list(vector.shape)}, allowed: [{seeds}, {ins * outs}]"
            )
        direction = vector.unflatten(-1, (ins, outs)).mT  # columns were stacked
        outputs = self.net.push(self.trace, self.layer, apply(direction, inputs))  # K^T v
        bar = outputs.mean(2, keepdim=True)
        slope = self.between * (bar - bar.mean(1, keepdim=True)) + self.within * (outputs - bar)
        at_layer = self.net.pull(self.trace, self.layer, slope.expand_as(outputs))
        images, count = inputs.shape[1:3]
        return torch.einsum("siao,siaj->sjo", at_layer, inputs).flatten(1) / (images * count)
