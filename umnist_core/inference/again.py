"""A prediction told as a command and as Python, which give it again. No torch."""

from __future__ import annotations

import shlex

from umnist_core.inference.requests import DigitImage, FileImage, PredictRequest, SceneImage


def predict_command(request: PredictRequest) -> str | None:
    """Return the command line that gives an answer again; None where there is none.

    Of a layer of a scene, of images of MNIST Large Scale that are drawn here and of a study's
    images there is none.
    """
    image = request.image
    options = ["--model", request.checkpoint, "--device", request.device]
    if request.digits is not None:
        options += ["--digits", f"{request.digits[0]}..{request.digits[1]}"]
    if isinstance(image, FileImage):
        if image.is_frozen:
            return None
        page = ["--page", str(image.page)] if image.page else []
        return shlex.join(["umnist", "predict", image.path, *options, *page])
    if isinstance(image, DigitImage) or image.layer != "full":
        return None
    options += [*image.ref.options, "--index", str(image.ref.index)]
    return shlex.join(["umnist", "predict", *options])


def predict_python(request: PredictRequest) -> str:
    """Return a program that gives an answer again, and prints it beside the truth."""
    image = request.image
    digits = "" if request.digits is None else f", digits={request.digits!r}"
    return (
        "from umnist_core.inference.predictor import Predictor\n"
        f"from umnist_core.inference.requests import PredictRequest, {type(image).__name__}\n"
        f"{_imports(image)}\n"
        f"image = {_code(image)}\n"
        f"request = PredictRequest({request.checkpoint!r}, {request.device!r}, image{digits})\n"
        f"found = Predictor({request.device!r}).predict(request)\n"
        "for task in found.tasks:\n"
        "    print(task.name, task.answer, task.truth)\n"
    )


def _imports(image: SceneImage | DigitImage | FileImage) -> str:
    if isinstance(image, FileImage):
        return ""
    if isinstance(image, DigitImage):
        return "from umnist_core.datasets.large_scale.ref import DigitRef\n"
    return "from umnist_core.scenes import SceneRef\n"


def _code(image: SceneImage | DigitImage | FileImage) -> str:
    if isinstance(image, FileImage):
        more = f", page={image.page}" if image.page else ""
        more += ", is_frozen=True" if image.is_frozen else ""
        return f"FileImage({image.path!r}{more})"
    ref = image.ref
    sample = f"seed={ref.seed}, split={ref.split!r}, index={ref.index}"
    changes = f"{dict(ref.overrides)!r}"
    if isinstance(image, DigitImage):
        return f"DigitImage(DigitRef.of({changes}, {sample}))"
    layer = "" if image.layer == "full" else f", {image.layer!r}"
    return f"SceneImage(SceneRef.of({ref.preset!r}, {changes}, {sample}){layer})"
