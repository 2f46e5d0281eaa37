"""Scenes drawn on the device: equal to the CPU's pixel for pixel, and how many a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from umnist_core.bench.gpu.figures import CPU, GPU, PLANNING
from umnist_core.bench.gpu.work import Work
from umnist_core.rendering import render
from umnist_core.scenes import PRESETS, Scene, get_preset

_TIMED = "released"
_TIMED_INDEX = 2000


def run(work: Work) -> None:
    """Compare scenes of every preset, then time those of one."""
    for preset in PRESETS:
        work.check_time()
        with work.trying(preset, "scenes.different_px"):
            _compare(work, preset)
    work.say("scenes compared")
    work.check_time()
    for key, time_it in ((GPU, _time_gpu), (CPU, _time_cpu), (PLANNING, _time_planning)):
        with work.trying(key, "scenes.images_per_s"):
            time_it(work)


def _compare(work: Work, preset: str) -> None:
    from umnist_core.rendering_torch import render as render_there

    sizes, glyphs = work.sizes, work.glyphs
    side_px = int(get_preset(preset).to_text().get("canvas", 0))
    side_px = sizes.megapixel_px if sizes.is_small else side_px
    different = compared = 0
    for index in work.rounds(sizes.drawn):
        scene = sizes.scene(preset, side_px, index).plan(glyphs)
        found = render_there(scene, glyphs, device=work.device).cpu().numpy()
        different += int(np.count_nonzero(found != render(scene, glyphs)))
        compared += 1
    work.put("scenes.different_px", preset, different, scenes=compared, side_px=side_px)


def _scenes(work: Work, count: int, first: int = 0) -> list[Scene]:
    refs = [
        work.sizes.scene(_TIMED, work.sizes.canvas_px, _TIMED_INDEX + first + index)
        for index in range(count)
    ]
    return [ref.plan(work.glyphs) for ref in refs]


def _rates(work: Work, images: int, do: Callable[[int], object]) -> list[float]:
    """Return images a second of the repeats, after one that warms up."""
    do(0)
    rates = []
    for number in work.rounds(min(work.sizes.repeats, 20), 2):
        started = time.perf_counter()
        do(1 + number)
        rates.append(images / (time.perf_counter() - started))
    return rates


def _time_gpu(work: Work) -> None:
    from umnist_core.rendering_torch import render_batch

    batch = work.sizes.draw_batch
    scenes = _scenes(work, batch)

    def draw(_number: int) -> None:
        render_batch(scenes, work.glyphs, device=work.device)
        work.hardware.wait()

    with work.trying(GPU, "scenes.peak_mib"):
        draw(0)
        work.forget_peak()
        draw(1)
        work.put("scenes.peak_mib", GPU, work.peak_mib(), batch=batch)
    rates = _rates(work, batch, draw)
    work.put("scenes.images_per_s", GPU, rates, batch=batch, side_px=work.sizes.canvas_px)


def _time_cpu(work: Work) -> None:
    import cv2

    scenes = _scenes(work, work.sizes.draw_batch)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rates = _rates(work, 1, lambda at: render(scenes[at % len(scenes)], work.glyphs))
    finally:
        cv2.setNumThreads(threads)
    work.put("scenes.images_per_s", CPU, rates, side_px=work.sizes.canvas_px)


def _time_planning(work: Work) -> None:
    rates = _rates(work, 1, lambda at: _scenes(work, 1, first=100 + at))
    work.put("scenes.images_per_s", PLANNING, rates)
