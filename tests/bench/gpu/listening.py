"""What a part tells, in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from umnist_core.bench.gpu.sizes import REHEARSAL, Sizes
from umnist_core.bench.gpu.work import Work
from umnist_core.hardware import Hardware, find_hardware


@dataclass
class Heard:
    """A part's work, and what it told."""

    work: Work
    stream: io.StringIO = field(repr=False)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [one for one in lines if one["event"] == kind]

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return what was put last: ``"name key"`` -> what was measured."""
        return {f"{one['name']} {one['key']}": one["measured"] for one in self.events("put")}

    def end(self) -> dict[str, Any]:
        """Return how the last part ended."""
        return self.events("end")[-1]


def listen(
    out: Path,
    sizes: Sizes = REHEARSAL,
    hardware: Hardware | None = None,
    resume: Sequence[Path] = (),
) -> Heard:
    """Return work on the processor, or on other hardware, and what it tells."""
    stream = io.StringIO()
    return Heard(Work(hardware or find_hardware("cpu"), sizes, out, resume, stream), stream)
