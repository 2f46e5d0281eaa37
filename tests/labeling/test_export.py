"""Exports: whole, without secrets, and enough to recompute every figure."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.labeling.exporting import counted, filled
from tests.labeling.making import TOLD, Clock, answer_all, come_in, open_small, post
from umnist_core.errors import (
    ConflictError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
)
from umnist_core.labeling.codebook import TABLES
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.log import canonical_json
from umnist_core.labeling.results import load_report
from umnist_core.labeling.sql import open_log

BLOCKED = ("umnist_core", "pyarrow", "sqlalchemy", "click", "cv2", "joblib", "streamlit")

WITHOUT_UMNIST = f"""
import importlib.abc, runpy, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is not installed")
sys.meta_path.insert(0, Blocker())
runpy.run_path("recompute.py", run_name="__main__")
"""


def _unpacked(archive: Path, folder: Path) -> Path:
    with ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def _recompute(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_UMNIST]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# -- tables -----------------------------------------------------------------------


def test_tables_say_the_same_in_every_kind(tmp_path: Path) -> None:
    """CSV, Parquet and JSON hold the same rows and columns, to the last bit."""
    service, study = filled(tmp_path / "lab")
    for kind in ("csv", "parquet", "json"):
        paths = export_tables(service, study, tmp_path / kind, kind)
        names = [*(f"{name}.{kind}" for name in TABLES), "codebook.json", "codebook.md"]
        assert [path.name for path in paths] == names
        assert sorted(path.name for path in (tmp_path / kind).iterdir()) == sorted(names)
    for name in TABLES:
        due = json.loads((tmp_path / "json" / f"{name}.json").read_text())
        assert len(due) > 0 or name in ("questions", "boxes", "thresholds")  # none here
        for frame in (
            _read_csv(tmp_path / "csv", name),
            pd.read_parquet(tmp_path / "parquet" / f"{name}.parquet"),
        ):
            assert list(frame) == [one.name for one in TABLES[name]]
            assert [_plain(row) for row in frame.itertuples(index=False, name=None)] == [
                tuple(row.values()) for row in due
            ]


def _read_csv(folder: Path, name: str) -> pd.DataFrame:
    texts = {one.name: str for one in TABLES[name] if one.kind not in ("int", "bool")}
    frame = pd.read_csv(folder / f"{name}.csv", dtype=texts, keep_default_na=False)
    for one in TABLES[name]:
        if one.kind in ("float", "ints"):
            numbers = [json.loads(text) if text else None for text in frame[one.name]]
            frame[one.name] = pd.Series(numbers, dtype=object)
    return frame


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return cells as JSON has them; an empty one is None."""
    lists = [list(map(int, one)) if isinstance(one, list | np.ndarray) else one for one in row]
    return tuple(None if one is None or one != one or one == "" else one for one in lists)  # noqa: PLR0124


def test_tables_are_not_written_over(tmp_path: Path) -> None:
    """Unless that is asked for."""
    service, study = open_small(tmp_path / "lab")
    export_tables(service, study, tmp_path / "tables")
    (tmp_path / "tables" / "answers.csv").write_text("mine")
    with pytest.raises(ConflictError, match="already, unchanged"):
        export_tables(service, study, tmp_path / "tables")
    assert (tmp_path / "tables" / "answers.csv").read_text() == "mine"
    export_tables(service, study, tmp_path / "tables", force=True)
    assert (tmp_path / "tables" / "answers.csv").read_text() != "mine"
    with pytest.raises(InvalidValueError, match="csv, parquet, json"):
        export_tables(service, study, tmp_path / "b", "xlsx")


# -- exports ----------------------------------------------------------------------


def test_every_figure_is_recomputed_without_umnist(tmp_path: Path) -> None:
    """In a folder of its own, where umnist cannot be imported, to the same report."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip")
    folder = _unpacked(tmp_path / "x.zip", tmp_path / "elsewhere")
    done = _recompute(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every figure as in figures.json" in done.stdout
    assert service.overview(study).head_hash in done.stdout
    due = load_report(service, study).to_dict()
    assert due["pools"][0]["labels"] > 0
    assert json.loads((folder / "report.json").read_text()) == json.loads(json.dumps(due))


def test_empty_study_is_recomputed_too(tmp_path: Path) -> None:
    """No answers are no reason to fail."""
    service, study = open_small(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip")
    done = _recompute(_unpacked(tmp_path / "x.zip", tmp_path / "elsewhere"))
    assert (done.returncode, done.stderr) == (0, "")


def test_surplus_is_in_the_tables_and_in_no_figure(tmp_path: Path) -> None:
    """What somebody gave is never left out, and never counted twice."""
    clock = Clock()
    settings: dict[str, Any] = {"stimuli": 1, "images_per_annotator": 1, "lease_minutes": 10}
    service, study = open_small(tmp_path / "lab", now=clock, pools=("unguided",), **settings)
    slow, quick = come_in(service, study), come_in(service, study)
    trial = service.annotator_view(study, slow).trial
    assert trial is not None
    clock.pass_(minutes=11)
    answer_all(service, study, quick)
    service.answer(study, slow, post(trial.key, 4))
    assert export_study(service, study, tmp_path / "x.zip").rows["answers"] == 2
    folder = _unpacked(tmp_path / "x.zip", tmp_path / "elsewhere")
    answers = pd.read_csv(folder / "tables" / "answers.csv")
    assert dict(zip(answers["annotator"], answers["counted"], strict=True)) == {
        slow: False,
        quick: True,
    }
    assert _recompute(folder).returncode == 0
    assert json.loads((folder / "report.json").read_text())["pools"][0]["labels"] == 1


def _change_an_answer(folder: Path) -> None:
    path = folder / "tables" / "answers.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    answers = frame["answer"].astype(int)
    answers.iloc[0] = (answers.iloc[0] + 1) % 28
    frame = frame.assign(answer=answers, correct=answers == frame["truth"].astype(int))
    frame.to_csv(path, index=False)


def _change_the_log(folder: Path) -> None:
    path = folder / "log" / "events.jsonl"
    lines = path.read_text().splitlines()
    event = json.loads(lines[-3])
    event["time_utc"] = "2027-01-01T00:00:00.000Z"
    lines[-3] = canonical_json(event)
    path.write_text("\n".join(lines) + "\n")


def _change_a_trace(folder: Path) -> None:
    path = folder / "log" / "attachments.jsonl"
    path.write_text(path.read_text().replace("5000", "6000", 1))


def _change_the_truth(folder: Path) -> None:
    path = folder / "log" / "truth.json"
    truth = json.loads(path.read_text())
    first = next(iter(truth))
    truth[first] = truth[first].replace('"label":', '"label":1', 1)
    path.write_text(json.dumps(truth))


def _change_a_figure(folder: Path) -> None:
    path = folder / "figures.json"
    figures = json.loads(path.read_text())
    figures["pools"][0]["accuracy"]["estimate"] += 1e-6
    path.write_text(json.dumps(figures))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change_an_answer, "The table has another answer than event"),
        (_change_the_log, "is not what was logged"),
        (_change_a_trace, "The attachment of event"),
        (_change_the_truth, "The truth of the images is not what it was"),
        (_change_a_figure, "differs  pools[0].accuracy.estimate"),
    ],
    ids=lambda one: getattr(one, "__name__", "")[1:],
)
def test_recomputing_notices_what_was_changed(
    tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    """And ends with code 1."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip")
    folder = _unpacked(tmp_path / "x.zip", tmp_path / "elsewhere")
    change(folder)
    done = _recompute(folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert said in done.stdout


def test_export_has_what_a_reader_needs(tmp_path: Path) -> None:
    """Codebook, texts as people saw them, versions, checksums of images, the last hash."""
    service, study = filled(tmp_path / "lab", consent="Agree?\n\nReally?")
    head = service.close(study).head_hash
    report = export_study(service, study, tmp_path / "x.zip", with_images=True)
    assert (report.verification.head_hash, report.verification.faults) == (head, ())
    folder = _unpacked(tmp_path / "x.zip", tmp_path / "out")
    consent = (folder / "texts" / "consent.txt").read_text()
    assert consent.startswith("Agree?\n\nReally?\n\nHow long it takes: ")
    assert all(text in consent for text in TOLD.values())
    settings = json.loads((folder / "settings.json").read_text())
    assert {name: settings[name] for name in TOLD} == TOLD
    spec = service.overview(study).spec
    for pool in spec.pools:
        told = (folder / "texts" / f"instructions_{pool}.txt").read_text()
        assert told == spec.instructions[pool]
    header = json.loads((folder / "study.json").read_text())
    assert (header["head_hash"], header["is_sealed"], header["erased_people"]) == (head, True, 1)
    assert set(header["versions"]["exported_with"]) >= {"umnist", "python", "numpy", "pandas"}
    images = json.loads((folder / "images.json").read_text())
    assert sorted(one["use"] for one in images) == ["practice"] + ["study"] * 9
    for one in images:
        data = (folder / "log" / "images" / one["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
    for name, checksum in json.loads((folder / "checksums.json").read_text()).items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
    assert head in (folder / "README.md").read_text()


def test_export_tells_no_secret_and_no_path(tmp_path: Path) -> None:
    """No link, completion code, server's secret, or folder of this machine, in any entry."""
    source = tmp_path / "hidden-place" / "kaggle"
    (source / "train").mkdir(parents=True)
    lines = ["id,digit_sum"]
    rng = np.random.default_rng(1)
    for number in range(9):
        cv2.imwrite(str(source / "train" / f"i{number}.png"), rng.integers(0, 256, (40, 40)))
        lines.append(f"i{number},{number}")
    (source / "train.csv").write_text("\n".join(lines))
    service, study = filled(tmp_path / "lab", folder=str(source), practice=0)
    service.open_link(study)
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    hidden = [row.token for row in service.invites(study)]
    hidden += [row.code for row in service.annotators(study)]
    hidden += [service.secret.hex(), str(tmp_path), "hidden-place", str(Path(__file__).parent)]
    with ZipFile(tmp_path / "x.zip") as archive:
        whole = [(entry, archive.read(entry)) for entry in archive.namelist()]
    assert len(hidden) > 10
    for entry, data in whole:
        assert service.secret not in data
        for text in hidden:
            assert text is not None
            assert text.encode() not in data, (entry, text)
            assert text not in entry
    assert json.loads(dict(whole)["settings.json"])["folder"] == "kaggle"


def test_failing_export_leaves_nothing_and_replaces_nothing(tmp_path: Path) -> None:
    """Whether an image is missing, the study is unknown, or a file is there already."""
    service, study = filled(tmp_path / "lab")
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "x.zip"
    with pytest.raises(NotFoundError):
        export_study(service, "nowhere", target)
    service.stimulus_file(study, service.state(study).stimuli[4]).unlink()
    with pytest.raises(MissingFileError, match="could not be read"):
        export_study(service, study, target, with_images=True)
    assert list((tmp_path / "out").iterdir()) == []
    target.write_text("mine")
    with pytest.raises(ConflictError):
        export_study(service, study, target)
    assert target.read_text() == "mine"
    assert export_study(service, study, target, force=True).rows["stimuli"] == 9


def test_log_is_read_and_folded_once_for_an_export(tmp_path: Path) -> None:
    """The tables, the log that goes with them and its checks are of one reading of the store."""
    with closing(open_log(f"sqlite:///{tmp_path / 'labeling.sqlite'}")) as log:
        service, study = open_small(tmp_path, log)
        answer_all(service, study, come_in(service, study))
        for export in (
            lambda: export_study(service, study, tmp_path / "study.zip", with_images=True),
            lambda: export_tables(service, study, tmp_path / "tables"),
            lambda: load_report(service, study),
        ):
            with counted() as counts:
                export()
            assert counts == {"read": 1, "folded": 1}
