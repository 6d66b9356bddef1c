"""What a seed costs: time per seed and step for 1 to 256 seeds trained together on a CPU.

    python benchmarks/seeds.py [--quick | --toy]

Three sizes: a two-layer toy, BYOL on the digits, and the largest network the book trains live.
Beside every step stand the bare matrix products of the same shapes, timed in turn with it, and
the same step with one seed; for the toy also an ordinary torch loop and two processes sharing
the seeds. Everything runs on one thread per process unless it says two. A table is printed and
results/benchmarks/seeds.json written; `--toy` measures the toy alone again and keeps the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from machine import now, surroundings
from torch import Tensor, nn

from ssl_dynamics.networks import Linear, mlp
from ssl_dynamics.training import SGD, Run, TowerConfig
from ssl_dynamics.training.run import cost
from ssl_dynamics.training.shard import share
from ssl_dynamics.training.threads import block_size, tuned

OUT = Path(__file__).parents[1] / "results" / "benchmarks" / "seeds.json"
SEEDS = (1, 4, 16, 64, 256)
TOY = (30, 100, 50)
TOY_BATCH = 16
DIGITS = TowerConfig(steps=0)
LARGE = TowerConfig(
    encoder=(512, 512, 256), projector=(512, 128), predictor_width=512, batch=128, steps=0
)
MOST_BLOCKS = 4
"""Blocks have equal shapes and do not meet: no more than this many of them are timed."""

BURST = 0.02
"""Seconds of one burst of one call: short, so that some meet no other work on the machine."""


class Toy:
    """Two-layer regression on fixed data, hand-written backward."""

    def __init__(self, seeds: range) -> None:
        self.net = mlp(seeds, TOY, purpose="toy")
        self.passes = self.net.by_hand(columns=True)
        self.optimiser = SGD([(self.net.parameters(), 1e-3)], momentum=0.9, weight_decay=1e-4)
        generator = torch.Generator().manual_seed(0)
        count = len(seeds)
        self.x = torch.randn(count, TOY[0], TOY_BATCH, generator=generator)
        self.t = torch.randn(count, TOY[-1], TOY_BATCH, generator=generator)

    def step(self) -> None:
        error = self.passes.forward(self.x).sub_(self.t)
        self.passes.backward(error.mul_(1 / TOY_BATCH))
        self.optimiser.step()


def toy_bytes() -> int:
    """Memory one toy seed touches in a step."""
    weights = TOY[0] * TOY[1] + TOY[1] * TOY[2]
    return 4 * (3 * weights + 2 * TOY_BATCH * sum(TOY))


def plain_toy() -> Callable[[], None]:
    """The toy step for one seed as one would write it in torch."""
    net = nn.Sequential(nn.Linear(*TOY[:2]), nn.ReLU(), nn.Linear(*TOY[1:]))
    optimiser = torch.optim.SGD(
        net.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True
    )
    x, t = torch.randn(TOY_BATCH, TOY[0]), torch.randn(TOY_BATCH, TOY[-1])

    def step() -> None:
        optimiser.zero_grad()
        ((net(x) - t).square().sum() / 2 / TOY_BATCH).backward()
        optimiser.step()

    return step


def fresh_product(a: Tensor, b: Tensor) -> Callable[[], object]:
    """PyTorch's product, into memory of its own."""
    return partial(torch.bmm, a, b)


def bare_products(
    learned: list[tuple[list[Tensor], int]],
    followed: list[Tensor],
    product: Callable[[Tensor, Tensor], Callable[[], object]] = fresh_product,
) -> Callable[[], None]:
    """The products of one step and nothing else: `learned` are chains of weights with their rows.

    Forward and both gradients for the learned weights (the data need no gradient), forward alone
    for those that only follow.
    """
    jobs: list[tuple[Tensor, Tensor]] = []
    for chain, rows in learned:
        for depth, w in enumerate(chain):
            seeds, outputs, inputs = w.shape
            x, g = (torch.randn(seeds, rows, n, dtype=w.dtype) for n in (inputs, outputs))
            jobs += [(x, w.mT), (g.mT, x)] + ([(g, w)] if depth else [])
    rows = learned[0][1]
    for w in followed:
        jobs.append((torch.randn(len(w), rows, w.shape[2]), w.mT))

    calls = [product(a, b) for a, b in jobs]

    def products() -> None:
        for call in calls:
            call()

    return products


def weights_of(network: nn.Module) -> list[Tensor]:
    return [m.weight.detach().clone() for m in network.modules() if isinstance(m, Linear)]


def toy_block(seeds: range) -> tuple[Callable[[], None], Callable[[], None]]:
    """(step, bare products) of a block of toy seeds."""
    toy = Toy(seeds)
    return toy.step, bare_products([(weights_of(toy.net), TOY_BATCH)], [])


def tower_block(config: TowerConfig):
    """A maker of (step, bare products) for blocks of two-tower seeds."""

    def make(seeds: range) -> tuple[Callable[[], None], Callable[[], None]]:
        run = Run(config, tuple(seeds))
        towers = run.towers
        chain = weights_of(towers.online) + weights_of(towers.predictor)
        return run.step, bare_products([(chain, 2 * config.batch)], weights_of(towers.target))

    return make


SIZES = {
    "toy": ("30-100-50, batch 16", toy_block, toy_bytes()),
    "digits": (
        "BYOL 64-256-128 | 256-64 | 256-64, batch 128",
        tower_block(DIGITS),
        cost(DIGITS)[1],
    ),
    "large": (
        "BYOL 64-512-512-256 | 512-128 | 512-128, batch 128",
        tower_block(LARGE),
        cost(LARGE)[1],
    ),
}


def timed(work: Callable[[], None], times: int, clock=time.perf_counter) -> float:
    """Seconds per call."""
    start = clock()
    for _ in range(times):
        work()
    return (clock() - start) / times


def in_turn(
    works: dict[str, Sequence[Callable[[], None]]], seconds: float
) -> dict[str, list[float]]:
    """Seconds per call of each, timed in turn in short bursts for about `seconds` in all.

    A work is a list of calls; each of them gets its burst before the next, as blocks of seeds are
    trained one after the other, and their times are added. All run on one thread, so the processor
    time of this process is the time it would take on a machine without other work; other work
    still costs it cache.
    """
    bursts = {}
    for name, calls in works.items():
        once = min(sum(timed(call, 2) for call in calls) for _ in range(9))
        bursts[name] = max(2, int(BURST * len(calls) / once))
    found: dict[str, list[float]] = {name: [] for name in works}
    until = time.perf_counter() + seconds
    while len(found[next(iter(works))]) < 5 or time.perf_counter() < until:
        for name, calls in works.items():
            times = (timed(call, bursts[name], time.process_time) for call in calls)
            found[name].append(sum(times))
    return found


def ratio(above: list[float], below: list[float]) -> float:
    """Fastest burst over fastest burst: other work on the machine only ever slows one down."""
    return min(above) / min(below)


def measure(size: str, seeds: int, seconds: float) -> dict:
    """One row of the table: `seeds` seeds of a size, per seed and step."""
    _, make, touched = SIZES[size]
    block = block_size(seeds, touched, cuda=False)
    blocks = min(MOST_BLOCKS, -(-seeds // block))
    steps, bares = zip(
        *(make(range(i * block, (i + 1) * block)) for i in range(blocks)), strict=True
    )
    alone, _ = make(range(1))
    found = in_turn(
        {
            "step": steps,
            "bare": bares,
            "alone": [alone],
            **({"plain": [plain_toy()]} if size == "toy" else {}),
        },
        seconds,
    )
    timed_seeds = blocks * block
    row = {
        "size": size,
        "seeds": seeds,
        "block": block,
        "step_us": min(found["step"]) * 1e6 / timed_seeds,
        "bare_us": min(found["bare"]) * 1e6 / timed_seeds,
        "alone_us": min(found["alone"]) * 1e6,
        "over_bare": ratio(found["step"], found["bare"]),
        "cheaper_than_alone": ratio(found["alone"], found["step"]) * timed_seeds,
        "bursts": len(found["step"]),
        "created": now(),
    }
    if "plain" in found:
        row["plain_us"] = min(found["plain"]) * 1e6
        row["cheaper_than_plain"] = ratio(found["plain"], found["step"]) * timed_seeds
    return row


def threads_inside(size: str, seconds: float) -> dict:
    """One process with one and with two threads, 16 seeds."""
    _, make, touched = SIZES[size]
    step, _ = make(range(block_size(16, touched, cuda=False)))
    found: dict[int, list[float]] = {1: [], 2: []}
    once = timed(step, 2)
    burst = max(1, int(seconds / 20 / once))
    until = time.perf_counter() + seconds
    while len(found[1]) < 5 or time.perf_counter() < until:
        for threads, times in found.items():
            torch.set_num_threads(threads)
            times.append(timed(step, burst))
    torch.set_num_threads(1)
    gain = ratio(found[1], found[2])
    return {"size": size, "one_over_two_threads": gain, "created": now()}


def sharded(seeds: int, repeats: int, steps: int) -> None:
    """Run by torchrun in each process: rank 0 alone, then all together, in turn.

    Processor time, so that other work on the machine does not count; the slowest process of a
    round counts, and the fastest round. The bare products show what two cores can gain at most
    when they share cache and memory.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    dist.init_process_group("gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()

    def blocks_of(mine: range) -> list[tuple[Callable[[], None], Callable[[], None]]]:
        size = block_size(len(mine), toy_bytes(), cuda=False)
        return [toy_block(mine[i : i + size]) for i in range(0, len(mine), size)]

    whole = blocks_of(range(seeds)) if rank == 0 else []
    part = blocks_of(range(len(share(range(seeds), rank, processes))))
    names = [(who, what) for who in ("one", "all") for what in ("step", "bare")]
    found: dict[tuple[str, str], list[float]] = {name: [] for name in names}
    for repeat in range(repeats + 1):
        for who, what in names:
            dist.barrier()
            spent = torch.tensor(0.0, dtype=torch.float64)
            for step, bare in whole if who == "one" else part:
                spent += timed(step if what == "step" else bare, steps, time.process_time)
            dist.all_reduce(spent, op=dist.ReduceOp.MAX)
            if repeat:  # the first round warms up
                found[who, what].append(float(spent) / seeds)
    if rank == 0:
        fastest = {name: min(times) for name, times in found.items()}
        times = {f"{who}_us": fastest[who, "step"] * 1e6 for who in ("one", "all")}
        gains = {w: fastest["one", w] / fastest["all", w] for w in ("step", "bare")}
        numbers = times | {"gain": gains["step"], "bare_gain": gains["bare"]}
        print(json.dumps({"seeds": seeds, "processes": processes} | numbers))
    dist.destroy_process_group()


def two_processes(seeds: int, repeats: int, steps: int) -> dict:
    """The toy with its seeds shared by two single-threaded processes, through torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", __file__]
    command += ["--sharded", str(seeds), str(repeats), str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"torchrun failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1]) | {"created": now()}


def table(report: dict) -> str:
    """The report as text."""
    head = "size    seeds  block   us/step/seed   bare    over bare   cheaper than alone   (plain)"
    lines = [head, "-" * len(head)]
    for row in report["rows"]:
        plain = f"{row['cheaper_than_plain']:.1f}x" if "plain_us" in row else ""
        lines.append(
            f"{row['size']:<7}{row['seeds']:>6}{row['block']:>7}{row['step_us']:>15.1f}"
            f"{row['bare_us']:>7.0f}{row['over_bare']:>12.2f}"
            f"{row['cheaper_than_alone']:>20.2f}x{plain:>10}"
        )
    two = report["two_processes"]
    lines.append(
        f"toy, {two['seeds']} seeds on two processes: {two['all_us']:.1f} us against "
        f"{two['one_us']:.1f} on one, {two['gain']:.2f}x; bare products {two['bare_gain']:.2f}x"
    )
    for row in report["two_threads"]:
        lines.append(
            f"{row['size']}, one process, two threads: "
            f"{row['one_over_two_threads']:.2f}x the speed of one"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, no file")
    parser.add_argument("--toy", action="store_true", help="the toy alone; keep the other rows")
    parser.add_argument("--sharded", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sharded:
        sharded(*options.sharded)
        return
    torch.manual_seed(0)
    scale = 0.1 if options.quick else 1.0
    start = time.perf_counter()
    kept = json.loads(OUT.read_text()) if options.toy else {}
    rows = []
    with tuned(1.0):  # one thread, denormals flushed
        for size in ("toy",) if options.toy else SIZES:
            for seeds in SEEDS:
                rows.append(measure(size, seeds, 8 * scale))
                print(f"{size} {seeds}: {rows[-1]['over_bare']:.2f}", file=sys.stderr)
        if options.toy:  # rows say when they were measured
            inside = [{"created": kept["created"]} | row for row in kept["two_threads"]]
            others = [row for row in kept["rows"] if row["size"] != "toy"]
            rows += [{"created": kept["created"]} | row for row in others]
        else:
            inside = [threads_inside(size, 6 * scale) for size in SIZES]
    report = {
        "schema": 1,
        "benchmark": "seeds",
        "device": "cpu, one thread per process",
        **surroundings("torch", "numpy", "ssl_dynamics"),
        "sizes": {name: text for name, (text, _, _) in SIZES.items()},
        "rows": rows,
        "two_processes": two_processes(64, max(3, int(20 * scale)), 100),
        "two_threads": inside,
    }
    report["wall_s"] = round(time.perf_counter() - start, 1)
    print(table(report))
    if not options.quick:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(report, indent=1) + "\n")
        print(f"written: {OUT}")


if __name__ == "__main__":
    main()
