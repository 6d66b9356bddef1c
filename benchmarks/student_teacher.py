"""What a student costs: time per seed and step at the published sizes, and what measuring it costs.

    python benchmarks/student_teacher.py [--quick]

A training step (batch drawn from the pool, forward, backward, update; float64) for several numbers
of seeds beside the bare matrix products of the same shapes, in turn with it, and at the two-layer
sizes beside an ordinary autograd loop for one seed. Then the evaluation as a share of a run, 32
seeds on two cores, and the averaged top-down coefficients beside the recursion sample by sample.
Processor time of one thread. A table is printed and results/benchmarks/student_teacher.json
written.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import now, surroundings
from seeds import bare_products, in_turn, ratio, timed
from torch import Tensor, nn

from ssl_dynamics.measures import mean_coefficients
from ssl_dynamics.networks import ReluNet
from ssl_dynamics.networks.products import product
from ssl_dynamics.training import Students
from ssl_dynamics.training.student_protocols import Setup, deep, progress_of, two_layer
from ssl_dynamics.training.students_run import step_cost, together
from ssl_dynamics.training.threads import tuned

OUT = Path(__file__).parents[1] / "results" / "benchmarks" / "student_teacher.json"
SIZES: dict[str, tuple[Callable[..., Setup], dict]] = {
    "5x m10": (two_layer, {"nodes": 10, "multiple": 5, "test": 16}),
    "10x m20": (two_layer, {"nodes": 20, "multiple": 10, "test": 16}),
    "deep": (deep, {"samples": 10_000, "test": 16}),
}
SEEDS = {"5x m10": (1, 4, 8, 16, 32), "10x m20": (1, 4, 16), "deep": (1, 4, 16)}
MOST_BLOCKS = 4
EPOCHS, EPOCH, EVALUATIONS = 100, 1000, 6
"""Of a two-layer run: epochs, steps of one, and how often the recorded runs are measured."""
TEST_INPUTS = (10_000, 2_000)
"""As many as the public code and the records have, and few enough for every epoch."""
PUBLIC_US = {"5x m10": (192, 158), "10x m20": (266, 247)}
"""Microseconds a step of the public code took, one thread, on a machine of this kind: typical and
fastest."""
COEFFICIENTS = (
    ("deep, 122,000 weights", 20, (10, 15, 20, 25), 100, 64),
    ("a teacher of 20-30-40-50", 20, (20, 30, 40, 50), 50, 32),
    ("large, 2.5 million weights", 20, (50, 75, 100, 125), 100, 16),
)


def block_of(size: str, seeds: int) -> int:
    """Seeds trained together when there are so many."""
    make, options = SIZES[size]
    student = make(range(1), **options | {"samples": 64}).student
    batch = 16 if make is two_layer else 64
    return together(seeds, step_cost(student.widths, batch)[1])


def blocks_of(size: str, seeds: int) -> tuple[int, list[range]]:
    """(seeds of a block, the blocks): of equal shape, so no more than MOST_BLOCKS are timed."""
    block = block_of(size, seeds)
    count = min(MOST_BLOCKS, -(-seeds // block))
    return block, [range(k * block, (k + 1) * block) for k in range(count)]


def ours(size: str, seeds: range) -> tuple[Callable[[], None], Callable[[], None]]:
    """(step, bare products) of a block."""
    make, options = SIZES[size]
    setup, number = make(seeds, **options), iter(range(10**9))

    def step() -> None:
        x, target = setup.batches.at(next(number))
        setup.student.step(x, target, setup.lr)

    rows = setup.batches.at(0)[0].shape[1]
    weights = [W.clone() for W in setup.student.weights]
    return step, bare_products([(weights, rows)], [], reserved_product)


def reserved_product(a: Tensor, b: Tensor) -> Callable[[], object]:
    """The product that the students use, into reserved memory."""
    return product(a, b, a.new_empty(len(a), a.shape[1], b.shape[2]))


def plain(size: str) -> Callable[[], None]:
    """The step of one seed as one would write it in torch: samples drawn by Python, modules,
    autograd, `torch.optim.SGD`."""
    make, options = SIZES[size]
    setup = make(range(1), **options)
    layers: list[list[nn.Module]] = [[], []]
    for network, found in zip((setup.teacher, setup.student), layers, strict=True):
        for W, b in zip(network.weights, network.biases, strict=True):
            linear = nn.Linear(W.shape[2], W.shape[1], dtype=W.dtype)
            linear.load_state_dict({"weight": W[0], "bias": b[0]})
            found += [linear, nn.ReLU()]
    teacher, student = (nn.Sequential(*found[:-1]) for found in layers)
    optimiser = torch.optim.SGD(student.parameters(), lr=setup.lr)
    pool, places = setup.batches.x, list(range(len(setup.batches.x)))
    rows = setup.batches.at(0)[0].shape[1]

    def step() -> None:
        x = pool[random.choices(places, k=rows)]
        with torch.no_grad():
            goal = teacher(x)
        optimiser.zero_grad()
        ((student(x) - goal).square().sum() / 2 / rows).backward()
        optimiser.step()

    return step


def measure(size: str, seeds: int, seconds: float) -> dict:
    """One row of the table: `seeds` seeds of a size, block after block, per seed and step."""
    block, blocks = blocks_of(size, seeds)
    steps, bares = zip(*(ours(size, some) for some in blocks), strict=True)
    works = {"step": steps, "bare": bares}
    if size in PUBLIC_US:
        works["plain"] = [plain(size)]
    found, timed_seeds = in_turn(works, seconds), block * len(blocks)
    row = {
        "size": size, "seeds": seeds, "block": block,
        "step_us": min(found["step"]) * 1e6 / timed_seeds,
        "bare_us": min(found["bare"]) * 1e6 / timed_seeds,
        "over_bare": ratio(found["step"], found["bare"]),
        "created": now(),
    }  # fmt: skip
    if "plain" in found:
        row["plain_us"] = min(found["plain"]) * 1e6
        row["cheaper_than_plain"] = ratio(found["plain"], found["step"]) * timed_seeds
    return row


def evaluation(size: str, inputs: int, step_us: float) -> dict:
    """What measuring loss and correlations on so many test inputs costs, per seed, and its share of
    a run of 100 epochs when it is done as often as in the records, and after every epoch."""
    make, options = SIZES[size]
    block = block_of(size, 4)
    setup = make(range(block), **options | {"test": inputs, "samples": 64})
    measured = progress_of(setup.teacher, setup.probe)
    once = min(timed(lambda: measured(setup.student), 1, time.process_time) for _ in range(7))
    once /= block
    training = EPOCHS * EPOCH * step_us * 1e-6
    shares = {n: n * once / (n * once + training) for n in (EVALUATIONS, EPOCHS + 1)}
    return {
        "size": size, "inputs": inputs, "evaluation_ms": once * 1e3,
        "share": shares[EVALUATIONS], "share_every_epoch": shares[EPOCHS + 1], "created": now(),
    }  # fmt: skip


def alone(seeds: int, repeats: int, steps: int) -> None:
    """Run in each of two processes: seconds per step of `seeds` seeds at "5x m10"."""
    with tuned(1.0):
        block = block_of("5x m10", seeds)
        parts = [ours("5x m10", range(k, min(k + block, seeds)))[0] for k in range(0, seeds, block)]
        found = [
            sum(timed(step, steps, time.process_time) for step in parts) for _ in range(repeats + 1)
        ]
        print(min(found[1:]))


def two_cores(seeds: int, repeats: int, steps: int) -> float:
    """Seconds per step when two processes share the seeds: the slower one, processor time."""
    command = [sys.executable, __file__, "--alone", str(seeds // 2), str(repeats), str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    answers = [process.communicate()[0] for process in both]
    if any(process.returncode for process in both):
        raise RuntimeError("one of the two processes failed")
    return max(float(answer) for answer in answers)


def by_recursion(student: ReluNet, teacher: ReluNet, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Batch means of both coefficients, layer by layer from above, one n x n matrix per sample."""
    seen, wanted = student.trace(x), teacher.trace(x)
    C = seen.output.shape[-1]
    pull = [torch.eye(C, dtype=x.dtype) for _ in range(x.shape[1])]
    own, means = list(pull), []
    for layer in reversed(range(student.depth)):
        W, W_star = student.weights[layer][0], teacher.weights[layer][0]
        for sample in range(x.shape[1]):
            d, d_star = seen.gates[layer][0, sample], wanted.gates[layer][0, sample]
            pull[sample] = W.T @ (d[:, None] * pull[sample] * d_star) @ W_star
            own[sample] = W.T @ (d[:, None] * own[sample] * d) @ W
        means.append((sum(pull) / len(pull), sum(own) / len(own)))
    return means[::-1]


@torch.no_grad()
def coefficients(
    name: str, inputs: int, hidden: tuple[int, ...], outputs: int, batch: int, repeats: int
) -> dict:
    """Both ways on one seed, float64: seconds, and the largest relative difference."""
    wide = tuple(10 * n for n in hidden)
    student, teacher = (
        Students.random(range(1), (inputs, *widths, outputs), purpose=purpose).relu_net()
        for widths, purpose in ((wide, "student"), (hidden, "teacher"))
    )
    x = torch.randn(1, batch, inputs + 1, dtype=torch.float64)
    x[..., -1] = 1
    ways = {
        "jacobian": lambda: mean_coefficients(student, teacher, x),
        "recursion": lambda: by_recursion(student, teacher, x),
    }
    new, old = ways["jacobian"](), ways["recursion"]()
    apart = max(
        float((mine - other).abs().max() / other.abs().max())
        for each, pair in zip(new, old, strict=False)
        for mine, other in zip((each.pull[0], each.own[0]), pair, strict=True)
    )
    found = {
        way: min(timed(call, 1, time.process_time) for _ in range(repeats))
        for way, call in ways.items()
    }
    return {
        "size": name, "batch": batch,
        "jacobian_s": found["jacobian"], "recursion_s": found["recursion"],
        "times_faster": found["recursion"] / found["jacobian"], "difference": apart,
        "created": now(),
    }  # fmt: skip


def table(report: dict) -> str:
    """The report as text."""
    head = "size      seeds  block   us/step/seed    bare   over bare   autograd loop, one seed"
    lines = [head, "-" * len(head)]
    for row in report["rows"]:
        loop = (
            f"{row['plain_us']:.0f} us, {row['cheaper_than_plain']:.1f}x"
            if "plain_us" in row
            else ""
        )
        lines.append(
            f"{row['size']:<10}{row['seeds']:>5}{row['block']:>7}{row['step_us']:>15.1f}"
            f"{row['bare_us']:>8.1f}{row['over_bare']:>12.2f}{loop:>26}"
        )
    for row in report["evaluation"]:
        lines.append(
            f"{row['size']}: on {row['inputs']} inputs {row['evaluation_ms']:.1f} ms a seed; "
            f"{100 * row['share']:.1f} % of a run measured {EVALUATIONS} times, "
            f"{100 * row['share_every_epoch']:.0f} % after every epoch"
        )
    many = report["many"]
    lines.append(
        f"5x m10, {many['seeds']} seeds: {many['one_us']:.0f} us a step on one core, "
        f"{many['two_us']:.0f} on two; {many['over_loop']:.2f} single runs of the autograd loop, "
        f"{many['over_public']:.2f} of the public code as published ({many['public_us']} us)"
    )
    for row in report["coefficients"]:
        lines.append(
            f"coefficients, {row['size']}, batch {row['batch']}: {row['jacobian_s']:.3f} s against "
            f"{row['recursion_s']:.2f} s, {row['times_faster']:.0f}x"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, no file")
    parser.add_argument("--alone", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.alone:
        alone(*options.alone)
        return
    scale = 0.1 if options.quick else 1.0
    start, rows = time.perf_counter(), []
    with tuned(1.0):  # one thread, denormals flushed
        for size, counts in SEEDS.items():
            for seeds in counts:
                rows.append(measure(size, seeds, 6 * scale))
                print(f"{size} {seeds}: {rows[-1]['over_bare']:.2f}", file=sys.stderr)
        last = {row["size"]: row for row in rows}
        measured = [
            evaluation(size, inputs, last[size]["step_us"])
            for size in PUBLIC_US
            for inputs in TEST_INPUTS
        ]
        found = [coefficients(*case, repeats=max(1, int(3 * scale))) for case in COEFFICIENTS]
    biggest, public = last["5x m10"], PUBLIC_US["5x m10"][0]
    two = two_cores(32, max(3, int(20 * scale)), 200)
    report = {
        "schema": 1,
        "benchmark": "student_teacher",
        "device": "cpu, one thread per process",
        **surroundings("torch", "numpy", "ssl_dynamics"),
        "rows": rows,
        "evaluation": measured,
        "many": {
            "seeds": 32,
            "one_us": 32 * biggest["step_us"],
            "two_us": two * 1e6,
            "over_loop": two * 1e6 / biggest["plain_us"],
            "over_public": two * 1e6 / public,
            "public_us": public,
            "created": now(),
        },
        "coefficients": found,
        "wall_s": round(time.perf_counter() - start, 1),
    }
    print(table(report))
    if not options.quick:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(report, indent=1) + "\n")
        print(f"written: {OUT}")


if __name__ == "__main__":
    main()
