"""The scenes whose pixels are kept: what is drawn, and how it is hashed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import level_box_of_whole, render
from umnist_core.scenes import plan_scene

GOLDEN_FILE = Path(__file__).with_name("pixels.json")

CASES: dict[str, tuple[str, int, dict[str, str]]] = {
    "released": ("released", 0, {}),
    "released-clean": ("released-clean", 0, {}),
    "released until version 1": ("released-clean", 0, {"digit_order": "shuffled"}),
    "paper": ("paper", 1, {}),
    "ten shape pairs": ("released", 2, {"shape_pairs": "10", "checkerboard": "4"}),
    "noise-free": ("released", 3, {"shape_pairs": "0", "checkerboard": "0"}),
    "strong JPEG": ("released", 4, {"canvas": "1501", "factor": "0.5..9", "digit_jpeg": "20"}),
    "odd canvas": ("released", 4, {"canvas": "1501", "factor": "0.5..9"}),
    "100,000 px": ("released", 5, {"canvas": "100000"}),
    "straight lines": ("megapixel", 6, {}),
    "curves": ("megapixel-bezier", 7, {}),
    "thick curves": ("o2i-84", 8, {"thickness": "3.2"}),
    "continuous curves": ("o2i-56", 9, {"thickness_mode": "continuous"}),
    "46 px": ("megapixel-bezier", 10, {"digit_size": "46", "noise_size": "46"}),
    "needle": ("needle", 10, {}),
    "no needle in 64 px": ("needle", 11, {"canvas": "64"}),
    "reduced by PatchGD": ("patchgd", 13, {}),
}


def hashes(name: str) -> dict[str, str]:
    """Return sha256 hashes of a case: its scene, and pixels at two reductions and filters."""
    preset, index, overrides = CASES[name]
    glyphs = segment_glyphs()
    scene = plan_scene(preset, seed=1, index=index, glyphs=glyphs, overrides=overrides)
    parts = {"scene": scene.to_json().encode()}
    if scene.width <= 4000:
        parts["pixels"] = render(scene, glyphs).tobytes()
    reduction = max(8, scene.width // 500)
    for pyramid_filter in ("area", "nearest"):
        parts[f"{pyramid_filter} 1/{reduction}"] = render(
            scene,
            glyphs,
            level_box=Box(0, 0, 150, 150).intersection(level_box_of_whole(scene, reduction)),
            reduction=reduction,
            pyramid_filter=pyramid_filter,
        ).tobytes()
    return {part: hashlib.sha256(data).hexdigest() for part, data in parts.items()}
