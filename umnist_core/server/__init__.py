"""ASGI routes: tiles, downloads, the viewer's files, health. No pages."""

from umnist_core.server.routes import create_tile_app, tile_routes
from umnist_core.server.tiles import TileService

__all__ = ["TileService", "create_tile_app", "tile_routes"]
