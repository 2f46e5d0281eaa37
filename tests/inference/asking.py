"""What tests of predictions share: settings, requests, and waiting for what comes of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from umnist_core.inference.jobs import ENDED
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.scenes import SceneRef
from umnist_core.settings import Settings, load_settings

QUICK, SLOW = "additive-pyramid", "digit-finder"
"""Two of the shipped checkpoints: on a large image the second takes a second or more."""

PATIENCE_S = 120
"""A test that waits longer hangs, whatever the machine."""


def settings_with(**environment: str) -> Settings:
    """Return the settings of the tests, with changed variables of the environment."""
    return load_settings({**os.environ, **environment})


def small_image(seed: int = 1) -> SceneImage:
    """Return a scene of 512 x 512 px."""
    return SceneImage(SceneRef("released", seed, overrides=(("canvas", "512"),)))


def large_image(seed: int = 1) -> SceneImage:
    """Return a scene of 4000 x 4000 px."""
    return SceneImage(SceneRef("released", seed))


def quick(seed: int = 1, device: str = "cpu") -> PredictRequest:
    """Return a request that is answered soon."""
    return PredictRequest(QUICK, device, small_image(seed))


def slow(seed: int = 1) -> PredictRequest:
    """Return a request that takes a second or more."""
    return PredictRequest(SLOW, "cpu", large_image(seed))


class Viewer:
    """Asks a pool as one viewer does.

    Parameters
    ----------
    pool
        Who answers.
    name
        Of the viewer.
    """

    def __init__(self, pool: InferencePool, name: str = "viewer") -> None:
        self.pool = pool
        self.name = name
        self.turn = 0

    def other(self, name: str) -> Viewer:
        """Return somebody else who looks at the same time."""
        return Viewer(self.pool, f"{self.name}-{name}")

    def ask(self, request: PredictRequest, slot: str = "a", turn: int | None = None) -> str:
        """Ask, in the next turn unless it is given; return the job's id."""
        return str(self.submit(request, slot, turn)["id"])

    def submit(
        self, request: PredictRequest, slot: str = "a", turn: int | None = None
    ) -> dict[str, Any]:
        """Ask, and return the job."""
        self.turn = self.turn + 1 if turn is None else turn
        return self.pool.submit(self.name, slot, self.turn, request, 16_000_000)

    def until(self, job_id: str, *states: str) -> dict[str, Any]:
        """Wait until a job is in one of some states, by default one in which it stays."""
        wanted = states or tuple(ENDED)
        wait_for(lambda: self.pool.get(job_id)["state"] in (*wanted, *ENDED))
        return self.pool.get(job_id)

    def until_running(self, job_id: str) -> None:
        """Wait until the model of a job has begun."""
        job = self.until(job_id, "running")
        assert job["state"] == "running", job

    def until_free(self) -> None:
        """Wait until the CPU has nothing to do and nothing waits for it."""
        wait_for(lambda: not (self.cpu()["queue"] or self.cpu()["busy"]))

    def cpu(self) -> dict[str, Any]:
        """Return what the CPU does."""
        return next(one for one in self.pool.status() if one["key"] == "cpu")


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "Waited in vain."
        time.sleep(0.01)
