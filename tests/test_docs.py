"""The documents say what is so: examples run, commands and files exist, versions agree."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from subprocess import run

import click
import pytest
import yaml

from umnist_core import __version__
from umnist_core.cli import root as umnist
from umnist_core.labeling import StudySpec

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def commands(command: click.Command, name: str) -> dict[str, click.Command]:
    """Return every command that does something, by its full name."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found: dict[str, click.Command] = {}
    for part in command.list_commands(context):
        inner = command.get_command(context, part)
        assert inner is not None
        found |= commands(inner, f"{name} {part}")
    return found


def _commands_in_readme() -> set[str]:
    lines = re.findall(r"^\| `(umnist [^`]+)` \|", README, re.MULTILINE)
    return {re.split(r" (?=-|\S+\.)", line)[0] for line in lines}


def test_readme_example_runs() -> None:
    """The Python example prints the label and the shape of one image."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", example]
    result = run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+ \(4000, 4000\)\n", result.stdout)


def test_readme_names_every_command() -> None:
    """The table has each command that exists, and none that does not."""
    assert _commands_in_readme() == commands(umnist, "umnist").keys()


def test_every_command_shows_an_example() -> None:
    """``--help`` of each command ends with commands that can be typed."""
    without = [
        name
        for name, command in commands(umnist, "umnist").items()
        if f"  {name}" not in (command.help or "") + (command.epilog or "")
    ]
    assert without == []


def test_readme_names_every_environment_variable() -> None:
    """The settings that are read are those that are explained."""
    read = set(re.findall(r"UMNIST_[A-Z_]+", (ROOT / "umnist_core" / "settings.py").read_text()))
    assert set(re.findall(r"^\| `(UMNIST_[A-Z_]+)` \|", README, re.MULTILINE)) == read


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Each link to a file of the project leads to one."""
    links = re.findall(r"\]\(([^)#:\s]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_settings_of_studies_that_a_document_shows_can_be_read() -> None:
    """As a file of settings, where a question mark in a flow of YAML has to be quoted."""
    text = (ROOT / "docs" / "studies.md").read_text()
    shown = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    assert [next(iter(one)) for one in shown] == ["recruiting", "asking"]
    beside = {"name": "Shown", "ask_digits": True, "ask_confidence": True}
    for settings in shown:
        StudySpec.from_dict({**beside, **settings})


def test_decisions_are_numbered_and_give_reasons() -> None:
    """Decisions count up from 1 without a gap and say what was decided against, and why."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]} ")
        sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert sections[:3] == ["Context", "Decision", "Why not"]


def test_versions_agree() -> None:
    """Package, citation and changelog name the same version."""
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_constraints_name_versions_alone() -> None:
    """The pinned versions name no host and no path, so that any mirror can serve them."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def _typed(document: Path) -> list[str]:
    """Return the ``umnist`` commands of a document's code, without what is behind ``#``."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(umnist [a-z][^`]*)`", document.read_text())
    found = [line.strip() for line in [*lines, *inline]]
    return [line for line in found if line.startswith("umnist ")]


def _wrong(line: str) -> str | None:
    """Return what a command line names that there is not."""
    words = shlex.split(line.replace("'", "").replace("…", ""), comments=True)[1:]
    command: click.Command = umnist
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words.pop(0))
        if inner is None:
            return line
        command = inner
    options = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = {word.partition("=")[0] for word in words if re.match("--[a-z]", word)}
    return f"{line}: {given - options}" if given - options - {"--help", "--version"} else None


OF_THIS_VERSION = [
    path for path in DOCUMENTS if path.name != "CHANGELOG.md" and path.parent.name != "decisions"
]


@pytest.mark.parametrize("document", OF_THIS_VERSION, ids=lambda path: path.name)
def test_commands_that_documents_show_exist_with_their_options(document: Path) -> None:
    """Whoever types them is not told that there is no such thing."""
    wrong = [found for line in _typed(document) if (found := _wrong(line))]
    assert wrong == []
