"""Searching all that a browser receives for what it must not: the truth about the images."""

from __future__ import annotations

import base64
import itertools
import json
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from umnist_core.labeling import StudyService
from umnist_core.pyramid.encode import PNG_SIGNATURE


@dataclass(frozen=True)
class Received:
    """What came back from one address: headers with lower-case names, and the content."""

    address: str
    headers: Mapping[str, str]
    content: bytes


def texts_of(answers: Iterable[Received]) -> Iterator[bytes]:
    """Yield all that could be read of answers: addresses, headers, and content but pixels."""
    for answer in answers:
        yield answer.address.encode()
        for name, value in answer.headers.items():
            if name not in ("content-length", "date"):
                yield f"{name}: {value}".encode()
        if answer.headers.get("content-type") == "image/png":
            yield from (k + data for k, data in png_chunks(answer.content) if k != b"IDAT")
        else:
            yield answer.content


def png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each chunk of a PNG; fails if anything stands behind the last."""
    assert png.startswith(PNG_SIGNATURE)
    place = len(PNG_SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
    assert place == len(png)


def spellings_of(value: object) -> set[bytes]:
    """Return how a value may be written."""
    text = value if isinstance(value, str) else json.dumps(value)
    compact = json.dumps(value, separators=(",", ":"))
    found = {text.encode(), compact.encode(), quote(text).encode()}
    found |= {base64.b64encode(one).rstrip(b"=") for one in (text.encode(), compact.encode())}
    if isinstance(value, int):
        found |= {f"{value:x}".encode(), value.to_bytes(8, "big"), value.to_bytes(8, "little")}
    return found


def is_in(secret: bytes, text: bytes) -> bool:
    """Return whether a text holds a secret; a short one only if it stands alone."""
    if secret not in text:
        return False
    if len(secret) >= 10:
        return True
    return re.search(rb"(?<![\w.-])" + re.escape(secret) + rb"(?![\w.-])", text) is not None


def secrets_of(service: StudyService, study: str, seen: list[str]) -> set[bytes]:
    """Return what must not be found: of the study, its stimuli, their digits and boxes.

    The study's key, all that is drawn from it, and the hash that commits the study to it.
    """
    values: list[object] = [str(service.study_folder(study))]
    state = service.state(study)
    values += [state.glyphs["checksum"], *(one.seed for one in state.annotators.values())]
    key = json.loads(service.log.read_attachment(study, 1) or "")["key"]
    values += [key, service.log.read(study)[0].attachment_hash]
    truth = service.log.read_truth(study)
    for stimulus, text in truth.items():
        what = json.loads(text)
        values += [stimulus, what["source"]["seed"], what["source"]["index"]]
        if stimulus not in seen:
            continue
        values.append(what["source"])
        for digit in what["digits"]:
            box = [digit["row"], digit["col"], digit["side_px"], digit["side_px"]]
            values += [digit, box, [digit["col"], digit["row"], *box[2:]], box[:2]]
            values += [f"{digit['row']},{digit['col']}", f"{digit['col']},{digit['row']}"]
            values += [digit["glyph"]] if digit["glyph"] > 9999 else []
    manifest = (service.study_folder(study) / "manifest.json").read_text()
    values += list(json.loads(manifest).values())
    return set(itertools.chain.from_iterable(spellings_of(value) for value in values))
