"""What is known of an image file, as the viewer draws it and the answers say it."""

from __future__ import annotations

from typing import Any

from pages._ui.shared.image_files import ChosenFile
from pages._ui.shared.words import count
from umnist_core.datasets.boxes import DrawnBox, check_boxes
from umnist_core.datasets.known import Known
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.datasets.named_scene import NamedScene
from umnist_core.digits import GLYPH_PX, load_glyphs
from umnist_core.errors import DamagedFileError
from umnist_core.pyramid.files import ImageHeader
from umnist_core.rendering import SceneFigures, scene_figures
from umnist_core.scenes import SHAPES, Scene
from umnist_core.scenes.needle_parameters import NEEDLE_CLASS
from umnist_core.server.truth import explain_tasks, scene_truth

SIGNS = "signs"
NEEDLE = "needle"

NO_CLASS = "\N{EN DASH}"


def file_truth(sample: ChosenFile, header: ImageHeader) -> tuple[dict[str, Any], str]:
    """Return what is known of a file's image.

    Returns
    -------
    tuple
        ``AnswersData`` in ``answers.js``, but for the channel; its label is None where nothing is
        known. And a sentence that says why there are no boxes although some were drawn.
    """
    if (named := sample.named) is not None and (scale := _scale(named, sample, header)):
        return _scene_truth(named.scene, scale), ""
    digits, problem = box_data(sample, header)
    truth = {
        "label": _label(sample),
        "explained": _explained(sample),
        "digits": digits,
        "shapes": [],
        "figures": _figures(sample, digits),
    }
    return truth, problem


def _scale(named: NamedScene, sample: ChosenFile, header: ImageHeader) -> float | None:
    """Return px of the file for each of its scene; None where it does not lie on the file."""
    scene = named.scene
    has_shape = header.width * scene.height == header.height * scene.width
    if sample.page or not (named.ref or has_shape):
        return None
    return header.width / scene.width


def _scene_truth(scene: Scene, scale: float) -> dict[str, Any]:
    """Return all of what is in a scene, over a file with ``scale`` times its sides."""
    truth = scene_truth(scene)
    glyphs = load_glyphs()
    is_ours = scene.glyph_checksum == glyphs.checksum
    truth["figures"] = figure_rows(scene_figures(scene, glyphs)) if is_ours else []
    return truth if scale == 1 else truth | _scaled(truth, scale)


def _scaled(truth: dict[str, Any], scale: float) -> dict[str, Any]:
    def times(numbers: Any) -> list[float]:
        return [scale * number for number in numbers]

    digits = [
        {**one, "box": times(one["box"]), "ink": times(one["ink"])} for one in truth["digits"]
    ]
    shapes = [
        {**one, "points": [times(point) for point in one["points"]]}
        if "points" in one
        else {**one, **{name: scale * one[name] for name in ("x", "y", "r")}}
        for one in truth["shapes"]
    ]
    return {"digits": digits, "shapes": shapes}


def file_notes(sample: ChosenFile, header: ImageHeader) -> tuple[str, ...]:
    """Return what to say of an image beside it: its split, and another size in a table."""
    notes = sample.notes if sample.named is None else (*sample.notes, sample.named.said)
    stated = None if sample.known is None else sample.known.stated_size
    if stated is None or stated == (header.height, header.width):
        return notes
    return (*notes, f"Its table says {stated[1]} x {stated[0]} px.")


def box_data(sample: ChosenFile, header: ImageHeader) -> tuple[list[dict[str, Any]], str]:
    """Return the drawn boxes of an image for the viewer and the answers.

    Of folders of images those of digits alone, whose sum is asked; of a data system all.

    Returns
    -------
    tuple
        The boxes, and a sentence that says why there are none although some were drawn.
    """
    if sample.page:
        return [], ""  # annotations speak of the first page
    boxes = (*sample.boxes, *_digit_box(sample, header))
    try:
        check_boxes(boxes, header.height, header.width, sample.title)
    except DamagedFileError as error:
        return [], str(error)
    shown = enumerate(box for box in boxes if sample.known is not None or box.is_digit)
    return [_drawn_data(number, box, sample.kind) for number, box in shown], ""


def _digit_box(sample: ChosenFile, header: ImageHeader) -> tuple[DrawnBox, ...]:
    """Return the square of the digit of an image whose scale is known, as far as it is in it."""
    if sample.kind != LARGE_SCALE or sample.known is None or sample.known.scale is None:
        return ()
    height, width = (
        min(GLYPH_PX * sample.known.scale, side) for side in (header.height, header.width)
    )
    x, y = (header.width - width) / 2, (header.height - height) / 2
    return (DrawnBox(str(sample.label), x, y, width, height),)


def _drawn_data(number: int, box: DrawnBox, kind: str) -> dict[str, Any]:
    place = (box.x, box.y, box.width, box.height)
    side = round(max(box.width, box.height))
    drawn = {"id": number, "label": int(box.name) if box.is_digit else box.name, "box": place}
    if kind == NEEDLE:
        return {**drawn, "side": side, "words": f"in these {side} px"}
    if box.is_digit:
        return {**drawn, "ink": place, "side": side}
    words = ", ".join(filter(None, (box.note.lower().replace("_", " "), f"{side} px")))
    return {**drawn, "side": side, "words": words}


def _label(sample: ChosenFile) -> int | str | None:
    known = sample.known
    if known is None:
        return sample.label
    if known.class_name is not None:
        return known.class_name
    if known.year is not None:
        return f"{known.year:g}"
    if sample.label is None and (sample.kind == SIGNS or known.boxes):
        return NO_CLASS
    return sample.label


def _explained(sample: ChosenFile) -> str | None:
    """Return the label in words, where it is no sum."""
    if sample.tasks is not None:
        return explain_tasks(sample.tasks)
    known = sample.known or Known()
    said = None
    if sample.kind == SIGNS:
        use = "by" if sample.label is not None else "not used by"
        said = f"{use} the filter of attention sampling (ATS)"
    elif sample.kind == NEEDLE and known.boxes:
        said = f"a {NEEDLE_CLASS} is there"
    elif known.class_name is not None:
        said = f"class number {sample.label}, of 0 to {sample.classes - 1}"
    elif known.year is not None:
        said = "the year"
    elif sample.kind == LARGE_SCALE:
        said = "the digit"
    return said


def _figures(sample: ChosenFile, digits: list[dict[str, Any]]) -> list[dict[str, str]]:
    rows = {}
    if sample.known is not None and sample.known.scale is not None:
        rows["Scale"] = f"{sample.known.scale:.4g}"
    if sample.kind == SIGNS and not digits:
        rows["Signs"] = "none drawn"
    return [{"name": name, "value": value} for name, value in rows.items()]


def _range(values: list[str]) -> str:
    return values[0] if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def figure_rows(figures: SceneFigures) -> list[dict[str, str]]:
    """Return the figures that tell something of the answer, as name and value."""
    ratios = [100 * ratio for ratio in figures.object_to_image_ratios]
    rows = {"Digits": "none"}
    if figures.sides_px:
        rows = {
            "Digit sizes": f"{_range([f'{side}' for side in sorted(figures.sides_px)])} px",
            "Object-to-image ratio": f"{_range([f'{ratio:.2g}' for ratio in sorted(ratios)])} %",
            "Ink of the digits": f"{100 * figures.ink_share:.2g} % of the image",
        }
    if figures.strokes:
        rows["Strokes"] = f"{figures.strokes}"
    elif figures.distractors:
        rows["Distractors"] = f"{figures.distractors}"
    else:
        kinds = {shape.plural: kind for kind, shape in SHAPES.items()}
        shapes = [count(number, kinds[many], many) for many, number in figures.shapes.items()]
        rows["Shapes"] = ", ".join(shapes)
        rows["Checkerboard"] = f"{count(figures.cells, 'cell')} a side" if figures.cells else "none"
    return [{"name": name, "value": value} for name, value in rows.items()]
