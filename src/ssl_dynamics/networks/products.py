"""Products of many small matrices: PyTorch's on a GPU, NumPy's on a CPU.

On a CPU PyTorch multiplies with Intel's library, NumPy with OpenBLAS. On processors that are not
Intel's the second is up to twice as fast for small matrices in float64 (`benchmarks/README.md`).
Both see the same memory, so nothing is copied. Neither product can be differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor


def product(a: Tensor, b: Tensor, out: Tensor) -> Callable[[], object]:
    """A call that writes a b into `out`: a [n, i, k], b [n, k, j], out [n, i, j].

    The views are made once, here; at these sizes a view costs half as much as a product. The call
    reads whatever stands in `a` and `b` when it is made.
    """
    if a.device.type == "cpu":
        return partial(np.matmul, a.numpy(), b.numpy(), out=out.numpy())
    return partial(torch.bmm, a, b, out=out)
