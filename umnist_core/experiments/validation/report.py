"""A whole validation: measure both sides, compare them, and say it as text or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core import __version__
from umnist_core.datasets.reader import DatasetReader
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.validation.calibrate import CASES, STEP_FOUND
from umnist_core.experiments.validation.compare import (
    LABELS,
    LEVEL,
    Comparison,
    FigureComparison,
    LabelComparison,
    compare_measured,
    smallest_found_effect,
)
from umnist_core.experiments.validation.figures import FIGURE_NAMES, FOUND_NAMES
from umnist_core.experiments.validation.measure import (
    Measure,
    Measured,
    measure_folder,
    measure_preset,
    pixel_measure,
)
from umnist_core.rendering import RENDERER_VERSION
from umnist_core.scenes import MegapixelParameters, get_preset

NAMES: Mapping[str, str] = {**FIGURE_NAMES, **FOUND_NAMES, LABELS: "labels"}

_HEAD = ("", "ours", "theirs", "D", "delta", "p")
_WIDTHS = (35, 24, 24, 7, 7, 8)


@dataclass(frozen=True, eq=False)
class Validation:
    """A folder against a preset.

    Attributes
    ----------
    preset, overrides, seed
        What ours were drawn from.
    folder
        Theirs.
    ours, theirs
        What was measured on either side.
    comparison
        What was found.
    stand_in
        Whether the digits of ours are not MNIST's.
    """

    preset: str
    overrides: Mapping[str, str]
    seed: int
    folder: str
    ours: Measured
    theirs: Measured
    comparison: Comparison
    stand_in: bool

    @property
    def shares_strokes(self) -> bool:
        """Whether all images of a set of this preset are made of the same strokes."""
        parameters = get_preset(self.preset).with_overrides(self.overrides)
        return isinstance(parameters, MegapixelParameters) and parameters.noise_count > 0

    @property
    def verdict(self) -> str:
        """One sentence for all figures."""
        differing = self.comparison.differing
        if not differing:
            return (
                f"No difference found by {len(self.comparison.findings)} tests that together "
                f"raise a false alarm in at most {LEVEL:.0%} of comparisons."
            )
        return f"Differs in: {'; '.join(NAMES[name] for name in differing)}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known beside the verdict, a sentence each."""
        return tuple(_notes(self))


def validate(
    preset: str,
    reader: DatasetReader,
    count: int,
    ours: int | None,
    seed: int,
    *,
    overrides: Mapping[str, str] | None = None,
    measure: Measure = pixel_measure,
    progress: bool = False,
) -> Validation:
    """Measure images of a folder and fresh ones of a preset, and compare them.

    Parameters
    ----------
    preset, overrides
        As for `plan_scene`.
    reader
        The folder.
    count
        Images of the folder, at most; as for `measure_folder`.
    ours
        Images of the preset; as many as of the folder when None.
    seed
        Of our images and of the choice of theirs.
    measure, progress
        As for `measure_folder`.

    Raises
    ------
    InvalidValueError
        If the folder was made from the same seed, or a side has too few images.
    UmnistError
        If an image cannot be read or drawn.
    """
    if reader.manifest is not None and reader.manifest.seed == seed:
        raise InvalidValueError(
            f"{reader.root} was made from seed {seed}, so its images and ours would have the same "
            "digits; give --seed another number."
        )
    glyphs = load_glyphs()
    theirs = measure_folder(reader, count, seed, measure=measure, progress=progress)
    drawn = measure_preset(
        preset,
        theirs.count if ours is None else ours,
        seed,
        glyphs=glyphs,
        overrides=overrides,
        measure=measure,
        progress=progress,
    )
    return Validation(
        preset=preset,
        overrides=overrides or {},
        seed=seed,
        folder=str(reader.root),
        ours=drawn,
        theirs=theirs,
        comparison=compare_measured(drawn, theirs, seed),
        stand_in=glyphs.is_stand_in,
    )


# -- as text ----------------------------------------------------------------------


def report_lines(found: Validation) -> list[str]:
    """Return a validation as lines of text: a table, the verdict, and the notes."""
    settings = [f"{name}={value}" for name, value in found.overrides.items()]
    lines = [
        f"{' '.join([found.preset, *settings])}, seed {found.seed}: {found.ours.count} images",
        f"{found.folder}: {found.theirs.count} of {found.theirs.of} images",
        "",
        _row(_HEAD),
        *(_row(_figure_cells(figure)) for figure in found.comparison.figures),
    ]
    if found.comparison.labels is not None:
        lines.append(_row(_label_cells(found.comparison.labels)))
    return [*lines, "", found.verdict, *found.notes]


def _row(cells: tuple[str, ...]) -> str:
    padded = [cells[0].ljust(_WIDTHS[0])]
    padded += [cell.rjust(width) for cell, width in zip(cells[1:], _WIDTHS[1:], strict=True)]
    return "".join(padded).rstrip()


def _figure_cells(figure: FigureComparison) -> tuple[str, ...]:
    finding = figure.finding
    return (
        NAMES[finding.name],
        _spread(figure.ours),
        _spread(figure.theirs),
        f"{finding.effect:.2f}",
        f"{figure.cliffs_delta:+.2f}",
        _p_text(finding.corrected_p),
    )


def _label_cells(labels: LabelComparison) -> tuple[str, ...]:
    sides = [
        f"{len(counts)} labels, {min(counts)}-{max(counts)} each"
        for side in (0, 1)
        if (counts := [pair[side] for pair in labels.counts.values() if pair[side]])
    ]
    finding = labels.finding
    return (
        NAMES[LABELS],
        *sides,
        f"V {finding.effect:.2f}",
        "",
        _p_text(finding.corrected_p),
    )


def _spread(quartiles: tuple[float, float, float]) -> str:
    low, middle, high = (f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in quartiles)
    return f"{middle} ({low}-{high})"


def _p_text(p_value: float) -> str:
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _notes(found: Validation) -> Iterator[str]:
    ours, theirs = found.ours, found.theirs
    if found.stand_in:
        yield "Ours are made of STAND-IN DIGITS, not MNIST."
    if found.shares_strokes:
        yield (
            "All images of one set of Megapixel MNIST share their strokes, so that sets of one "
            "preset differ from each other: go by D and delta here, not by p and the verdict."
        )
    if ours.sizes.keys() != theirs.sizes.keys():
        yield (
            f"Sizes differ: ours are {_sizes(ours)} px, theirs {_sizes(theirs)} px. Figures are "
            "rates per length and area, so that they can be compared; those of a picture that "
            "was scaled differ all the same."
        )
    if found.comparison.labels is None:
        yield "Too few labels of theirs are known, so labels were not compared."
    smallest = smallest_found_effect(ours.count, theirs.count, len(found.comparison.findings))
    yield (
        "D is the largest difference of the shares of images below a value, delta how much more "
        "often theirs are larger than smaller, p corrected for all tests. A single figure is "
        f"found to differ from about D = {smallest:.2f}."
    )
    sides = [side for side in STEP_FOUND if side <= min(ours.count, theirs.count)]
    if sides and _is_as_measured(found):
        yield (
            f"With {max(sides)} images a side the missing JPEG step of the digits is found in "
            f"{STEP_FOUND[max(sides)]} of {CASES} cases."
        )


def _is_as_measured(found: Validation) -> bool:
    """Return whether ours are such images as `STEP_FOUND` was counted on."""
    is_released = found.preset in ("released", "released-clean")
    return is_released and found.overrides.keys() <= {"digit_jpeg"} and not found.stand_in


def _sizes(measured: Measured) -> str:
    listed = list(measured.sizes)
    return ", ".join(listed[:3]) + (" and others" if len(listed) > 3 else "")


# -- as JSON ----------------------------------------------------------------------


def to_json(found: Validation) -> dict[str, Any]:
    """Return a validation as what JSON can hold; docs/validation.md lists the keys."""
    labels = found.comparison.labels
    return {
        "umnist": __version__,
        "renderer": RENDERER_VERSION,
        "preset": found.preset,
        "overrides": dict(found.overrides),
        "seed": found.seed,
        "folder": found.folder,
        "stand_in": found.stand_in,
        "ours": _side(found.ours),
        "theirs": _side(found.theirs),
        "figures": [_figure_json(figure) for figure in found.comparison.figures],
        "labels": None
        if labels is None
        else {
            "cramers_v": labels.finding.effect,
            "p_value": labels.finding.p_value,
            "corrected_p": labels.finding.corrected_p,
            "counts": {str(label): list(pair) for label, pair in labels.counts.items()},
        },
        "level": LEVEL,
        "differing": list(found.comparison.differing),
        "verdict": found.verdict,
        "notes": list(found.notes),
    }


def _side(measured: Measured) -> dict[str, Any]:
    return {"images": measured.count, "of": measured.of, "sizes": dict(measured.sizes)}


def _figure_json(figure: FigureComparison) -> dict[str, Any]:
    return {
        "name": figure.finding.name,
        "meaning": NAMES[figure.finding.name],
        "ours": list(figure.ours),
        "theirs": list(figure.theirs),
        "ks_d": figure.finding.effect,
        "cliffs_delta": figure.cliffs_delta,
        "p_value": figure.finding.p_value,
        "corrected_p": figure.finding.corrected_p,
    }
