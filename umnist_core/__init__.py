"""umnist: make, view, label and model very large images with digits hidden in them."""

__version__ = "0.1.0"
