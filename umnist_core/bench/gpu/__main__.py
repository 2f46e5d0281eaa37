"""The command line of `scripts/gpu-check`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from umnist_core.bench.gpu.parts import PARTS
from umnist_core.bench.gpu.report import JSON_FILE, STATES, CheckReport
from umnist_core.bench.gpu.runner import CheckPlan, run_check
from umnist_core.bench.gpu.sizes import SEED
from umnist_core.errors import UmnistError

_PARTS = ", ".join(one.name for one in PARTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; return 0 where the report is whole, whatever it says."""
    options = _parser().parse_args(arguments)
    wanted = tuple(options.parts.split(",")) if options.parts else tuple(p.name for p in PARTS)
    if unknown := sorted(set(wanted) - {one.name for one in PARTS}):
        print(f"The parts are {_PARTS}; got {unknown[0]!r}.", file=sys.stderr)
        return 2
    try:
        return _check(options, wanted)
    except (UmnistError, OSError) as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 1


def _check(options: argparse.Namespace, wanted: tuple[str, ...]) -> int:
    out: Path = options.out.absolute()
    (out / STATES).mkdir(parents=True, exist_ok=True)
    # Nothing is read from or written to this user's own folders.
    os.environ["UMNIST_DATA"] = str(out / "data")
    if options.digits is not None:
        os.environ["UMNIST_DIGITS"] = str(options.digits.absolute())
    head = {
        "date_utc": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "is_rehearsal": options.rehearse,
        "minutes": options.minutes,
        "cores": os.cpu_count() or 1,
        "seed": SEED,
    }
    report = CheckReport(out, head)
    plan = CheckPlan(
        out=out,
        device="cpu" if options.rehearse else options.device,
        seconds=60 * options.minutes,
        parts=wanted,
        is_rehearsal=options.rehearse,
        resume=tuple(path.absolute() for path in options.resume),
    )
    run_check(plan, report, lambda line: print(line, file=sys.stderr, flush=True))
    print(report.table())
    print(f"\n{out / JSON_FILE}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/gpu-check",
        description="Measure on a GPU what this project promises of one: a table, and one JSON.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder that the report goes to")
    parser.add_argument(
        "--digits", type=Path, metavar="FOLDER", help="with MNIST's four files; else UMNIST_DIGITS"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="for all (default: 10)")
    parser.add_argument("--device", default="cuda:0", help="default: cuda:0")
    parser.add_argument("--parts", metavar="NAMES", help=f"with commas between; of {_PARTS}")
    parser.add_argument(
        "--resume",
        type=Path,
        action="append",
        default=[],
        metavar="STATE",
        help="a state of an earlier call, from which its recipe goes on; may be given again",
    )
    parser.add_argument(
        "--rehearse", action="store_true", help="every part on the CPU, at a small size"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
