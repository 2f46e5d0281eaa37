"""A study that simulated people take part in over HTTP says of them what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.labeling.making import answer_all, come_in, open_small, small_spec
from umnist_core.cli._simulate import simulate_command
from umnist_core.errors import InvalidValueError, NetworkError, NotFoundError, RefusedError
from umnist_core.labeling import StudyService, open_service
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.study_key import KEY_SEQ
from umnist_core.server.labeling import create_label_app
from umnist_core.simulation import client as client_module
from umnist_core.simulation.audit import audit
from umnist_core.simulation.client import Tally
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.report import SimulationReport, serve_in_thread, simulate
from umnist_core.simulation.run import Guessing, Knowing, Pace, Run, invite_people, run_people

CROWD = Crowd(accuracy=0.55, guided_gain=0.1, annotator_sd=0.9, image_sd=1.0)

ROOMY: dict[str, Any] = {
    "stimuli": 40,
    "images_per_annotator": 20,
    "labels_per_image": 20,
    "practice": 1,
}


@pytest.fixture(scope="module")
def simulated(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[StudyService, str, SimulationReport]:
    """Return a study that 48 people took part in."""
    folder = tmp_path_factory.mktemp("lab")
    service = StudyService(MemoryLog(), folder)
    study = create_study(service, small_spec(**ROOMY, ask_digits=True), jobs=1)
    report = simulate(service, study, annotators=48, crowd=CROWD, seed=4)
    return service, study, report


def test_study_gives_back_the_accuracy_and_clustering_of_its_people(
    simulated: tuple[StudyService, str, SimulationReport],
) -> None:
    """Within five standard errors, as which image is shown to whom is drawn anew each time.

    The intervals themselves hold the truth as often as they say (`tests.scoring`).
    """
    _, _, report = simulated
    assert [pool.pool for pool in report.pools] == ["unguided", "guided"]
    for pool, wanted in zip(report.pools, (0.55, 0.65), strict=True):
        assert (pool.people, pool.labels) == (24, 480)
        assert pool.intended_accuracy == pytest.approx(wanted)
        assert abs(pool.accuracy.estimate - wanted) < 5 * pool.accuracy.standard_error
        assert 0.02 < pool.accuracy.standard_error < 0.07
        assert 0.08 < pool.intended_icc < 0.16
        assert pool.clustering.icc == pytest.approx(pool.intended_icc, abs=0.12)
    assert report.troubles == {}


def test_stored_answers_are_those_that_were_given(
    simulated: tuple[StudyService, str, SimulationReport],
) -> None:
    """Each wrong for one reason, with its trace, and the digits that were asked for."""
    service, study, report = simulated
    right = round(sum(pool.accuracy.estimate * pool.labels for pool in report.pools))
    assert sum(report.reasons.values()) == report.answers == 960
    assert report.reasons["right"] == right
    traces = [place for place, _ in service.log.iter_attachments(study) if place != KEY_SEQ]
    assert len(traces) == 960
    given = [one.given[0] for one in service.state(study).assignments.values()]
    assert all(one.digits for one in given)


def test_nothing_is_said_of_people_who_are_not_simulated(tmp_path: Path) -> None:
    """The accuracy of an open study with people is no by-product of a trial run."""
    service, study = open_small(tmp_path, **ROOMY)
    answer_all(service, study, come_in(service, study))
    report = simulate(service, study, annotators=2, crowd=CROWD, seed=4)
    assert sum(pool.people for pool in report.pools) == 2
    assert sum(pool.labels for pool in report.pools) == report.answers == 40


def test_people_are_the_same_with_the_same_seed(tmp_path: Path) -> None:
    """Who is right about what depends on the seed and not on the order of events."""
    service, study = open_small(tmp_path)
    crowd = Crowd()
    first, _ = invite_people(service, study, 3, crowd, seed=1)
    second, _ = invite_people(service, study, 3, crowd, seed=1)
    assert first == second


def test_viewer_tiles_are_fetched_and_each_but_once(tmp_path: Path) -> None:
    """A person who looks at images fetches tiles of each; all are images."""
    service, study = open_small(tmp_path)
    people, tokens = invite_people(service, study, 2, Crowd(phones=0.0), seed=1)
    with serve_in_thread(create_label_app(service)) as origin:
        run = Run(origin, Knowing(service, study, Crowd()), Pace(fetches_tiles=True))
        tally = run_people(run, people, tokens)
    images = 2 * (3 + 1)
    assert len(tally.tile_ms) >= images
    assert not tally.troubles
    assert audit(service.log, study, tally.acknowledged).is_sound


def test_answer_is_sent_until_it_is_saved(tmp_path: Path) -> None:
    """A server that loses replies gets each again under its key, and has each once."""
    service, study = open_small(tmp_path, practice=0)
    people, tokens = invite_people(service, study, 2, Crowd(), seed=1)
    app = create_label_app(service)
    seen: dict[str, int] = {}

    async def loses_replies(scope, receive, send):  # type: ignore[no-untyped-def]
        async def unheard(message: object) -> None:
            """Say nothing."""

        path = str(scope["path"])
        seen[path] = seen.get(path, 0) + 1
        if not path.endswith("/answers") or seen[path] % 2 == 0:
            await app(scope, receive, send)
            return
        await app(scope, receive, unheard)
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serve_in_thread(loses_replies) as origin:
        run = Run(origin, Guessing(), Pace(fetches_tiles=False))
        tally = run_people(run, people, tokens)
    outcome = audit(service.log, study, tally.acknowledged)
    assert outcome.is_sound, outcome
    assert outcome.stored == 6
    assert tally.troubles["502"] >= 6


def test_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one sentence that says what was asked and what came."""
    service, study = open_small(tmp_path)
    monkeypatch.setattr(client_module, "GIVE_UP_S", 0.3)
    with pytest.raises(NetworkError, match=r"POST /join/.* within 0.3 s, found none"):
        simulate(service, study, annotators=1, crowd=Crowd(), origin="http://127.0.0.1:9")


def test_refusal_is_told(tmp_path: Path) -> None:
    """A closed study takes nobody in, and a simulation of nobody is none."""
    service, study = open_small(tmp_path)
    with pytest.raises(InvalidValueError, match="1 person or more"):
        simulate(service, study, annotators=0, crowd=Crowd())
    people, tokens = invite_people(service, study, 1, Crowd(), seed=1)
    service.close(study)
    with serve_in_thread(create_label_app(service)) as origin, pytest.raises(RefusedError) as told:
        run_people(Run(origin, Guessing()), people, tokens)
    assert told.value.code == "closed"
    with pytest.raises(NotFoundError):
        simulate(service, "nothing", annotators=1, crowd=Crowd())


def test_progress_is_told_while_it_runs(tmp_path: Path) -> None:
    """From the same figures that are returned in the end."""
    service, study = open_small(tmp_path)
    told: list[Tally] = []
    report = simulate(service, study, annotators=2, crowd=Crowd(), progress=told.append)
    assert len(told[-1].acknowledged) == report.answers == 6


def test_command_simulates_a_study_and_sums_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was intended and what was measured stand beside each other, for people and as JSON."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    study = create_study(open_service(), small_spec(name="By name"), jobs=1)
    arguments = ["By name", "--annotators", "4", "--accuracy", "0.7", "--sd", "0.2", "--json"]
    result = CliRunner().invoke(simulate_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "12 answers in" in result.output
    assert "accuracy  intended 70.0%, measured" in result.output
    assert '"intended_accuracy": 0.7' in result.output.splitlines()[-1]
    assert sum(pool.labels for pool in open_service().overview(study).pools) == 12


@pytest.mark.parametrize("touch", ["required", "refused"])
def test_people_bring_the_device_and_give_all_that_a_study_asks(tmp_path: Path, touch: str) -> None:
    """Where the device has to fit, and digits and confidence are required of practice too."""
    asked = {"require_digits": True, "require_confidence": True, "practise_asked": True}
    service, study = open_small(
        tmp_path,
        ask_digits=True,
        ask_confidence=True,
        asking=Asking.from_dict(asked),
        recruiting=Recruiting.from_dict({"smallest_side_px": 1000, "touch": touch}),
    )
    assert simulate(service, study, annotators=4, crowd=Crowd(phones=0.5)).answers == 12
