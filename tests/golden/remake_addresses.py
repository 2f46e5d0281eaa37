"""Remake the golden addresses of scenes: ``python -m tests.golden.remake_addresses``.

Python and JavaScript both write an image's address, and tests of both read this file. Links that
people keep hold such addresses: a change of one that is here must still be read.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

from umnist_core.scenes import SceneRef
from umnist_core.seeds import MAX_SEED

GOLDEN_FILE = Path(__file__).with_name("scene_addresses.json")

TILES = {"tile": "1024", "pin": "edc0d109-1"}

REFS = (
    SceneRef(),
    SceneRef("released", 7, "test", 3),
    SceneRef("paper", MAX_SEED, "train", MAX_SEED),
    SceneRef.of("released", {"zoom": "1", "shape_pairs": "3", "rotation": "-10..10"}, seed=3),
    SceneRef.of("released", {"rotation": "12.3456789", "noise_seed": str(MAX_SEED), "label": "27"}),
    SceneRef.of("megapixel-bezier", {"thickness": "2.2", "thickness_mode": "continuous"}, index=12),
    SceneRef.of("needle", {"canvas": "6144", "digits_from": "validation", "label": "1"}, index=5),
    SceneRef("patchgd", 2, "test", 9),
)


def address(ref: SceneRef) -> str:
    """Return the address of a scene's description, as the Noise lab asks for it."""
    return f"/tiles/scene.dzi?{urlencode(ref.to_query() | TILES)}"


def main() -> None:
    """Write every address."""
    cases = [{"ref": ref.to_dict(), "address": address(ref)} for ref in REFS]
    GOLDEN_FILE.write_text(json.dumps({"tiles": TILES, "cases": cases}, indent=2) + "\n")
    print(f"wrote {GOLDEN_FILE.name}: {len(cases)} addresses")


if __name__ == "__main__":
    main()
