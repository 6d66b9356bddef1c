"""What a seed costs on the latent tree: time per seed and step, and where it goes.

    python benchmarks/latent_tree.py [--quick]

For 1 to 128 seeds trained together (in the blocks that training uses): sampling, forward, loss,
backward with the update, and one evaluation, beside the bare matrix products of the same shapes.
Then the cost against the depth of the tree. Processor time of one thread, smallest of several
timings: what the machine does besides is not meant. A table is printed and
results/benchmarks/latent_tree.json written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from machine import surroundings

from ssl_dynamics.losses.triplets import output_gradient
from ssl_dynamics.training.threads import tuned
from ssl_dynamics.training.trees import BLOCK, TreeConfig, TreeRun

OUT = Path(__file__).parents[1] / "results" / "benchmarks" / "latent_tree.json"
SEEDS = (1, 8, 32, 128)
DEPTHS = (3, 4, 5, 6, 7, 8)
DEPTH_SEEDS = 8


def best(call: Callable[[], object], repeats: int) -> float:
    """Smallest processor time of a call in milliseconds."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        call()
        times.append(time.thread_time() - begin)
    return 1e3 * min(times)


def products(run: TreeRun) -> Callable[[], None]:
    """The bare products of a step, in memory of the same layout: forward, gradients of the
    weights, gradients of the inputs."""
    columns = 3 * run.config.batch
    weights = [w.detach().flatten(0, 1) for w in run.net.weights]
    outputs = [torch.randn(w.shape[0], w.shape[1], columns) for w in weights]
    slopes = [torch.randn_like(y) for y in outputs]
    into = [torch.empty_like(w) for w in weights]
    leaves = torch.randn(weights[0].shape[0], weights[0].shape[2], columns)

    def below(level: int, kept: list[torch.Tensor]) -> torch.Tensor:
        return kept[level - 1].view(weights[level].shape[0], weights[level].shape[2], columns)

    inputs = [leaves, *(below(level, outputs) for level in range(1, len(weights)))]
    down = [None, *(below(level, slopes) for level in range(1, len(weights)))]

    def multiply() -> None:
        for w, x, y in zip(weights, inputs, outputs, strict=True):
            torch.bmm(w, x, out=y)
        for level in reversed(range(len(weights))):
            torch.bmm(slopes[level], inputs[level].mT, out=into[level])
            if level:
                torch.bmm(weights[level].mT, slopes[level], out=down[level])

    return multiply


@torch.no_grad()
def split(config: TreeConfig, seeds: int, repeats: int) -> dict[str, float]:
    """Milliseconds per seed and step of each part, for one block; evaluation per seed."""
    run = TreeRun(config, range(seeds))
    sampler, passes, now = run.sampler, run.passes, iter(range(10**6))
    leaves = sampler.at(0)
    output = passes.forward(leaves).clone()
    _, gradient = output_gradient(output, run.criterion)

    def back() -> None:
        passes.backward(gradient)
        run.optimiser.step()

    # blocks of draws are made every few steps: time whole periods of them
    period = sampler.period
    found = {
        "sampling": best(lambda: [sampler.at(next(now)) for _ in range(period)], repeats) / period,
        "forward": best(lambda: passes.forward(leaves), repeats),
        "loss": best(lambda: output_gradient(output, run.criterion), repeats),
        "backward and update": best(back, repeats),
        "bare products": best(products(run), repeats),
        "step": best(lambda: [run.step() for _ in range(period)], repeats) / period,
        "evaluation": best(run.recovery, 2),
    }
    return {name: value / seeds for name, value in found.items()}


def blocks(seeds: int) -> tuple[int, int]:
    """(seeds in a block, number of blocks)."""
    size = min(seeds, BLOCK)
    return size, -(-seeds // size)


@torch.no_grad()
def wall(seeds: int, seconds: float) -> float:
    """Milliseconds of wall time of a step of `seeds` seeds, block after block in this process."""
    size, number = blocks(seeds)
    runs = [TreeRun(TreeConfig(), range(k * size, (k + 1) * size)) for k in range(number)]
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        begin = time.perf_counter()
        for _ in range(runs[0].sampler.period):
            for run in runs:
                run.step()
        found.append((time.perf_counter() - begin) / runs[0].sampler.period)
    return 1e3 * float(np.median(found))


def two_processes(seeds: int, seconds: float) -> float:
    """The slower of two single-threaded processes that share the seeds, side by side."""
    call = [sys.executable, __file__, "--share", str(seeds // 2), "--seconds", str(seconds)]
    both = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return max(float(process.communicate()[0]) for process in both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, nothing written")
    parser.add_argument("--share", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=8.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    quick = chosen.quick
    repeats = 20 if quick else 200
    torch.set_num_threads(1)
    if chosen.share:
        with tuned(0):
            print(wall(chosen.share, chosen.seconds))
        return
    base = TreeConfig()
    by_seeds, by_depth, memo = {}, {}, {}
    with tuned(0):
        for seeds in SEEDS:
            size, number = blocks(seeds)
            if size not in memo:  # blocks of equal size cost the same
                memo[size] = split(base, size, repeats)
            by_seeds[seeds] = memo[size] | {"all seeds": memo[size]["step"] * size * number}
        for depth in DEPTHS:
            config = TreeConfig(branching=(2,) * depth, test=1024)
            by_depth[depth] = split(config, DEPTH_SEEDS, repeats // 4)
    for title, table in (("seeds", by_seeds), ("depth", by_depth)):
        columns = list(next(iter(table.values())))
        print(f"{title:>6}", *(f"{name:>20}" for name in columns), " [ms per seed and step]")
        for key, row in table.items():
            print(f"{key:>6}", *(f"{row[name]:>20.4f}" for name in columns))
    share = by_seeds[32]["sampling"] / by_seeds[32]["step"]
    print(f"32 seeds: {by_seeds[32]['all seeds']:.1f} ms a step, sampling {100 * share:.0f} %")
    shared = two_processes(32, 2.0 if quick else chosen.seconds)
    print(f"32 seeds, shared by two processes: {shared:.1f} ms of wall time a step")
    if not quick:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        found = {
            **surroundings("ssl_dynamics", "torch", "numpy"),
            "threads": 1,
            "unit": "ms of processor time per seed and step; evaluation per seed; all: per step",
            "seeds": by_seeds,
            "depth": by_depth,
            "32 seeds by two processes": {"wall_ms": shared},
        }
        OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"written: {OUT}")


if __name__ == "__main__":
    main()
