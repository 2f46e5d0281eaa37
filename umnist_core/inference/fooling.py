"""Searches for noise that fools a model, in the background of the server. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from umnist_core.digits import load_glyphs
from umnist_core.experiments.fool import GivenAnswer, NoiseSearch, Variation, find_flip
from umnist_core.inference.background import ABANDONED_S, Background, BackgroundWork
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.scenes import SceneRef


@dataclass(frozen=True)
class FoolRequest:
    """What is searched: an image, a model, and what of the noise is changed.

    Attributes
    ----------
    checkpoint, device
        As of `umnist_core.inference.requests.PredictRequest`.
    ref
        The image.
    variation, tries
        As of `umnist_core.experiments.fool.find_flip`.
    """

    checkpoint: str
    device: str
    ref: SceneRef
    variation: Variation
    tries: int


@dataclass(eq=False)
class FoolSearch(BackgroundWork):
    """A search and how far it is; `FoolSearches` guards it.

    Attributes
    ----------
    request
        What is searched.
    tried, tries
        How many images were asked about, and how many may be; 0 until that is known.
    first
        The answer to the image itself.
    result
        What came of it.
    """

    request: FoolRequest
    tried: int = 0
    tries: int = 0
    first: GivenAnswer | None = None
    result: NoiseSearch | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for a browser."""
        first, result = self.first, self.result
        return {
            "id": self.id,
            "state": self.state,
            "version": self.version,
            "checkpoint": self.request.checkpoint,
            "tried": self.tried,
            "tries": self.tries or self.request.tries,
            "elapsed_s": round(self.took_s, 2),
            "answer": None if first is None else list(first.answer),
            "is_right": None if first is None or first.truth is None else first.is_right,
            "sentence": "" if result is None else result.sentence,
            "found": None if result is None else result.query,
            "error": self.error or None,
        }


class FoolSearches(Background[FoolSearch]):
    """Begins searches, and keeps what they came to; thread-safe.

    Parameters
    ----------
    pool, abandoned_s
        As of `Background`.
    """

    def __init__(
        self, pool: Callable[[], InferencePool], *, abandoned_s: float = ABANDONED_S
    ) -> None:
        super().__init__(pool, ("search", "searches", "search again"), abandoned_s)

    def begin(self, viewer: str, request: FoolRequest) -> dict[str, Any]:
        """Begin a search; another one of the same viewer ends.

        Raises
        ------
        BusyError
            If too many run already.
        """
        return self.start(FoolSearch(viewer, request), self._search)

    def _search(self, search: FoolSearch) -> None:
        asked = search.request

        def note(tried: int, tries: int, first: GivenAnswer) -> None:
            with self.lock:
                search.tried, search.tries, search.first = tried, tries, first
                self.changed(search)

        result = find_flip(
            asked.ref,
            lambda ref, until: self._answer(search, ref, until),
            load_glyphs(),
            variation=asked.variation,
            tries=asked.tries,
            on_tried=note,
        )
        with self.lock:
            search.result = result

    def _answer(self, search: FoolSearch, ref: SceneRef, until: float) -> GivenAnswer:
        scene, asked = ref.plan(load_glyphs()), search.request
        request = PredictRequest(asked.checkpoint, asked.device, SceneImage(ref))
        task = self.ask(search, request, scene.height * scene.width, until)["tasks"][0]
        truth = None if task["truth"] is None else tuple(task["truth"])
        return GivenAnswer(tuple(task["answer"]), truth)
