"""The leak test: nothing that an annotator receives or can guess tells what is in an image.

A person walks a whole session and keeps every byte, header and address. Practice of the
guided is excepted, whose answers are told on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.labeling.making import new_key
from tests.server.conftest import Lab
from tests.server.leaks import Received, is_in, png_chunks, secrets_of, spellings_of, texts_of
from tests.server.people import Person

STATE_FIELDS = {
    "study": {"id", "name"},
    "phase": None,
    "texts": {"consent", "instructions", "question"},
    "guide": {"sizes_px", "image_px", "digit_counts", "sheet"},
    "ask": {"boxes", "confidence", "digits", "change", "required", "practised", "min", "max"},
    "asked": {"page", "gate", "rest", "consent", "leave", "debriefing"},
    "progress": {"done", "total", "practice_done", "practice_total"},
    "practice": {"id", "number", "image"},
    "trial": {"assignment", "number", "image"},
    "next": {"assignment", "number", "image"},
    "previous": {
        *(
            "answer",
            "assignment",
            "boxes",
            "changes_left",
            "confidence",
            "digits",
            "image",
            "number",
        ),
    },
    "outcome": None,
    "origin": None,
    "self": None,
    "held": {"places", "open"},
    "code": None,
    "leave": None,
    "gate": None,
    "link": None,
    "pyramid_filter": None,
    "versions": {"app", "study", "renderer"},
}
"""Every field that a state may have; None where it is a plain value."""

TRUTH_WORDS = re.compile(
    rb"\b(label|labels|glyphs?|seed|truth|sum|bbox|provenance|overrides|preset|stimulus"
    rb"|stimuli|manifest|checksum|sha256|slot|pool)\b"
)


def _walk(lab: Lab, study: str, pool: str) -> tuple[Person, list[str], list[httpx.Response]]:
    """Do a whole session; return the person, the stimuli seen and all answers but practice's."""
    person = lab.person()
    person.join(lab.link(study, pool))
    state = person.state()
    if state["guide"]:
        person.look(state["guide"]["sheet"])
    state = person.begin()
    while state["phase"] == "trial":
        person.look(state["trial"]["image"])
        person.send("alive", {"assignment": state["trial"]["assignment"]})
        state = person.answer(state).json()["state"]
    annotator = next(iter(lab.service.state(study).annotators.values()))
    seen = [one.stimulus for one in annotator.answered]
    kept = [one for one in person.received if not one.url.path.endswith("/api/practice")]
    return person, seen, kept


def received(answer: httpx.Response) -> Received:
    """Return what came with an answer."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Received(answer.url.raw_path.decode(), headers, answer.content)


@pytest.mark.parametrize("pool", ["unguided", "guided"])
def test_session_holds_nothing_of_what_is_in_the_images(lab: Lab, pool: str) -> None:
    """Key, seeds, glyphs, boxes, ids of images and checksums, in every spelling: none is there."""
    study = lab.study(repeats=1, ask_digits=True, ask_confidence=True)
    person, seen, kept = _walk(lab, study, pool)
    person.http.close()
    assert len(seen) == 4
    found = list(texts_of(received(one) for one in kept))
    secrets = secrets_of(lab.service, study, seen)
    assert len(secrets) > 200
    for secret in secrets:
        assert not [text for text in found if is_in(secret, text)], secret


@pytest.mark.parametrize("told", [False, True])
def test_unguided_practice_teaches_nothing_that_guided_people_are_told(
    lab: Lab, told: bool
) -> None:
    """No count, size or place of a digit in any reply; the same search finds what is told."""
    feedback = {"unguided": "full" if told else "correctness", "guided": "full"}
    study = lab.study(practice=3, practice_feedback=feedback)
    person, _, _ = _walk(lab, study, "unguided")
    person.http.close()
    replies = [one for one in person.received if one.url.path.endswith("/api/practice")]
    assert len(replies) == 3
    secrets = set()
    for image in lab.service.state(study).practice:
        for digit in image.digits:
            row, col, side = digit["row"], digit["col"], digit["side_px"]
            secrets |= {f'"x":{col},"y":{row}'.encode(), f'"side":{side}'.encode()}
            secrets |= set().union(*(spellings_of(one) for one in (digit, [row, col, side])))
    found = [
        (secret, text)
        for secret in secrets
        for text in texts_of(received(one) for one in person.received)
        if is_in(secret, text)
    ]
    assert bool(found) is told, found
    words = set().union(*(_keys(one.json()["feedback"]) for one in replies))
    assert (words == {"correct"}) is not told


def test_search_finds_what_is_there() -> None:
    """Each spelling of a seed, a box and a glyph, within other text."""
    for value in (7_431_952_608, [12, 345, 678, 678], {"row": 12, "col": 345}, "12,345", 23456):
        for secret in spellings_of(value):
            assert is_in(secret, b'{"a": ' + secret + b"}")
    assert not is_in(b"345", b"12345")


@pytest.mark.parametrize("pool", ["unguided", "guided"])
def test_states_hold_the_fields_of_the_interface_alone(lab: Lab, pool: str) -> None:
    """A label is too short to be searched for, so every field must be one that is known."""
    study = lab.study(allow_change=True)
    person, _, kept = _walk(lab, study, pool)
    person.http.close()
    states = [one for one in (_state_in(answer) for answer in kept) if one]
    assert len(states) > 5
    for state in states:
        assert set(state) == set(STATE_FIELDS)
        assert state["self"] is None  # what is told to oneself is told to nobody else
        for name, fields in STATE_FIELDS.items():
            value = state[name]
            if fields is not None and value is not None:
                assert set(value) == fields
            if isinstance(value, dict) and "image" in value:
                assert set(value["image"]) == {"dzi", "width", "height", "tiles"}
    for answer in kept:
        if answer.headers.get("content-type") == "application/json":
            for text in _keys(answer.json()):
                assert not TRUTH_WORDS.fullmatch(text.encode()), text


def _state_in(answer: httpx.Response) -> dict[str, Any] | None:
    if answer.headers.get("content-type") != "application/json":
        return None
    body = answer.json()
    state = body if "phase" in body else body.get("state")
    assert state is None or isinstance(state, dict)
    return state


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from _keys(one)


def test_tiles_are_pixels_and_nothing_more(lab: Lab) -> None:
    """No text, time or profile in any PNG, and nothing behind its end."""
    study = lab.study()
    person, _, kept = _walk(lab, study, "guided")
    person.http.close()
    tiles = [one for one in kept if one.headers.get("content-type") == "image/png"]
    assert len(tiles) > 40  # the sheet of digits has fewer without MNIST
    for tile in tiles:
        assert {kind for kind, _ in png_chunks(tile.content)} == {b"IHDR", b"IDAT", b"IEND"}


def test_repeated_image_has_another_address(lab: Lab) -> None:
    """Whoever compares addresses does not learn that an image came before."""
    study = lab.study(repeats=1)
    person, seen, kept = _walk(lab, study, "unguided")
    person.http.close()
    assert len(set(seen)) == 3
    stems = {one.url.path for one in kept if one.url.path.endswith(".dzi")}
    assert len(stems) == 4


def test_nothing_can_be_guessed(lab: Lab) -> None:
    """Images by their own ids, files of the study, its folder, and the researchers' routes."""
    study, other = lab.study(), lab.study()
    with lab.person() as one, lab.person() as person:
        one.join(lab.link(study))
        theirs = one.begin()["trial"]["image"]["dzi"]
        person.join(lab.link(study))
        state = person.begin()
        key, signature, _ = state["trial"]["image"]["dzi"].split("/")[-1].split(".")
        folder = lab.service.study_folder(study)
        stimulus = lab.service.state(study).stimuli[0]
        here = f"/label/{study}"
        guesses = [
            theirs,
            f"{here}/tiles/{stimulus}.{signature}.dzi",
            f"{here}/tiles/{stimulus}.dzi",
            f"{here}/tiles/manifest.{signature}.dzi",
            f"{here}/tiles/{key}.{signature}.png",
            f"{here}/tiles/..%2F..%2F{folder.name}%2Fmanifest.json",
            f"{here}/tiles/%2e%2e/manifest.json",
            f"{here}/api/truth",
            f"{here}/api/export",
            f"{here}/api/state/../../truth",
            f"/label/{other}/api/state",
            f"/label/{other}/tiles/{key}.{signature}.dzi",
            f"/studies/{study}/manifest.json",
            f"/labeling_data/studies/{study}/{stimulus}.png",
            "/tiles/scene.json?seed=0",
            "/",
        ]
        codes = {guess: person.http.get(guess).status_code for guess in guesses}
    assert {guess for guess, code in codes.items() if code not in (401, 403, 404)} == set()


def test_practice_is_told_of_practice_alone(lab: Lab) -> None:
    """An image that counts cannot be asked about as if it were one to practise on."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        for name in (state["trial"]["assignment"], lab.service.state(study).stimuli[0]):
            body = {"key": new_key(), "practice": name, "answer": 3}
            answer = person.send("practice", body)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown")
