"""Settings that make each registered model quick, and small images for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from umnist_core.datasets.known import Known
from umnist_core.digits import load_glyphs
from umnist_core.models.base import (
    DIGIT_TASK,
    NEEDLE_TASK,
    SUM_TASK,
    UNCONSTRAINED,
    Model,
    Task,
)
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.registry import model_names
from umnist_core.models.targets import scene_targets
from umnist_core.pyramid import TileSource, scene_source
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.data import Item, ModelInputs, Samples
from umnist_core.training.samples import Sample

_CONVNET = {"side_px": 32}
_CHANNELS = {"side_px": 48, "channels": 3, "spacing": 2.0, "coarsest": 0.25}
_VGG = {"classes": 3, "width": 8, "hidden": 16}

SMALL: dict[str, dict[str, Any]] = {
    "efficientnet-b0": _CONVNET,
    "efficientnet-b3": _CONVNET,
    "efficientnet-b7": _CONVNET,
    "espcn": {"patch_px": 64},
    "faster-rcnn": {"side_px": 32, "proposals": 8, "samples": 8},
    "fov-avg": _CHANNELS,
    "fov-max": _CHANNELS,
    "large-scale-cnn": {"side_px": 64},
    "mobilenet-v3-resizer": {"side_px": 64, "backbone_px": 32, "variant": "small"},
    "needle-cnn": {"width": 4, "blocks": (1, 1, 1, 1), "stem_stride": 2},
    "plain-cnn": {"side_px": 64},
    "resnet50": _CONVNET,
    "sw-max": _CHANNELS,
    "vgg16": _VGG | {"resized_px": 40, "crop_px": 32},
    "vgg16-gap": _VGG,
    "vgg16-spp": _VGG,
}
"""Model name -> settings; a model that is not named is small enough by default."""

ALL = tuple(model_names())
BASELINES = tuple(
    name
    for name in ALL
    if CATALOGUE[name].module.startswith("papers.")
    and CATALOGUE[name].answers.startswith("the sum")
)

_OVERRIDES = {"canvas": "256", "factor": "0.5..2"}
_MEGAPIXEL = ("megapixel", {"canvas": "256", "noise_count": "4"})
_KINDS: dict[tuple[Task, ...], tuple[str, dict[str, str]]] = {
    (SUM_TASK,): ("released", _OVERRIDES),
    (DIGIT_TASK,): ("released", _OVERRIDES | {"digits": "1", "label": "free"}),
    (NEEDLE_TASK,): ("needle", {"canvas": "256"}),
}
"""What a model answers -> preset and overrides; of what is not named those of Megapixel MNIST."""


def small_kind(tasks: tuple[Task, ...]) -> tuple[str, dict[str, str]]:
    """Return preset and overrides of images of 256 px of the kind that a model answers for."""
    return _KINDS.get(tasks, _MEGAPIXEL)


@lru_cache
def small_scene(index: int, tasks: tuple[Task, ...] = (SUM_TASK,)) -> Scene:
    """Return such a scene; of sums with digits of 14 to 56 px."""
    preset, overrides = small_kind(tasks)
    return plan_scene(preset, 0, "train", index, glyphs=load_glyphs(), overrides=overrides)


def small_source(scene: Scene) -> TileSource:
    """Return a source of a scene."""
    return scene_source(scene, load_glyphs())


def small_example(model: Model, index: int) -> Item:
    """Return such an image as a model is given it, with what it is to say."""
    if model.sees_colour:
        return ModelInputs(SmallPhotographs(index + 1), model)[index]
    scene = small_scene(index, model.tasks)
    targets = scene_targets(scene, model.tasks, model.sees == UNCONSTRAINED)
    return model.prepare(small_source(scene)), targets


class SmallPhotographs(Samples):
    """Images of 256 px that have a class and a year."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def get(self, place: int) -> Sample:
        """Draw an image."""
        known = Known(place % 3, "Silk", year=1500.0 + 100 * place)
        return Sample(str(place), small_source(small_scene(place)), None, None, known=known)

    def describe(self) -> dict[str, Any]:
        """Return how many."""
        return {"count": self.count}
