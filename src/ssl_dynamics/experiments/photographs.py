r"""Without negatives on photographs: predictors side by side, and targets side by side.

Two questions, each answered under equal terms: the same images in the same order, views, starting
weights, heads, optimiser, rate and decay; only what is asked about differs.

*predictors*: BYOL's loss with a linear predictor that is trained (``linear``), DirectPred's
(``directpred``), and one of two layers (``two layers``), each with a target that follows slowly
(``ema``) or the online network itself (``online``). Terms: the released code of DirectPred
(Tian et al. 2021): plain SGD at 0.03 for 128 images, constant, decay 4e-4.

*targets*: the loss against the output at the mean view (``mean``) or at the other view (``pair``),
with stop-gradient on the target, with and without a predictor of two layers before the loss;
``pair+predictor+stop`` is SimSiam. Terms: solo-learn's file for SimSiam on CIFAR: SGD at 0.5 for
256 images, a tenth of the run as warm-up, then a cosine, decay 1e-5; a constant rate for the
predictor. Outputs end in BatchNorm. The mean view of a training image is estimated once, as the
mean of `draws` views; ``mean_view_error`` says how far it is off.

Every condition runs on scikit-learn's digits as well, which need no download.

Runs on all of CIFAR-100 (records ``targets-cifar100``, ``predictors-cifar100``): 2 epochs, 3 seeds,
bf16, 20 neighbours among all training images. Predicates, declared before any of them and equal to
those of the small records: ``mean+stop`` ends with an effective rank below 8, and within 2 of
``pair+stop``; a predictor lifts the rank of either target by more than 2; DirectPred with ``ema``
keeps more spread than a trained linear predictor by more than 0.1, and the higher rank.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data import generator
from ssl_dynamics.data.images import Recipe, augment
from ssl_dynamics.experiments import pretrain
from ssl_dynamics.experiments.provenance import finished
from ssl_dynamics.records import Record
from ssl_dynamics.training import shard, tuned
from ssl_dynamics.training.images import ImageConfig, RunImages, pixel_baseline, run_images
from ssl_dynamics.training.settings import at_least, one_of, some_of

NAME = "photographs"

_BYOL_HEADS = ("projector=[512,128]", "affine=false")
_SIMSIAM_HEADS = ("projector=[512,512]",)
_PREDICTORS = {"linear": "predictor=[]", "two layers": "predictor=[512]", "directpred": ""}
_TARGETS = {"mean": "mean_view", "pair": "simsiam"}
QUESTIONS: dict[str, tuple[str, ...]] = {
    "predictors": ("linear/ema", "directpred/ema", "two layers/ema", "linear/online",
                   "directpred/online"),
    "targets": tuple(f"{t}{p}+stop" for p in ("", "+predictor") for t in _TARGETS),
}  # fmt: skip
"""The conditions of each question, by name."""
TERMS: dict[str, dict] = {
    "predictors": {
        "optimiser": "sgd", "lr": 0.06, "momentum": 0.9, "weight_decay": 4e-4, "decay_all": True,
        "warmup": 0.0, "schedule": "constant", "recipe": "simclr",
    },
    "targets": {
        "optimiser": "sgd", "lr": 0.5, "momentum": 0.9, "weight_decay": 1e-5, "decay_all": True,
        "schedule": "cosine", "recipe": "simsiam",
    },
}  # fmt: skip
"""What the conditions of a question share; `lr` is for 256 images."""
DATASETS = {
    "digits": {"encoder": "tiny", "recipe": "digits", "images": 0, "bank": 0, "test": 0},
    "cifar10": {},
    "cifar100": {},
}
"""What a data set changes: digits are small and few."""


@dataclass(frozen=True)
class Config:
    """Settings, the same for every condition."""

    question: str = "predictors"
    """predictors or targets."""
    seeds: int = field(default=3, metadata={"help": "number of seeds, one after another"})
    device: str = field(default="auto", metadata={"help": "auto, cpu or cuda"})
    name: str = field(default="predictors", metadata={"help": "name of the record"})
    first_seed: int = 0
    """The first of the seeds."""
    conditions: tuple[str, ...] = ()
    """Those of the question to run, all by default."""
    datasets: tuple[str, ...] = ("digits", "cifar100")
    """digits, cifar10, cifar100."""
    epochs: int = 4
    eval_every: int = 4
    """Epochs between evaluations."""
    batch: int = 128
    ema: float = 0.99
    """Rate of a target that follows, constant."""
    draws: int = 64
    """Views of which the mean view is the mean."""
    encoder: str = "small"
    """On photographs: small, resnet18, or res-L-H."""
    images: int = 4000
    """Train on that many photographs, a fixed draw; 0 for all."""
    bank: int = 2000
    """Labelled photographs for neighbours and probe; 0 for all."""
    test: int = 2000
    """Test photographs; 0 for all."""
    precision: str = "auto"
    """float32, bf16, or auto: bf16 on a GPU."""

    def __post_init__(self) -> None:
        one_of("question", self.question, tuple(QUESTIONS))
        some_of("conditions", self.asked, QUESTIONS[self.question])
        some_of("datasets", self.datasets, tuple(DATASETS))
        at_least(self, 1, "seeds")
        at_least(self, 0, "first_seed")
        at_least(self, 2, "draws")
        for dataset in self.datasets:
            for condition in self.asked:
                self.image(dataset, condition)

    @property
    def asked(self) -> tuple[str, ...]:
        """The conditions that run."""
        return self.conditions or QUESTIONS[self.question]

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def image(self, dataset: str, condition: str) -> ImageConfig:
        """The run of one condition on one data set."""
        same = ("epochs", "eval_every", "batch", "encoder", "images", "bank", "test", "precision")
        fields = {name: getattr(self, name) for name in same} | TERMS[self.question]
        return ImageConfig(
            dataset=dataset, **self.method(condition), **(fields | DATASETS[dataset])
        )

    def method(self, condition: str) -> dict:
        """The method of a condition and its options."""
        if self.question == "targets":
            target = condition.partition("+")[0]
            hidden = "[128]" if "predictor" in condition else "null"
            return {
                "method": _TARGETS[target],
                "options": (*_SIMSIAM_HEADS, f"predictor={hidden}"),
            }
        predictor, _, target = condition.partition("/")
        rate = self.ema if target == "ema" else 0.0
        option = _PREDICTORS[predictor]
        return {
            "method": "byol" if option else "directpred",
            "options": (
                *_BYOL_HEADS, *((option,) if option else ()), f"rate={rate}", f"rate_end={rate}"
            ),
        }  # fmt: skip


def mean_views(images: Tensor, recipe: Recipe, draws: int) -> tuple[Tensor, float]:
    r"""Mean of `draws` views of each image [N, 3, H, W], and how far it is off.

    The error is :math:`\sqrt{E|m - \bar x|^2}` over :math:`\sqrt{E|\bar x - E\bar x|^2}`, where m
    is the estimate and x̄ the mean over all views: the first from the variance among the draws
    divided by their number, the second that of the estimates less the first.
    """
    total, squares = (torch.zeros(images.shape, device=images.device) for _ in range(2))
    for number in range(draws):
        seed = int(generator(0, "images/mean-view", number).integers(2**63))
        view = augment(images, recipe, torch.Generator().manual_seed(seed))
        total += view
        squares += view**2
    mean = total / draws
    off = ((squares / draws - mean**2) / (draws - 1)).flatten(1).sum(1).double().mean()
    among = (mean - mean.mean(0)).flatten(1).pow(2).sum(1).double().mean() - off
    return mean, float((off / among.clamp_min(1e-12)).sqrt())


def run(
    config: Config, *, progress: bool = True, checkpoint_dir: str | Path | None = None
) -> Record:
    """Every condition on every data set; metrics ``dataset/condition/metric``, [S, T].

    ``dataset/knn_pixels`` [S] is the vote of the nearest neighbours by pixels; the untrained
    network is what every condition has at epoch 0.
    """
    start = time.perf_counter()
    device = shard.device_for(config.device)
    metrics: dict[str, np.ndarray] = {}
    files: dict[str, str] = {}
    for dataset in config.datasets:
        first = config.image(dataset, config.asked[0])
        images = run_images(first, device)
        files |= images.checksums
        with tuned(pretrain.MULTIPLICATIONS):
            pixels = pixel_baseline(images, first.neighbours)
        metrics[f"{dataset}/knn_pixels"] = np.full(config.seeds, pixels)
        if config.question == "targets":
            images, error = with_means(images, config.draws)
            metrics[f"{dataset}/mean_view_error"] = np.full(config.seeds, error)
        for condition in config.asked:
            found = pretrain.curves(
                config.image(dataset, condition),
                config.seed_list,
                images,
                device=device,
                progress=progress,
                checkpoint_dir=checkpoint_dir,
            )
            metrics |= {
                f"{dataset}/{condition}/{name}": values
                for name, values in found.items()
                if not name.startswith("spectrum")
            }
    return finished(
        NAME,
        config,
        config.seed_list,
        metrics,
        axes={"epoch": list(first.eval_epochs), "probe_epoch": list(first.probe_epochs)},
        device=str(device),
        wall_s=time.perf_counter() - start,
        files=files,
    )


def with_means(images: RunImages, draws: int) -> tuple[RunImages, float]:
    """The images with their mean views where the labels of training were, and the error.

    No method here reads the labels of training images; `methods.MeanView` takes the mean views
    in their place, `SimSiam` passes them by.
    """
    means, error = mean_views(images.train, images.recipes[0], draws)
    return dataclasses.replace(images, train_labels=means), error


_COMPARED = ("effective_rank", "spread", "knn")
SLICES = [
    {
        "record": record,
        "config": {"datasets": ("digits",), "conditions": (condition,)},
        "metrics": [f"digits/{condition}/{name}" for name in _COMPARED],
    }
    for record, condition in {
        "predictors": "directpred/ema",
        "online": "directpred/online",
        "targets": "mean+predictor+stop",
        "again": "pair+stop",
    }.items()
]
"""What the tests run again beside the committed record: its part on digits, by the same code."""

ONCE = ("targets-cifar100", "predictors-cifar100")
"""Records on all of CIFAR-100, which the tests cannot fetch."""
