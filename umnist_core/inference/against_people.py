"""A model's answers to the images of a study: to the whole of each, and to what people saw of it.

The rows are those of `umnist predict`, with how the model's attention compares with where people
looked, and pair with people's answers by the hash of the image's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from umnist_core.attention.dwell import compare_with_dwell
from umnist_core.errors import UmnistError
from umnist_core.experiments.people.data import ImageFacts, PeopleData
from umnist_core.experiments.people.looking import Grid, gaze_grid
from umnist_core.experiments.people.predictions import PERSON, PIXELS
from umnist_core.files import write_whole
from umnist_core.inference import report
from umnist_core.inference.requests import FileImage, PredictRequest
from umnist_core.pyramid.encode import encode_png
from umnist_core.pyramid.files import file_source
from umnist_core.pyramid.pixel_hash import find_pixel_hash
from umnist_core.pyramid.seen import seen_source
from umnist_core.scoring.looking import Views

if TYPE_CHECKING:  # the module itself has torch
    from umnist_core.inference.prediction import Prediction
    from umnist_core.inference.predictor import Predictor

Row = dict[str, Any]


@dataclass(frozen=True)
class StudyRun:
    """One model and the images of one study.

    Attributes
    ----------
    predictor, checkpoint
        What answers.
    people
        Of the study.
    paths
        Image -> its file.
    as_seen
        Whether the model also answers to what each person saw.
    """

    predictor: Predictor
    checkpoint: str
    people: PeopleData
    paths: Mapping[str, Path]
    as_seen: bool = False

    @property
    def steps(self) -> int:
        """How many answers there will be."""
        return len(self._answered()) + (len(self._traced()) if self.as_seen else 0)

    def rows(self, progress: Callable[[], None] | None = None) -> Iterator[Row]:
        """Yield a row for each answer: whole images first, then what people saw of them.

        An image that fails has the reason in its row, and the others go on.
        """
        self.predictor.load(self.checkpoint)  # without the model no image is tried
        steps = [self._whole(image) for image in self._answered()]
        for step in (*steps, *self._seen()):
            yield step()
            if progress is not None:
                progress()

    def _answered(self) -> list[str]:
        names = dict.fromkeys(map(str, self.people.answers["stimulus"]))
        return [name for name in names if name in self.paths]

    def _traced(self) -> list[Row]:
        rows = self.people.answers.to_dict("records")
        return [
            {str(name): value for name, value in row.items()}
            for row in rows
            if row["label_key"] in self.people.traces and row["stimulus"] in self.paths
        ]

    def _whole(self, image: str) -> Callable[[], Row]:
        def answer() -> Row:
            facts = self.people.images[image]
            return self._row(facts, self.paths[image], "", self._gaze(facts))

        return answer

    def _seen(self) -> Iterator[Callable[[], Row]]:
        if not self.as_seen:
            return
        for row in self._traced():
            yield lambda row=row: self._through(row)  # type: ignore[misc]

    def _through(self, row: Row) -> Row:
        """Return the row of what one person saw of one image."""
        image = str(row["stimulus"])
        density = float(row.get("device_px_per_css_px") or 0.0)
        views = Views.from_parts(self.people.traces[row["label_key"]])
        source = file_source(self.paths[image], frozen=True)
        seen = seen_source(source, views, density if density > 0 else 1.0)  # NaN is not above 0
        with TemporaryDirectory(prefix="umnist-") as folder:
            path = Path(folder) / "seen.png"
            write_whole(path, encode_png(seen.read_whole()), private=True)
            return self._row(self.people.images[image], path, str(row["annotator"]), None)

    def _row(self, facts: ImageFacts, path: Path, person: str, gaze: Grid | None) -> Row:
        about: Row = {"model": self.checkpoint, PERSON: person, PIXELS: self._pixels(facts)}
        request = PredictRequest(self.checkpoint, "auto", FileImage(str(path), is_frozen=True))
        try:
            found = report.with_sum(self.predictor.predict(request), facts.truth)
        except UmnistError as error:
            return {**report.failure_row(facts.id, error, facts.truth), **about}
        return {**report.prediction_row(facts.id, found), **about, **_compared(found, gaze)}

    def _pixels(self, facts: ImageFacts) -> str | None:
        if facts.pixels is not None:
            return facts.pixels
        return find_pixel_hash(file_source(self.paths[facts.id], frozen=True))

    def _gaze(self, facts: ImageFacts) -> Grid | None:
        own = self.people.answers[self.people.answers["stimulus"] == facts.id]
        traces = [self.people.traces[key] for key in own["label_key"] if key in self.people.traces]
        return gaze_grid(traces, facts.size) if traces and facts.size is not None else None


def _compared(found: Prediction, gaze: Grid | None) -> Row:
    """Return how attention compares with gaze, where both are known."""
    if found.attention is None or gaze is None:
        return {}
    one = compare_with_dwell(found.attention, gaze)
    correlation = "" if isnan(one.correlation) else f"{one.correlation:.6f}"
    return {"gaze_similarity": f"{one.similarity:.6f}", "gaze_correlation": correlation}
