"""Blocks, threads and denormals."""

import torch
from threadpoolctl import threadpool_info, threadpool_limits

from ssl_dynamics.training.threads import (
    CACHE,
    FEWEST,
    block_size,
    flushes_denormals,
    thread_count,
    tuned,
)


def test_blocks_fit_the_cache_and_are_even():
    assert block_size(16, 1000, cuda=False) == 16
    assert block_size(256, CACHE // 32, cuda=False) == 32
    assert block_size(33, CACHE // 32, cuda=False) == 17
    assert block_size(64, 100 * CACHE, cuda=False) == FEWEST
    assert block_size(2, 100 * CACHE, cuda=False) == 2
    assert block_size(256, 100 * CACHE, cuda=True) == 256


def test_small_steps_get_one_thread_and_the_users_limit_holds():
    assert thread_count(1e5, 8) == 1
    assert thread_count(1e12, 8) == 8
    assert thread_count(1e12, 2) == 2


def test_denormals_are_flushed_inside_and_as_before_outside():
    threads = torch.get_num_threads()
    for before in (False, True):
        torch.set_flush_denormal(before)
        with tuned(1.0):
            assert flushes_denormals()
            assert torch.get_num_threads() == 1
        assert flushes_denormals() is before
        assert torch.get_num_threads() == threads
    torch.set_flush_denormal(False)


def test_numpys_products_get_as_many_threads_and_theirs_back():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert before
        with tuned(1.0):
            assert set(threads()) == {1}
        assert threads() == before
