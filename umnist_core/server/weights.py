"""Weights and cards of checkpoints, streamed from the disk for somebody to save."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from umnist_core.errors import NotFoundError
from umnist_core.models.cards import WEIGHTS_SUFFIX, card_path, find_checkpoints
from umnist_core.server.web.addresses import address, mount

KINDS = ("weights", "card")
"""What of a checkpoint can be saved."""


def weights_routes() -> list[BaseRoute]:
    """Return the route of checkpoints; in a shared app it is researchers' alone."""
    return [mount("/checkpoints", [address("/{name}/{kind}", get=_save)], to_researcher=True)]


async def _save(request: Request) -> Response:
    name, kind = request.path_params["name"], request.path_params["kind"]
    path = find_checkpoints().get(name)
    if path is None or kind not in KINDS:
        raise NotFoundError(
            f"Expected the name of a checkpoint and one of {', '.join(KINDS)}, found "
            f"{name[:60]!r} and {kind[:20]!r}; open the page Models again."
        )
    found = path if kind == "weights" else card_path(path)
    if not found.is_file():
        raise NotFoundError(f"{found.name} is gone from its folder; put it back, or reload Models.")
    suffix = WEIGHTS_SUFFIX if kind == "weights" else ".json"
    # Its own name, not that of a run's file: all of those are called best.
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return FileResponse(found, filename=f"{name}{suffix}", headers=headers)
