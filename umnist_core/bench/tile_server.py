"""The server that measurements ask, in a process of its own."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.errors import NetworkError
from umnist_core.pyramid import PyramidGrid
from umnist_core.server import TileService, tile_routes

_GRID = PyramidGrid(4000, 4000)
_START_TIMEOUT_S = 60


def tile_addresses() -> list[tuple[int, int, int]]:
    """Return (level, column, row) of every tile of a 4000 x 4000 image."""
    addresses = []
    for level in range(_GRID.max_level + 1):
        rows, cols = _GRID.tile_counts(level)
        addresses += [(level, col, row) for row in range(rows) for col in range(cols)]
    return addresses


def create_bench_app() -> Starlette:
    """Return the tile routes and ``/bench/static/N``, a plain route to the N-th tile's bytes."""
    service = TileService()
    bodies = [
        service.reply(f"/scene_files/{level}/{col}_{row}.png", "seed=0").body
        for level, col, row in tile_addresses()
    ]

    async def static(request: Request) -> Response:
        return Response(bodies[request.path_params["number"]], media_type="image/png")

    return Starlette(routes=[Route("/bench/static/{number:int}", static), *tile_routes(service)])


@contextmanager
def bench_server(make_app: Callable[[], Starlette] = create_bench_app) -> Iterator[int]:
    """Run a server in another process and yield its port on 127.0.0.1.

    Parameters
    ----------
    make_app
        A function of a module, called in that process.

    Raises
    ------
    NetworkError
        If it does not come up.
    """
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_serve, args=(theirs, make_app), daemon=True)
    process.start()
    try:
        if not ours.poll(_START_TIMEOUT_S):
            raise NetworkError(
                f"The server did not start within {_START_TIMEOUT_S} s; look at what it printed."
            )
        yield ours.recv()
    finally:
        process.terminate()
        process.join()
        ours.close()
        theirs.close()


def _serve(port_to: Connection, make_app: Callable[[], Starlette]) -> None:
    app = make_app()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port_to.send(listener.getsockname()[1])
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
