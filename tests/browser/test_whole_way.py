"""A study with strangers, from the plan to the verdict on its replication, and no hand in it.

``UMNIST_WAY=full`` makes it 40 people with 25 released images each, 20 of them in Chromium; a
small one goes the same way in every run.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from tests.browser.strangers import Crowded, Stranger
from tests.browser.study_app import running_app
from tests.browser.whole_way import CODES, CROWD, FULL, GATE, NINE, SMALL, Site, Way
from tests.labeling.making import TOLD
from tests.server.serving import serve
from umnist_core.labeling.log import sha256
from umnist_core.labeling.service import close_services
from umnist_core.scoring.replication import VERDICTS
from umnist_core.simulation.audit import find_place_faults
from umnist_core.simulation.people import draw_people
from umnist_core.simulation.run import Pace, Run, run_people

LEAVER, SAME, PHONE = "way-0", "way-1", "way-phone"
"""Ids of who withdraws, who always answers the same, and whose device does not fit."""


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """Return the way before its first step, with the app and a recruiting site running."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    close_services()
    size = FULL if os.environ.get("UMNIST_WAY") == "full" else SMALL
    site = Site()
    with serve(site.app) as url, running_app(tmp_path / "lab") as app:
        yield Way(size, tmp_path, app.service, app.address, url, site)
    close_services()


def test_study_goes_from_plan_to_verdict_by_itself(way: Way) -> None:
    """Planned, promised, recruited, answered, watched, excluded, paid, exported, repeated."""
    plan(way)
    text = create(way)
    take_part(way)
    check_whom_watching_flags(way)
    erase_one_and_fill_up(way)
    close(way, text)
    check_payments(way)
    figures = export(way)
    replicate(way, figures)


# -- before -----------------------------------------------------------------------------


def plan(way: Way) -> None:
    """See that the plan says what these people find, and in how many hours."""
    people, images = way.size.people, way.size.images
    found = way.says("plan", "--people", str(people), "--images", str(images), "--studies", "200")
    assert [row["icc"] for row in found["rows"]] == [0, 0.02, 0.05, 0.1]
    for row in found["rows"]:
        assert (row["people"], row["labels"]) == (people, way.size.labels)
        assert row["hours"] == pytest.approx(people * (images * 1.5 + 10) / 60)
    assert found["rows"][0]["detectable"] < found["rows"][-1]["detectable"]


def settings(way: Way) -> dict[str, Any]:
    """Return what is asked, and how people come and go, as lines of a file of settings."""
    hand = {"name": "hand", "kind": "choice", "text": "Which hand?", "options": ["left", "right"]}
    how = {"name": "how", "kind": "choice", "text": "With which?", "options": ["left", "right"]}
    gate = [
        {"text": "What is asked for?", "options": [GATE[0], "the count"], "right": GATE[0]},
        {"text": "Is there a prize for speed?", "options": ["yes", GATE[1]], "right": GATE[1]},
    ]
    back = f"{way.site}/complete?cc={{code}}&who={{PROLIFIC_PID}}"
    return {
        **TOLD,
        "asking": {
            "before": [{"title": "About you", "questions": [{**hand, "required": True}]}],
            "after": [{"title": "Looking back", "questions": [how]}],
            "gate": {"tries": 2, "questions": gate},
            "break_every": (way.size.images + 1) // 2,
            "debriefing": "It was about what can be seen.",
        },
        "recruiting": {
            "site": "prolific",
            "redirects": dict.fromkeys(CODES, back),
            "codes": CODES,
            "countdown_s": 60,
            "currency": "GBP",
            "pay": {"complete": 6, "quota_full": 6, "screened_out": 0.1, "withdrawn": 1},
            "bonus_rule": "each_right",
            "bonus": 0.1,
            "smallest_side_px": 600,
        },
    }


def create(way: Way) -> str:
    """Write a draft, edit it and seal it as the first event; return the text."""
    size = way.size
    spec, rules, promise = (way.folder / one for one in ("way.yaml", "rules.toml", "promise.md"))
    spec.write_text(yaml.safe_dump(settings(way)))
    # With few images sums may be alike by chance, and quick looks are meant.
    rules.write_text(f"same_answer = 0.8\ntoo_fast_s = {0.9 * size.look_s:.2f}\n")
    words = ["create", "Way", "--spec", str(spec), "--exclusions", str(rules), *size.options]
    words += ["--stimuli", str(size.labels // 4), "--labels-per-image", "2", "--practice", "1"]
    words += ["--images-per-annotator", str(size.images)]
    promised = ["--people", str(size.people // 2), "--analysis", "paired"]
    draft = way.umnist(*words, *promised, "--draft-preregistration")
    assert f"{size.people // 2} people with {size.images} images each" in draft
    text = re.sub(r"\[[^]]*\]", "The paper has no intervals.", draft)
    assert text != draft
    promise.write_text(text)
    way.umnist(*words, *promised, "--preregistration", str(promise))
    (way.study,) = way.service.studies()
    found = way.says("preregistration", "Way")
    assert (found["sha256"], found["text"]) == (sha256(text), text)
    assert found["event_hash"] == way.service.log.read(way.study)[0].hash
    assert {row["verdict"] for row in found["rows"]} == {"under way"}
    return text


# -- people -----------------------------------------------------------------------------


def take_part(way: Way) -> None:
    """Let all come by one link, half in browsers, half by the interface, some careless."""
    size, half = way.size, way.size.people // 2
    link = way.umnist("open-link", "Way", "--base-url", way.address).split()[-1]
    people = draw_people(size.people + 2, CROWD, 7)
    hurried, constant = frozenset({half}), frozenset({half + 1})
    crowd = Crowded(
        *(link, way.service, way.study, way.mind(), GATE),
        expected=size.people + 1,
        gap_s=size.gap_s,
        patience_s=size.patience_s,
    )
    strangers = [
        Stranger(people[0], LEAVER, size.look_s, stops_after=size.images // 2),
        Stranger(people[1], SAME, size.look_s, always=NINE),
        *(Stranger(one, f"way-{one.number}", size.look_s) for one in people[2:half]),
    ]
    strangers.append(Stranger(people[-1], PHONE, 0, has_phone=True))
    way.careless = {SAME, *(simulated(number) for number in hurried | constant)}
    with ThreadPoolExecutor(2) as threads:
        browsers = threads.submit(crowd.run, strangers)
        programs = threads.submit(come_by_program, way, link, people[half : size.people])
        programs.result()
        browsers.result()
    way.given |= crowd.given
    assert crowd.complaints == []
    check_screens(way, crowd.screens)
    completed = Counter({"C1DONE": half - 1, "W1": 1, "S0RRY": 1})
    assert Counter(code for code, _ in way.came.came) == completed
    assert {who for _, who in way.came.came} == {one.pid for one in strangers}
    assert len(way.people) == size.people + 1
    outcomes = Counter(one.outcome for one in way.service.annotators(way.study))
    assert outcomes == {"complete": size.people - 1, "withdrawn": 1, "screened_out": 1}


def simulated(number: int) -> str:
    """Return the id with which somebody comes who has no browser."""
    return f"simulated-{number}-PROLIFIC_PID"


def come_by_program(way: Way, link: str, people: list[Any]) -> None:
    """Let people take part over HTTP, and note what they are told is saved."""
    half = way.size.people // 2
    mind = way.mind()
    mind.hurry_ms = 900 * way.size.look_s
    mind.hurried, mind.constant = frozenset({half}), frozenset({half + 1})
    ids = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
    is_crowd = len(people) > 1  # with browsers beside it
    pace = Pace(way.size.think_s * is_crowd, start_s=len(people) * way.size.gap_s)
    run = Run(way.address, mind, pace, ids)
    tally = run_people(run, people, [link.rsplit("/", 1)[1]] * len(people))
    assert set(tally.troubles) <= {"429"}, tally.troubles
    way.given |= {one.assignment: one.answer for one in tally.acknowledged}


def check_screens(way: Way, screens: Mapping[str, list[str]]) -> None:
    """See that everybody has met what the study asks, in its order."""
    assert screens[PHONE] == ["device", "done"]
    each = way.size.images
    before = ["consent", "questions", "instructions", "gate", "practice"]
    middle = (each + 1) // 2
    trials = ["trial"] * middle + ["break"] + ["trial"] * (each - middle)
    assert screens[SAME] == [*before, *trials, "questions", "done"]
    stopped = screens[LEAVER]
    assert stopped[:5] == before
    assert (stopped.count("trial"), stopped[-1]) == (each // 2 + 1, "done")


def check_whom_watching_flags(way: Way) -> None:
    """See that rules catch the careless alone, and that nothing is said of right or wrong."""
    found = way.says("watch", "Way")
    assert found["rules_fixed_before"]
    assert found["rules"]["too_fast_s"] == pytest.approx(0.9 * way.size.look_s)
    flags = {
        one["person"]: {flag["rule"] for flag in one["flags"]}
        for one in found["people"]
        if one["flags"]
    }
    names = {way.people[one]: one for one in way.careless}
    assert set(flags) == set(names), {
        next(pid for pid, one in way.people.items() if one == who): said
        for who, said in flags.items()
    }
    half = way.size.people // 2
    by_id = {names[one]: rules for one, rules in flags.items()}
    assert by_id[SAME] >= {"never_close", "same_answer", "same_in_a_row"}
    assert by_id[simulated(half)] >= {"too_fast_s", "never_close"}
    assert by_id[simulated(half + 1)] == {"same_answer", "same_in_a_row"}
    for word in ("correct", "truth", "label_true", "accuracy"):
        assert word not in json.dumps(found)


def erase_one_and_fill_up(way: Way) -> None:
    """Erase somebody; two more people fill these places and those of who withdrew."""
    size, state = way.size, way.service.state(way.study)
    pool = state.annotators[way.people[LEAVER]].pool
    pid, erased = next(
        (pid, one)
        for pid, one in way.people.items()
        if state.annotators[one].pool != pool and pid not in {*way.careless, PHONE}
    )
    theirs = {one.id for one in state.annotators[erased].assignments}
    left = size.images - size.images // 2
    missing = {pool: left, state.annotators[erased].pool: size.images}
    way.umnist("erase", "Way", erased, "--yes")
    way.erased = pid, erased
    way.given = {key: answer for key, answer in way.given.items() if key not in theirs}
    state = way.service.state(way.study)
    assert {one: sum(state.unfilled[one].values()) for one in missing} == missing
    (shared,) = (row for row in way.service.invites(way.study) if row.is_open)
    for one in draw_people(size.people + 4, CROWD, 7)[size.people + 2 :]:
        come_by_program(way, f"{way.address}/join/{shared.token}", [one])
    state = way.service.state(way.study)
    assert not any(sum(places.values()) for places in state.unfilled.values())
    outcomes = Counter(one.outcome for one in way.service.annotators(way.study))
    ends = {"complete": size.people - 1, "withdrawn": 1, "screened_out": 1, "quota_full": 1}
    assert outcomes == ends
    given = {one.id: one.given[-1].answer for one in state.assignments.values() if one.given}
    assert given == way.given, "What people were told is saved is what is there."
    assert len(given) == size.labels
    assert find_place_faults(state) == []


# -- after ------------------------------------------------------------------------------


def close(way: Way, text: str) -> None:
    """Close the study, which is whole, and see what was done beside what was promised."""
    way.umnist("close", "Way", "--yes")
    way.umnist("verify", "Way")
    found = way.says("preregistration", "Way")
    rows = {row["what"]: row for row in found["rows"]}
    half = way.size.people // 2
    pool = way.service.state(way.study).annotators[way.people[LEAVER]].pool
    other = {"unguided": "guided", "guided": "unguided"}[pool]
    assert (rows[f"People, {pool}"]["done"], rows[f"People, {other}"]["done"]) == (
        str(half + 1),
        str(half),
    )
    different = {one for one, row in rows.items() if row["verdict"] == "different"}
    assert different == {f"People, {pool}", f"Images for each person, {pool}"}
    assert found["text"] == text
    careless = len(way.careless)
    labels = careless * way.size.images
    assert f"{careless} people with {labels} labels left out" in rows["Exclusions"]["done"]


def check_payments(way: Way) -> None:
    """See base pay by outcome, a bonus for what was right, and nobody who was erased."""
    pay, ids = way.folder / "pay.csv", way.folder / "ids.csv"
    way.umnist("pay", "Way", str(pay), "--bonus", str(way.folder / "bonus.csv"))
    way.umnist("ids", "Way", str(ids))
    rows = {row["annotator"]: row for row in csv.DictReader(io.StringIO(pay.read_text()))}
    right = way.right_of()
    base = {"complete": 6, "quota_full": 6, "screened_out": 0.1, "withdrawn": 1}
    assert set(rows) == set(right)
    for one, row in rows.items():
        assert float(row["base_pay"]) == base[row["outcome"]]
        assert row["code"] == CODES[row["outcome"]]
        assert float(row["bonus"]) == pytest.approx(0.1 * sum(right[one]))
    assert {row["person"] for row in rows.values()} == set(way.people)
    assert len(ids.read_text().splitlines()) == len(way.people) + 1
    assert way.erased[0] not in pay.read_text() + ids.read_text()


def export(way: Way) -> dict[str, Any]:
    """Export what has no id and no link, and recompute it; return the figures."""
    target = way.folder / "way.zip"
    way.umnist("export", "Way", str(target))
    with ZipFile(target) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
        archive.extractall(way.folder / "way")
    ids = [*way.people, way.erased[0], "se-way", "simulated-"]
    links = [row.token for row in way.service.invites(way.study) if row.token]
    for name, content in files.items():
        assert [one for one in (*ids, *links) if one.encode() in content] == [], name
        # The log keeps who it was that was erased, and hashes of what was there.
        assert way.erased[1].encode() not in content or name.startswith("log/"), name
    figures: dict[str, Any] = json.loads(files["figures.json"])
    check_readings(way, figures)
    answers = list(csv.DictReader(io.StringIO(files["tables/answers.csv"].decode())))
    assert len(answers) == way.size.labels
    done = subprocess.run(
        [sys.executable, "recompute.py"],
        cwd=way.folder / "way",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return figures


def check_readings(way: Way, figures: Mapping[str, Any]) -> None:
    """See that with and without the careless, accuracies are shares of right answers."""
    state, right = way.service.state(way.study), way.right_of()
    careless = {way.people[one] for one in way.careless}
    for is_left_out, pools in (
        (False, figures["pools"]),
        (True, figures["without_excluded"]["pools"]),
    ):
        for one in pools:
            labels = [
                label
                for who, theirs in right.items()
                for label in theirs
                if state.annotators[who].pool == one["pool"]
                and not (is_left_out and who in careless)
            ]
            assert one["labels"] == len(labels)
            assert one["accuracy"]["estimate"] == pytest.approx(sum(labels) / len(labels))
    assert figures["without_excluded"]["people"] == len(careless)


def replicate(way: Way, figures: Mapping[str, Any]) -> None:
    """Make a study of the zip, with the same images, run it, and see the verdict."""
    way.umnist("replicate", str(way.folder / "way.zip"), "--name", "Again", "--bounds", "8")
    (again,) = (one for one in way.service.studies() if one != way.study)
    assert way.service.log.read_truth(again) == way.service.log.read_truth(way.study)
    said = way.says("simulate", "Again", "--annotators", str(way.size.again))
    assert said["answers"] == way.size.again * way.size.images
    way.umnist("close", "Again", "--yes")
    way.umnist("verify", "Again")
    found = way.says("verdict", "Again")
    assert found["original"]["study"] == way.study
    shares = {one["pool"]: one["accuracy"] for one in said["pools"]}
    for one in found["figures"]:
        assert one["bounds"] == pytest.approx(0.08)
        name = one["original"]["name"]
        if name in shares:
            first = next(pool for pool in figures["pools"] if pool["pool"] == name)
            assert one["original"]["estimate"] == first["accuracy"]["estimate"]
            assert one["replication"]["estimate"] == pytest.approx(shares[name]["estimate"])
            assert one["replication"]["labels"] == way.size.again // 2 * way.size.images
    assert {one["verdict"] for one in found["figures"]} <= set(VERDICTS)
