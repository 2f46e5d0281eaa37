"""What is in an image, without a pixel of it.

A `Scene` is frozen, versioned and JSON-serialisable, and its geometry is made of
whole numbers, so the same scene gives the same pixels on every machine. It names
its glyph set by checksum and is never silently drawn with another.

Adding to a scene: give the new field a default that means "not there", so that
scenes written before still load, and raise `SCENE_VERSION` only when an old
scene would be drawn differently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.geometry import Box
from umnist_core.parsing import parse_json
from umnist_core.scenes.shapes import SHAPES, Shape
from umnist_core.scenes.tasks import MegapixelTasks, NeedleTasks, Tasks
from umnist_core.shown import ShowsItself

SCENE_VERSION = 3
"""The newest that is read here. Scenes with `Scene.digit_jpeg` are of version 2 and those with
`Scene.added` of version 3, so that no program that does not know these draws them without; all
others are of version 1."""

SUBPIXELS = 1024
"""Fixed-point steps per canvas pixel in the checkerboard's vectors."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit on the canvas.

    Attributes
    ----------
    label
        Class, 0 to 9.
    glyph
        Index in the scene's glyph set.
    row, col
        First pixel of its square, canvas frame.
    side_px
        Side of its square: 14, or a whole multiple of 28; any side in scenes with strokes.
    ink_box
        Tight around the pixels that are drawn, canvas frame. Where the scene has a
        `Scene.digit_jpeg` these include its specks, which may lie up to 7 px outside the square.
    """

    label: int
    glyph: int
    row: int
    col: int
    side_px: int
    ink_box: Box

    @property
    def factor(self) -> float:
        """Enlargement of the 28-px glyph: 0.5, 1, 2, 3 ..."""
        return self.side_px / GLYPH_PX

    @property
    def box(self) -> Box:
        """The digit's square, the box of the released noise study; canvas frame."""
        return Box.from_size(self.row, self.col, self.side_px, self.side_px)


@dataclass(frozen=True, slots=True)
class Checkerboard:
    """Square cells of independent random bits under an affine map.

    The corner shared by cells ``(i - 1, j - 1)`` and ``(i, j)`` lies at
    ``origin + i * step_down + j * step_right``, each a (row, col) pair in
    1/1024 canvas px. Outside its cells the ground is black.

    Attributes
    ----------
    cells
        One string of ``0`` (black) and ``1`` (white) per row of cells.
    rotation_deg, shear_deg, zoom
        The drawn parameters, for people; the vectors alone decide the pixels.
    """

    cells: tuple[str, ...]
    origin: tuple[int, int]
    step_down: tuple[int, int]
    step_right: tuple[int, int]
    rotation_deg: float
    shear_deg: float
    zoom: float

    @property
    def size(self) -> int:
        """Cells along one side."""
        return len(self.cells)


Curve = tuple[int, ...]
"""Control points of a Bezier curve: row, column, row, column ... Two are a straight line."""

Pattern = tuple[Curve, ...]
"""Curves that are drawn together on a grid of 28 x 28 px."""


@dataclass(frozen=True, slots=True)
class Strokes:
    """Grey noise: patterns of curves, each pasted on the canvas as a whole square.

    Attributes
    ----------
    patterns
        All patterns of the data set, whether this image shows them or not.
    steps_per_px
        A control point counts in steps of this fraction of a px of the 28-px grid, whose
        px ``(row, col)`` covers ``[row, row + 1) x [col, col + 1)``.
    thickness
        In 1/1024 px of the grid, on the scale of the released generator.
    thickness_mode
        ``integer`` cuts the fraction off the thickness and the points; ``continuous``
        draws it, with grey rims.
    grain
        None for white strokes; else each pixel of a pattern is some grey from 204 to 254
        that follows from this whole number.
    side_px
        Side of each square on the canvas, resized from 28 px.
    patches
        In the order of pasting: which pattern, and its first row and column, canvas
        frame. A later square hides the earlier, black included.
    """

    patterns: tuple[Pattern, ...]
    steps_per_px: int
    thickness: int
    thickness_mode: str
    grain: int | None
    side_px: int
    patches: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Added:
    """Grey digits on black: where they meet their greys are added, and white stays white.

    Attributes
    ----------
    distractors
        Digits of 28 px that are no part of the answer, in the order in which they were drawn:
        which glyph, and its first row and column, canvas frame.
    needle
        The class that is looked for; None where the sum of the digits is asked.
    """

    distractors: tuple[tuple[int, int, int], ...] = ()
    needle: int | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a scene was planned: everything that is needed to plan it again."""

    planner: str
    preset: str
    seed: int
    split: str
    index: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene(ShowsItself):
    """Everything that is drawn in one image, and the truth about it.

    Attributes
    ----------
    height, width
        Canvas, in pixels.
    digits
        In the order of placement.
    checkerboard
        None for a black ground.
    shapes
        Their union inverts the checkerboard.
    ink_threshold
        A pixel of the grey digits above this value (0 to 254) is ink.
    glyph_set, glyph_checksum
        Name and sha256 of the glyphs that ``Digit.glyph`` counts in.
    stand_in
        Whether those glyphs are the bundled stand-in and not MNIST.
    strokes
        None in UltraMNIST, where digits are ink that inverts the ground. Else, as in
        Megapixel MNIST, the ground is black, strokes are pasted on it and then digits:
        whole grey squares, each hiding what is under it.
    digit_jpeg
        Quality of the JPEG that the grey digits went through before they were cut to ink
        (`umnist_core.scenes.digit_jpeg`); None for none.
    added
        As in Needle MNIST: the ground is black, and the greys of all digits are added; None in
        scenes of other kinds.
    """

    height: int
    width: int
    digits: tuple[Digit, ...]
    checkerboard: Checkerboard | None
    shapes: tuple[Shape, ...]
    ink_threshold: int
    glyph_set: str
    glyph_checksum: str
    stand_in: bool
    provenance: Provenance | None = None
    version: int = 1
    strokes: Strokes | None = None
    digit_jpeg: int | None = None
    added: Added | None = None

    def __post_init__(self) -> None:
        least = 3 if self.added is not None else 2 if self.digit_jpeg is not None else 1
        object.__setattr__(self, "version", max(self.version, least))
        if not self.is_grey:
            return
        if self.strokes is not None and self.added is not None:
            raise InvalidValueError(
                "Digits are pasted over strokes, or added; found both, leave one out."
            )
        kind = "strokes" if self.strokes is not None else "added digits"
        if self.digit_jpeg is not None:
            raise InvalidValueError(
                f"A scene has {kind}, or a JPEG of its digits; found both, with quality "
                f"{self.digit_jpeg}; leave one out."
            )
        if self.checkerboard is not None or self.shapes:
            raise InvalidValueError(
                f"A scene has {kind}, or a checkerboard and shapes; found both, leave one out."
            )
        if self.strokes is not None and not self.digits:
            raise InvalidValueError(
                "A scene with strokes has at least one digit, found none; add one."
            )

    @property
    def is_grey(self) -> bool:
        """Whether digits are grey on a black ground; else they are ink that inverts the ground."""
        return self.strokes is not None or self.added is not None

    @property
    def asks_sum(self) -> bool:
        """Whether the sum of the digits is asked; else the scene has `tasks`."""
        return self.strokes is None and (self.added is None or self.added.needle is None)

    @property
    def label(self) -> int:
        """Sum of the digits, 0 to 27 in UltraMNIST; else the label of ``tasks``."""
        if self.asks_sum:
            return sum(digit.label for digit in self.digits)
        return self.tasks.label

    @property
    def tasks(self) -> Tasks:
        """The answers of a scene of which no sum is asked.

        Raises
        ------
        InvalidValueError
            If its sum is.
        """
        if self.asks_sum:
            raise InvalidValueError(
                "Tasks are those of Megapixel MNIST and Needle MNIST, found a scene whose sum is "
                "asked; use its label."
            )
        labels = [digit.label for digit in self.digits]
        if self.added is not None:
            return NeedleTasks(needle=int(self.added.needle in labels))
        return MegapixelTasks(
            majority=max(labels, key=labels.count),
            max=max(labels),
            top=min(self.digits, key=lambda digit: digit.row).label,
            multi=tuple(sorted(set(labels))),
        )

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Each digit's square, in the order of ``digits``; canvas frame."""
        return tuple(digit.box for digit in self.digits)

    @property
    def object_to_image_ratios(self) -> tuple[float, ...]:
        """Area of each digit's square over the area of the canvas, 0 to 1."""
        area = self.height * self.width
        return tuple(digit.side_px**2 / area for digit in self.digits)

    @property
    def canvas(self) -> Box:
        """The whole canvas."""
        return Box(0, 0, self.height, self.width)

    def to_json(self) -> str:
        """Return the scene as JSON text; `from_json` gives an equal scene back."""
        # Distractors are thousands, and `asdict` looks at every number of them.
        added = self.added and replace(self.added, distractors=())
        data = asdict(replace(self, added=added))
        for shape, source in zip(data["shapes"], self.shapes, strict=True):
            shape["kind"] = source.kind
        data["label"] = self.label
        if self.digit_jpeg is None:
            del data["digit_jpeg"]
        if self.strokes is None:
            del data["strokes"]
        if self.added is None:
            del data["added"]
        else:
            data["added"]["distractors"] = self.added.distractors
        if not self.asks_sum:
            data["tasks"] = self.tasks.to_dict()
        return json.dumps(data)

    @classmethod
    def from_json(cls, text: str) -> Scene:
        """Read a scene written by `to_json`.

        Raises
        ------
        DamagedFileError
            If the text is not a scene, or of a later version than this program knows.
        """
        try:
            data = parse_json(text)
            version = data["version"]
            if version > SCENE_VERSION:
                raise DamagedFileError(
                    f"Expected a scene of version {SCENE_VERSION} or earlier, found version "
                    f"{version}; update umnist to read it."
                )
            return _scene_from_dict(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, DamagedFileError):
                raise
            raise DamagedFileError(
                f"Expected the JSON of a scene, found something else ({error!r}); "
                "write it again with `umnist render --truth`."
            ) from error


def _pair(values: Any) -> tuple[int, int]:
    row, col = values
    return (int(row), int(col))


def _strokes_from_dict(data: dict[str, Any] | None) -> Strokes | None:
    if data is None:
        return None
    patterns = tuple(tuple(tuple(curve) for curve in pattern) for pattern in data["patterns"])
    patches = tuple((pattern, row, col) for pattern, row, col in data["patches"])
    return Strokes(**{**data, "patterns": patterns, "patches": patches})


def _added_from_dict(data: dict[str, Any] | None) -> Added | None:
    if data is None:
        return None
    distractors = tuple((glyph, row, col) for glyph, row, col in data["distractors"])
    return Added(**{**data, "distractors": distractors})


def _scene_from_dict(data: dict[str, Any]) -> Scene:
    board = data["checkerboard"]
    provenance = data["provenance"]
    return Scene(
        height=data["height"],
        width=data["width"],
        digits=tuple(Digit(**{**d, "ink_box": Box(**d["ink_box"])}) for d in data["digits"]),
        checkerboard=None
        if board is None
        else Checkerboard(
            tuple(board["cells"]),
            _pair(board["origin"]),
            _pair(board["step_down"]),
            _pair(board["step_right"]),
            board["rotation_deg"],
            board["shear_deg"],
            board["zoom"],
        ),
        shapes=tuple(SHAPES[one["kind"]].from_dict(one) for one in data["shapes"]),
        ink_threshold=data["ink_threshold"],
        glyph_set=data["glyph_set"],
        glyph_checksum=data["glyph_checksum"],
        stand_in=data["stand_in"],
        provenance=None if provenance is None else Provenance(**provenance),
        version=data["version"],
        strokes=_strokes_from_dict(data.get("strokes")),
        digit_jpeg=data.get("digit_jpeg"),
        added=_added_from_dict(data.get("added")),
    )
