"""Time and memory of the clustering measures at full size: 50 000 features of 512, 500 classes.

    python benchmarks/clustering.py [--quick] [--device cuda]

Nearest centre against scikit-learn's NearestCentroid on the same input (equal predictions), the
mean CDNV against NumPy loops over pairs of classes (equal to 1e-5), one that reads like the
definition and one that takes the moments of each class once, all float32; then the directional
CDNV, and several epochs at once. On a CPU all run on one thread, in turn, and processor
time is counted. Writes results/benchmarks/clustering.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from machine import surroundings
from sklearn.neighbors import NearestCentroid
from torch import Tensor

from ssl_dynamics.measures import (
    cdnv,
    class_means,
    classes_of,
    directional_cdnv,
    nearest_centres,
    over_pairs,
)

OUT = Path(__file__).parents[1] / "results" / "benchmarks" / "clustering.json"
EPOCHS = 4
"""Epochs measured at once in the last rows."""
LITERAL = 200
"""Pairs of classes of the loop that reads like the definition; its time is scaled to all pairs."""


def clouds(rows: int, width: int, classes: int) -> tuple[Tensor, Tensor]:
    """Features [EPOCHS, N, d] float32 around class means that overlap, and labels [N]."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randperm(rows, generator=g) % classes
    centres = 0.2 * torch.randn(EPOCHS, classes, width, generator=g)
    return centres[:, labels] + torch.randn(EPOCHS, rows, width, generator=g), labels


def loop_over_pairs(features: np.ndarray, labels: np.ndarray) -> float:
    """The mean CDNV, one pair of classes at a time; class moments are computed once."""
    classes = int(labels.max()) + 1
    each = [features[labels == c] for c in range(classes)]
    mean = [x.mean(0) for x in each]
    variance = [float(((x - m) ** 2).sum(1).mean()) for x, m in zip(each, mean, strict=True)]
    total = 0.0
    for a in range(classes):
        for b in range(a):
            gap = mean[a] - mean[b]
            total += (variance[a] + variance[b]) / (2 * float(gap @ gap))
    return total / (classes * (classes - 1) / 2)


def literal_loop(features: np.ndarray, labels: np.ndarray, pairs: int) -> float:
    """The sum over the first pairs of classes as the definition reads, moments anew in each."""
    classes, total, done = int(labels.max()) + 1, 0.0, 0
    for a in range(classes):
        for b in range(a):
            one, two = features[labels == a], features[labels == b]
            gap = one.mean(0) - two.mean(0)
            total += float((one.var(0).sum() + two.var(0).sum()) / (2 * (gap @ gap)))
            done += 1
            if done == pairs:
                return total
    return total


def seconds(works: dict[str, Callable[[], object]], repeats: int, gpu: bool) -> dict[str, float]:
    """Median seconds of a call of each, made in turn after one that is not counted."""
    clock = time.perf_counter if gpu else time.process_time
    found: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            start = clock()
            work()
            if gpu:
                torch.cuda.synchronize()
            if turn:
                found[name].append(clock() - start)
    return {name: median(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one repeat")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(1)
    rows, width, classes = (5000, 512, 50) if options.quick else (50_000, 512, 500)
    several, labels = clouds(rows, width, classes)
    x, y = several[0].numpy(), labels.numpy()
    several, labels = several.to(device), labels.to(device)
    one = several[:1]
    found = classes_of(one, labels)
    theirs = NearestCentroid().fit(x, y)

    ours_says = nearest_centres(one, found.mean)[0].cpu().numpy()
    agree = float((ours_says == theirs.predict(x)).mean())
    value, expected = over_pairs(cdnv(found)).item(), loop_over_pairs(x, y)
    works: dict[str, Callable[[], object]] = {
        "ncc_fit": lambda: class_means(one, labels),
        "ncc_fit_scikit_learn": lambda: NearestCentroid().fit(x, y),
        "ncc_predict": lambda: nearest_centres(one, found.mean),
        "ncc_predict_scikit_learn": lambda: theirs.predict(x),
        "cdnv": lambda: over_pairs(cdnv(classes_of(one, labels))),
        "cdnv_loop": lambda: loop_over_pairs(x, y),
        "cdnv_literal_loop": lambda: literal_loop(x, y, LITERAL),
        "directional_cdnv": lambda: over_pairs(directional_cdnv(one, labels, found)),
        "product": lambda: one[0] @ found.mean[0].mT,
        "ncc_epochs": lambda: nearest_centres(several, class_means(several, labels)),
    }
    times = seconds(works, 1 if options.quick else 5, device.type == "cuda")
    times["cdnv_literal_loop"] *= classes * (classes - 1) / 2 / LITERAL
    ours, scikit = (
        times[f"ncc_fit{who}"] + times[f"ncc_predict{who}"] for who in ("", "_scikit_learn")
    )
    report = {
        **surroundings("ssl_dynamics", "torch", "numpy"),
        "device": str(device),
        "clock": "wall time" if device.type == "cuda" else "processor time, one thread",
        "rows": rows,
        "width": width,
        "classes": classes,
        "seconds": times,
        "equal_predictions": agree,
        "cdnv_relative_difference": abs(value / expected - 1),
        "ncc_speed_up": scikit / ours,
        "ncc_predict_speed_up": times["ncc_predict_scikit_learn"] / times["ncc_predict"],
        "cdnv_speed_up": times["cdnv_loop"] / times["cdnv"],
        "cdnv_literal_speed_up": times["cdnv_literal_loop"] / times["cdnv"],
        "ncc_predict_over_product": times["ncc_predict"] / times["product"],
        "epochs_at_once": EPOCHS,
        "seconds_per_epoch": times["ncc_epochs"] / EPOCHS,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "features_mib": several.numel() * 4 / 2**20,
    }
    print(json.dumps(report, indent=2))
    if not options.quick:
        OUT.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
