"""Files are written whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from umnist_core.errors import WriteError
from umnist_core.files import write_whole


def test_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    """New content takes the place of the old, with the permissions that files have here."""
    path = tmp_path / "a.bin"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """One sentence with the path and what to do."""
    with pytest.raises(WriteError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "a.bin", b"data")


def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: the write fails half way."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from umnist_core.files import write_whole\n"
        "from umnist_core.errors import WriteError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_whole(Path(sys.argv[1]), bytes(100_000))\n"
        "except WriteError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "could not be written" in done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
