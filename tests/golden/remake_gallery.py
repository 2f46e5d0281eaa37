"""Ask the models of all examples of the gallery anew: ``python -m tests.golden.remake_gallery``.

Examples are added to ``umnist_core/experiments/gallery.json`` with model, image and sentence; their
kind and facts are filled in. Read the sentences afterwards: they are to be true.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef, any_ref
from umnist_core.digits import load_glyphs
from umnist_core.experiments.gallery import FILE, describe, kind_of
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import DigitImage, PredictRequest, SceneImage

PATH = Path(__file__).resolve().parents[2] / "umnist_core" / "experiments" / FILE


def find_facts(predictor: Predictor, model: str, ref: AnyRef) -> dict[str, Any]:
    """Return what a model makes of an image, and what is in it."""
    image = DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref)
    result = predictor.predict(PredictRequest(model, "cpu", image)).to_dict()
    facts = describe(result["tasks"], result)
    if isinstance(ref, DigitRef):
        return facts | {"scale": f"{ref.scale:.3g}"}
    sides = [digit.side_px for digit in ref.plan(load_glyphs()).digits]
    if not sides:
        return facts
    return facts | {"count": len(sides), "smallest_px": min(sides), "largest_px": max(sides)}


def main() -> None:
    """Write the file anew, and print every sentence."""
    if load_glyphs().is_stand_in:
        raise SystemExit("The gallery is of MNIST's digits; set UMNIST_DIGITS to their folder.")
    data, predictor = json.loads(PATH.read_text("utf-8")), Predictor("cpu")
    for one in data["examples"]:
        image = one["image"]
        sample = {name: image[name] for name in ("seed", "split", "index")}
        ref = any_ref(image["preset"], image.get("overrides", {}), **sample)
        one["facts"] = find_facts(predictor, one["model"], ref)
        one["kind"] = kind_of(one["facts"])
        print(f"{one['kind']:<7} {one['model']}: {one['sentence'].format(**one['facts'])}")
        print(f"        {one['facts']}")
    PATH.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
