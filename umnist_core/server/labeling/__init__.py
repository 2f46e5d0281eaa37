"""ASGI routes of studies: joining, answering, and the tiles of frozen stimuli.

Annotators reach nothing else (`umnist_core.server.gate`), and nothing here reads truth but of
answers that their giver is told: to practise, or in a study of oneself.
"""

from umnist_core.server.labeling.routes import create_label_app, label_routes

__all__ = ["create_label_app", "label_routes"]
