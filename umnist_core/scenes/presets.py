"""The presets by name, and the one entry to the planner of each.

Presets
-------
``released``
    UltraMNIST's released generator (transmuteAI/ultramnist): its ranges, the order in which
    it places digits, and the JPEG that they go through.
``released-clean``
    The same digits at the same places without that JPEG, and so without its specks.
``paper``
    The ranges of its text: Gupta et al., "UltraMNIST Classification: A Benchmark to
    Train CNNs for Very Large Images", Scientific Data 2024, arXiv 2206.12681,
    section "Methods, Data creation"; of the JPEG it says nothing. Where the text gives no
    range (cells of the checkerboard, distribution of the digits) that of the released
    generator is used.
``megapixel``
    Megapixel MNIST with straight lines (arXiv 1905.03711 and 2210.13007).
``megapixel-bezier``
    Megapixel MNIST with Bezier curves (arXiv 2412.11237, section 4.2, 1500 px).
``o2i-28``, ``o2i-56``, ``o2i-84``, ``o2i-112``
    Its four object-to-image ratios, named by the side of the digits (section 4.1, 3000 px).
``needle``
    Needle MNIST (arXiv 1908.06037), 1024 px; the number of distractors follows from ``canvas``,
    of which 64 to 6144 px are published.
``patchgd``
    The reduced UltraMNIST of PatchGD's released generator (arXiv 2301.13817): ten sums, 512 px.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.scenes.megapixel import plan_megapixel_scene
from umnist_core.scenes.megapixel_parameters import MegapixelParameters
from umnist_core.scenes.needle import plan_needle_scene
from umnist_core.scenes.needle_parameters import NeedleParameters
from umnist_core.scenes.parameters import PlannerParameters, Span, UltraMnistParameters
from umnist_core.scenes.reduced import plan_reduced_scene
from umnist_core.scenes.reduced_parameters import ReducedParameters
from umnist_core.scenes.scene import Provenance, Scene
from umnist_core.scenes.ultramnist import plan_ultramnist_scene

RELEASED_THICKNESS = 1.91
"""In the released file; its logs and text have 1.921 and 1.925, which cut off to the same."""


def _curves(canvas: int, side_px: int, count: int) -> MegapixelParameters:
    return MegapixelParameters(
        canvas=canvas,
        digit_size=side_px,
        noise_kind="bezier",
        noise_count=count,
        noise_size=side_px,
        thickness=RELEASED_THICKNESS,
    )


PRESETS: Mapping[str, PlannerParameters] = MappingProxyType(
    {
        "released": UltraMnistParameters(),
        "released-clean": UltraMnistParameters(digit_jpeg=0),
        "paper": UltraMnistParameters(
            factor=Span(0.5, 76),
            digit_order="shuffled",
            digit_jpeg=0,
            circles=Span(0, 5),
            triangles=Span(0, 5),
            zoom=Span(1, 1),
            label="free",
        ),
        "megapixel": MegapixelParameters(),
        "megapixel-bezier": _curves(1500, 28, 800),
        "o2i-28": _curves(3000, 28, 800),
        "o2i-56": _curves(3000, 56, 600),
        "o2i-84": _curves(3000, 84, 400),
        "o2i-112": _curves(3000, 112, 200),
        "needle": NeedleParameters(),
        "patchgd": ReducedParameters(),
    }
)


PARAMETER_NAMES: tuple[str, ...] = tuple(
    dict.fromkeys(name for parameters in PRESETS.values() for name in parameters.table)
)
"""Every parameter that some preset has."""


def get_preset(name: str) -> PlannerParameters:
    """Return the parameters of a preset; their ``table`` says what each may be.

    Raises
    ------
    InvalidValueError
        If there is no preset of that name.
    """
    if name not in PRESETS:
        raise InvalidValueError(f"preset is one of {', '.join(PRESETS)}; got {name!r}.")
    return PRESETS[name]


def plan_scene(
    preset: str = "released",
    seed: int = 0,
    split: str = "train",
    index: int = 0,
    *,
    glyphs: GlyphSet,
    overrides: Mapping[str, str] | None = None,
) -> Scene:
    """Plan one image.

    Parameters
    ----------
    preset
        Name in `umnist_core.scenes.PRESETS`; it decides the planner.
    seed, split, index
        Which sample: seed and index are 0 or more, split is ``train`` or ``test``.
    glyphs
        Where the digits come from.
    overrides
        Parameters that differ from the preset, in their text form.

    Returns
    -------
    Scene
        The same for the same arguments, on every machine.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed.
    PlacementError
        If the digits cannot be placed without overlap.
    """
    parameters = get_preset(preset).with_overrides(overrides or {})
    source = Provenance(parameters.planner, preset, seed, split, index, parameters.to_text())
    if isinstance(parameters, MegapixelParameters):
        return plan_megapixel_scene(parameters, source, glyphs)
    if isinstance(parameters, NeedleParameters):
        return plan_needle_scene(parameters, source, glyphs)
    if isinstance(parameters, ReducedParameters):
        return plan_reduced_scene(parameters, source, glyphs)
    assert isinstance(parameters, UltraMnistParameters)
    return plan_ultramnist_scene(parameters, source, glyphs)
