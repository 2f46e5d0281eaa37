"""Stands in for the process of parts: does what the folder's ``acts.json`` says, part by part.

It is `umnist_core.bench.gpu.work` for the runner, and needs no torch.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def tell(event: str, **fields: Any) -> None:
    """Write a line, as the process of parts does."""
    print(json.dumps({"event": event, **fields}), flush=True)


def act(part: str, how: str, out: Path) -> None:
    """Do a part in one of the ways that there are."""
    tell("begin", part=part)
    if how == "measure":
        measured = {"value": 12.5, "low": 12.0, "high": 13.0, "count": 3}
        tell("put", name="worker.cancel_ms", key="digit-finder", measured=measured)
    elif how == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (out / "child").write_text(str(child.pid))
        print("about to hang", file=sys.stderr, flush=True)
        time.sleep(600)
    elif how == "die":
        print("about to die", file=sys.stderr, flush=True)
        print('{"event": "put", "name": "worker.cancel', end="", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "lose":
        tell("end", part=part, status="failed", why="RuntimeError: CUDA error", traceback="...")
        tell("lost")
        sys.exit()
    tell("end", part=part, status="done", why="", seconds=0.0)


def main() -> None:
    """Act every part that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", action="append")
    options, _ = parser.parse_known_args()
    acts: dict[str, str] = json.loads((options.out / "acts.json").read_text())
    with (options.out / "starts").open("a") as file:
        file.write(" ".join(options.part) + "\n")
    if "cannot" in acts:
        tell("cannot", why=acts["cannot"])
        return
    tell("head", card="a card")
    for part in options.part:
        act(part, acts.get(part, "nothing"), options.out)
    tell("over")


if __name__ == "__main__":
    main()
