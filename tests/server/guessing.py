"""An attacker who takes part in a study and has everything but its key.

That is this program, its presets, the study's settings, and all that a browser received. What
was seen is matched with planned scenes: the ground of every image, at points that are clearly
black or white in one coarse tile, and the boxes that practice told. A scene whose ground fits
well enough is drawn and compared with all of the tile. Which scenes: those of small seeds and
indices, and those of every number that can be read out of what was received.

``python -m tests.server.guessing 100000`` makes a study and tries so many scenes of each preset.
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
from umnist_core.pyramid import PyramidGrid
from umnist_core.rendering import render
from umnist_core.scenes import PRESETS, Circle, Polygon, Scene, Shape, get_preset, plan_scene
from umnist_core.seeds import SPLITS

POINTS = 128
"""Of an image, at which grounds are compared."""

ALIKE = 0.8
"""Share of points at which a ground must fit before the scene is drawn."""

THE_SAME = 0.97
"""Share of clear pixels that must fit of a scene that is drawn: digits and edges included."""

INDICES = 10
"""Of each small seed: a person of 20 images sees one of them soon."""

Boxes = frozenset[tuple[int, int, int, int]]


@dataclass
class Seen:
    """What an attacker knows of a study.

    Attributes
    ----------
    grounds
        Canvas rows and columns of points of an image, and whether each is white.
    tiles
        The coarse tile of each image, uint8.
    boxes
        Label, row, column and side of the digits of each practice image.
    texts
        All that can be read of what was received.
    """

    size: int
    grounds: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]] = field(
        default_factory=list
    )
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
        rows, cols = np.nonzero((tile < 16) | (tile > 239))
        rng = np.random.default_rng(0)
        chosen = rng.choice(len(rows), POINTS, replace=False)
        rows, cols = rows[chosen], cols[chosen]
        scale = self.size / len(tile)
        at = (((rows + 0.5) * scale).astype(np.int64), ((cols + 0.5) * scale).astype(np.int64))
        self.grounds.append((*at, tile[rows, cols] > 127))
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


@dataclass(frozen=True)
class Candidate:
    """A scene that an image may be."""

    preset: str
    seed: int
    split: str
    index: int


def small_candidates(preset: str, scenes: int) -> Iterator[Candidate]:
    """Yield so many scenes: ten of each seed from 0 on, of either split."""
    for seed in itertools.count():
        for index, split in itertools.product(range(INDICES), SPLITS):
            if scenes <= 0:
                return
            scenes -= 1
            yield Candidate(preset, seed, split, index)


def read_candidates(preset: str, seen: Seen) -> Iterator[Candidate]:
    """Yield the scenes of every number that was received, written out or hidden in an id."""
    for seed in sorted(read_numbers(seen.texts)):
        for index, split in itertools.product(range(3), SPLITS):
            yield Candidate(preset, seed, split, index)


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


# -- matching ---------------------------------------------------------------------


def find_images(
    seen: Seen, candidates: Iterable[Candidate], overrides: Mapping[str, str], glyphs: GlyphSet
) -> list[Candidate]:
    """Return the candidates that are an image of the study, or one to practise on."""
    found = []
    for one in candidates:
        try:
            scene = _plan(one, overrides, glyphs)
        except PlacementError:
            continue
        boxes = frozenset((d.label, d.row, d.col, d.side_px) for d in scene.digits)
        if boxes in seen.boxes or any(
            _is_alike(scene, *ground) and _is_same(scene, tile, glyphs)
            for ground, tile in zip(seen.grounds, seen.tiles, strict=True)
        ):
            found.append(one)
    return found


def _plan(one: Candidate, overrides: Mapping[str, str], glyphs: GlyphSet) -> Scene:
    known = {k: v for k, v in overrides.items() if k in get_preset(one.preset).table}
    if "digit_jpeg" in get_preset(one.preset).table:
        known["digit_jpeg"] = "0"  # changes neither grounds nor boxes, and takes most of the time
    return plan_scene(one.preset, one.seed, one.split, one.index, glyphs=glyphs, overrides=known)


def _is_alike(
    scene: Scene, rows: NDArray[np.int64], cols: NDArray[np.int64], white: NDArray[np.bool_]
) -> bool:
    if scene.strokes is not None or rows.max() >= scene.height:
        return False
    return float(np.mean(ground_at(scene, rows, cols) == white)) >= ALIKE


def ground_at(scene: Scene, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the ground is white at points: cells of the board, inverted by shapes."""
    white = np.zeros(len(rows), bool)
    board = scene.checkerboard
    if board is not None:
        steps = np.array([board.step_down, board.step_right], float).T
        points = np.stack([rows, cols]) * 1024.0 + 512 - np.array([board.origin]).T
        i, j = np.floor(np.linalg.solve(steps, points)).astype(int)
        inside = (i >= 0) & (j >= 0) & (i < board.size) & (j < board.size)
        cells = np.array([[bit == "1" for bit in row] for row in board.cells])
        white[inside] = cells[i[inside], j[inside]]
    covered = np.zeros(len(rows), bool)
    for shape in scene.shapes:
        covered |= _is_in(shape, rows, cols)
    return white ^ covered


def _is_in(shape: Shape, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.bool_]:
    if isinstance(shape, Circle):
        is_near: NDArray[np.bool_] = (rows - shape.row) ** 2 + (
            cols - shape.col
        ) ** 2 <= shape.radius_px**2
        return is_near
    assert isinstance(shape, Polygon)
    corners = shape.points
    sides = []
    for (r0, c0), (r1, c1) in itertools.pairwise([*corners, corners[0]]):
        sides.append((r1 - r0) * (cols - c0) - (c1 - c0) * (rows - r0))
    is_inside: NDArray[np.bool_] = np.all([one >= 0 for one in sides], axis=0)
    is_inside |= np.all([one <= 0 for one in sides], axis=0)
    return is_inside


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
    found = []
    for preset in PRESETS:
        candidates = small_candidates(preset, scenes)
        read = read_candidates(preset, seen) if reads else iter(())
        found += find_images(seen, itertools.chain(candidates, read), overrides, glyphs)
    return found


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
    for preset in PRESETS:
        candidates = [*small_candidates(preset, scenes), *read_candidates(preset, seen)]
        found = find_images(seen, candidates, {}, glyphs)
        took = time.process_time() - began
        print(f"{preset}: {len(candidates)} scenes, {len(found)} found, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
