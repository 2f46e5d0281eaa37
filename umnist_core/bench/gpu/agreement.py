"""Every registered model answers on the GPU as on the CPU: logits, attention, what it selects.

Weights are those of the shipped checkpoint of a model, else fresh ones whose batch norms have
seen the images, so that activations are of a usual size. The CPU computes in float32.
"""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.bench.gpu.figures import CURVES, MODES, SELECTING, TRAINED, get_figure
from umnist_core.bench.gpu.work import Work
from umnist_core.digits import GLYPH_PX, GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import DIGIT_TASK, FoundDigit, Model, ModelOutput
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.papers.convnet import CamNet
from umnist_core.models.papers.faster_rcnn import DetectorOutput
from umnist_core.models.papers.vgg16 import PhotographModel
from umnist_core.models.registry import create_model, model_names
from umnist_core.models.targets import scene_targets
from umnist_core.pyramid import ArraySource, TileSource, scene_source
from umnist_core.scenes import PRESETS, get_preset

SAME_BOX = 0.8
"""Intersection over union from which two boxes of one class are of one digit."""

_SLOW = ("efficientnet-b7", "faster-rcnn")

Place = tuple[int, ...]


@dataclass(frozen=True)
class Sight:
    """What a model said of images, in numbers that two devices can be compared by.

    Attributes
    ----------
    numbers
        For each task or level of features, float64 (B, n) on the CPU.
    places
        For each image, place -> share of the attention; None where the model gives none.
    chosen
        For each image, the patches that were kept or the digits that were found.
    answers
        The likeliest class of each image, to the first task.
    """

    numbers: tuple[Tensor, ...]
    places: tuple[dict[Place, float], ...] | None
    chosen: tuple[Sequence[Any], ...]
    answers: tuple[int, ...]


def run(work: Work) -> None:
    """Compare every model: those with a checkpoint first, and last what takes long on the CPU."""
    order = sorted(model_names(), key=lambda one: (one in _SLOW, one not in TRAINED, one))
    for name in order:
        work.check_time()
        with work.trying([f"{name}/{mode}" for mode in MODES], *_figures_of(name)):
            _compare(work, name, *_make(work, name))
        work.say(f"{name}: compared")


def _figures_of(model: str) -> tuple[str, ...]:
    figures = ("agree.logits", "agree.attention")
    return (*figures, "agree.selection") if model in SELECTING else figures


def _make(work: Work, name: str) -> tuple[Model, Any, str]:
    """Return a model on the CPU, a batch of images for it, and where its weights are from."""
    shipped = {load_card(path).model: path for path in find_shipped_checkpoints().values()}
    if name in shipped:
        model, _ = load_checkpoint(shipped[name])
        return model, _batch(work, model), shipped[name].stem
    torch.manual_seed(0)
    model = create_model(name, work.sizes.models.get(name))
    batch = _batch(work, model)
    fit_norms(model, batch)
    return model.eval(), batch, "fresh"


def _batch(work: Work, model: Model) -> Any:
    with torch.no_grad():
        return model.collate([model.prepare(source) for source in _sources(work, model)])


def _sources(work: Work, model: Model) -> list[TileSource]:
    """Return images with answers to what a model is asked."""
    sizes = work.sizes
    if model.sees_colour:
        return [_photograph(work.glyphs, index) for index in range(sizes.images)]
    if model.tasks == (DIGIT_TASK,):  # the scenes of no preset have one digit
        return [_one_digit(work.glyphs, index) for index in range(sizes.images)]
    preset, side_px = find_scenes(work, model)
    refs = [sizes.scene(preset, side_px, index) for index in range(sizes.images)]
    return [scene_source(ref.plan(work.glyphs), work.glyphs) for ref in refs]


def _one_digit(glyphs: GlyphSet, index: int) -> TileSource:
    """Return a digit twice its size amid 112 px; those of MNIST Large Scale need SciPy."""
    side_px = 4 * GLYPH_PX
    image = np.zeros((side_px, side_px), np.uint8)
    inner = slice(GLYPH_PX, side_px - GLYPH_PX)
    image[inner, inner] = glyphs.images[index].repeat(2, axis=0).repeat(2, axis=1)
    return ArraySource(image)


def _photograph(glyphs: GlyphSet, index: int) -> TileSource:
    """Return an image in colour of 112 px: another digit in each channel."""
    planes = [_one_digit(glyphs, index + more).read_whole() for more in range(3)]
    return ArraySource(np.stack(planes, axis=2))


def find_scenes(work: Work, model: Model) -> tuple[str, int]:
    """Return the first preset whose scenes have answers to what a model is asked, and a side.

    Raises
    ------
    InvalidValueError
        If there is none.
    """
    sizes = work.sizes
    sides = {"released": sizes.canvas_px, CURVES: sizes.megapixel_px}
    for preset in (*sides, *PRESETS):
        side_px = sides.get(preset) or int(get_preset(preset).to_text().get("canvas", 0))
        scene = sizes.scene(preset, side_px, 0).plan(work.glyphs)
        with contextlib.suppress(InvalidValueError):
            scene_targets(scene, model.tasks, with_digits=False)
            return preset, side_px
    raise InvalidValueError(
        f"Expected a preset with answers to {', '.join(task.name for task in model.tasks)}, found "
        "none; add one."
    )


@torch.no_grad()
def fit_norms(model: Model, batch: Any) -> None:
    """Let batch norms take the mean and the deviation of what they see of a batch."""
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    model.train()(batch)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum


def _compare(work: Work, name: str, model: Model, batch: Any, weights: str) -> None:
    wanted = look(model, batch)
    other = copy.deepcopy(model)
    work.hardware.place(other)
    for mode in MODES:
        work.check_time()
        key = f"{name}/{mode}"
        with work.trying(key, *_figures_of(name)), computing(work, mode):
            found = look(other.eval(), batch, wanted.answers)
            work.hardware.wait()
            _put(work, key, wanted, found, weights)
    del other
    work.hardware.release()


def _put(work: Work, key: str, wanted: Sight, found: Sight, weights: str) -> None:
    same = sum(a == b for a, b in zip(wanted.answers, found.answers, strict=True))
    more = {"weights": weights, "images": len(wanted.answers)}
    work.put("agree.logits", key, difference(wanted, found), same_answers=same, **more)
    moved = moved_attention(wanted, found)
    why = {} if moved is not None else {"why": "the model gives no attention"}
    work.put("agree.attention", key, moved, **why, **more)
    if key in get_figure("agree.selection").keys:
        work.put("agree.selection", key, kept_share(wanted, found), **more)


@contextlib.contextmanager
def computing(work: Work, mode: str) -> Iterator[None]:
    """Compute in one of `MODES` until the block ends."""
    was = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = mode != "exact"
    kind = work.hardware.find_short_type() or torch.bfloat16  # a rehearsal imitates it
    try:
        with work.hardware.mixed(kind if mode == "mixed" else None):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = was


# -- what is compared -------------------------------------------------------------------------


def look(model: Model, batch: Any, classes: Sequence[int] | None = None) -> Sight:
    """Let a model answer for a batch.

    Parameters
    ----------
    model, batch
        In evaluation mode, and what its `collate` gave.
    classes
        Which class Grad-CAM explains of each image; the likeliest by default.
    """
    has_grad_cam = isinstance(model, PhotographModel) or (
        isinstance(model, CamNet) and type(model).attend is CamNet.attend
    )
    with torch.no_grad():
        output = model(batch) if has_grad_cam else model.attend(batch)
    first = output.logits[model.tasks[0].name].detach().float().cpu()  # (B, classes)
    answers = tuple(first.flatten(1).argmax(dim=1).tolist())  # of images, where they are brightest
    places = None
    if isinstance(model, CamNet | PhotographModel) and has_grad_cam:
        places = grad_cam_places(model, batch, answers if classes is None else classes)
    elif output.attention is not None:
        places = tuple(_places(one) for one in output.attention)
    if output.found is not None:
        chosen: tuple[Sequence[Any], ...] = output.found
    else:
        chosen = tuple([*one] for one in places or ())
    return Sight(_numbers(output), places, chosen, answers)


def _numbers(output: ModelOutput) -> tuple[Tensor, ...]:
    if isinstance(output, DetectorOutput) and output.features is not None:
        levels = output.features.values()
        return tuple(one.detach().double().cpu().flatten(1) for one in levels)
    return tuple(one.detach().double().cpu().flatten(1) for one in output.logits.values())


def _places(attention: AttentionMap) -> dict[Place, float]:
    found: Counter[Place] = Counter()
    for box, share in zip(attention.boxes, attention.place_weights(), strict=True):
        found[tuple(round(float(edge)) for edge in box)] += float(share)  # type: ignore[assignment]
    return dict(found)


def grad_cam_places(
    model: CamNet | PhotographModel, batch: Any, classes: Sequence[int]
) -> tuple[dict[Place, float], ...]:
    """Return Grad-CAM of each image, cell by cell, without captum, which bare images lack.

    Cells are numbered: row by row, and where a network sees an image in several ways, way by way.
    """
    kept: list[Tensor] = []
    hook = model.cam_layer.register_forward_hook(lambda _module, _inputs, out: kept.append(out))
    try:
        with torch.enable_grad():
            logits = model.net(model.images(batch).clone().requires_grad_())  # (B, classes)
            rows = torch.arange(len(classes), device=logits.device)
            chosen = logits[rows, torch.tensor(classes, device=logits.device)].sum()
            (gradient,) = torch.autograd.grad(chosen, kept[0])  # (N, C, rows, cols)
    finally:
        hook.remove()
    seen = kept[0].detach().float()
    maps = (gradient.float().mean(dim=(2, 3), keepdim=True) * seen).sum(dim=1).relu()
    cells = maps.reshape(len(classes), -1)  # (B, cells)
    shares = cells / cells.sum(dim=1, keepdim=True).clamp_min(1e-30)
    return tuple({(at,): share for at, share in enumerate(own)} for own in shares.tolist())


def difference(wanted: Sight, found: Sight) -> float:
    """Return the largest difference of two numbers, as a share of their image's spread."""
    most = 0.0
    for mine, theirs in zip(wanted.numbers, found.numbers, strict=True):
        is_number = mine.isfinite() & (mine != theirs)  # two infinities are equal
        spread = mine.masked_fill(~mine.isfinite(), 0.0)
        width = (spread.amax(dim=1) - spread.amin(dim=1)).clamp_min(1e-12)  # (B,)
        apart = ((mine - theirs).abs() / width[:, None]).masked_fill(~is_number, 0.0)
        is_lost = ~mine.isfinite() & (mine != theirs) | theirs.isnan()
        most = max(most, float("inf") if bool(is_lost.any()) else float(apart.max()))
    return most


def moved_attention(wanted: Sight, found: Sight) -> float | None:
    """Return the share of the attention that lies elsewhere, 0 to 1, of the worst image."""
    if wanted.places is None or found.places is None:
        return None
    return max(
        sum(abs(mine.get(one, 0.0) - theirs.get(one, 0.0)) for one in mine.keys() | theirs.keys())
        / 2
        for mine, theirs in zip(wanted.places, found.places, strict=True)
    )


def kept_share(wanted: Sight, found: Sight) -> float:
    """Return the share of what was chosen that both chose, over all images."""
    both = every = 0
    for mine, theirs in zip(wanted.chosen, found.chosen, strict=True):
        left = [*theirs]
        for one in mine:
            match = next((other for other in left if _is_same(one, other)), None)
            if match is not None:
                left.remove(match)
        both += len(theirs) - len(left)
        every += max(len(mine), len(theirs))
    return both / every if every else 1.0


def _is_same(one: Any, other: Any) -> bool:
    if not isinstance(one, FoundDigit):
        return bool(one == other)
    return one.label == other.label and _overlap(one, other) >= SAME_BOX


def _overlap(one: FoundDigit, other: FoundDigit) -> float:
    """Return intersection over union of two boxes."""
    height = min(one.row + one.height_px, other.row + other.height_px) - max(one.row, other.row)
    width = min(one.col + one.width_px, other.col + other.width_px) - max(one.col, other.col)
    both = max(height, 0.0) * max(width, 0.0)
    areas = one.height_px * one.width_px + other.height_px * other.width_px
    return both / max(areas - both, 1e-9)
