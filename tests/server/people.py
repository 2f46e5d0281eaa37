"""People who label over HTTP, as a browser would, and who keep all that they receive."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx

from tests.labeling.making import new_key
from umnist_core.pyramid import PyramidGrid

JSON = {"content-type": "application/json"}


class Person:
    """A browser with cookies of its own.

    Parameters
    ----------
    base_url
        Of a server with the label routes.

    Attributes
    ----------
    received
        Every answer so far.
    study
        Id of the study, after `join`.
    """

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(
            base_url=base_url, timeout=60, event_hooks={"response": [self._keep]}
        )
        self.received: list[httpx.Response] = []
        self.study = ""

    def __enter__(self) -> Person:
        """Return the person."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.http.close()

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        self.received.append(response)

    def join(self, token: str | None) -> httpx.Response:
        """Open a link."""
        response = self.http.post(f"/join/{token}", json={})
        if response.status_code == 200:
            self.study = response.json()["to"].removeprefix("/label/")
        return response

    def state(self) -> Any:
        """Ask where the person stands."""
        response = self.http.get(f"/label/{self.study}/api/state")
        assert response.status_code == 200, response.text
        return response.json()

    def send(self, name: str, body: object, **more: Any) -> httpx.Response:
        """Post to an address of the interface."""
        return self.http.post(f"/label/{self.study}/api/{name}", json=body, **more)

    def begin(self, *, look: bool = False) -> Any:
        """Agree, read the instructions, practise; return the state at the first trial.

        With ``look`` every tile of the images to practise on is fetched too.
        """
        self.send("consent", {"key": new_key()})
        state = self.send("begin", {"key": new_key()}).json()["state"]
        while state["phase"] == "practice":
            if look:
                self.look(state["practice"]["image"])
            body = {"key": new_key(), "practice": state["practice"]["id"], "answer": 3}
            state = self.send("practice", body).json()["state"]
        return state

    def answer(self, state: Any, answer: int = 9, key: str | None = None) -> httpx.Response:
        """Answer the open image."""
        return self.send("answers", answer_body(state["trial"]["assignment"], answer, key))

    def look(self, image: Any) -> list[httpx.Response]:
        """Fetch the descriptor and every tile of an image."""
        return [self.http.get(address) for address in addresses(image)]


def addresses(image: Any) -> Iterator[str]:
    """Yield the addresses of an image: its descriptor, and all of its tiles."""
    yield image["dzi"]
    grid = PyramidGrid(image["height"], image["width"])
    stem = image["dzi"].removesuffix(".dzi")
    for level in range(grid.max_level + 1):
        rows, cols = grid.tile_counts(level)
        for row in range(rows):
            for col in range(cols):
                yield f"{stem}_files/{level}/{col}_{row}.png"


def answer_body(assignment: str, answer: int = 9, key: str | None = None) -> dict[str, Any]:
    """Return an answer as a browser sends it."""
    sample = {"t": 0, "x": 256, "y": 256, "zoom": 1.5, "w": 700, "h": 500, "visible": True}
    response = {
        "response_ms": 5000.5,
        "active_ms": 4000,
        "idle_ms": 1000.5,
        "hidden_ms": 0,
        "first_drawn_ms": 120,
        "edits": 1,
        "queued_ms": 0,
        "submitted_utc": "2026-01-01T00:00:00.000Z",
        "parts": [{"samples": [sample], "end_ms": 5000}],
        "device": {"screen": [1400, 900], "dpr": 1, "touch": False},
    }
    return {
        "key": key or new_key(),
        "assignment": assignment,
        "answer": answer,
        "confidence": None,
        "digits": None,
        "response": response,
    }
