"""What is done when a server of studies is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from umnist_core.labeling.service import close_services


@asynccontextmanager
async def stores_closed_at_end(app: object) -> AsyncIterator[None]:
    """Close the stores of studies when the server ends; an ASGI lifespan.

    The server then ends itself by the signal that it got, and Python does nothing more.
    """
    try:
        yield
    finally:
        await asyncio.to_thread(close_services)
