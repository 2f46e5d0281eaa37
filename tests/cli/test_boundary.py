"""The command line's boundary: whatever comes, one sentence and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from umnist_core.incidents import LOG_NAME

UMNIST = [sys.executable, "-m", "umnist_core.cli"]

BROKEN = """
import sys
from umnist_core import cli
from umnist_core.cli import digits

def fail(*_):
    raise {error}

digits.find_digits = fail
sys.argv = ["umnist", "digits", "status"]
cli.main()
"""
"""The command with a fault of ours in it."""


def _run_broken(error: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BROKEN.format(error=error)],
        env=os.environ | {"UMNIST_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "error",
    ["ZeroDivisionError('no')", "RecursionError()", "OSError(5, 'bad')", "MemoryError()"],
)
def test_fault_of_ours_is_one_sentence_with_a_number(error: str, tmp_path: Path) -> None:
    """The sentence names number and log, the log has the traceback, and the exit code is 1."""
    done = _run_broken(error, tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("umnist: ")
    assert str(tmp_path / LOG_NAME) in done.stderr
    number = done.stderr.rstrip(".\n").rpartition(" ")[2]
    text = (tmp_path / LOG_NAME).read_text()
    assert f"Incident {number}: umnist digits status" in text
    assert "Traceback" in text


@pytest.mark.parametrize("error", ["KeyboardInterrupt()", "BrokenPipeError()"])
def test_leaving_is_quiet(error: str, tmp_path: Path) -> None:
    """Ctrl-C and a reader that has left are no incidents."""
    done = _run_broken(error, tmp_path)
    assert done.returncode == 1
    assert "expect" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / LOG_NAME).exists()


def test_reader_that_leaves_early_is_no_incident(tmp_path: Path) -> None:
    """As with ``umnist ... | head -1``: nothing is said, also not when the stream is closed."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*UMNIST, "digits", "status"],
        env=os.environ | {"UMNIST_DATA": str(tmp_path)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "utf-8:strict"},
    ],
)
def test_names_that_are_no_text_are_printed(variables: dict[str, str], tmp_path: Path) -> None:
    """A folder's name may be any bytes, and a terminal may know ASCII alone."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xc3\xa9\xff"))
    folder.mkdir()
    drawing = ["render", "--set", "canvas=1000", str(folder / "\udcfe.png")]
    for command in (drawing, ["datasets", "inspect", str(folder)]):
        done = subprocess.run(
            [*UMNIST, *command],
            env=os.environ | variables | {"UMNIST_DATA": str(tmp_path)},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"/d" in done.stdout


NO_HOME = """
import pwd, sys
pwd.getpwuid = lambda uid: {}[uid]  # as of a user whom a container does not know
from umnist_core.cli import main
sys.argv = ["umnist", "digits", "status"]
main()
"""

NO_TMPDIR = """
import sys, tempfile
from pathlib import Path
tempfile._candidate_tempdir_list = lambda: []
from umnist_core.pyramid import files
from umnist_core.cli import main
files.WHOLE_MAX_PX = 1  # as of an image that is too large to be kept
sys.argv = ["umnist", *sys.argv[1:]]
main()
"""


def test_machine_without_a_home_is_one_sentence() -> None:
    """It says what to set."""
    done = subprocess.run(
        [sys.executable, "-c", NO_HOME],
        env={k: v for k, v in os.environ.items() if k not in ("HOME", "UMNIST_DATA")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "set UMNIST_DATA" in done.stderr


def test_no_folder_for_temporary_files_is_one_sentence(tmp_path: Path) -> None:
    """Of what needs one; the rest works."""
    image = str(tmp_path / "a.png")
    drawn = ["render", "--set", "canvas=300", "--set", "factor=0.5..2", image]
    turned = ["predict", image, "--model", "digit-finder", "--device", "cpu"]
    ends = []
    for command in (drawn, turned):
        done = subprocess.run(
            [sys.executable, "-c", NO_TMPDIR, *command],
            env=os.environ | {"UMNIST_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        ends.append((done.returncode, done.stderr))
    assert ends[0] == (0, "")
    assert ends[1][0] == 1
    assert "set TMPDIR" in ends[1][1]
    assert "Traceback" not in ends[1][1]


def test_ctrl_c_in_the_middle_of_an_import_ends_with_code_1_too(tmp_path: Path) -> None:
    """Python itself would end with a signal, as the stop came in an `exec` of its own."""
    script = (
        "from umnist_core import cli\n"
        "cli.root.main = lambda **_: exec('raise KeyboardInterrupt')\n"
        "cli.main()\n"
    )
    (tmp_path / "stopped_amid_exec.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "-m", "stopped_amid_exec"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("stopped; nothing half-written")) == (1, 1)


LOST = {
    "in a destructor": """
class Slow:
    def __del__(self):
        ask_to_stop()
Slow()
""",
    "amid an import that gives up on any error": """
import slow_import
""",
    "in code that takes it for any error": """
try:
    ask_to_stop()
except BaseException:
    pass
""",
}


@pytest.mark.parametrize("place", LOST)
def test_ctrl_c_that_is_lost_is_given_again(place: str, tmp_path: Path) -> None:
    """The command ends as it would have, and an import is not broken off."""
    (tmp_path / "slow_import.py").write_text(
        "from __main__ import ask_to_stop\nask_to_stop()\nprint('imported')\n"
    )
    work = LOST[place].replace("\n", "\n    ")
    (tmp_path / "lost.py").write_text(
        "import signal, time\nfrom umnist_core import cli\n"
        "def ask_to_stop():\n    signal.raise_signal(signal.SIGINT)\n    time.sleep(0.05)\n"
        f"def work(**_):\n    {work}\n"
        "    for _ in range(600):\n        time.sleep(0.1)\n"
        "cli.root.main = work\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "lost"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "umnist: stopped; nothing half-written was left.\n",
    )
    assert done.stdout == ("imported\n" if "import" in place else "")


def test_clearing_up_after_ctrl_c_is_not_interrupted(tmp_path: Path) -> None:
    """However long it takes, and whatever errors it handles by the way."""
    (tmp_path / "clearing.py").write_text(
        "import signal, time\nfrom umnist_core import cli\n"
        "def work(**_):\n"
        "    try:\n        signal.raise_signal(signal.SIGINT)\n"
        "    finally:\n"
        "        try:\n            raise ValueError\n"
        "        except ValueError:\n            time.sleep(0.5)\n"
        "        time.sleep(0.5)\n        print('cleared')\n"
        "cli.root.main = work\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "clearing"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "cleared\n")


def test_misspelt_command_is_told_which_was_meant() -> None:
    """And one that is like none gets the list alone."""
    for word, meant in (("modles", " Did you mean 'models'?"), ("qqq", "validate.")):
        done = subprocess.run([*UMNIST, word], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.rstrip().endswith(meant)
