"""``umnist study`` as a lab runs it: in processes of their own, on one SQLite store."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import sqlite3
import stat
import subprocess
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.datasets.making import SMALL_OPTIONS, umnist, umnist_command
from tests.labeling.making import TOLD, answer_all, come_in, old_study
from umnist_core.errors import RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.service import open_service
from umnist_core.settings import load_settings

FEW = ["--stimuli", "6", "--images-per-annotator", "3", "--practice", "1", "--jobs", "1"]

TOLD_OPTIONS = [word for name, text in TOLD.items() for word in (f"--{name}", text)]
"""What strangers must be told, as options."""

OWNER_LOOKS = {"list": ["list"], "json": ["verify", "--json"], "table": ["list", "--json"]}
"""Commands that show all studies to their owner."""


class Lab:
    """A lab's folder, in which commands are run, and the service of another process on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._service: StudyService | None = None

    @property
    def service(self) -> StudyService:
        """The service of this process."""
        self._service = self._service or open_service(load_settings())
        return self._service

    def run(self, *words: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``umnist study`` with some words."""
        command, environment = umnist_command("study", *words)
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *words: str) -> str:
        """Run it, expect it to succeed, and return what it printed."""
        result = self.run(*words)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, *words: str) -> str:
        """Run it, expect one sentence and code 1, and return the sentence."""
        result = self.run(*words)
        assert (result.returncode, result.stderr.count("\n")) == (1, 1), result.stderr
        assert result.stderr.startswith("umnist: ")
        return result.stderr

    def create(self, name: str = "Pilot", *more: str) -> str:
        """Make a small study and return its id."""
        return self.done("create", name, *FEW, *SMALL_OPTIONS, *more).partition(":")[0]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Yield a lab with a new store."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    lab = Lab(tmp_path)
    yield lab
    if lab._service is not None:
        lab._service.log.close()


def test_study_that_is_made_is_listed_and_shown(lab: Lab) -> None:
    """By its id, the first letters of it, or its name; as text and as JSON."""
    assert "no studies yet" in lab.done("list")
    study = lab.create("A pilot", "--repeats", "1", "--ask-digits", "--pool", "guided")
    spec = lab.service.state(study).spec
    assert (spec.name, spec.repeats, spec.ask_digits) == ("A pilot", 1, True)
    assert spec.pools == ("guided",)
    assert re.search(rf"{study}  open +guided 0/6  0 people  A pilot\n", lab.done("list"))
    for word in (study, study[:6], "A pilot"):
        shown = lab.done("show", word)
        assert study in shown
        assert "guided    0 of 6 labels (0.0 %), 0 joined" in shown
    found = json.loads(lab.done("show", study, "--json", "--people", "--links"))
    assert found["head_hash"] == lab.service.overview(study).head_hash
    assert (found["people"], found["links"]) == ([], [])
    assert json.loads(lab.done("list", "--json"))["study"] == study


def test_study_that_is_unknown_or_not_one_is_said(lab: Lab) -> None:
    """One sentence; nothing is guessed."""
    first, second = lab.create("Twin"), lab.create("Twin")
    assert "umnist study list" in lab.refused("show", "nothing")
    said = lab.refused("close", "Twin", "--yes")
    assert first in said
    assert second in said
    assert lab.service.overview(first).status == "open"


def test_terminal_sees_rate_and_time_left_while_images_are_made(lab: Lab) -> None:
    """A bar on standard error."""
    options = ["--stimuli", "40", "--jobs", "1", *SMALL_OPTIONS]
    command, environment = umnist_command("study", "create", "Bar", *options)
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    subprocess.run(command, env=environment, stderr=follower, stdout=subprocess.DEVNULL, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "43/43" in shown
    assert re.search(r"\d\d:\d\d<\d\d:\d\d, +[\d.]+ images/s", shown)


def test_consent_fields_and_practice_feedback_are_options(lab: Lab) -> None:
    """Each is kept; without them, open links are refused with what is missing."""
    told = lab.create("Told", *TOLD_OPTIONS, "--practice-feedback", "guided=correctness")
    spec = lab.service.state(told).spec
    assert {name: getattr(spec, name) for name in TOLD} == TOLD
    assert spec.practice_feedback == {"unguided": "correctness", "guided": "correctness"}
    assert "/join/" in lab.done("open-link", told)
    bare = lab.create("Bare")
    said = lab.refused("open-link", bare)
    assert "does not tell them its duration, retention, withdrawal, contact." in said
    assert lab.service.invites(bare) == []
    for wrong in ("unguided=all", "expert=full", "full"):
        result = lab.run("create", "Wrong", *FEW, "--practice-feedback", wrong)
        assert result.returncode == 2
        assert "expected POOL=FEEDBACK" in " ".join(result.stderr.split())


def test_settings_go_out_to_a_file_and_back(lab: Lab) -> None:
    """What is printed makes the same study; options beside the file replace its lines."""
    (lab.folder / "told.txt").write_text("Look well.\n\nThen add.")
    texts = ["--consent", "told.txt", "--instructions", "guided=told.txt"]
    printed = lab.done("create", "Pilot", *FEW, *SMALL_OPTIONS, *texts, "--print-spec")
    assert lab.service.studies() == []
    (lab.folder / "pilot.yaml").write_text(printed)
    study = lab.done("create", "--spec", "pilot.yaml", "--repeats", "2").partition(":")[0]
    spec = lab.service.state(study).spec
    assert (spec.stimuli, spec.repeats, spec.images_per_annotator) == (6, 2, 3)
    assert spec.consent == spec.instructions["guided"] == "Look well.\n\nThen add."
    assert "no prize for speed" in spec.instructions["unguided"]
    assert spec.overrides["canvas"] == "512"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("name: A\nstimulis: 3", 2, "no setting 'stimulis'"),
        ("name: A\nstimuli: many", 2, "stimuli is a whole number"),
        ("name: [", 1, "Expected the settings of a study as YAML"),
        ("- a\n- b", 1, "Expected NAME: VALUE lines"),
        ("stimuli: 3", 2, "a name is needed"),
        ("name: A\noverrides: [1]", 2, "overrides in bad.yaml"),
    ],
)
def test_bad_settings_are_said_and_make_nothing(lab: Lab, text: str, code: int, said: str) -> None:
    """An unknown or impossible setting is a wrong command; a file that is none is an error."""
    (lab.folder / "bad.yaml").write_text(text)
    result = lab.run("create", "--spec", "bad.yaml")
    assert result.returncode == code
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not (lab.folder / "lab" / "studies").exists()


def test_images_are_remade_from_the_export_of_a_closed_study(lab: Lab) -> None:
    """The very ones, by a command that needs no store; of an open study there is no key."""
    study = lab.create()
    assert "seed" not in lab.done("create", "--print-spec")
    assert lab.run("create", "Other", "--seed", "1").returncode == 2
    lab.done("export", study, "open.zip")
    assert "close it and export it again" in lab.refused("remake", "open.zip", "images")
    shown = {one.name: one.read_bytes() for one in lab.service.study_folder(study).glob("*.png")}
    lab.service.close(study)
    lab.done("export", study, "closed.zip")
    assert "7 images, the very ones of study" in lab.done("remake", "closed.zip", "images")
    made = {one.name: one.read_bytes() for one in (lab.folder / "images").iterdir()}
    assert made == shown
    assert "images already, unchanged" in lab.refused("remake", "closed.zip", "images")
    key = json.loads(lab.service.log.read_attachment(study, 1) or "")["key"]
    with ZipFile(lab.folder / "closed.zip") as archive:
        assert key in archive.read("log/attachments.jsonl").decode()


def test_study_of_before_says_that_its_images_can_be_guessed(lab: Lab) -> None:
    """Wherever its owner looks; one with a key does not say so, and shows no key."""
    old, new = old_study(lab.service, name="Old"), lab.create("New")
    key = json.loads(lab.service.log.read_attachment(new, 1) or "")["key"]
    said = {name: lab.done(*words) for name, words in OWNER_LOOKS.items()}
    for words in ("show", "verify"):
        shown = {study: lab.done(words, study) for study in (old, new)}
        assert "images can be guessed" in shown[old]
        assert "guessed" not in shown[new]
        said[words] = "".join(shown.values())
    for line in said["list"].splitlines():
        assert line.endswith("IMAGES CAN BE GUESSED") == line.startswith(old)
    rows = map(json.loads, said["json"].splitlines())
    asked = {one["study"]: one["is_guessable"] for one in rows}
    assert asked == {old: True, new: False}
    assert not [text for text in said.values() if key in text]


def test_links_that_are_printed_let_people_in(lab: Lab) -> None:
    """One for each person; as a table that only its owner reads; never over a file."""
    study = lab.create("Pilot", *TOLD_OPTIONS)
    words = ["invite", study, "--count", "3", "--pool", "guided", "--days", "2"]
    words += ["--base-url", "https://lab.example.org/", "--csv", "links.csv"]
    printed = lab.done(*words).splitlines()
    assert all(one.startswith("https://lab.example.org/join/") for one in printed)
    people = {lab.service.join(one.rpartition("/")[2]).annotator for one in printed}
    assert len(people) == 3
    assert {one.pool for one in lab.service.annotators(study)} == {"guided"}
    path = lab.folder / "links.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["link"] for row in rows] == printed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "already, unchanged" in lab.refused(*words)
    assert "no/where" in lab.refused(*words[:-1], "no/where/links.csv")
    assert len(lab.service.invites(study)) == 3
    opened = lab.done("open-link", study).strip()
    assert opened.startswith("/join/")
    assert lab.service.join(opened.rpartition("/")[2]).is_new
    shown = lab.done("show", study, "--links", "--base-url", "https://lab.example.org")
    assert all(one in shown for one in printed)
    assert lab.run("invite", study, "--base-url", "lab.example.org").returncode == 2


def test_link_is_revoked_by_id_by_itself_or_by_its_person(lab: Lab) -> None:
    """And nobody comes in by it any more."""
    study = lab.create()
    rows = lab.service.invite(study, 3)
    tokens = [str(row.token) for row in rows]
    person = lab.service.join(tokens[2]).annotator
    for word in (rows[0].invite, f"https://lab.example.org/join/{tokens[1]}", person):
        assert "Revoked" in lab.done("revoke", study, word)
    for token in tokens:
        with pytest.raises(RefusedError, match="has been ended"):
            lab.service.join(token)
    assert "no such link or person" in lab.refused("revoke", study, "i000000000000")


def test_pausing_and_resuming_reach_the_running_app(lab: Lab) -> None:
    """At once, in a process that has the study in memory."""
    study = lab.create()
    me = come_in(lab.service, study)
    assert lab.service.annotator_view(study, me).phase == "trial"
    assert "is paused" in lab.done("pause", study)
    assert lab.service.annotator_view(study, me).phase == "paused"
    assert "is open" in lab.done("resume", study)
    assert lab.service.annotator_view(study, me).phase == "trial"


def test_closing_asks_and_prints_the_hash_that_seals(lab: Lab) -> None:
    """No leaves the study open; afterwards nothing can be added."""
    study = lab.create()
    asked = lab.run("close", study, typed="n\n")
    assert (asked.returncode, "for good?" in asked.stdout) == (1, True)
    assert lab.service.overview(study).status == "open"
    printed = lab.done("close", study, "--yes")
    sealed = lab.service.overview(study)
    assert sealed.status == "closed"
    assert f"Hash of the last event: {sealed.head_hash}\n" in printed
    assert sealed.head_hash in lab.done("close", study)
    assert "closed" in lab.refused("invite", study)


def test_erasing_asks_and_the_study_still_verifies(lab: Lab) -> None:
    """Everything of the person goes, and the log holds."""
    study = lab.create()
    me = come_in(lab.service, study)
    answer_all(lab.service, study, me)
    assert lab.run("erase", study, me, typed="n\n").returncode == 1
    assert me in lab.service.state(study).annotators
    assert f"Erased {me}: " in lab.done("erase", study, me, "--yes")
    assert me not in lab.service.state(study).annotators
    assert "has no person" in lab.refused("erase", study, me, "--yes")
    assert ": sound; " in lab.done("verify", study)
    assert "erased    1" in lab.done("show", study)


def test_verify_finds_what_was_tampered_with(lab: Lab) -> None:
    """An image, or an event in the database; each in a sentence, with code 1."""
    study, whole = lab.create(), lab.create("Whole")
    answer_all(lab.service, study, come_in(lab.service, study))
    assert lab.done("verify").count(": sound; ") == 2
    image = lab.service.stimulus_file(study, lab.service.state(study).stimuli[0])
    image.write_bytes(image.read_bytes()[:-1])
    result = lab.run("verify")
    assert result.returncode == 1
    assert f"{study}: 1 fault; " in result.stdout
    assert "is not what it was when the study was made" in result.stdout
    assert f"{whole}: sound; " in result.stdout
    assert ": sound; " in lab.done("verify", study, "--without-images")
    with sqlite3.connect(lab.folder / "lab" / "umnist.sqlite") as database:
        (seq,) = database.execute("SELECT max(seq) FROM events WHERE kind='answered'").fetchone()
        text = "UPDATE events SET payload = replace(payload, '\"answer\":9', '\"answer\":8')"
        assert database.execute(f"{text} WHERE seq = {seq}").rowcount > 0
    database.close()
    faults = json.loads(lab.run("verify", study, "--json", "--without-images").stdout)["faults"]
    assert any(f"Event {seq} is not what was logged" in fault for fault in faults)


def test_backup_and_export_come_back_elsewhere(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every answer and image, into new stores."""
    study = lab.create()
    answer_all(lab.service, study, come_in(lab.service, study))
    head = lab.service.overview(study).head_hash
    lab.done("backup", "b.zip")
    assert head in lab.done("export", "Pilot", "x.zip", "--with-images")
    assert "already, unchanged" in lab.refused("export", "Pilot", "x.zip")
    printed = lab.done("export", "Pilot", "tables", "--format", "parquet").splitlines()
    assert all((lab.folder / line).is_file() for line in printed)
    assert "use `umnist study restore`" in lab.refused("import", "b.zip")
    assert "has study" in lab.refused("import", "x.zip")
    assert "has study" in lab.refused("restore", "b.zip")
    for words in (("restore", "b.zip"), ("import", "x.zip")):
        monkeypatch.setenv("UMNIST_LABELING", str(lab.folder / words[0]))
        assert study in lab.done(*words)
        assert f"last hash {head}" in lab.done("verify")


def test_study_of_oneself_is_made_and_said_to_be_one(lab: Lab) -> None:
    """With its link, which leads to the first image; nobody is invited, and a file is refused."""
    few = ["--stimuli", "2", *SMALL_OPTIONS, "--jobs", "1"]
    printed = lab.done("create", "--self", "--pool", "guided", *few)
    study = printed.partition(":")[0]
    token = re.search("/join/([^ ]+) of the app", printed)
    assert token is not None
    person = lab.service.join(token[1]).annotator
    view = lab.service.annotator_view(study, person)
    assert (view.phase, view.pool, view.spec.trial_feedback) == ("trial", "guided", True)
    assert "SELF" in lab.done("list")
    assert "a study of oneself" in lab.done("show", study)
    assert "nobody is invited" in lab.refused("invite", study)
    (lab.folder / "x.yaml").write_text("name: X")
    for words, said in (
        (("X", "--feedback"), "for a study of oneself"),
        (("--self", "--spec", "x.yaml"), "settings of its own"),
    ):
        result = lab.run("create", *words)
        assert result.returncode == 2
        assert said in result.stderr


def test_commands_run_while_people_answer(lab: Lab) -> None:
    """Reading, inviting, backing up and exporting disturb nobody, and nothing is lost."""
    study = lab.create("Busy", "--labels-per-image", "20")
    people = [come_in(lab.service, study) for _ in range(12)]
    answered: list[str] = []

    def answer() -> None:
        for one in people:
            answered.extend(answer_all(lab.service, study, one))

    thread = threading.Thread(target=answer)
    thread.start()
    for words in (
        ("show", study, "--people"),
        ("invite", study, "--count", "5"),
        ("verify", study),
        ("backup", "b.zip"),
        ("export", study, "x.zip"),
    ):
        lab.done(*words)
    thread.join()
    assert len(answered) == 3 * len(people)
    assert ": sound; " in lab.done("verify", study)
    found = json.loads(lab.done("show", study, "--json"))
    assert sum(pool["labels"] for pool in found["pools"]) == len(answered)


def test_help_lists_every_command(tmp_path: Path) -> None:
    """What a lab may ask for is found where people look."""
    printed = umnist("study", "--help", cwd=tmp_path).stdout
    words = "create list show invite open-link revoke pause resume close erase verify backup"
    for word in [*words.split(), "restore", "export", "import", "simulate"]:
        assert re.search(rf"^  {word} ", printed, re.MULTILINE), word


def test_every_command_on_a_study_takes_its_name(tmp_path: Path) -> None:
    """One that knew ids alone would say that there is no such study."""
    from click import Argument

    from umnist_core.cli.study import study_group as group

    takers = [one for one in group.commands.values() for part in one.params if part.name == "study"]
    assert len(takers) >= 15
    for one in takers:
        (argument,) = (part for part in one.params if part.name == "study")
        assert isinstance(argument, Argument)
        assert argument.metavar == "STUDY", one.name  # as of `study_argument`
