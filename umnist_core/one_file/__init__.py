"""An image, its truth and what models make of it as one HTML file, which needs no server."""

from umnist_core.one_file.page import MAX_PX, PageImage, PageModels, make_page

__all__ = ["MAX_PX", "PageImage", "PageModels", "make_page"]
