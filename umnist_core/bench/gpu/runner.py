"""Who writes the report: it starts the process that does the parts, and reads what that tells.

A part that does not come to an end in time is ended with its process, and one at which the process
ends by itself, or after which its device is lost, costs no other: a new process goes on with the
next. The report is written whole after every part, and some seconds after every figure, so that a
kill of this process loses little.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from umnist_core.bench.gpu.parts import PACKAGE, PARTS, SKIPPED, STOPPED
from umnist_core.bench.gpu.report import CheckReport
from umnist_core.errors import WorkerError

GRACE_SHARE, GRACE_S = 0.25, 20.0
"""So much longer than allowed may a part take before it is ended: of its time, and at least."""

RESERVE_S = 25.0
"""Of all the time, for what comes after the last part: its process ended, the report written."""

WRITE_EVERY_S = 5.0

_LAST_WORDS = 30
"""Lines of standard error that are kept of a process that ended by itself."""

_LAST_WORDS_S = 5.0
"""So long is waited for the end of what a process said that has ended."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class CheckPlan:
    """What is to be done.

    Attributes
    ----------
    out
        Folder of the report.
    device
        ``"cuda:0"``, or ``"cpu"`` to rehearse.
    seconds
        For all.
    parts
        Names of those that are done, in their order.
    is_rehearsal
        Whether all is small.
    resume
        States from which recipes go on.
    module
        What the process of parts runs.
    """

    out: Path
    device: str
    seconds: float
    parts: tuple[str, ...]
    is_rehearsal: bool = False
    resume: tuple[Path, ...] = ()
    module: str = f"{PACKAGE}.work"


@dataclass
class _Ended:
    """How a process of parts ended: the parts it left, and what it said last."""

    left: list[str]
    cannot: str = ""
    words: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_WORDS))


def run_check(plan: CheckPlan, report: CheckReport, say: Say) -> None:
    """Do the parts and write the report.

    Raises
    ------
    WorkerError
        If parts cannot be done here at all; the report says so, too.
    WriteError
        If the report cannot be written.
    """
    ends = time.monotonic() + plan.seconds
    reserve_s = min(RESERVE_S, plan.seconds / 10)
    for part in PARTS:
        if part.name not in plan.parts:
            report.end(part.name, status=SKIPPED, why="it was not asked for")
    left = [part.name for part in PARTS if part.name in plan.parts]
    report.write(is_complete=False)
    while left:
        seconds = ends - reserve_s - time.monotonic()
        if seconds <= 0:
            for name in left:
                report.end(name, status=SKIPPED, why="time ran out")
            break
        ended = _Process(plan, report, say, parts=left, seconds=seconds, ends=ends).run()
        if ended.cannot:
            for name in left:
                report.end(name, status=SKIPPED, why=ended.cannot)
            report.write(is_complete=False)
            raise WorkerError(ended.cannot, "cannot_start")
        left = ended.left
    report.write(is_complete=True)


class _Process:
    """One process of parts, from its start to its end."""

    def __init__(
        self,
        plan: CheckPlan,
        report: CheckReport,
        say: Say,
        *,
        parts: Sequence[str],
        seconds: float,
        ends: float,
    ) -> None:
        self._plan, self._report, self._say = plan, report, say
        self._seconds, self._ends = seconds, ends
        self._ended = _Ended(list(parts))
        self._part, self._until = "", ends
        self._written = time.monotonic()
        self._is_over = False

    def run(self) -> _Ended:
        """Read until it ends, or is ended."""
        events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        popen = self._start()
        readers = [
            threading.Thread(target=read, args=(popen, events), daemon=True)
            for read in (self._read_events, self._read_words)
        ]
        try:
            for reader in readers:
                reader.start()
            self._follow(events)
        finally:
            _end(popen, readers)
        if not self._is_over and not self._ended.cannot:
            self._note_end(popen.returncode)
        return self._ended

    def _start(self) -> subprocess.Popen[str]:
        plan = self._plan
        command = [sys.executable, "-m", plan.module, str(plan.out)]
        command += ["--device", plan.device, "--seconds", str(self._seconds)]
        command += ["--whole", str(plan.seconds)]
        command += [word for name in self._ended.left for word in ("--part", name)]
        command += [word for path in plan.resume for word in ("--resume", str(path))]
        command += ["--rehearse"] if plan.is_rehearsal else []
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,  # ended with all that it starts
        )

    def _read_events(
        self, popen: subprocess.Popen[str], events: queue.SimpleQueue[dict[str, Any] | None]
    ) -> None:
        try:
            for line in cast(IO[str], popen.stdout):
                with contextlib.suppress(ValueError):  # half a line of one that was killed
                    events.put(json.loads(line))
        finally:
            events.put(None)

    def _read_words(self, popen: subprocess.Popen[str], _events: object) -> None:
        for line in cast(IO[str], popen.stderr):
            self._ended.words.append(line.rstrip())
            print(line, end="", file=sys.stderr, flush=True)

    def _follow(self, events: queue.SimpleQueue[dict[str, Any] | None]) -> None:
        while True:
            wait_s = min(self._until, self._ends) - time.monotonic()
            try:
                event = events.get(timeout=max(wait_s, 0.01))
            except queue.Empty:
                return  # too late: it is ended
            if event is None:
                return
            if self._take(event):
                self._is_over = True
                return

    def _take(self, event: dict[str, Any]) -> bool:
        """Write an event down; return whether it is the last."""
        kind = event.pop("event")
        if kind == "put":
            self._report.put(event["name"], event["key"], event["measured"])
            if time.monotonic() - self._written > WRITE_EVERY_S:
                self._write()
        elif kind == "head":
            self._report.head |= event
        elif kind == "say":
            self._tell(event["text"])
        elif kind == "begin":
            self._begin(event["part"])
        elif kind == "end":
            self._finish(event.pop("part"), event)
        elif kind == "cannot":
            self._ended.cannot = event["why"]
        return kind in ("over", "lost", "cannot")

    def _begin(self, name: str) -> None:
        self._part = name
        share = next(one.share for one in PARTS if one.name == name)
        allowed_s = share * self._plan.seconds
        self._until = time.monotonic() + allowed_s + max(GRACE_S, GRACE_SHARE * allowed_s)
        self._tell(next(one.title for one in PARTS if one.name == name))

    def _finish(self, name: str, how: dict[str, Any]) -> None:
        self._part, self._until = "", self._ends
        self._ended.left.remove(name)
        self._report.end(name, **how)
        self._write()
        why = f": {how['why']}" if how.get("why") else ""
        self._tell(f"{name}: {how['status']}{why}")

    def _note_end(self, status: int | None) -> None:
        """Say of the part that was under way that its process did not come to its end."""
        name = self._part or self._ended.left[0]
        why = f"its process ended (status {status})"
        if status == -signal.SIGKILL:
            why = "its process did not come to an end in time, or was killed"
        words = "\n".join(self._ended.words)
        self._finish(name, {"status": STOPPED, "why": why, "traceback": words})

    def _write(self) -> None:
        self._report.write(is_complete=False)
        self._written = time.monotonic()

    def _tell(self, sentence: str) -> None:
        gone_s = self._plan.seconds - (self._ends - time.monotonic())
        line = f"{gone_s:6.1f} s  {sentence}"
        self._report.said.append(line)
        self._say(line)


def _end(popen: subprocess.Popen[str], readers: Sequence[threading.Thread]) -> None:
    """End a process and all that it started, if it has not ended, and read what it said last."""
    try:
        popen.wait(2.0)
    except subprocess.TimeoutExpired:
        os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
    for reader in readers:
        reader.join(_LAST_WORDS_S)
    if not any(reader.is_alive() for reader in readers):
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            cast(IO[str], stream).close()
