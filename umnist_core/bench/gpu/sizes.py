"""How large the parts are: as they are meant, and small enough for a processor to rehearse them.

Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.scenes import SceneRef
from umnist_core.scenes.presets import get_preset

SEED = 1700
"""Of every scene that is drawn, so that none is one that a checkpoint learned from."""


@dataclass(frozen=True)
class Sizes:
    """How large the parts are; the defaults are what they are meant to be.

    Attributes
    ----------
    is_small
        Whether scenes are such as a processor draws and reads in no time.
    images
        Scenes that each model is compared on.
    models
        Settings of models with fresh weights that differ from their defaults.
    canvas_px, megapixel_px
        Side of scenes of UltraMNIST and of Megapixel MNIST.
    sides_px
        What the sides in the keys of figures stand for.
    long_px
        Side of the scene whose prediction is cancelled.
    too_little_memory
        Limit under which the process of models cannot answer.
    repeats, least_repeats
        Of what is timed, at most and at least.
    batch, memory, iteration
        B, M and I of the training step of IPS.
    drawn
        Scenes of a preset that are drawn and compared.
    draw_batch
        Scenes of one call.
    recipe_changes
        Changes of a published recipe.
    recipe_steps
        Most steps of a recipe; 0 for as many as there is time for.
    validation_images
        Most images that its accuracy is of.
    drawers
        Most processes that draw for it.
    """

    is_small: bool = False
    images: int = 3
    models: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"faster-rcnn": {"side_px": 1024, "min_score": 0.05}}
    )
    canvas_px: int = 4000
    megapixel_px: int = 1500
    sides_px: Mapping[str, int] = field(
        default_factory=lambda: {one: int(one) for one in ("1500", "3000", "4000", "16000")}
    )
    long_px: int = 16_000
    too_little_memory: str = "48MB"
    repeats: int = 40
    least_repeats: int = 5
    batch: int = 16
    memory: int = 100
    iteration: int = 100
    drawn: int = 8
    draw_batch: int = 8
    recipe_changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recipe_steps: int = 0
    validation_images: int = 1024
    drawers: int = 64

    def scene(self, preset: str, side_px: int, index: int) -> SceneRef:
        """Return a scene of a preset with a side, where it has any that may be chosen."""
        overrides = {"canvas": str(side_px), **(_SMALL_SCENE if self.is_small else {})}
        table = get_preset(preset).table
        known = {name: text for name, text in overrides.items() if name in table}
        return SceneRef.of(preset, known, seed=SEED, index=index)


_SMALL_SCENE = {"factor": "0.5..4", "noise_count": "4", "digit_size": "28", "noise_size": "28"}

_SMALL_NET = {"side_px": 64}
_SMALL_VGG = {"width": 8, "hidden": 16}

_SMALL_RECIPE = (
    *("data.count=24", "run.batch_size=4"),
    "model.settings.side_px=64",
    "data.overrides.canvas=600",
)

REHEARSAL = Sizes(
    is_small=True,
    images=2,
    models={
        "efficientnet-b0": _SMALL_NET,
        "efficientnet-b3": _SMALL_NET,
        "efficientnet-b7": _SMALL_NET,
        "faster-rcnn": {"side_px": 64, "proposals": 8, "samples": 8, "min_score": 0.05},
        "mobilenet-v3-resizer": {"side_px": 64, "backbone_px": 32, "variant": "small"},
        "needle-cnn": {"width": 4, "blocks": (1, 1, 1, 1), "stem_stride": 2},
        "resnet50": _SMALL_NET,
        "vgg16": _SMALL_VGG | {"resized_px": 40, "crop_px": 32},
        "vgg16-gap": _SMALL_VGG,
        "vgg16-spp": _SMALL_VGG,
    },
    canvas_px=512,
    megapixel_px=400,
    sides_px={"1500": 400, "3000": 500, "4000": 512, "16000": 1024},
    long_px=2500,
    too_little_memory="1MB",
    repeats=2,
    least_repeats=2,
    batch=2,
    memory=4,
    iteration=4,
    drawn=1,
    draw_batch=2,
    recipe_changes={
        "efficientnet-b0-256-11gb": _SMALL_RECIPE,
        "efficientnet-b0-512-11gb": _SMALL_RECIPE,
        "ips-megapixel-1500": (
            *("data.count=24", "run.batch_size=4"),
            "data.overrides.canvas=200",
            "data.overrides.noise_count=4",
            "model.settings.memory=4",
            "model.settings.iteration=4",
        ),
    },
    recipe_steps=2,
    validation_images=4,
    drawers=1,
)
"""Every part on a processor within a minute or so."""
