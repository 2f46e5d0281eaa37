"""Data sets as they lie on disk."""

from umnist_core.datasets.image_folder import ImageFolder, open_image_folder

__all__ = ["ImageFolder", "open_image_folder"]
