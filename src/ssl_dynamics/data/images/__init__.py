"""Images: whole sets as bytes on the device, and their augmentation in batches."""

from ssl_dynamics.data.images.archives import ARCHIVES, Archive, data_folder
from ssl_dynamics.data.images.augment import augment, standardise
from ssl_dynamics.data.images.download import DataError
from ssl_dynamics.data.images.factors import FactorWorld, resample_nuisance
from ssl_dynamics.data.images.recipes import (
    BYOL_ONE,
    BYOL_TWO,
    RECIPES,
    SIMCLR,
    SIMSIAM,
    VICREG,
    Recipe,
    pair,
    recipe,
)
from ssl_dynamics.data.images.sets import SPLITS, ImageSet, factor_images, load_images

__all__ = [
    "ARCHIVES",
    "BYOL_ONE",
    "BYOL_TWO",
    "RECIPES",
    "SIMCLR",
    "SIMSIAM",
    "SPLITS",
    "VICREG",
    "Archive",
    "DataError",
    "FactorWorld",
    "ImageSet",
    "Recipe",
    "augment",
    "data_folder",
    "factor_images",
    "load_images",
    "pair",
    "recipe",
    "resample_nuisance",
    "standardise",
]
