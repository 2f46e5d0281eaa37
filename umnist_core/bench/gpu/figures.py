"""What `scripts/gpu-check` measures: every figure by its name, what it means, and what is aimed at.

A part can put no figure that is not here, and ``docs/gpu.md`` lists the same ones, so that none is
forgotten. A figure is of several things, its keys: models, checkpoints, presets or recipes.
Nothing here needs torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from umnist_core.errors import InvalidValueError
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.models.catalogue import CATALOGUE, OWN
from umnist_core.scenes import PRESETS

MODES = ("exact", "float32", "mixed")
"""How a model computes on the GPU while the CPU computes in float32: in float32 to the last bit of
it; in float32 as PyTorch does by default, which lets convolutions round to TF32; and in 16 bits."""

SELECTING = ("additive-pyramid", "digit-finder", "faster-rcnn", "ips")
"""Models that select patches, or find digits."""

TRAINED = tuple(sorted(load_card(path).model for path in find_shipped_checkpoints().values()))
"""Models of which there is a checkpoint; the others have fresh weights."""

OWN_MODELS = tuple(name for name, facts in CATALOGUE.items() if facts.paper == OWN)

TWO_CHECKPOINTS = ("plain-cnn", "digit-finder")
"""What the process of models is asked for, one after the other."""

CURVES, LINES = "megapixel-bezier", "megapixel"
"""Presets that the training step of IPS is measured on: with 800 curves, and with 50 lines."""

OURS, OURS_MIXED, REFERENCE = "ours", "ours-mixed", "reference"

RECIPES = ("efficientnet-b0-256-11gb", "efficientnet-b0-512-11gb", "ips-megapixel-1500")
"""Published recipes that are gone on with in the time that remains."""

GPU, CPU, PLANNING = "gpu", "cpu", "planning"

STATE_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Aim:
    """What a figure is meant to be: at most, or at least, so much."""

    most: float | None = None
    least: float | None = None

    def is_met(self, value: float) -> bool:
        """Return whether a value is as it is meant to be."""
        return (self.most is None or value <= self.most) and (
            self.least is None or value >= self.least
        )

    def __str__(self) -> str:
        """Return it in words, such as ``at most 30``."""
        if self.most is None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}"


@dataclass(frozen=True)
class GpuFigure:
    """A figure.

    Attributes
    ----------
    name
        ``part.what``.
    meaning
        In words, for the table and the documents.
    unit
        Of its values; empty for a plain number.
    keys
        What it is measured of.
    aim, aims
        What each value is meant to be, and that of keys for which it is another.
    """

    name: str
    meaning: str
    unit: str
    keys: tuple[str, ...]
    aim: Aim | None = None
    aims: Mapping[str, Aim] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """Name of the part that measures it."""
        return self.name.partition(".")[0]

    def aim_of(self, key: str) -> Aim | None:
        """Return what is aimed at for a key; None where a value is only written down."""
        return self.aims.get(key, self.aim)


def joined(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that name one of each, such as ``ips/mixed``."""
    return tuple("/".join(one) for one in itertools.product(*parts))


def _by_mode(
    models: tuple[str, ...], trained: tuple[Aim, ...], fresh: tuple[Aim | None, ...]
) -> dict[str, Aim]:
    """Return what is aimed at for each model, by `MODES`: with weights of a checkpoint, or fresh.

    Fresh weights hardly tell one answer from another, so little is asked of them; a detector with
    such finds what rounding decides, and nothing is asked of what it finds.
    """
    aims = {
        f"{model}/{mode}": aim
        for model in models
        for mode, aim in zip(MODES, trained if model in TRAINED else fresh, strict=True)
    }
    return {key: aim for key, aim in aims.items() if aim is not None}


_MODELS = tuple(CATALOGUE)
_SHIPPED = tuple(find_shipped_checkpoints())
_STEPS = joined((CURVES, LINES), (OURS, OURS_MIXED, REFERENCE))
_THROUGH = (
    *joined(("ips-megapixel", "ips-published"), ("1500", "3000")),
    *joined(OWN_MODELS, ("4000", "16000")),
)

FIGURES: tuple[GpuFigure, ...] = (
    GpuFigure(
        "agree.logits",
        "Largest difference of the logits from the CPU's, as a share of their spread; of "
        "faster-rcnn that of its features",
        "",
        joined(_MODELS, MODES),
        aims=_by_mode(
            _MODELS,
            (Aim(most=1e-3), Aim(most=2e-2), Aim(most=0.15)),
            (Aim(most=1e-3), Aim(most=5e-2), None),
        ),
    ),
    GpuFigure(
        "agree.attention",
        "Share of the attention that lies elsewhere than on the CPU; of the CNNs that of Grad-CAM",
        "",
        joined(_MODELS, MODES),
        aims=_by_mode(
            tuple(name for name in _MODELS if name != "faster-rcnn"),
            (Aim(most=1e-2), Aim(most=0.05), Aim(most=0.25)),
            (Aim(most=1e-2), None, None),
        ),
    ),
    GpuFigure(
        "agree.selection",
        "Share of the CPU's patches that are kept, or of its digits that are found, on the GPU",
        "",
        joined(SELECTING, MODES),
        aims=_by_mode(
            SELECTING, (Aim(least=0.99), Aim(least=0.95), Aim(least=0.7)), (None, None, None)
        ),
    ),
    GpuFigure(
        "worker.answers",
        "Whether the process of models answers as the CPU does, one checkpoint after the other",
        "1 or 0",
        TWO_CHECKPOINTS,
        Aim(least=1),
    ),
    GpuFigure(
        "worker.cancel_ms",
        "From cancelling what runs to a device that is free",
        "ms",
        ("digit-finder",),
        Aim(most=2000),
    ),
    GpuFigure(
        "worker.out_of_memory",
        "Whether a limit that is too small for the model is said in a sentence",
        "1 or 0",
        ("plain-cnn",),
        Aim(least=1),
    ),
    GpuFigure(
        "worker.goes_on",
        "Whether the next request is answered, after one that was cancelled and one for which "
        "memory ran out",
        "1 or 0",
        ("cancelled", "out-of-memory"),
        Aim(least=1),
    ),
    GpuFigure(
        "live.first_ms",
        "The first answer: model loaded, libraries warmed up, one scene of 4000 x 4000",
        "ms",
        _SHIPPED,
    ),
    GpuFigure(
        "live.warm_ms",
        "From a scene of 4000 x 4000 that was never seen to the answer: planned, drawn, read, run",
        "ms",
        _SHIPPED,
        Aim(most=30),
        dict.fromkeys(OWN_MODELS, Aim(most=100)),
    ),
    GpuFigure(
        "live.drawn_there_ms",
        "The same of a CNN whose scene is drawn and reduced on the card, without attention",
        "ms",
        ("plain-cnn",),
        Aim(most=30),
    ),
    GpuFigure(
        "live.images_per_s",
        "Images answered one after the other, drawing included; the number is the side in px",
        "1/s",
        _THROUGH,
    ),
    GpuFigure("live.peak_mib", "Most memory of the card in use meanwhile", "MiB", _THROUGH),
    GpuFigure(
        "live.memory_ratio",
        "That of a model of our own at 16,000 x 16,000 over 4000 x 4000",
        "",
        OWN_MODELS,
        Aim(most=1.1),
    ),
    GpuFigure(
        "step.ms",
        "A training step of IPS, B = 16, M = I = 100, 1500 x 1500: forward, backward, optimiser",
        "ms",
        _STEPS,
    ),
    GpuFigure(
        "step.peak_mib",
        "Most memory of the card in use meanwhile",
        "MiB",
        _STEPS,
        aims={f"{preset}/{OURS}": Aim(most=1884) for preset in (CURVES, LINES)},
    ),
    GpuFigure(
        "step.times_as_fast",
        "The reference's time over ours",
        "",
        joined((CURVES, LINES), (OURS, OURS_MIXED)),
        aims={f"{preset}/{OURS}": Aim(least=3) for preset in (CURVES, LINES)},
    ),
    GpuFigure(
        "step.same_selection",
        "Share of the patches kept by the reference's way that ours keeps as well",
        "",
        (CURVES, LINES),
        Aim(least=0.99),
    ),
    GpuFigure(
        "scenes.different_px",
        "Pixels in which scenes that are drawn on the card differ from the CPU's",
        "px",
        tuple(PRESETS),
        Aim(most=0),
    ),
    GpuFigure(
        "scenes.images_per_s",
        "Scenes of 4000 x 4000: drawn on the card, drawn by a core, and planned by a core",
        "1/s",
        (GPU, CPU, PLANNING),
    ),
    GpuFigure(
        "scenes.peak_mib", "Most memory of the card in use while a batch is drawn", "MiB", (GPU,)
    ),
    GpuFigure(
        "recipes.minutes",
        "The whole recipe on this card, estimated from its first steps",
        "min",
        RECIPES,
    ),
    GpuFigure("recipes.images_per_s", "Images that it learns from, once drawn", "1/s", RECIPES),
    GpuFigure(
        "recipes.peak_gb",
        "Most memory that PyTorch reserved meanwhile",
        "GB",
        RECIPES,
        aims={name: Aim(most=11) for name in RECIPES if name.endswith("11gb")},
    ),
    GpuFigure("recipes.loss", "Mean loss of the last steps", "", RECIPES),
    GpuFigure("recipes.accuracy", "Right answers on validation images", "", RECIPES),
    GpuFigure(
        "recipes.state_mib",
        "The state from which a later call goes on",
        "MiB",
        RECIPES,
        Aim(most=STATE_MAX_BYTES / 2**20),
    ),
)
"""In the order in which they are measured."""

_BY_NAME = {one.name: one for one in FIGURES}


def get_figure(name: str) -> GpuFigure:
    """Return a figure.

    Raises
    ------
    InvalidValueError
        If there is none of that name.
    """
    if name not in _BY_NAME:
        raise InvalidValueError(
            f"A figure is one of {', '.join(_BY_NAME)}; got {name[:60]!r}; declare it first."
        )
    return _BY_NAME[name]
