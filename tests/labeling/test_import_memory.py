"""Files that unpack to far more than they are: refused before they need much memory."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.labeling.making import open_small
from umnist_core.labeling.backup import write_backup
from umnist_core.labeling.export import export_study

ROOT = Path(__file__).parents[2]
FILE_BYTES = 4 << 20
PEAK_MIB = 900
"""An import of nothing needs about 200."""

IMPORT = """
import atexit, re, sys
from pathlib import Path
# Of this program alone: what a process is charged with includes whoever started it.
status = Path("/proc/self/status")
atexit.register(lambda: print(re.search(r"VmHWM:\\s+([0-9]+)", status.read_text())[1]))
from umnist_core.labeling.backup import restore_backup
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.service import StudyService

source, lab = Path(sys.argv[1]), Path(sys.argv[2])
if source.stem == "backup":
    restore_backup(source, MemoryLog(), lab)
else:
    import_study(StudyService(MemoryLog(), lab), source)
"""

BODIES: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: b'{"a":[' + b"[]," * (size // 3) + b"0]}",
    "small objects": lambda size: b'{"a":[' + b'{"b":1},' * (size // 8) + b"0]}",
    "nested objects": lambda size: b'{"a":[' + b'{"b":{}},' * (size // 9) + b"0]}",
    "a text with a wide character": lambda size: b'{"a":"\\ud83d\\ude00' + b"x" * size + b'"}',
    "numbers": lambda size: b'{"a":[' + b"1e9," * (size // 4) + b"0]}",
}

ENTRIES = (
    ("export", "study.json"),
    ("export", "checksums.json"),
    ("export", "log/events.jsonl"),
    ("export", "log/attachments.jsonl"),
    ("export", "log/claims.json"),
    ("backup", "backup.json"),
    ("backup", "studies/{study}/truth.json"),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an export and a backup of a study, and a file of the study's id."""
    folder = tmp_path_factory.mktemp("lab")
    service, study = open_small(folder / "lab", stimuli=2, images_per_annotator=2)
    export_study(service, study, folder / "export.zip")
    write_backup(service.log, None, folder / "backup.zip")
    (folder / "study").write_text(study)
    return folder


def _peak_mib(source: Path, lab: Path) -> tuple[int, str]:
    """Take a file in, in a process of its own; return its largest memory and what it said."""
    words = [sys.executable, "-c", IMPORT, str(source), str(lab)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(ended.stdout) >> 10, ended.stderr


CASES = [(kind, entry, "small objects") for kind, entry in ENTRIES]
CASES += [("backup", "studies/{study}/truth.json", body) for body in BODIES]


@pytest.mark.parametrize(("kind", "entry", "body"), dict.fromkeys(CASES))
def test_import_that_unpacks_to_far_too_much_is_refused_before_it_is_held(
    lab: Path, tmp_path: Path, kind: str, entry: str, body: str
) -> None:
    """4 MiB that would have needed gigabytes, in whichever entry; few of them stay harmless."""
    name = entry.format(study=(lab / "study").read_text())
    target = tmp_path / f"{kind}.zip"
    shutil.copy(lab / f"{kind}.zip", target)
    with ZipFile(target) as archive:
        entries = {one: archive.read(one) for one in archive.namelist()}
    assert name in entries
    entries[name] = BODIES[body](100 << 20)
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for one, data in entries.items():
            archive.writestr(one, data)
        archive.writestr("more", secrets.token_bytes(FILE_BYTES))  # or its ratio alone would tell
    peak_mib, said = _peak_mib(target, tmp_path / "images")
    assert "umnist_core.errors." in said.splitlines()[-1], said
    assert peak_mib < PEAK_MIB
