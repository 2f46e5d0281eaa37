"""A whole simulated study: people of known skill, and what their answers say of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import uvicorn
from starlette.types import ASGIApp

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.events import SIMULATED
from umnist_core.labeling.people import is_labelled
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import Annotator
from umnist_core.scoring.clustering import Clustering, measure_clustering
from umnist_core.scoring.intervals import Interval, annotator_interval
from umnist_core.server.labeling import create_label_app
from umnist_core.simulation.client import Tally
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.run import Knowing, Pace, Run, invite_people, run_people


@dataclass(frozen=True)
class PoolResult:
    """What was intended for a pool, and what its answers in the store say.

    Attributes
    ----------
    pool
        Its name.
    people, labels
        Who gave labels, and how many there are.
    intended_accuracy, intended_icc
        Of the crowd, over the images of the study.
    accuracy
        Measured, with the interval that holds for clustered answers.
    clustering
        Measured.
    """

    pool: str
    people: int
    labels: int
    intended_accuracy: float
    intended_icc: float
    accuracy: Interval
    clustering: Clustering


@dataclass(frozen=True)
class SimulationReport:
    """A simulated study.

    Attributes
    ----------
    pools
        A result for each pool.
    answers
        Answers of this run that the server has said are saved.
    reasons
        Reason -> answers, of this run.
    troubles
        As of `Tally`.
    seconds
        How long it took.
    """

    pools: tuple[PoolResult, ...]
    answers: int
    reasons: Mapping[str, int]
    troubles: Mapping[str, int]
    seconds: float


def simulate(
    service: StudyService,
    study: str,
    *,
    annotators: int,
    crowd: Crowd,
    seed: int = 0,
    origin: str | None = None,
    pace: Pace | None = None,
    progress: Callable[[Tally], None] | None = None,
) -> SimulationReport:
    """Let simulated people take part in a study over HTTP, and measure what they gave.

    Parameters
    ----------
    service
        The store that the study is in; links are made and truth is read here.
    study
        Id of the study.
    annotators
        How many people.
    crowd
        What they are like.
    seed
        Of the people and all that they do.
    origin
        Of a server of the same store; one is run for the simulation when None.
    pace
        How fast they are.
    progress
        Told of the run a few times a second.

    Raises
    ------
    NotFoundError, RefusedError, StoreError
        If there is no such study, or nothing can be added to it.
    NetworkError
        If the server does not answer.
    """
    if annotators < 1:
        raise InvalidValueError(f"A simulation needs 1 person or more; got {annotators}.")
    mind = Knowing(service, study, crowd)
    people, tokens = invite_people(service, study, annotators, crowd, seed)
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        if origin is None:
            origin = stack.enter_context(serve_in_thread(create_label_app(service)))
        run = Run(origin.rstrip("/"), mind, pace or Pace(fetches_tiles=False))
        tally = run_people(run, people, tokens, progress)
    return SimulationReport(
        pools=tuple(measure_pool(mind, service, study, pool) for pool in pools_of(service, study)),
        answers=len(tally.acknowledged),
        reasons=dict(tally.reasons),
        troubles=dict(tally.troubles),
        seconds=round(time.perf_counter() - started, 2),
    )


def pools_of(service: StudyService, study: str) -> tuple[str, ...]:
    """Return the pools of a study."""
    return service.state(study).spec.pools


def measure_pool(mind: Knowing, service: StudyService, study: str, pool: str) -> PoolResult:
    """Return what the labels of a pool say, as they are in the store.

    Only simulated people's: those of others stay unseen until the study's own results are.
    """
    state = service.state(study)
    labels = [
        (one.given[-1].answer == mind.images[one.stimulus].label, one.annotator)
        for one in state.assignments.values()
        if is_labelled(one) and _is_simulated(state.annotators[one.annotator], pool)
    ]
    correct = np.array([is_correct for is_correct, _ in labels], bool)
    names = np.array([name for _, name in labels], str)
    return PoolResult(
        pool=pool,
        people=len(set(names.tolist())),
        labels=len(labels),
        intended_accuracy=mind.skill.crowd.accuracy_in(pool),
        intended_icc=mind.skill.icc(pool),
        accuracy=annotator_interval(correct, names),
        clustering=measure_clustering(correct, names),
    )


def _is_simulated(person: Annotator, pool: str) -> bool:
    return person.origin == SIMULATED and person.pool == pool


@contextlib.contextmanager
def serve_in_thread(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of loopback in a thread, and yield its origin."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
