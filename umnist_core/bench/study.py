"""How fast answers and tiles are while many people take part at once, and whether any is lost.

The server is a process of its own with a new study of full-size images in a real store. The
people are simulated (`umnist_core.simulation`): each fetches the tiles that the viewer would,
over six connections at most: of the whole image, then of each digit that it comes closer to,
and meanwhile, over two of them, all of the next image; then it posts an answer with a trace.
Each image is shown to one person of either pool, as in a study with one label, so half of the
tiles have to be made. People come with the ids of a recruiting site, answer questions before and
after, pass a gate, enter digits and confidence with each sum, and take a break. What is measured
contains the people's own work on the same machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from umnist_core.bench.durability import STORES, temporary_store
from umnist_core.bench.label_server import label_server
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.sql import open_log
from umnist_core.simulation.audit import audit
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.run import Guessing, Pace, Run, invite_people, run_people

THINK_S = 8.0
"""Mean time for an image. People take some 30 s, so the load is that of four times as many people
as are simulated."""

_ASKED = {
    "before": [
        {
            "title": "About you",
            "questions": [
                {
                    "name": "hand",
                    "kind": "choice",
                    "text": "Which hand?",
                    "options": ["left", "right"],
                },
                {
                    "name": "tools",
                    "kind": "many",
                    "text": "Which tools?",
                    "options": ["mouse", "touch"],
                },
                {"name": "age", "kind": "number", "text": "How old are you?", "low": 18},
            ],
        }
    ],
    "gate": {
        "questions": [
            {"text": "What is asked?", "options": ["the sum", "the count"], "right": "the sum"}
        ]
    },
    "after": [
        {
            "title": "At the end",
            "questions": [
                {"name": "tired", "kind": "scale", "text": "How tired are you?"},
                {"name": "more", "kind": "text", "text": "Anything else?"},
            ],
        }
    ],
}
"""What is asked beside images: a question of every kind, and one on the instructions."""


@dataclass(frozen=True)
class StoreFigures:
    """One run on one store.

    Attributes
    ----------
    answers, answers_per_s
        Answers that were acknowledged, and how many a second on average.
    tiles, tiles_per_s, tiles_per_image
        Tiles that were fetched.
    answer_p50_ms, answer_p95_ms
        From sending an answer to the whole reply, which has the next image in it.
    tile_p50_ms, tile_p95_ms
        The same of tiles, those that had to be made and those that were held.
    errors
        Replies that were no success, and lost connections.
    lost, doubled
        Acknowledged answers that are not in the store as they were sent; or there twice.
    faults
        What else was wrong in the store, a sentence each.
    seconds
        From the first person's coming to the last one's leaving.
    load_before
        Mean number of runnable processes of the machine in the minute before; anything near
        its cores says that something else ran too.
    """

    answers: int
    answers_per_s: float
    tiles: int
    tiles_per_s: float
    tiles_per_image: float
    answer_p50_ms: float
    answer_p95_ms: float
    tile_p50_ms: float
    tile_p95_ms: float
    errors: int
    lost: int
    doubled: int
    faults: tuple[str, ...]
    seconds: float
    load_before: float


@dataclass(frozen=True)
class StudyFigures:
    """All runs: sums of counts, and the worst of the times.

    Attributes
    ----------
    annotators
        People at once.
    servers
        Processes that shared the address.
    think_s
        Mean time that each took for an image.
    stores
        Store -> its own figures.
    """

    annotators: int
    servers: int
    answers: int
    answer_p50_ms: float
    answer_p95_ms: float
    tile_p95_ms: float
    errors: int
    lost: int
    think_s: float
    stores: dict[str, StoreFigures] = field(default_factory=dict)


def bench_study(
    *,
    annotators: int = 50,
    images: int = 5,
    servers: int = 1,
    think_s: float = THINK_S,
    stores: Sequence[str] = STORES,
    spec: StudySpec | None = None,
    folder: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> StudyFigures:
    """Let people take part and measure.

    Parameters
    ----------
    annotators
        How many at once.
    images
        How many each answers.
    servers
        Processes that share the address and the store.
    think_s
        Mean time for an image.
    stores
        Of `STORES`.
    spec
        Settings of the study; those of `study_spec` when None.
    folder
        Where to write; the system's folder for temporary files when None.
    progress
        Told what is being done.

    Raises
    ------
    MissingFileError
        If PostgreSQL is wanted and not installed.
    NetworkError, StoreError
        If a server does not come up.
    """
    say = progress or (lambda _: None)
    spec = spec or study_spec(annotators, images)
    load = _Load(spec, annotators, servers, Pace(think_s=think_s, start_s=think_s))
    figures = {store: _measure(store, load, folder, say) for store in stores}
    runs = list(figures.values())
    return StudyFigures(
        annotators=annotators,
        servers=servers,
        answers=sum(one.answers for one in runs),
        answer_p50_ms=max(one.answer_p50_ms for one in runs),
        answer_p95_ms=max(one.answer_p95_ms for one in runs),
        tile_p95_ms=max(one.tile_p95_ms for one in runs),
        errors=sum(one.errors for one in runs),
        lost=sum(one.lost for one in runs),
        think_s=think_s,
        stores=figures,
    )


def study_spec(annotators: int, images: int) -> StudySpec:
    """Return the settings of a study in which each image is shown to one person of either pool.

    Everything is asked that can be asked beside an image, and ids come with the links.
    """
    return StudySpec(
        name="Load",
        stimuli=max(images, -(-annotators // 2) * images),
        images_per_annotator=images,
        practice=1,
        ask_confidence=True,
        ask_digits=True,
        asking=Asking.from_dict({**_ASKED, "break_every": max(1, images - 1)}),
        recruiting=Recruiting.from_dict({"site": "prolific"}),
    )


@dataclass(frozen=True)
class _Load:
    """What each store is given."""

    spec: StudySpec
    annotators: int
    servers: int
    pace: Pace


def _measure(
    store: str, load: _Load, folder: Path | None, say: Callable[[str], None]
) -> StoreFigures:
    spec = load.spec
    with temporary_store(store, folder) as (lab, url):
        log = open_log(url)
        service = StudyService(log, lab)
        say(f"{store}: making {spec.stimuli} images")
        study = create_study(service, spec)
        people, tokens = invite_people(service, study, load.annotators, Crowd(), seed=0)
        load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        say(f"{store}: {load.annotators} people answer {spec.images_per_annotator} images each")
        with label_server(lab, url, processes=load.servers) as server:
            ids = spec.recruiting.ids if spec.recruiting else ()
            run = Run(server.origin, Guessing(), load.pace, ids)
            started = perf_counter()
            tally = run_people(run, people, tokens)
            seconds = perf_counter() - started
        outcome = audit(log, study, tally.acknowledged)
        log.close()
    answers, tiles = len(tally.acknowledged), len(tally.tile_ms)
    answer_p50_ms, answer_p95_ms = _percentiles(tally.answer_ms)
    tile_p50_ms, tile_p95_ms = _percentiles(tally.tile_ms)
    return StoreFigures(
        answers=answers,
        answers_per_s=round(answers / seconds, 2),
        tiles=tiles,
        tiles_per_s=round(tiles / seconds, 1),
        tiles_per_image=round(tiles / max(1, answers), 1),
        answer_p50_ms=answer_p50_ms,
        answer_p95_ms=answer_p95_ms,
        tile_p50_ms=tile_p50_ms,
        tile_p95_ms=tile_p95_ms,
        errors=sum(tally.troubles.values()),
        lost=outcome.lost,
        doubled=outcome.doubled,
        faults=outcome.faults,
        seconds=round(seconds, 1),
        load_before=round(load_before, 2),
    )


def _percentiles(times_ms: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile; NaN of nothing."""
    if not times_ms:
        return float("nan"), float("nan")
    low, high = np.percentile(times_ms, (50, 95))
    return round(float(low), 1), round(float(high), 1)
