"""What is in a scene, as the viewer and the answers beside it take it."""

from __future__ import annotations

from typing import Any

from umnist_core.scenes import Digit, MegapixelTasks, NeedleTasks, Scene, Tasks


def explain_tasks(tasks: Tasks) -> str:
    """Return what the label of an image is, and its other answers, in words."""
    if isinstance(tasks, NeedleTasks):
        return "a 3 is there" if tasks.needle else "no 3 is there"
    assert isinstance(tasks, MegapixelTasks)
    present = ", ".join(map(str, tasks.multi))
    return f"majority; largest {tasks.max}, topmost {tasks.top}, present {present}"


def digit_data(place: int, digit: Digit) -> dict[str, Any]:
    """Return one digit for the viewer and the answers."""
    return {
        "id": place,
        "label": digit.label,
        "box": digit.box.xywh,
        "ink": digit.ink_box.xywh,
        "side": digit.side_px,
    }


def scene_truth(scene: Scene) -> dict[str, Any]:
    """Return what is in a scene, for the viewer and the answers."""
    return {
        "label": scene.label,
        "explained": None if scene.asks_sum else explain_tasks(scene.tasks),
        "digits": [digit_data(place, digit) for place, digit in enumerate(scene.digits)],
        "shapes": [shape.mark() for shape in scene.shapes],
    }
