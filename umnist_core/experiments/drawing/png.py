"""A picture as PNG, by Pillow with the font that comes with it: no browser, no other font."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, hypot

from PIL import Image, ImageDraw, ImageFont

from umnist_core.experiments.drawing.picture import (
    CIRCLE,
    FAINT,
    INK,
    Area,
    Dot,
    Drawing,
    Label,
    Mark,
    Place,
    Stroke,
)

SCALE = 2
"""px of the file for each of the picture."""

_FINE = 2
"""Drawn so many times larger and reduced, since Pillow draws hard edges."""

_COLOURS = {INK: "#1f1f1f", FAINT: "#d9d9d9"}


def png_bytes(picture: Drawing) -> bytes:
    """Return a picture as a PNG file on white."""
    zoom = SCALE * _FINE
    sheet = Image.new("RGB", (zoom * picture.width, zoom * picture.height), "#ffffff")
    for mark in picture.marks:
        _draw(sheet, mark, zoom)
    small = sheet.resize((SCALE * picture.width, SCALE * picture.height), Image.Resampling.BOX)
    file = io.BytesIO()
    small.save(file, "PNG")
    return file.getvalue()


def _draw(sheet: Image.Image, mark: Mark, zoom: int) -> None:
    pen = ImageDraw.Draw(sheet)
    colour = _COLOURS.get(mark.colour, mark.colour)
    if isinstance(mark, Area):
        _fill(sheet, mark, colour, zoom)
    elif isinstance(mark, Stroke):
        width = max(1, round(zoom * mark.width_px))
        for part in _dashed(mark.places, mark.dashes):
            pen.line(_scaled(part, zoom), fill=colour, width=width, joint="curve")
    elif isinstance(mark, Dot):
        _dot(pen, mark, colour, zoom)
    else:
        _write(sheet, mark, colour, zoom)


def _fill(sheet: Image.Image, area: Area, colour: str, zoom: int) -> None:
    places = _scaled(area.places, zoom)
    left, top = (floor(min(one[at] for one in places)) for at in (0, 1))
    right, foot = (ceil(max(one[at] for one in places)) for at in (0, 1))
    slip = Image.new("L", (max(1, right - left), max(1, foot - top)), 0)
    own = [(x - left, y - top) for x, y in places]
    ImageDraw.Draw(slip).polygon(own, fill=round(255 * area.opacity))
    sheet.paste(colour, (left, top), slip)


def _dot(pen: ImageDraw.ImageDraw, dot: Dot, colour: str, zoom: int) -> None:
    fill, width = (colour if dot.is_filled else "#ffffff"), 2 * zoom
    if dot.shape == CIRCLE:
        (x, y), r = dot.place, dot.radius_px + 1
        ends = _scaled(((x - r, y - r), (x + r, y + r)), zoom)
        pen.ellipse(ends, fill=fill, outline=colour, width=width)
    else:
        pen.polygon(_scaled(dot.corners(), zoom), fill=fill, outline=colour, width=width)


def _write(sheet: Image.Image, label: Label, colour: str, zoom: int) -> None:
    font = ImageFont.load_default(zoom * label.size_px)
    x, y = (round(zoom * one) for one in label.place)
    side = {"start": "l", "middle": "m", "end": "r"}[label.anchor]
    if not label.turned:
        ImageDraw.Draw(sheet).text((x, y), label.text, fill=colour, font=font, anchor=f"{side}s")
        return
    left, top, right, bottom = font.getbbox(label.text, anchor="ls")
    slip = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(slip).text((-left, -top), label.text, fill=255, font=font, anchor="ls")
    turned = slip.transpose(Image.Transpose.ROTATE_90)
    start = {"l": 0, "m": turned.height // 2, "r": turned.height}[side]
    sheet.paste(colour, (x - turned.width, y - turned.height + start), turned)


def _scaled(places: Sequence[Place], zoom: int) -> list[Place]:
    return [(zoom * x, zoom * y) for x, y in places]


def _dashed(places: Sequence[Place], dashes: str) -> list[Sequence[Place]]:
    """Return the parts of a line that are drawn."""
    lengths = [float(one) for one in dashes.split()]
    if sum(lengths) <= 0:
        return [places]
    parts: list[Sequence[Place]] = []
    at, left = 0, lengths[0]
    for (x0, y0), (x1, y1) in pairwise(places):
        length, done = hypot(x1 - x0, y1 - y0), 0.0
        while done < length:
            step = min(left, length - done)
            ends = [
                (x0 + (x1 - x0) * share / length, y0 + (y1 - y0) * share / length)
                for share in (done, done + step)
            ]
            if at % 2 == 0:
                parts.append(ends)
            done, left = done + step, left - step
            if left <= 0:
                at += 1
                left = lengths[at % len(lengths)] or 1.0
    return parts
