"""Who writes the report of gpu-check: whatever happens to a part, the rest goes on."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from umnist_core.bench.gpu import runner
from umnist_core.bench.gpu.figures import FIGURES, Aim
from umnist_core.bench.gpu.parts import DONE, FAILED, PARTS, SKIPPED, STOPPED
from umnist_core.bench.gpu.report import CheckReport
from umnist_core.bench.gpu.runner import CheckPlan, run_check
from umnist_core.errors import WorkerError

NAMES = [part.name for part in PARTS]


def _run(out: Path, acts: dict[str, str], seconds: float = 600, **more: Any) -> dict[str, Any]:
    """Run with a process that acts; return the report as it was written."""
    (out / "acts.json").write_text(json.dumps(acts))
    plan = CheckPlan(
        out=out,
        device="cpu",
        seconds=seconds,
        parts=more.pop("parts", tuple(NAMES)),
        module="tests.bench.gpu.acting",
        **more,
    )
    run_check(plan, CheckReport(out, {"seed": 1}), lambda line: None)
    return _read(out)


def _read(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "gpu-check.json").read_text())
    return found


def _starts(out: Path) -> list[str]:
    return (out / "starts").read_text().splitlines()


def _statuses(report: dict[str, Any]) -> dict[str, str]:
    return {name: how["status"] for name, how in report["parts"].items()}


def test_parts_are_done_in_order_by_one_process(tmp_path: Path) -> None:
    """And what the process says of the card stands beside what is known before."""
    report = _run(tmp_path, {"worker": "measure"})
    assert _starts(tmp_path) == [" ".join(NAMES)]
    assert _statuses(report) == dict.fromkeys(NAMES, DONE)
    assert (report["head"]["card"], report["head"]["seed"]) == ("a card", 1)
    assert report["is_complete"] is True
    (value,) = report["figures"]["worker.cancel_ms"]["values"].values()
    assert value == {
        **{"value": 12.5, "low": 12.0, "high": 13.0, "count": 3},
        **{"aim": "at most 2000", "is_met": True},
    }


def test_part_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process, and that one's; a new one does the next part."""
    short = tuple(replace(one, share=1e-3) if one.name == "worker" else one for one in PARTS)
    monkeypatch.setattr(runner, "PARTS", short)
    monkeypatch.setattr(runner, "GRACE_S", 0.0)
    report = _run(tmp_path, {"worker": "hang"})
    assert _statuses(report) == {**dict.fromkeys(NAMES, DONE), "worker": STOPPED}
    assert "did not come to an end in time" in report["parts"]["worker"]["why"]
    assert "about to hang" in report["parts"]["worker"]["traceback"]
    assert _starts(tmp_path) == [" ".join(NAMES), " ".join(NAMES[2:])]
    pid = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not _is_alive(pid):
            break
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]


@pytest.mark.parametrize(("how", "status"), [("die", STOPPED), ("lose", FAILED)])
def test_process_that_ends_costs_one_part(tmp_path: Path, how: str, status: str) -> None:
    """Whether it dies, or says that its device is lost to it."""
    report = _run(tmp_path, {"agree": how, "worker": "measure"})
    assert _statuses(report) == {**dict.fromkeys(NAMES, DONE), "agree": status}
    assert report["parts"]["agree"]["traceback"]
    assert _starts(tmp_path) == [" ".join(NAMES), " ".join(NAMES[1:])]
    assert report["figures"]["worker.cancel_ms"]["values"]["digit-finder"]["value"] == 12.5
    assert report["is_complete"] is True


def test_what_was_measured_before_a_process_died_is_kept(tmp_path: Path) -> None:
    """A figure is told when it is measured, and every other one says why it is missing."""
    report = _run(tmp_path, {"worker": "measure", "live": "die"})
    assert report["figures"]["worker.cancel_ms"]["values"]["digit-finder"]["value"] == 12.5
    for value in report["figures"]["live.warm_ms"]["values"].values():
        assert value["value"] is None
        assert "its process ended" in value["why"]


def test_report_is_whole_after_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill at any moment leaves the parts before, and every figure with why it is missing."""
    seen: list[dict[str, Any]] = []
    write = CheckReport.write

    def watched(report: CheckReport, *, is_complete: bool) -> None:
        write(report, is_complete=is_complete)
        seen.append(_read(tmp_path))

    monkeypatch.setattr(CheckReport, "write", watched)
    _run(tmp_path, {"worker": "measure"})
    assert len(seen) >= len(PARTS) + 2
    for report in seen:
        assert {name: set(one["values"]) for name, one in report["figures"].items()} == {
            figure.name: set(figure.keys) for figure in FIGURES
        }
        for figure in report["figures"].values():
            assert all(
                value["value"] is not None or value["why"] for value in figure["values"].values()
            )
    assert [report["is_complete"] for report in seen[:-1]] == [False] * (len(seen) - 1)
    done = [sum(how["status"] == DONE for how in report["parts"].values()) for report in seen]
    assert done == sorted(done)


def test_time_that_is_over_skips_with_a_word(tmp_path: Path) -> None:
    """All parts where there is none, and no process is started."""
    report = _run(tmp_path, {}, seconds=0)
    assert _statuses(report) == dict.fromkeys(NAMES, SKIPPED)
    assert {how["why"] for how in report["parts"].values()} == {"time ran out"}
    assert not (tmp_path / "starts").exists()
    assert report["is_complete"] is True


def test_parts_that_are_not_asked_for_are_left_out(tmp_path: Path) -> None:
    """The report says so of each."""
    report = _run(tmp_path, {"recipes": "nothing"}, parts=("recipes",))
    assert _starts(tmp_path) == ["recipes"]
    assert report["parts"]["agree"]["why"] == "it was not asked for"
    assert report["parts"]["recipes"]["status"] == DONE


def test_machine_that_cannot_is_said_once(tmp_path: Path) -> None:
    """No part is tried again in another process."""
    with pytest.raises(WorkerError, match="no card here"):
        _run(tmp_path, {"cannot": "There is no card here."})
    assert len(_starts(tmp_path)) == 1
    assert _statuses(_read(tmp_path)) == dict.fromkeys(NAMES, SKIPPED)


def test_aims_hold_from_their_side() -> None:
    """At most includes the number itself, and so does at least."""
    assert Aim(most=3).is_met(3)
    assert not Aim(most=3).is_met(3.1)
    assert Aim(least=3).is_met(3)
    assert not Aim(least=3).is_met(2.9)
    assert (str(Aim(most=30)), str(Aim(least=3))) == ("at most 30", "at least 3")
