"""Live inference: how long an answer takes, how many a second, and with how much memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from umnist_core.bench.gpu.agreement import find_scenes, fit_norms
from umnist_core.bench.gpu.figures import OWN_MODELS, get_figure
from umnist_core.bench.gpu.work import Work
from umnist_core.bench.spread import spread_of
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.models.base import SUM_TASK, Model
from umnist_core.models.cards import find_shipped_checkpoints
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.plain_cnn import PlainCnn
from umnist_core.models.reduced import ReducedBatch
from umnist_core.pyramid import scene_source
from umnist_core.scenes import SceneRef

_FIRST_INDEX = 1000
"""Of the scenes that are timed, so that none was planned before."""

_SCENE, _MEGAPIXEL = "released", "megapixel-bezier"


def run(work: Work) -> None:
    """Measure each checkpoint, and then models alone."""
    for name in find_shipped_checkpoints():
        work.check_time()
        with work.trying(name, "live.first_ms", "live.warm_ms"):
            _time_answers(work, name)
        if name in get_figure("live.drawn_there_ms").keys:
            with work.trying(name, "live.drawn_there_ms"):
                _time_drawn_there(work, name)
        work.say(f"{name}: timed")
    peaks = {}
    for key, make in _through(work).items():
        work.check_time()
        with work.trying(key, "live.images_per_s", "live.peak_mib"):
            peaks[key] = _run_through(work, key, make())
        work.say(f"{key} px: run through")
    for name in OWN_MODELS:
        small, large = (peaks.get(f"{name}/{side}") for side in ("4000", "16000"))
        if small and large:
            work.put("live.memory_ratio", name, large / small)


def _time_answers(work: Work, checkpoint: str) -> None:
    """Time a checkpoint from scenes that were never seen to answers, in this process."""
    model, _ = load_checkpoint(find_shipped_checkpoints()[checkpoint])
    preset, _ = find_scenes(work, model)
    predictor = Predictor(work.hardware.key)

    def answer(number: int) -> tuple[float, dict[str, float]]:
        image = SceneImage(work.sizes.scene(preset, work.sizes.canvas_px, _FIRST_INDEX + number))
        request = PredictRequest(checkpoint, work.hardware.key, image)
        started = time.perf_counter()
        found = predictor.predict(request)
        return (time.perf_counter() - started) * 1e3, dict(found.seconds)

    first, _ = answer(0)
    work.put("live.first_ms", checkpoint, first)
    answer(1)  # what libraries still choose
    taken, steps = [], []
    for number in work.rounds(work.sizes.repeats, work.sizes.least_repeats):
        whole, seconds = answer(2 + number)
        taken.append(whole)
        steps.append(seconds)
    more = {
        f"{step}_ms": spread_of([one[step] * 1e3 for one in steps]).median
        for step in ("read", "run")
    }
    work.put("live.warm_ms", checkpoint, taken, preset=preset, **more)
    predictor.forget()


def _time_drawn_there(work: Work, checkpoint: str) -> None:
    """Time a CNN whose scenes are drawn and reduced on the device."""
    from umnist_core.rendering_torch import render_images

    model, _ = load_checkpoint(find_shipped_checkpoints()[checkpoint])
    assert isinstance(model, PlainCnn)
    work.hardware.place(model)

    def answer(number: int) -> float:
        ref = work.sizes.scene(_SCENE, work.sizes.canvas_px, _FIRST_INDEX + 500 + number)
        started = time.perf_counter()
        scene = ref.plan(work.glyphs)
        side_px = model.config.side_px
        pixels = render_images([scene], work.glyphs, device=work.device, side_px=side_px)
        output = model(ReducedBatch(pixels, ((scene.height, scene.width),)))
        output.logits[SUM_TASK.name].argmax().item()  # waits for the device
        return (time.perf_counter() - started) * 1e3

    with torch.no_grad():
        for number in (0, 1):
            answer(number)
        repeats = work.rounds(work.sizes.repeats, work.sizes.least_repeats)
        work.put("live.drawn_there_ms", checkpoint, [answer(2 + number) for number in repeats])


# -- models alone -----------------------------------------------------------------------------


def _through(work: Work) -> dict[str, Callable[[], tuple[Model, str, int]]]:
    """Return, by key, how to make the model, and the preset and the side of its scenes."""
    sides = work.sizes.sides_px
    shipped = find_shipped_checkpoints()
    made: dict[str, Callable[[], tuple[Model, str, int]]] = {}
    for side in ("1500", "3000"):
        for name, make in (
            ("ips-megapixel", lambda: load_checkpoint(shipped["ips-megapixel"])[0]),
            ("ips-published", lambda: _published_ips(work)),
        ):
            made[f"{name}/{side}"] = _with(make, _MEGAPIXEL, sides[side])
    for side in ("4000", "16000"):
        for name in OWN_MODELS:
            made[f"{name}/{side}"] = _with(
                lambda name=name: load_checkpoint(shipped[name])[0],  # type: ignore[misc]
                _SCENE,
                sides[side],
            )
    return made


def _with(
    make: Callable[[], Model], preset: str, side_px: int
) -> Callable[[], tuple[Model, str, int]]:
    return lambda: (make(), preset, side_px)


def _published_ips(work: Work) -> IPS:
    """Return IPS as it was published, with fresh weights whose batch norms have seen patches."""
    torch.manual_seed(0)
    sizes = work.sizes
    model = IPS(IPSConfig(memory=sizes.memory, iteration=sizes.iteration))
    ref = sizes.scene(_MEGAPIXEL, sizes.megapixel_px, 0)
    source = scene_source(ref.plan(work.glyphs), work.glyphs)
    fit_norms(model, model.collate([model.prepare(source)]))
    return model


def _run_through(work: Work, key: str, made: tuple[Model, str, int]) -> float:
    """Put how many images a second a model answers, and return the most memory, in MiB."""
    model, preset, side_px = made
    hardware, sizes = work.hardware, work.sizes
    hardware.place(model.eval())

    def answer(ref: SceneRef) -> tuple[float, float]:
        started = time.perf_counter()
        source = scene_source(ref.plan(work.glyphs), work.glyphs)
        batch = model.collate([model.prepare(source)])
        prepared = time.perf_counter()
        _ = model(batch)
        hardware.wait()
        return prepared - started, time.perf_counter() - prepared

    refs = [sizes.scene(preset, side_px, _FIRST_INDEX + at) for at in range(sizes.repeats + 1)]
    with torch.no_grad():
        answer(refs[0])
        work.forget_peak()
        steps = [answer(refs[1 + at]) for at in work.rounds(min(sizes.repeats, 20), 2)]
    peak_mib = work.peak_mib()
    work.put(
        "live.images_per_s",
        key,
        [1 / sum(one) for one in steps],
        side_px=side_px,
        read_ms=spread_of([one[0] * 1e3 for one in steps]).median,
        run_ms=spread_of([one[1] * 1e3 for one in steps]).median,
    )
    work.put("live.peak_mib", key, peak_mib, side_px=side_px)
    return peak_mib
