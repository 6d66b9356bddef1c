"""Products into reserved memory: PyTorch's values, what the operands hold at the call, slices."""

import pytest
import torch

from ssl_dynamics.networks.products import product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_are_pytorchs(dtype):
    a, b = torch.randn(3, 4, 5, dtype=dtype), torch.randn(3, 6, 5, dtype=dtype).mT
    out = torch.full((3, 4, 6), torch.nan, dtype=dtype)
    call = product(a, b, out)
    assert out.isnan().all()
    call()
    torch.testing.assert_close(out, a @ b)
    a.mul_(2)  # the call reads what stands there now
    call()
    torch.testing.assert_close(out, a @ b)


def test_a_part_of_a_larger_result_is_written_and_the_rest_left():
    a, b, whole = torch.randn(2, 4, 3), torch.randn(2, 3, 5), torch.ones(2, 4, 6)
    product(a, b, whole[..., :-1])()
    torch.testing.assert_close(whole[..., :-1], a @ b)
    assert (whole[..., -1] == 1).all()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="mismatch"):
        product(torch.ones(2, 4, 3), torch.ones(2, 4, 5), torch.ones(2, 4, 5))()
