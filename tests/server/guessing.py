"""An attacker who takes part in a study and has everything but its key.

That is this program, its presets, the study's settings, and all that a browser received. What
was seen is matched with planned scenes: the ground of every image, at points that are clearly
black or white in one coarse tile, and the boxes that practice told. A scene whose ground fits
well enough is drawn and compared with all of the tile. Which scenes: those of small seeds and
indices, and those of every number that can be read out of what was received.

Of most scenes only the ground and the first digit's square are planned, in which no glyph has a
part; presets that differ in neither are one, and all share the numbers drawn for a sample.

``python -m tests.server.guessing 100000`` makes a study and tries so many scenes of each preset:
three minutes of one core.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from numpy.typing import NDArray

from tests.server.leaks import Received, texts_of
from tests.server.people import Person
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import PlacementError
from umnist_core.geometry import Box
from umnist_core.pyramid import PyramidGrid
from umnist_core.rendering import render
from umnist_core.scenes import (
    PRESETS,
    Checkerboard,
    Circle,
    MegapixelParameters,
    NeedleParameters,
    PlannerParameters,
    Provenance,
    ReducedParameters,
    Scene,
    Shape,
    Triangle,
    UltraMnistParameters,
    megapixel,
    needle,
    plan_scene,
    reduced,
    ultramnist,
)
from umnist_core.scenes.scene import SUBPIXELS
from umnist_core.seeds import SPLITS, sample_rng

POINTS = 256
"""Of an image, at which grounds are compared where it is clearly black or white."""

FEWEST_POINTS = 64
"""That must be clear in an image."""

ALIKE = 0.8
"""Share of clear points at which a ground must fit before the scene is drawn."""

THE_SAME = 0.97
"""Share of clear pixels that must fit of a scene that is drawn: digits and edges included."""

INDICES = 10
"""Of each small seed: a person of 20 images sees one of them soon."""

REPORT_EVERY = 20_000
"""Scenes of each preset, while it is run by hand."""

Boxes = frozenset[tuple[int, int, int, int]]


@dataclass
class Seen:
    """What an attacker knows of a study.

    Attributes
    ----------
    rows, cols
        Canvas rows and columns of the points at which grounds are compared.
    grounds
        Of each image, for each point: 1 where it is white, -1 where black, 0 where neither.
    tiles
        The coarse tile of each image, uint8.
    boxes
        Label, row, column and side of the digits of each practice image.
    texts
        All that can be read of what was received.
    """

    size: int
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    cols: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    grounds: list[NDArray[np.int8]] = field(default_factory=list)
    tiles: list[NDArray[np.uint8]] = field(default_factory=list)
    boxes: set[Boxes] = field(default_factory=set)
    texts: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, received: Iterable[httpx.Response]) -> Seen:
        """Return what the answers to one person tell."""
        answers = list(received)
        states = [body for one in answers if (body := _json(one)) is not None]
        images = [image for state in states for image in _images(state)]
        seen = cls(images[0]["width"])
        tiles = {one.url.path: one.content for one in answers if one.url.path.endswith(".png")}
        for image in {one["dzi"]: one for one in images if one["width"] == seen.size}.values():
            grid = PyramidGrid(image["height"], image["width"])
            coarse = max(n for n in range(grid.max_level + 1) if grid.tile_counts(n) == (1, 1))
            path = f"{image['dzi'].removesuffix('.dzi')}_files/{coarse}/0_0.png"
            if path in tiles:
                seen._look(tiles[path])
        for body in states:
            feedback = body.get("feedback")
            if feedback and feedback.get("digits"):
                seen.boxes.add(frozenset(_told_box(digit) for digit in feedback["digits"]))
        seen.texts += texts_of(_received(one) for one in answers)
        return seen

    def _look(self, png: bytes) -> None:
        tile = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert tile is not None
        rng = np.random.default_rng(0)  # the same points of every image
        rows, cols = (rng.integers(0, side, POINTS) for side in tile.shape)
        self.rows, self.cols = (
            ((at + 0.5) * self.size / side).astype(np.int64)
            for at, side in zip((rows, cols), tile.shape, strict=True)
        )
        chosen = tile[rows, cols]
        ground = (chosen > 239).astype(np.int8) - (chosen < 16).astype(np.int8)
        assert np.count_nonzero(ground) >= FEWEST_POINTS
        self.grounds.append(ground)
        self.tiles.append(np.asarray(tile, np.uint8))


def _json(answer: httpx.Response) -> Any:
    is_json = answer.headers.get("content-type") == "application/json"
    return answer.json() if is_json and answer.status_code == 200 else None


def _images(body: Any) -> Iterator[Any]:
    state = body if "phase" in body else body.get("state") or {}
    for name in ("practice", "trial", "next", "previous"):
        if state.get(name):
            yield state[name]["image"]


def _told_box(digit: Any) -> tuple[int, int, int, int]:
    return digit["label"], digit["box"]["y"], digit["box"]["x"], digit["side"]


def _received(answer: httpx.Response) -> Received:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Received(answer.url.raw_path.decode(), headers, answer.content)


# -- candidates -------------------------------------------------------------------


Sample = tuple[int, str, int]
"""Seed, split and index."""


@dataclass(frozen=True)
class Candidate:
    """A scene that an image may be."""

    preset: str
    seed: int
    split: str
    index: int


def small_samples(count: int) -> Iterator[Sample]:
    """Yield so many samples: ten of each seed from 0 on, of either split."""
    for number in range(count):
        seed, place = divmod(number, INDICES * len(SPLITS))
        index, split = divmod(place, len(SPLITS))
        yield seed, SPLITS[split], index


def read_samples(seen: Seen) -> Iterator[Sample]:
    """Yield the samples of every number that was received, written out or hidden in an id."""
    for seed in sorted(read_numbers(seen.texts)):
        for index, split in itertools.product(range(3), SPLITS):
            yield seed, split, index


def read_numbers(texts: Iterable[bytes]) -> set[int]:
    """Return the numbers in texts: decimal, of ids and their hashes, and of times in s and ms."""
    found = set()
    for text in texts:
        if text.startswith(b"date: "):
            second = int(parsedate_to_datetime(text[6:].decode()).timestamp())
            found |= {second - 1, second, second + 1, 1000 * second}
        is_ours = text.startswith((b"{", b"/label", b"/join"))
        for word in set(re.findall(rb"[0-9A-Za-z_-]{6,64}", text)) if is_ours else ():
            digest = hashlib.sha256(word).digest()
            found |= {int.from_bytes(digest[:4], "big"), int.from_bytes(digest[:8], "big") >> 5}
            if re.fullmatch(rb"[sp]?[0-9a-f]+", word):
                number = int(word.lstrip(b"sp") or b"0", 16)
                found |= {number & (2**59 - 1), number & (2**32 - 1)}
        found |= {int(word) for word in re.findall(rb"(?<!\d)\d{1,18}(?!\d)", text) if is_ours}
    return found


# -- planning no more than is compared --------------------------------------------

PlannedGround = tuple[Checkerboard | None, tuple[Shape, ...]]


def kinds_of(overrides: Mapping[str, str]) -> dict[PlannerParameters, list[str]]:
    """Return the presets by what grounds and boxes are drawn from.

    The JPEG of digits, which takes most of the time of a plan, changes neither.
    """
    kinds: dict[PlannerParameters, list[str]] = {}
    for preset, default in PRESETS.items():
        known = {name: text for name, text in overrides.items() if name in default.table}
        if "digit_jpeg" in default.table:
            known["digit_jpeg"] = "0"
        kinds.setdefault(default.with_overrides(known), []).append(preset)
    return kinds


@lru_cache(maxsize=8)
def _begun(seed: int, split: str, index: int, purpose: str) -> tuple[np.random.Generator, Any]:
    rng = sample_rng(seed, split, index, purpose)
    return rng, rng.bit_generator.state


def _stream(sample: Sample, purpose: str) -> np.random.Generator:
    """Return a generator at its beginning; to begin again is faster than to make one."""
    rng, beginning = _begun(*sample, purpose)
    rng.bit_generator.state = beginning
    return rng


def first_square(parameters: PlannerParameters, sample: Sample) -> Box | None:
    """Return the square of the digit that is placed first, without planning the rest.

    A plan would drop it only if another digit found no place in a thousand tries. None where the
    scene has no digit.
    """
    rng = _stream(sample, "digits")
    if isinstance(parameters, NeedleParameters):
        coin = int(rng.random() * 2)
        row, col = (needle._draw_place(parameters.canvas, rng) for _ in range(2))
        has_needle = needle._number_of_needle(parameters.label, sample[2], coin) is not None
        return Box.from_size(row, col, 28, 28) if has_needle else None
    if isinstance(parameters, ReducedParameters):
        source = Provenance(parameters.planner, "", *sample)
        parameters = parameters.as_ultramnist(reduced._draw_sum(parameters, source))
    if isinstance(parameters, MegapixelParameters):
        rng.random(1 + parameters.digits)  # the class of most digits, and the glyphs
        return megapixel._find_place(parameters, [], rng)
    assert isinstance(parameters, UltraMnistParameters)
    ultramnist.draw_labels(parameters, *sample, rng)
    return ultramnist._find_place(parameters, [], rng)


def plan_ground(parameters: UltraMnistParameters, sample: Sample) -> PlannedGround:
    """Return the ground of a scene, without planning its digits."""
    assert parameters.noise_seed is None
    board = ultramnist._plan_checkerboard(parameters, _stream(sample, "checkerboard"))
    return board, ultramnist._plan_shapes(parameters, _stream(sample, "shapes"))


def ground_at(
    ground: PlannedGround, rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether a ground is white at points: cells of the board, inverted by shapes."""
    board, shapes = ground
    white = np.zeros(len(rows), bool)
    if board is not None:
        (a, b), (c, d) = board.step_down, board.step_right
        down, right = (
            at * SUBPIXELS + SUBPIXELS // 2 - origin
            for at, origin in zip((rows, cols), board.origin, strict=True)
        )
        turn = a * d - b * c
        i, j = (d * down - c * right) // turn, (a * right - b * down) // turn
        inside = (i >= 0) & (j >= 0) & (i < board.size) & (j < board.size)
        cells = np.frombuffer("".join(board.cells).encode(), np.uint8) == ord("1")
        white = inside & cells[np.where(inside, i * board.size + j, 0)]
    return white ^ _covered(shapes, rows, cols)


def _covered(
    shapes: tuple[Shape, ...], rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether points are in any shape; all circles at once, and all triangles."""
    covered = np.zeros(len(rows), bool)
    if circles := [(one.row, one.col, one.radius_px) for one in shapes if isinstance(one, Circle)]:
        row, col, radius_px = np.array(circles).T[:, :, None]
        covered |= ((rows - row) ** 2 + (cols - col) ** 2 <= radius_px**2).any(axis=0)
    if triangles := [one.points for one in shapes if isinstance(one, Triangle)]:
        r0, c0 = np.array(triangles).transpose(2, 0, 1)[:, :, :, None]
        r1, c1 = r0[:, [1, 2, 0]], c0[:, [1, 2, 0]]
        sides = (r1 - r0) * (cols - c0) - (c1 - c0) * (rows - r0)
        inside = (sides >= 0).all(axis=1) | (sides <= 0).all(axis=1)
        covered |= inside.any(axis=0)
    assert len(circles) + len(triangles) == len(shapes)
    return covered


# -- matching ---------------------------------------------------------------------


def find_images(
    seen: Seen, samples: Iterable[Sample], overrides: Mapping[str, str], glyphs: GlyphSet
) -> list[Candidate]:
    """Return the scenes of any preset that are an image of the study, or one to practise on."""
    kinds = kinds_of(overrides)
    grounds = np.array(seen.grounds, np.int8).reshape(-1, POINTS)
    squares = {told[1:] for boxes in seen.boxes for told in boxes}
    found = []
    for sample in samples:
        for parameters, presets in kinds.items():
            box = first_square(parameters, sample)
            is_placed = box is not None and (box.row0, box.col0, box.height) in squares
            alike = _alike_images(seen, grounds, parameters, sample)
            if is_placed or alike:
                scene = _plan(presets[0], parameters, sample, glyphs)
                if scene is not None and _is_an_image(scene, seen, alike, glyphs):
                    found += [Candidate(preset, *sample) for preset in presets]
    return found


def _alike_images(
    seen: Seen, grounds: NDArray[np.int8], parameters: PlannerParameters, sample: Sample
) -> list[int]:
    """Return which images have nearly the ground of a scene; no image of a study has strokes."""
    if not isinstance(parameters, UltraMnistParameters) or parameters.canvas != seen.size:
        return []
    white = ground_at(plan_ground(parameters, sample), seen.rows, seen.cols)
    fits = np.count_nonzero(grounds == np.where(white, 1, -1), axis=1)
    is_alike = fits >= ALIKE * np.count_nonzero(grounds, axis=1)
    return np.flatnonzero(is_alike).tolist() if is_alike.any() else []


def _plan(
    preset: str, parameters: PlannerParameters, sample: Sample, glyphs: GlyphSet
) -> Scene | None:
    try:
        return plan_scene(preset, *sample, glyphs=glyphs, overrides=parameters.to_text())
    except PlacementError:
        return None


def _is_an_image(scene: Scene, seen: Seen, alike: list[int], glyphs: GlyphSet) -> bool:
    boxes = frozenset((d.label, d.row, d.col, d.side_px) for d in scene.digits)
    return boxes in seen.boxes or any(_is_same(scene, seen.tiles[n], glyphs) for n in alike)


def _is_same(scene: Scene, tile: NDArray[np.uint8], glyphs: GlyphSet) -> bool:
    """Draw a scene and compare it with what was seen, where that is clearly black or white."""
    drawn = render(scene, glyphs)
    small = cv2.resize(drawn, tile.shape[::-1], interpolation=cv2.INTER_AREA)
    clear = (tile < 16) | (tile > 239)
    return float(np.mean((small > 127)[clear] == (tile > 127)[clear])) >= THE_SAME


def attack(
    seen: Seen, overrides: Mapping[str, str], scenes: int, glyphs: GlyphSet, *, reads: bool = True
) -> list[Candidate]:
    """Return every image that is found among so many scenes of each preset."""
    read = read_samples(seen) if reads else iter(())
    return find_images(seen, itertools.chain(small_samples(scenes), read), overrides, glyphs)


def take_part(person: Person, token: str) -> Seen:
    """Do a whole session, looking at every image closely, and return all that was seen."""
    person.join(token)
    state = person.begin(look=True)
    while state["phase"] == "trial":
        person.look(state["trial"]["image"])
        state = person.answer(state).json()["state"]
    return Seen.of(person.received)


def main() -> None:
    """Attack a study of full size and say what was found."""
    from tests.server.serving import serve
    from umnist_core.labeling import StudyService, StudySpec
    from umnist_core.labeling.freeze import create_study
    from umnist_core.labeling.memory import MemoryLog
    from umnist_core.server.labeling import create_label_app

    scenes = int(sys.argv[1])
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        service = StudyService(MemoryLog(), Path(folder))
        spec = StudySpec("Guessed", stimuli=6, images_per_annotator=6, practice=3)
        study = create_study(service, spec, jobs=1)
        token = service.invite(study, pool="guided")[0].token
        with serve(create_label_app(service)) as url, Person(url) as person:
            seen = take_part(person, token or "")
    print(f"{len(seen.tiles)} images and {len(seen.boxes)} lists of boxes seen", flush=True)
    glyphs = load_glyphs()
    samples = itertools.chain(read_samples(seen), small_samples(scenes))
    tried, found = 0, []
    while some := list(itertools.islice(samples, REPORT_EVERY)):
        found += find_images(seen, some, {}, glyphs)
        tried += len(some)
        took = time.process_time() - began
        print(f"{tried} scenes of each preset, {len(found)} found, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
