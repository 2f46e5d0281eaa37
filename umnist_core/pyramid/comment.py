"""A text comment inside a PNG or JPEG file: where it comes from, and on which digits."""

from __future__ import annotations

from umnist_core.errors import InvalidValueError
from umnist_core.pyramid.encode import PNG_SIGNATURE, png_chunk
from umnist_core.scenes.scene import Scene

JPEG_START = b"\xff\xd8"
_END_OF_IHDR = len(PNG_SIGNATURE) + 25


def scene_comment(scene: Scene, version: str) -> str:
    """Return what a file says of the scene that it shows."""
    digits = f"digits {scene.glyph_set} {scene.glyph_checksum[:12]}"
    notice = "; STAND-IN DIGITS, not MNIST" if scene.stand_in else ""
    made = ""
    if (source := scene.provenance) is not None:
        made = f"; preset {source.preset}, seed {source.seed}, {source.split} {source.index}"
    return f"umnist {version}{made}; {digits}{notice}"


def add_comment(data: bytes, comment: str) -> bytes:
    """Return a PNG or JPEG file with a comment in it; its pixels are untouched.

    Parameters
    ----------
    data
        A whole file. In a PNG the comment is a ``tEXt`` chunk (PNG specification, third
        edition, 11.3.3.2) behind the header; in a JPEG a ``COM`` segment (ITU-T T.81,
        B.2.4.5) behind the start of the image.
    comment
        Latin-1 text of at most 65,533 bytes.

    Raises
    ------
    InvalidValueError
        If the data is neither, or the comment is too long.
    """
    text = comment.encode("latin-1", "replace")
    if len(text) > 65_533:
        raise InvalidValueError(f"A comment holds at most 65,533 bytes; got {len(text)}.")
    if data.startswith(PNG_SIGNATURE):
        chunk = png_chunk(b"tEXt", b"Comment\0" + text)
        return data[:_END_OF_IHDR] + chunk + data[_END_OF_IHDR:]
    if data.startswith(JPEG_START):
        return JPEG_START + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + data[2:]
    raise InvalidValueError("Expected a PNG or JPEG file to put a comment in, found neither.")
