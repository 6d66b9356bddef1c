"""Training on images: one loop for every method, resumable, on a CPU, a GPU or many."""

from ssl_dynamics.training.images.config import ImageConfig
from ssl_dynamics.training.images.evaluate import encoded, evaluate, pixel_baseline, shares
from ssl_dynamics.training.images.levels import Level, Levels, sample_level
from ssl_dynamics.training.images.loop import Also, pretrain
from ssl_dynamics.training.images.optim import Optimiser
from ssl_dynamics.training.images.readings import Inputs, layers
from ssl_dynamics.training.images.run import ImageRun
from ssl_dynamics.training.images.schedules import half_cosine, warmup_cosine
from ssl_dynamics.training.images.sets import RunImages, run_images

__all__ = [
    "Also",
    "ImageConfig",
    "ImageRun",
    "Inputs",
    "Level",
    "Levels",
    "Optimiser",
    "RunImages",
    "encoded",
    "evaluate",
    "half_cosine",
    "layers",
    "pixel_baseline",
    "pretrain",
    "run_images",
    "sample_level",
    "shares",
    "warmup_cosine",
]
