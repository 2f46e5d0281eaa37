"""The report of `scripts/gpu-check`: one JSON, rewritten whole as figures come in, and its table.

Every figure and every key of it is there from the beginning, with why it is not measured.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from umnist_core.bench.gpu.figures import FIGURES, get_figure
from umnist_core.bench.gpu.parts import PARTS
from umnist_core.files import write_whole

FORMAT = 1
JSON_FILE, TABLE_FILE, STATES = "gpu-check.json", "table.txt", "states"

NOTE = (
    "Figures of one run on one card; low and high are quartiles over the repeats of that run, and "
    "say nothing of another run, card or driver."
)

_NOT_YET = "not measured yet"


class CheckReport:
    """What is known so far, and where it is written.

    Parameters
    ----------
    out
        Folder that the files go to; it exists.
    head
        What the run follows from.
    """

    def __init__(self, out: Path, head: Mapping[str, Any]) -> None:
        self._out, self._started = out, time.monotonic()
        self.head = {**head, "note": NOTE}
        self.parts: dict[str, dict[str, Any]] = {
            one.name: {"title": one.title, "status": "", "why": "not reached"} for one in PARTS
        }
        self.figures: dict[str, dict[str, Any]] = {
            one.name: {
                "meaning": one.meaning,
                "unit": one.unit,
                "values": {key: {"value": None, "why": _NOT_YET} for key in one.keys},
            }
            for one in FIGURES
        }
        self.said: list[str] = []

    def put(self, name: str, key: str, measured: Mapping[str, Any]) -> None:
        """Write down what a figure is for a key, beside what is aimed at."""
        value, aim = measured.get("value"), get_figure(name).aim_of(key)
        entry = dict(measured)
        if aim is not None:
            entry["aim"] = str(aim)
            if value is not None:
                entry["is_met"] = aim.is_met(value)
        self.figures[name]["values"][key] = entry

    def end(self, part: str, **how: Any) -> None:
        """Write down how a part ended, and why what it did not measure is missing."""
        self.parts[part] = {"title": self.parts[part]["title"], **how}
        why = how.get("why") or "it was not measured"
        for name, figure in self.figures.items():
            if name.partition(".")[0] != part:
                continue
            for value in figure["values"].values():
                if value.get("why") == _NOT_YET:
                    value["why"] = why

    def write(self, *, is_complete: bool) -> None:
        """Write both files whole.

        Raises
        ------
        WriteError
            If they cannot be written; those before are unchanged.
        """
        text = json.dumps(self.to_dict(is_complete), indent=1, allow_nan=False) + "\n"
        write_whole(self._out / JSON_FILE, text.encode())
        write_whole(self._out / TABLE_FILE, (self.table() + "\n").encode())

    def to_dict(self, is_complete: bool) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        return {
            "format": FORMAT,
            "is_complete": is_complete,
            "seconds": round(time.monotonic() - self._started, 1),
            "head": self.head,
            "parts": self.parts,
            "figures": self.figures,
            "said": self.said,
        }

    def table(self) -> str:
        """Return the figures as lines for people."""
        lines = [f"{name:<14} {value}" for name, value in self.head.items()]
        for part in PARTS:
            how = self.parts[part.name]
            seconds = f", {how['seconds']:g} s" if "seconds" in how else ""
            why = f": {how['why']}" if how.get("why") else ""
            lines += ["", f"{part.title}: {how['status'] or 'not begun'}{seconds}{why}"]
            for figure in FIGURES:
                if figure.part == part.name:
                    values = self.figures[figure.name]["values"].items()
                    lines += [_line(figure.name, key, value, figure.unit) for key, value in values]
        return "\n".join(lines)


def _line(name: str, key: str, entry: Mapping[str, Any], unit: str) -> str:
    if entry.get("value") is None:
        return f"  {name:<22} {key:<32} -  {entry.get('why', '')}".rstrip()
    spread = f" ({entry['low']:g} to {entry['high']:g})" if "low" in entry else ""
    aim = ""
    if "aim" in entry:
        aim = f"  {'as aimed' if entry['is_met'] else 'NOT as aimed'}: {entry['aim']}"
    return f"  {name:<22} {key:<32} {entry['value']:g}{spread} {unit}".rstrip() + aim
