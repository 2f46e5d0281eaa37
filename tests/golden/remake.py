"""Remake the golden pixels: ``python -m tests.golden.remake``.

Do so only when pixels are meant to change, raise ``RENDERER_VERSION`` with it, and say
in the changelog why.
"""

from __future__ import annotations

import json

from tests.golden.cases import CASES, GOLDEN_FILE, hashes
from umnist_core.rendering import RENDERER_VERSION


def main() -> None:
    """Write every hash."""
    golden = {"renderer_version": RENDERER_VERSION, "cases": {name: hashes(name) for name in CASES}}
    GOLDEN_FILE.write_text(json.dumps(golden, indent=2) + "\n")
    print(f"wrote {GOLDEN_FILE.name}: {len(CASES)} cases")


if __name__ == "__main__":
    main()
