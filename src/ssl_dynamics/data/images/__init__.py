"""Images: whole sets as bytes on the device, and their augmentation in batches."""

from ssl_dynamics.data.images.archives import ARCHIVES, Archive, data_folder
from ssl_dynamics.data.images.augment import augment, standardise
from ssl_dynamics.data.images.download import DataError
from ssl_dynamics.data.images.recipes import (
    BYOL_ONE,
    BYOL_TWO,
    RECIPES,
    SIMCLR,
    SIMSIAM,
    Recipe,
    pair,
    recipe,
)
from ssl_dynamics.data.images.sets import SPLITS, ImageSet, load_images

__all__ = [
    "ARCHIVES",
    "BYOL_ONE",
    "BYOL_TWO",
    "RECIPES",
    "SIMCLR",
    "SIMSIAM",
    "SPLITS",
    "Archive",
    "DataError",
    "ImageSet",
    "Recipe",
    "augment",
    "data_folder",
    "load_images",
    "pair",
    "recipe",
    "standardise",
]
