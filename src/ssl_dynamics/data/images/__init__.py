"""Images: whole sets as bytes on the device, and their augmentation in batches."""

from ssl_dynamics.data.images.archives import ARCHIVES, Archive, data_folder
from ssl_dynamics.data.images.download import DataError
from ssl_dynamics.data.images.sets import SPLITS, ImageSet, load_images

__all__ = [
    "ARCHIVES",
    "SPLITS",
    "Archive",
    "DataError",
    "ImageSet",
    "data_folder",
    "load_images",
]
