"""Images per second of the augmentation, against kornia's, whole recipe with blur.

    python benchmarks/augment.py [--quick] [--device cuda]

On a CPU both run on one thread, in turn, and processor time is counted. The same probabilities,
strengths and kernel; ours starts from bytes, and turning bytes into floats from 0 to 1 is counted
for kornia too. Then the distance between the two on equal factors: hue, clamping, both. Writes
results/benchmarks/augment.json. Needs kornia (`pip install -r requirements.txt`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import kornia
import torch
from kornia import augmentation
from machine import surroundings
from torch import Tensor

from ssl_dynamics.data.images import DataError, Recipe, augment, load_images, recipe
from ssl_dynamics.data.images.augment import CHOICES, DRAWS, carry_out, choose
from ssl_dynamics.data.images.geometry import CROP_DRAWS

OUT = Path(__file__).parents[1] / "results" / "benchmarks" / "augment.json"
SIZES = {32: 512, 96: 128}
"""Pixels along a side, and the batch."""
WITH_BLUR = 0.5


def measured_recipe(name: str, size: int) -> Recipe:
    """A published recipe, with its blur at small sizes too."""
    found = recipe(name, size)
    return found if found.blur else replace(found, blur=WITH_BLUR)


def by_kornia(r: Recipe, size: int, device: torch.device) -> Callable[[Tensor], Tensor]:
    """The same recipe as a chain of kornia's augmentations."""
    chain = torch.nn.Sequential(
        augmentation.RandomResizedCrop((size, size), scale=r.scale, ratio=r.ratio),
        augmentation.RandomHorizontalFlip(p=r.flip),
        augmentation.ColorJitter(r.brightness, r.contrast, r.saturation, r.hue, p=r.jitter),
        augmentation.RandomGrayscale(p=r.grey),
        augmentation.RandomGaussianBlur((r.kernel, r.kernel), r.sigma, p=r.blur),
        augmentation.Normalize(torch.tensor(r.mean), torch.tensor(r.std)),
    ).to(device)
    return lambda images: chain(images.float().div_(255))


def pictures(size: int, count: int, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, 3, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(device)


def in_turn(
    works: dict[str, Callable[[], Tensor]], seconds: float, device: torch.device
) -> dict[str, list[float]]:
    """Seconds per call of each, in bursts of about equal length, made in turn.

    On a CPU the thread's processor time counts: other work on the machine costs it cache only.
    On a GPU the wall time counts, from an empty queue to an empty queue.
    """
    gpu = device.type == "cuda"
    clock = time.perf_counter if gpu else time.process_time

    def burst(work: Callable[[], Tensor], calls: int) -> float:
        if gpu:
            torch.cuda.synchronize()
        start = clock()
        for _ in range(calls):
            work()
        if gpu:
            torch.cuda.synchronize()
        return (clock() - start) / calls

    once = {name: min(burst(work, 2) for _ in range(2)) for name, work in works.items()}
    longest = max(once.values())
    calls = {name: max(1, round(longest / value)) for name, value in once.items()}
    found: dict[str, list[float]] = {name: [] for name in works}
    until = time.perf_counter() + seconds
    while len(found[next(iter(works))]) < 5 or time.perf_counter() < until:
        for name, work in works.items():
            found[name].append(burst(work, calls[name]))
    return found


def measure(name: str, size: int, device: torch.device, seconds: float) -> dict:
    """One row of the table: fastest microseconds an image, ratio of neighbouring bursts."""
    batch = SIZES[size] * (16 if device.type == "cuda" else 1)
    images, r = pictures(size, batch, device), measured_recipe(name, size)
    generator, other = torch.Generator().manual_seed(0), by_kornia(r, size, device)
    works = {
        "ours": lambda: augment(images, r, generator),
        "kornia": lambda: other(images),
        "ours without blur": lambda: augment(images, replace(r, blur=0.0), generator),
    }
    with torch.no_grad():
        found = in_turn(works, seconds, device)
    each = {key: min(times) * 1e6 / batch for key, times in found.items()}
    ratios = sorted(k / o for k, o in zip(found["kornia"], found["ours"], strict=True))
    quarter = len(ratios) // 4
    return {
        "recipe": name,
        "size": size,
        "batch": batch,
        "blur": r.blur,
        "kernel": r.kernel,
        "us_an_image": each,
        "times_faster": median(ratios),
        "middle_half": [ratios[quarter], ratios[-1 - quarter]],
        "bursts": len(ratios),
    }


def real_images(count: int) -> tuple[str, Tensor]:
    """CIFAR-100's test images where they are at hand, else latent-factor images."""
    try:
        return "CIFAR-100 test", load_images("cifar100", "test").images[:count]
    except DataError:
        return "latent factors", load_images("factors", "train").images[:count]


def distances(images: Tensor) -> dict[str, dict[str, float]]:
    """Mean distance of a pixel's value (0 to 1) from kornia's for the same factors and order.

    Beside it, how far kornia's operators move a pixel at all. All images are jittered; crops,
    flips and grey are left out.
    """
    plain = images.float() / 255
    full = recipe("simclr", 96)
    cases = {
        "hue, up to 0.1 of a turn": Recipe(jitter=1.0, hue=0.1),
        "hue, up to 0.2 of a turn": Recipe(jitter=1.0, hue=0.2),
        "clamping at strength 0.4": Recipe(
            jitter=1.0, brightness=0.4, contrast=0.4, saturation=0.4
        ),
        "clamping at strength 0.8": Recipe(
            jitter=1.0, brightness=0.8, contrast=0.8, saturation=0.8
        ),
        "whole jitter, SimCLR at 32 px": replace(
            recipe("simclr", 32), scale=(1.0, 1.0), flip=0.0, jitter=1.0, grey=0.0
        ),
        "whole jitter, SimCLR at full strength": replace(
            full, scale=(1.0, 1.0), flip=0.0, jitter=1.0, grey=0.0, blur=0.0
        ),
    }
    found = {}
    for name, r in cases.items():
        draws = torch.rand(len(images), DRAWS, generator=torch.Generator().manual_seed(1))
        ours = carry_out(images, choose(draws, r, images.shape[-1]))
        theirs = kornia_jitter(plain, draws, r)
        gap = (ours - theirs).abs()
        found[name] = {
            "mean distance": gap.mean().item(),
            "moved by": (theirs - plain).abs().mean().item(),
            "share of values off by more than 0.1": (gap > 0.1).float().mean().item(),
        }
    return found


def kornia_jitter(images: Tensor, draws: Tensor, r: Recipe) -> Tensor:
    """Kornia's four operators, clamped after each, with the factors and the order of our draws."""
    chance = dict(zip(CHOICES, draws[:, CROP_DRAWS:].unbind(1), strict=True))
    b, c, s, hue = (
        (2 * chance[key] - 1) * getattr(r, key)
        for key in ("brightness", "contrast", "saturation", "hue")
    )
    enhance = kornia.enhance
    steps = {
        "b": lambda x, i: enhance.adjust_brightness_accumulative(x, 1 + b[i]),
        "c": lambda x, i: enhance.adjust_contrast_with_mean_subtraction(x, 1 + c[i]),
        "s": lambda x, i: enhance.adjust_saturation_with_gray_subtraction(x, 1 + s[i]),
        "h": lambda x, i: enhance.adjust_hue(x, 2 * torch.pi * hue[i]),
    }
    result = images.clone()
    # The six cases of `colour.orders`; brightness first, where an order leaves its place open.
    for case, order in enumerate(("bhsc", "bhcs", "bchs", "bshc", "bsch", "bcsh")):
        index = ((6 * chance["order"]).floor() == case).nonzero().squeeze(1)
        x = images[index]
        for key in order:
            x = steps[key](x, index).clamp(0, 1)
        result[index] = x
    return result


def table(report: dict) -> str:
    """The report as text."""
    lines = ["recipe     px   ours (no blur)   kornia   us an image   faster"]
    for row in report["rows"]:
        each = row["us_an_image"]
        lines.append(
            f"{row['recipe']:<9}{row['size']:>4}{each['ours']:>7.1f} "
            f"({each['ours without blur']:.1f}){each['kornia']:>12.1f}"
            f"{row['times_faster']:>20.1f}x "
            f"(middle half {row['middle_half'][0]:.1f} to {row['middle_half'][1]:.1f})"
        )
    lines.append(f"distance from kornia, {report['distances']['images']}:")
    for name, row in report["distances"]["cases"].items():
        lines.append(
            f"  {name:<40}{row['mean distance']:.4f} (moved by {row['moved by']:.4f}; "
            f"{row['share of values off by more than 0.1']:.1%} off by more than 0.1)"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, no file")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; cuda writes no file")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    seconds = 1.0 if options.quick else 20.0
    rows = [
        measure(name, size, device, seconds) for size in SIZES for name in ("simclr", "byol-one")
    ]
    images, sample = real_images(500 if options.quick else 5000)
    report = {
        **surroundings("ssl_dynamics", "torch", "kornia"),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu, one thread",
        "rows": rows,
        "distances": {"images": images, "cases": distances(sample)},
    }
    print(table(report))
    if not options.quick and device.type == "cpu":
        OUT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(f"written to {OUT}")


if __name__ == "__main__":
    main()
