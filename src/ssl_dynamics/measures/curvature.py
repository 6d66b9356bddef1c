"""The spectrum of the Hessian of a loss: all of it when it is small, its ends when it is not.

The product of the Hessian with a vector costs about two gradients; no matrix is formed. Lanczos is
SciPy's ``eigsh`` (ARPACK). A space that is known to be flat can be lifted out of the way, so that
the *smallest curvature beyond it* is found at the low end of the spectrum: if that is positive, the
flat directions have been counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor


class Hessian(LinearOperator):
    """The Hessian of `loss(*parameters)` at `parameters`, as a matrix that can only multiply.

    The order of the coordinates is that of the tensors, each read row by row. Products are taken
    by differentiating the gradient once more, along the vector; the graph of the gradient is built
    once. Entries are float64, whatever the parameters are. At a kink of the loss it is the Hessian
    of the piece that autograd chooses.
    """

    def __init__(self, loss: Callable[..., Tensor], parameters: Sequence[Tensor]) -> None:
        self._at = [p.detach().clone().requires_grad_() for p in parameters]
        value = loss(*self._at)
        if value.dim():
            raise ValueError(f"the loss has the shape {list(value.shape)}; allowed: one number")
        slopes = torch.autograd.grad(value, self._at, create_graph=True, materialize_grads=True)
        self._slopes = [(k, slope) for k, slope in enumerate(slopes) if slope.requires_grad]
        self._sizes = [p.numel() for p in self._at]
        super().__init__(np.dtype(np.float64), (sum(self._sizes),) * 2)

    def _matvec(self, vector: np.ndarray) -> np.ndarray:
        like = self._at[0]
        whole = torch.as_tensor(np.ravel(vector)).to(like)
        parts = [v.view_as(p) for v, p in zip(whole.split(self._sizes), self._at, strict=True)]
        found = torch.autograd.grad(
            [slope for _, slope in self._slopes], self._at, [parts[k] for k, _ in self._slopes],
            retain_graph=True, materialize_grads=True,
        )  # fmt: skip
        return torch.cat([part.flatten() for part in found]).double().cpu().numpy()

    def _adjoint(self) -> Hessian:
        return self

    def dense(self) -> np.ndarray:
        """The whole matrix, a product for every column."""
        matrix = np.stack([self._matvec(column) for column in np.eye(self.shape[0])])
        return (matrix + matrix.T) / 2


class Lifted(LinearOperator):
    """An operator with `lift` added along some directions (columns of `flat`, orthonormal)."""

    def __init__(self, operator: LinearOperator, flat: np.ndarray, lift: float) -> None:
        overlap = flat.T @ flat - np.eye(flat.shape[1])
        if flat.shape[0] != operator.shape[0] or np.abs(overlap).max(initial=0) > 1e-9:
            raise ValueError(
                f"flat: got shape {flat.shape} for {operator.shape[0]} coordinates, off by "
                f"{np.abs(overlap).max(initial=0):.2g} from orthonormal columns"
            )
        self._operator, self._flat, self._lift = operator, flat, lift
        super().__init__(operator.dtype, operator.shape)

    def _matvec(self, vector: np.ndarray) -> np.ndarray:
        vector = np.ravel(vector)
        return self._operator @ vector + self._lift * (self._flat @ (self._flat.T @ vector))

    def _adjoint(self) -> Lifted:
        return self


def largest_curvatures(operator: LinearOperator, count: int = 1, *, seed: int = 0) -> np.ndarray:
    """The largest eigenvalues, descending."""
    start = np.random.default_rng(seed).normal(size=operator.shape[0])
    return eigsh(operator, count, which="LA", v0=start, return_eigenvectors=False)[::-1]


def smallest_curvature(
    operator: LinearOperator, flat: np.ndarray, *, seed: int = 0, tolerance: float = 1e-6
) -> float:
    """The smallest eigenvalue on the complement of the columns of `flat`, which are orthonormal.

    The columns are lifted to the top of the spectrum first. If they span a space that the operator
    maps to zero and the result is positive, its null space is that space and nothing more.
    """
    start = np.random.default_rng(seed).normal(size=operator.shape[0])
    lifted = Lifted(operator, flat, float(largest_curvatures(operator, seed=seed)[0]))
    krylov = min(operator.shape[0], 64)
    found = eigsh(
        lifted, 1, which="SA", v0=start, ncv=krylov, tol=tolerance, return_eigenvectors=False
    )
    return float(found[0])
