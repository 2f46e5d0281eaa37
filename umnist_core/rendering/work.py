"""How long a scene takes to draw, told from its plan before a pixel is drawn.

The estimate is the sum of what drawing consists of, each with its time on one core of the
machine that the constants were measured on; elsewhere all of it is faster or slower by about
the same factor, so it tells scenes apart and not machines. It is that of a whole level, the
dearest that a tile can ask for.
"""

from __future__ import annotations

from collections import Counter

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import TooLargeError
from umnist_core.rendering.squares import PIECE_PX
from umnist_core.scenes.scene import SUBPIXELS, Scene
from umnist_core.scenes.shapes import Circle, Polygon, Shape

WORK_BUDGET_S = 3.0
"""The most that a scene may take where others wait; presets take under 0.1, also when they are
enlarged to 16,000 px but for those of large strokes, which take up to 1.7, and for Needle MNIST,
whose distractors grow with the canvas, 0.5."""

_RESIZED_NS = 2.2
"""A pixel of a square that is resized from 28 px, and pasted."""

_PART_NS = 50_000.0
"""The part of a resized square that lies in one piece of the canvas."""

_SQUARE_NS = 3_000.0
"""A square of 28 px that is pasted."""

_ADDED_NS = 4_500.0
"""A square of 28 px that is added."""

_NEAR_NS = 0.3
"""A canvas pixel near a square, of which means are made."""

_CROSSING_NS = 100.0
"""A place where a row of the canvas changes colour: it is found, and sorted among the others."""

_HELD_NS = 1.0
"""A pixel of a canvas that is held whole."""

HELD_MAX_PX = 64_000_000
"""Largest canvas, in px, whose levels are held; above it tiles are made one by one."""

_INK_EDGES = 8
"""Changes of colour along a row through a digit; more where a JPEG has broken its rim."""


def estimate_work_s(scene: Scene) -> float:
    """Return about how many seconds one core takes for a whole level of a scene."""
    canvas_px = scene.height * scene.width
    if not scene.is_grey:
        spent_ns = _CROSSING_NS * _crossings(scene)
    else:
        squares = Counter(digit.side_px for digit in scene.digits)
        if scene.strokes is not None:
            squares[scene.strokes.side_px] += len(scene.strokes.patches)
        spent_ns = sum(count * _square_ns(side_px) for side_px, count in squares.items())
        if scene.added is not None:
            spent_ns += _ADDED_NS * len(scene.added.distractors)
            squares[GLYPH_PX] += len(scene.added.distractors)
        near_px = sum(count * (side_px + PIECE_PX) ** 2 for side_px, count in squares.items())
        spent_ns += _NEAR_NS * min(canvas_px, near_px)
    held_px = canvas_px if canvas_px <= HELD_MAX_PX else 0
    return (spent_ns + _HELD_NS * held_px) / 1e9


def check_work(scene: Scene) -> float:
    """Refuse a scene that takes too long where others wait; return its estimate, in seconds.

    Raises
    ------
    TooLargeError
        If it takes more than `WORK_BUDGET_S`.
    """
    work_s = estimate_work_s(scene)
    if work_s > WORK_BUDGET_S:
        raise TooLargeError(
            f"Expected a scene that is drawn in at most {WORK_BUDGET_S:g} s, found one of about "
            f"{work_s:,.0f} s ({_described(scene)}); lower the number or the size of its noise, "
            "or draw it with `umnist render`, which takes its time."
        )
    return work_s


def _square_ns(side_px: int) -> float:
    if side_px == GLYPH_PX:
        return _SQUARE_NS
    return _PART_NS * (side_px / PIECE_PX + 1) ** 2 + _RESIZED_NS * side_px**2


def _described(scene: Scene) -> str:
    size = f"canvas {scene.width} x {scene.height} px"
    if scene.strokes is not None:
        return f"{size}, {len(scene.strokes.patches)} strokes of {scene.strokes.side_px} px"
    digits = f"{len(scene.digits)} digits"
    if scene.added is not None:
        return f"{size}, {digits}, {len(scene.added.distractors)} distractors"
    return f"{size}, {len(scene.shapes)} shapes, {digits}"


def _crossings(scene: Scene) -> float:
    """Return about how often the rows of a scene change colour."""
    edges_px = 2.0 * sum(min(scene.height, _height_px(shape)) for shape in scene.shapes)
    edges_px += _INK_EDGES * sum(digit.side_px for digit in scene.digits)
    board = scene.checkerboard
    if board is not None:
        (row_down, col_down), (row_right, col_right) = board.step_down, board.step_right
        cell_px = max(1.0, abs(row_down * col_right - row_right * col_down) / SUBPIXELS**2)
        # Half of all neighbours differ in colour.
        cells = min(board.size**2, scene.height * scene.width / cell_px)
        edges_px += cells / 2 * (abs(row_down) + abs(row_right)) / SUBPIXELS
    return edges_px


def _height_px(shape: Shape) -> int:
    if isinstance(shape, Circle):
        return 2 * shape.radius_px
    assert isinstance(shape, Polygon)
    rows = [row for row, _ in shape.points]
    return max(rows) - min(rows)
