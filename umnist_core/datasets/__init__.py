"""Data sets as they lie on disk: reading any, and what ours are made from.

Writing is in `umnist_core.datasets.write` and looking for damage in
`umnist_core.datasets.inspect`, apart from here because they load more.
"""

from umnist_core.datasets.file_reader import FileReader
from umnist_core.datasets.image_folder import ImageFolder, open_image_folder
from umnist_core.datasets.read import open_dataset, open_files
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.recipe import Recipe

__all__ = [
    "DatasetReader",
    "FileReader",
    "ImageFolder",
    "Recipe",
    "open_dataset",
    "open_files",
    "open_image_folder",
]
