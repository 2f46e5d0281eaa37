"""ASGI routes of predictions: asking, waiting, cancelling, and attention as tiles and files."""

from umnist_core.server.inference.routes import inference_routes

__all__ = ["inference_routes"]
