"""How long one image takes: plan, draw, encode, on one core.

Everything is taken relative to JPEG encoding, the floor that no generator can pass:
the released generator needs about 75 times as long as encoding alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from umnist_core.digits import GlyphSet
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

WARM_UP = 3


@dataclass(frozen=True)
class RenderFigures:
    """Medians over the scenes, in ms, and the quartiles of the whole.

    ``whole_ms`` is the median of the sums, not the sum of the medians;
    ``whole_over_encode`` is the median over scenes of whole over encoding, so that a
    disturbance of the machine touches both sides of it.
    """

    scenes: int
    plan_ms: float
    draw_ms: float
    encode_ms: float
    whole_ms: float
    whole_ms_quartiles: tuple[float, float]
    whole_over_encode: float
    whole_over_encode_quartiles: tuple[float, float]


def bench_render(glyphs: GlyphSet, *, scenes: int = 100, preset: str = "released") -> RenderFigures:
    """Measure ``scenes`` different 4000 x 4000 scenes of a preset, on one core.

    Parameters
    ----------
    glyphs
        Where the digits come from.
    scenes
        How many; 50 or more for figures that are worth keeping.
    preset
        Name in `umnist_core.scenes.PRESETS`.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        times = [_time_one(glyphs, preset, index) for index in range(WARM_UP + scenes)][WARM_UP:]
    finally:
        cv2.setNumThreads(threads)
    steps_ms = np.array(times) * 1e3  # (scenes, 3)
    whole_ms = steps_ms.sum(axis=1)
    ratio = whole_ms / steps_ms[:, 2]
    plan, draw, encode = np.median(steps_ms, axis=0).round(3).tolist()
    return RenderFigures(
        scenes=scenes,
        plan_ms=plan,
        draw_ms=draw,
        encode_ms=encode,
        whole_ms=round(float(np.median(whole_ms)), 3),
        whole_ms_quartiles=_quartiles(whole_ms),
        whole_over_encode=round(float(np.median(ratio)), 3),
        whole_over_encode_quartiles=_quartiles(ratio),
    )


def _time_one(glyphs: GlyphSet, preset: str, index: int) -> tuple[float, float, float]:
    start = time.perf_counter()
    scene = plan_scene(preset, seed=1, index=index, glyphs=glyphs)
    planned = time.perf_counter()
    image = render(scene, glyphs)
    drawn = time.perf_counter()
    encode_jpeg(image)
    return planned - start, drawn - planned, time.perf_counter() - drawn


def _quartiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, (25, 75)).round(3).tolist()
    return low, high
