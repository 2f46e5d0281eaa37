"""Whatever happens to server, store, network or disk: each acknowledged answer is kept once.

A real server is killed, cut off and starved while simulated people answer over HTTP; in the
end what they were told is held against what the store has. Moments are seeded, but what the
server is doing at one depends on the machine, so these tests look for anything wrong in many
moments and not at one of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from tests.labeling.misfortune import cutting_proxy
from tests.repeated import repeated
from umnist_core.bench.durability import (
    bench_durability,
    durability_spec,
    kill_while_answering,
    temporary_store,
)
from umnist_core.bench.label_server import LabelServer, label_server
from umnist_core.bench.postgres import postgres_server
from umnist_core.errors import RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.log import EventLog
from umnist_core.labeling.sql import open_log
from umnist_core.simulation.asking import device_for
from umnist_core.simulation.audit import Audit, audit
from umnist_core.simulation.client import Client, Tally, new_key
from umnist_core.simulation.people import Crowd, draw_people
from umnist_core.simulation.run import Guessing, Pace, Run, invite_people, run_people
from umnist_core.simulation.traces import Shown

T = TypeVar("T")

PATIENCE_S = 120
"""How long anything may take on a busy machine before a test gives up on it."""


@pytest.mark.parametrize(
    ("store", "kills"),
    repeated([("sqlite", 60), ("postgresql", 15), ("sqlite", 200), ("postgresql", 40)], 2),
)
def test_no_answer_is_lost_or_doubled_when_the_server_is_killed(
    store: str, kills: int, tmp_path: Path
) -> None:
    """At random moments, many of them within a change; every place is right afterwards."""
    figures = bench_durability(kills=kills, store=store, folder=tmp_path)
    assert (figures.lost, figures.doubled, figures.unclaimed, figures.faults) == (0, 0, 0, ())
    assert figures.kills == kills
    assert figures.acknowledged >= kills / 2
    # Else the moments were not those that matter.
    assert figures.kills_while_writing >= kills / 20
    assert figures.resent >= kills / 2


def test_no_answer_is_lost_when_the_database_server_crashes() -> None:
    """PostgreSQL is stopped as by a loss of power, and people answer on when it is back."""
    with (
        postgres_server() as postgres,
        postgres.database() as url,
        lab_on(url) as (service, server),
    ):

        def crash(number: int) -> None:
            postgres.stop(at_once=True)
            postgres.start()

        rng = np.random.default_rng(5)
        run = kill_while_answering(service, server, 5, 8, rng=rng, disturb=crash)
        assert run.kills == 5
        assert run.outcome.acknowledged > 0
        assert run.outcome.is_sound, run.outcome


def test_server_outlives_a_crash_of_the_database() -> None:
    """It says that nothing was saved, and connects again by itself."""
    with (
        postgres_server() as postgres,
        postgres.database() as url,
        lab_on(url) as (service, server),
    ):
        study, going, run = start_answering(service, server.origin)
        for _ in range(3):
            wait_for_answers(run, 10)
            postgres.stop(at_once=True)
            wait_until(lambda: run.tally.troubles["503 not_saved"] > 0)
            postgres.start()
            run.tally.troubles.clear()
        wait_for_answers(run, 10)
        assert finish(service.log, study, going, run).is_sound


def test_no_answer_is_lost_or_doubled_when_connections_are_cut(tmp_path: Path) -> None:
    """Before a request has arrived, and before a reply has, which nobody can tell apart."""
    with (
        lab_on(f"sqlite:///{tmp_path / 'umnist.sqlite'}", tmp_path) as (service, server),
        cutting_proxy(server.origin, seed=7) as proxy,
    ):
        study, going, run = start_answering(service, proxy.origin)
        wait_until(lambda: proxy.cuts_of_requests >= 40 and proxy.cuts_of_replies >= 40)
        outcome = finish(service.log, study, going, run)
        assert run.tally.troubles["connection"] >= 40
        assert outcome.acknowledged > 20
        assert outcome.is_sound, outcome


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_full_disk_refuses_answers_until_there_is_room(tmp_path: Path) -> None:
    """Each gets 503 not_saved and is sent again; none is lost, none is there twice."""
    with small_disk(tmp_path / "disk", "24m") as disk:
        url = f"sqlite:///{disk / 'umnist.sqlite'}"
        with lab_on(url, disk) as (service, server):
            study, going, run = start_answering(service, server.origin)
            for _ in range(3):
                wait_for_answers(run, 10)
                ballast = fill(disk)
                refused = run.tally.troubles["503 not_saved"]
                wait_until(lambda: run.tally.troubles["503 not_saved"] >= refused + 10)  # noqa: B023
                ballast.unlink()
            wait_for_answers(run, 10)
            outcome = finish(service.log, study, going, run)
            assert set(run.tally.troubles) == {"503 not_saved"}
            assert outcome.is_sound, outcome


def test_second_tab_cannot_answer_an_image_again(tmp_path: Path) -> None:
    """Of two tabs that post at once one is saved; the other is told, and goes on with the next."""
    with lab_on(f"sqlite:///{tmp_path / 'umnist.sqlite'}", tmp_path) as (service, server):
        study = create_study(service, durability_spec(), jobs=1)
        token = service.invite(study)[0].token
        assert token is not None
        tally, refusals = in_thread(lambda: asyncio.run(two_tabs(server.origin, token, 20)))
        outcome = audit(service.log, study, tally.acknowledged)
        assert refusals == ["already_answered"] * 20
        assert outcome.stored == outcome.acknowledged == 20
        assert outcome.is_sound, outcome


def test_two_sendings_of_one_answer_are_one(tmp_path: Path) -> None:
    """Also when they arrive at the same moment, under one key."""
    with lab_on(f"sqlite:///{tmp_path / 'umnist.sqlite'}", tmp_path) as (service, server):
        study = create_study(service, durability_spec(), jobs=1)
        token = service.invite(study)[0].token
        assert token is not None
        tally, refusals = in_thread(
            lambda: asyncio.run(two_tabs(server.origin, token, 20, same_key=True))
        )
        assert refusals == []
        assert len(tally.acknowledged) == 40
        outcome = audit(service.log, study, set(tally.acknowledged))
        assert outcome.stored == 20
        assert outcome.is_sound, outcome


def test_audit_sees_what_is_lost_doubled_or_misplaced(tmp_path: Path) -> None:
    """The ruler itself: an answer that is missing, changed, or was never acknowledged is told."""
    with lab_on(f"sqlite:///{tmp_path / 'umnist.sqlite'}", tmp_path) as (service, server):
        study, going, run = start_answering(service, server.origin)
        wait_for_answers(run, 10)
        finish(service.log, study, going, run)
        ledger = run.tally.acknowledged
        assert audit(service.log, study, ledger).is_sound
        assert audit(service.log, study, ledger[1:]).unclaimed == 1
        invented = type(ledger[0])("a-key-of-nobody", ledger[0].assignment, 3, True, 0)
        assert audit(service.log, study, [*ledger, invented]).lost == 1
        told_otherwise = type(ledger[0])(
            ledger[0].key, ledger[0].assignment, ledger[0].answer, False, 0
        )
        assert len(audit(service.log, study, [told_otherwise, *ledger[1:]]).faults) == 1


# -- means ------------------------------------------------------------------------------


@contextmanager
def lab_on(url: str, folder: Path | None = None) -> Iterator[tuple[StudyService, LabelServer]]:
    """Yield a service on a store and a server on the same one."""
    with temporary_store("sqlite") as (other, _):
        lab = folder or other
        log = open_log(url)
        service = StudyService(log, lab)
        with label_server(lab, url) as server:
            yield service, server
        log.close()


def start_answering(
    service: StudyService, origin: str, people: int = 6
) -> tuple[str, Future[Tally], Run]:
    """Make a study and let people answer in a thread; return it, what comes of it, and the run."""
    study = create_study(service, durability_spec(), jobs=1)
    everybody, tokens = invite_people(service, study, people, Crowd(), seed=3)
    run = Run(origin, Guessing(), Pace(fetches_tiles=False))
    thread = ThreadPoolExecutor(1)
    going = thread.submit(run_people, run, everybody, tokens)
    thread.shutdown(wait=False)
    return study, going, run


def finish(log: EventLog, study: str, going: Future[Tally], run: Run) -> Audit:
    """Let everybody send what they have and leave; hold the store against what they were told."""
    run.is_over = True
    tally = going.result(PATIENCE_S)
    return audit(log, study, tally.acknowledged)


def wait_for_answers(run: Run, more: int) -> None:
    """Wait until so many more answers are saved."""
    before = len(run.tally.acknowledged)
    wait_until(lambda: len(run.tally.acknowledged) >= before + more)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "It did not come to that."
        time.sleep(0.01)


def in_thread(work: Callable[[], T]) -> T:
    """Do something where no event loop is."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result(PATIENCE_S)


async def two_tabs(
    origin: str, token: str, images: int, *, same_key: bool = False
) -> tuple[Tally, list[str]]:
    """Answer images from two tabs at once; return the tally and why answers were refused."""
    tally, certificates, mind = Tally(), ssl.create_default_context(), Guessing()
    person = draw_people(1, Crowd(), seed=0)[0]
    refusals: list[str] = []

    async def post(tab: Client, key: str) -> None:
        try:
            await tab.answer(one["assignment"], reply, ask=state["ask"], key=key)
        except RefusedError as error:
            refusals.append(error.code)

    async with Client(origin, 0, tally, certificates) as first:
        state = await first.join(token)
        await first.consent(state["asked"]["consent"]["version"], device_for(None, is_touch=False))
        state = await first.begin()
        async with Client(origin, 0, tally, certificates) as second:
            await second.join(token)
            practice = state["practice"]
            shown = Shown(practice["id"], 0, 512, 512)
            reply = await mind.reply(person, "unguided", shown)
            state = (await first.practise(practice["id"], reply, state["ask"]))["state"]
            for number in range(images):
                one = state["trial"]
                shown = Shown(one["assignment"], number, 512, 512)
                reply = await mind.reply(person, "unguided", shown)
                key = new_key()
                keys = (key, key if same_key else new_key())
                await asyncio.gather(*map(post, (first, second), keys))
                state = await first.state()
    return tally, refusals


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a disk of a size in memory."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte and return the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    assert shutil.disk_usage(disk).free < 4096
    return ballast
