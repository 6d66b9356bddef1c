"""Step time of every method on images, split into its parts; evaluation; memory; several seeds.

    python benchmarks/pretrain.py [--quick] [--device cuda] [--encoder resnet18] [--batch 512]

Images are noise of the size of CIFAR, so no data set is needed. On a CPU one thread works and
processor time is counted, so other programs do not disturb much; on a GPU wall time. The share of
the peak is the floating-point operations of a step (torch's own count) per second over those of a
large matrix product in the same precision. Writes results/benchmarks/pretrain-<device>.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import surroundings
from torch.utils.flop_counter import FlopCounterMode

from ssl_dynamics.experiments.provenance import device_name
from ssl_dynamics.methods import METHODS
from ssl_dynamics.training import shard, tuned
from ssl_dynamics.training.images import ImageConfig, ImageRun, RunImages
from ssl_dynamics.training.images.plan import PARTS, measured
from ssl_dynamics.training.images.sets import Labelled

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
SEEDS = (1, 2, 4, 8, 16, 32, 64)
JUDGED = 5000
"""Images in the bank, and as many to test: the evaluation that is timed."""


def noise(config: ImageConfig, count: int, device: torch.device) -> RunImages:
    """Images of noise with a hundred labels, 32 x 32."""
    chance = torch.Generator().manual_seed(0)
    sets = []
    for size in (count, JUDGED, JUDGED):
        images = torch.randint(256, (size, 3, 32, 32), generator=chance, dtype=torch.uint8)
        sets.append(Labelled(images, torch.arange(size) % 100).to(device))
    train, bank, test = sets
    return RunImages(train.images, train.labels, bank, test, config.recipes(32))


def operations(config: ImageConfig, images: RunImages, device: torch.device) -> float:
    """Floating-point operations of one step (a multiplication with its addition counts two)."""
    run = ImageRun(config, 0, images, device)
    with FlopCounterMode(display=False) as counter:
        run.step()
    return float(counter.get_total_flops())


def peak(device: torch.device, clock: Callable[[], float]) -> float:
    """Operations a second of a large matrix product: float32 on a CPU, bf16 on a GPU."""
    cuda = device.type == "cuda"
    size = 8192 if cuda else 1024
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16 if cuda else torch.float32)
    best = float("inf")
    for _ in range(10):
        start = clock()
        for _ in range(20 if cuda else 1):
            a @ a
        if cuda:
            torch.cuda.synchronize()
        best = min(best, (clock() - start) / (20 if cuda else 1))
    return 2 * size**3 / best


def fresh_peak(device: torch.device) -> None:
    """Look for the largest memory anew: of the GPU, or where Linux allows it of this process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif (marks := Path("/proc/self/clear_refs")).exists():
        marks.write_text("5")


def peak_memory(device: torch.device) -> int:
    """Bytes held at most since `fresh_peak`; on a CPU the libraries and the data are among them."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def seeds_in_turn(
    config: ImageConfig, images: RunImages, device: torch.device, clock: Callable[[], float]
) -> dict[int, tuple[float, int]]:
    """Several seeds taking turns in a process: seconds of a step and seed, and the peak memory.

    Of three rounds the fastest.
    """
    found = {}
    for count in SEEDS:
        fresh_peak(device)
        runs = [ImageRun(config, seed, images, device) for seed in range(count)]
        best = float("inf")
        for attempt in range(4):
            start = clock()
            for run in runs:
                run.step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            best = min(best, clock() - start) if attempt else best
        found[count] = best / count, peak_memory(device)
        del runs
    return found


def main() -> None:
    """Print a table, and write it unless --quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two methods, nothing written")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--encoder", default=None, help="small on a CPU, resnet18 on a GPU")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    device = shard.device_for(options.device)
    cuda = device.type == "cuda"
    encoder = options.encoder or ("resnet18" if cuda else "small")
    clock = time.perf_counter if cuda else time.process_time
    torch.set_num_threads(1)
    names = ("simclr", "byol") if options.quick else tuple(METHODS)
    rows = {}
    with tuned(1e12):
        top = peak(device, clock)
        print(f"{device_name(device)}: matrix product {top / 1e9:.0f} GFLOP/s; {encoder} encoder")
        print("method              ", *(f"{part:>10}" for part in (*PARTS, "step ms", "img/s")),
              *(f"{part:>10}" for part in ("peak %", "eval s", "probe s", "GiB")))  # fmt: skip
        for name in names:
            config = ImageConfig(
                method=name,
                encoder=encoder,
                batch=options.batch,
                compile=options.compile,
                bank=0,
                epochs=100,
            )
            images = noise(config, 4 * options.batch, device)
            fresh_peak(device)
            cost = measured(config, images, device, clock)
            share = operations(config, images, device) / cost.step / top
            rows[name] = {
                **{f"{part}_ms": 1e3 * cost.parts[part] for part in PARTS},
                "step_ms": 1e3 * cost.step,
                "images_per_s": options.batch / cost.step,
                "share_of_peak": share,
                "evaluation_s": cost.evaluation,
                "probe_s": cost.probe,
                "weights": cost.weights,
                "checkpoint_bytes": cost.checkpoint,
                "peak_memory_bytes": cost.peak if cuda else peak_memory(device),
            }
            numbers = [1e3 * cost.parts[part] for part in PARTS]
            numbers += [1e3 * cost.step, options.batch / cost.step, 100 * share]
            numbers += [cost.evaluation, cost.probe, rows[name]["peak_memory_bytes"] / 2**30]
            print(f"{name:<20}", *(f"{n:>10.1f}" for n in numbers))
        config = ImageConfig(method="simclr", encoder=encoder, batch=options.batch, epochs=100)
        turns = seeds_in_turn(config, noise(config, 4 * options.batch, device), device, clock)
    print("seeds in one process, ms of a step and seed, and GiB (simclr):")
    print("  ".join(f"{n}: {1e3 * s:.1f}, {b / 2**30:.2f}" for n, (s, b) in turns.items()))
    if options.quick:
        return
    OUT.mkdir(parents=True, exist_ok=True)
    found = {
        **surroundings("ssl_dynamics", "torch", "numpy"),
        "device": device_name(device),
        "clock": "wall" if cuda else "processor time, one thread",
        "encoder": encoder,
        "batch": options.batch,
        "compile": options.compile,
        "peak_flops": top,
        "judged": JUDGED,
        "methods": rows,
        "seeds_ms": {str(count): 1e3 * seconds for count, (seconds, _) in turns.items()},
        "seeds_memory_bytes": {str(count): held for count, (_, held) in turns.items()},
    }
    path = OUT / f"pretrain-{device.type}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(f"written {path}")


if __name__ == "__main__":
    main()
