"""Make the golden store of the newest schema: ``python -m tests.golden.remake_store``.

A golden store of an older schema is never made again: it is what a lab has on its disk.
After adding a migration, run this once, and add the new file beside the others.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from alembic.script import ScriptDirectory

from tests.contracts.log_events import add, answered, assigned, create, erase, invited, joined
from umnist_core.errors import ConflictError
from umnist_core.labeling.log import Draft, EventLog
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.schema import MIGRATIONS

FOLDER = Path(__file__).parent
NAME = "labeling_schema_{}.sqlite"


def stores() -> list[Path]:
    """Return the golden store of every schema so far."""
    return sorted(FOLDER.glob(NAME.format("*")))


def fill(log: EventLog) -> None:
    """Put two studies into a store, with everything that a table is for."""
    create(log, "open-study", invited("i1", "a token"), joined("ann"), joined("bob", "unguided"))
    add(log, "open-study", invited("i2", "ann's token", "ann"))
    add(log, "open-study", assigned("a1", "ann"), assigned("b1", "bob", stimulus="image-b"))
    add(log, "open-study", answered("key-ann-1", "a1", "ann"))
    bobs = answered("key-bob-1", "b1", "bob", pool="unguided", stimulus="image-b", trace='{"é": 1}')
    add(log, "open-study", bobs)
    erase(log, "open-study", "ann")
    create(log, "closed-study", joined("ann"), Draft("study_closed", {}))


def main() -> None:
    """Write the store, and beside it the last hash of each study."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    path = FOLDER / NAME.format(head)
    if path.exists():
        raise ConflictError(f"There is {path.name} already; it is never made again.")
    with closing(open_log(f"sqlite:///{path}")) as log:
        fill(log)
        heads = {study: log.read(study)[-1].hash for study in log.studies()}
    path.with_suffix(".json").write_text(json.dumps(heads, indent=2) + "\n")
    print(f"wrote {path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
