"""Remake the JSON schema of an answer: ``python -m tests.golden.remake_schema``.

The annotators' page (``tests/javascript/attempt.test.mjs``) and the simulation are checked against
it. Answers lie in logs that are never changed: a field that is here stays as it is.
"""

from __future__ import annotations

import json
from pathlib import Path

from umnist_core.labeling.recorded import answer_schema

GOLDEN_FILE = Path(__file__).with_name("answer.schema.json")


def main() -> None:
    """Write the schema."""
    GOLDEN_FILE.write_text(json.dumps(answer_schema(), indent=2) + "\n")
    print(f"wrote {GOLDEN_FILE.name}")


if __name__ == "__main__":
    main()
