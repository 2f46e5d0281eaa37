"""Recompute every figure of this study; needs Python 3.11, NumPy, SciPy and pandas alone.

    python recompute.py

The log is followed hash by hash and the tables are compared with it. Then everything is
computed anew from tables/answers.csv, tables/digits.csv and the traces of the log, with the
sources in scoring/, written to report.json, and compared with figures.json, the figures at
the time of the export. Ends with code 1 if anything differs.

umnist copies this file into every export as it is, so it imports nothing of umnist.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent

SEED = 0
"""Of the permutations; the one that umnist uses."""

TOLERANCE = 1e-9
"""Relative; other versions of NumPy and SciPy may round the last digits otherwise."""

CLOSE_TO_ZERO = 1e-12

SEARCHED, SEARCHED_TOLERANCE = "mixed.", 1e-4
"""How the figures begin that a search for a maximum ends at, not a formula; absolute, too."""


HASHED = (
    *("study", "seq", "time_utc", "kind", "subject"),
    *("payload_hash", "attachment_hash", "previous_hash"),
)
"""Fields that an event's own hash is over, in order."""

KINDS: Mapping[str, Any] = {
    "text": str,
    "ints": str,
    "int": "int64",
    "float": "float64",
    "bool": bool,
}
"""Kind of a column -> how it is read; ids that are all digits must not become numbers."""

UNKNOWN = {"truth": "Int64", "correct": "boolean"}
"""How the columns are read that a study without truth has nothing in."""


def main() -> int:
    """Check, recompute and compare; return the exit code."""
    header = read_json("study.json")
    faults = [*find_log_faults(header["study"], header["head_hash"])]
    answers = read_table("answers")
    faults += find_table_faults(answers)
    for fault in faults:
        print(f"fault    {fault}")
    if not faults:
        print(f"log      {header['events']} events, sound; last hash {header['head_hash']}")
    figures = compute(answers, read_table("digits"))
    text = json.dumps(figures, indent=2, allow_nan=False)
    (HERE / "report.json").write_text(text + "\n", encoding="utf-8")
    others = sorted(find_differences(read_json("figures.json"), figures))
    for name in others[:20]:
        print(f"differs  {name}")
    if others:
        print(f"report   report.json, {len(others)} figures differ from those in figures.json")
    else:
        print("report   report.json, every figure as in figures.json")
    return 1 if faults or others else 0


def compute(answers: pd.DataFrame, digits: pd.DataFrame) -> Any:
    """Return the figures of counted answers, as JSON holds them."""
    sys.path.insert(0, str(HERE))
    scoring = importlib.import_module("scoring")
    counted = scored(answers[answers["counted"]].reset_index(drop=True))
    traces = read_traces()
    of_label = {
        key: [part for seq in seqs for part in traces.get(seq, ())]
        for key, seqs in zip(counted["label_key"], counted["seqs"], strict=True)
    }
    looked_at = {key: parts for key, parts in of_label.items() if parts}
    plain = digits[digits["label_key"].isin(of_label)].reset_index(drop=True)
    plain = plain.loc[:, :"col1"]
    looks = scoring.add_looks(plain, looked_at)
    found = scoring.report(counted, looks, rng=np.random.default_rng(SEED))
    return json.loads(found.to_json())


def scored(answers: pd.DataFrame) -> pd.DataFrame:
    """Return answers that can be right or wrong; none of a study without truth."""
    if answers["truth"].dtype != UNKNOWN["truth"]:
        return answers
    return answers[answers["truth"].notna()].astype({"truth": "int64", "correct": bool})


# -- reading ----------------------------------------------------------------------


def read_json(name: str) -> Any:
    """Return the content of a JSON file beside this one."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def read_table(name: str) -> pd.DataFrame:
    """Return a table with the kinds of columns that the codebook names."""
    kinds = {one["name"]: one["kind"] for one in read_json("codebook.json")[name]["columns"]}
    unknown = {} if read_json("settings.json").get("has_truth", True) else UNKNOWN
    frame: pd.DataFrame = pd.read_csv(
        HERE / "tables" / f"{name}.csv",
        dtype={column: unknown.get(column, KINDS[kind]) for column, kind in kinds.items()},
        keep_default_na=False,
        na_values=[""],
    )
    for column, kind in kinds.items():
        if kind == "ints":
            values = [json.loads(text) if isinstance(text, str) else None for text in frame[column]]
            frame[column] = pd.Series(values, index=frame.index, dtype=object)
        elif kind == "float":
            numbers = [float(text) for text in frame[column]]
            frame[column] = pd.Series(numbers, index=frame.index, dtype="float64")
    return frame


def iter_lines(name: str) -> Iterator[Any]:
    """Yield the objects of a file of the log."""
    with (HERE / "log" / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def read_traces() -> dict[int, list[Any]]:
    """Return the trace of each answer by the number of its event."""
    lines = iter_lines("attachments.jsonl")
    return {line["seq"]: json.loads(line["attachment"]) for line in lines}


# -- checking ---------------------------------------------------------------------


def digest(value: object) -> str:
    """Return the SHA-256 of a value as the log hashes it."""
    text = value if isinstance(value, str) else canonical(value)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    """Return the one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def find_log_faults(study: str, head_hash: str) -> Iterator[str]:
    """Yield a sentence for everything that is not as it was logged."""
    attachments = {
        line["seq"]: digest(line["attachment"]) for line in iter_lines("attachments.jsonl")
    }
    key_is_due = any(
        event["kind"] == "study_closed" and (event["payload"] or {}).get("has_key")
        for event in iter_lines("events.jsonl")
    )
    previous = "0" * 64
    for seq, event in enumerate(iter_lines("events.jsonl"), 1):
        own = digest([event[name] for name in HASHED])
        if (event["study"], event["seq"], event["previous_hash"]) != (study, seq, previous):
            yield f"Event {seq} is not chained to the one before it."
        if event["hash"] != own:
            yield f"Event {seq} is not what was logged."
        if event["payload"] is not None:  # None: the person was erased
            if digest(event["payload"]) != event["payload_hash"]:
                yield f"The payload of event {seq} is not what was logged."
            # The first event's is the study's key, which nobody is given before it is closed.
            # What a link carried is given to nobody.
            is_kept = event["kind"] != "recruited" and seq > 1
            is_due = is_kept or seq in attachments or (seq == 1 and key_is_due)
            if is_due and attachments.get(seq) != event["attachment_hash"]:
                yield f"The attachment of event {seq} is not what was logged."
            if seq == 1 and digest(read_json("log/truth.json")) != event["payload"]["truth_sha256"]:
                yield "The truth of the images is not what it was when the study was made."
        previous = event["hash"]
    if previous != head_hash:
        yield f"The last hash is {previous}, and study.json names {head_hash}."


def find_table_faults(answers: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence for every answer of the table that the log does not have."""
    truth = {name: json.loads(text)["label"] for name, text in read_json("log/truth.json").items()}
    logged = {
        event["seq"]: event["payload"]
        for event in iter_lines("events.jsonl")
        if event["kind"] in ("answered", "changed") and event["payload"] is not None
    }
    given = {seq for seqs in answers["seqs"] for seq in seqs}
    if given != set(logged):
        yield "The table of answers lacks some that are in the log, or has others."
    names = ["seq", "pool", "annotator", "stimulus", "kind", "answer"]
    for row in answers[[*names, "truth"]].itertuples(index=False, name=None):
        event = logged.get(row[0], {})
        if [event.get(name) for name in names[1:]] != list(row[1:6]):
            yield f"The table has another answer than event {row[0]}."
        if truth.get(row[3]) != (None if row[6] is pd.NA else row[6]):
            yield f"The table has another truth for image {row[3]}."


def find_differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Yield the names of figures that are not the same."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from find_differences(one[key], other[key], f"{name}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from find_differences(left, right, f"{name}[{place}]")
    elif isinstance(one, float) and isinstance(other, int | float):
        is_searched = name.startswith(SEARCHED)
        near = SEARCHED_TOLERANCE if is_searched else TOLERANCE
        close = SEARCHED_TOLERANCE if is_searched else CLOSE_TO_ZERO
        if not math.isclose(one, other, rel_tol=near, abs_tol=close):
            yield name
    elif one != other:
        yield name


if __name__ == "__main__":
    sys.exit(main())
