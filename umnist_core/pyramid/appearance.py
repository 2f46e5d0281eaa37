"""How the values of a file become the 8 bits a channel that people and models are shown.

One rule for everybody who looks, so that a model reads what a person sees:

- 8 bits: as they are. 16 bits: the upper 8.
- Other numbers (float, signed, 32 bits): from black to white over 0 to 1 where all of
  them lie there and are floats, else over the lowest to the highest. What is no number
  is black.
- CMYK and CIELAB: converted to sRGB. Embedded colour profiles are ignored.
- Transparency: laid over white; over black where what is drawn is light, since light ink
  on white is as invisible as dark ink on black.

Nothing here loads libvips: functions take its images and call their methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from umnist_core.errors import InvalidValueError

WHITE, BLACK = 255, 0
_LAB = ("lab", "labs")
_CONVERTED = (*_LAB, "cmyk")
_DIRECT = ("uchar", "ushort")
_FLOATS = ("float", "double")
_ALPHA_MOST = {"uchar": 255.0, "ushort": 65535.0, "float": 1.0, "double": 1.0}
_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32}
_NAMES = {"cmyk": ("C", "M", "Y", "K"), "lab": ("L*", "a*", "b*"), "labs": ("L*", "a*", "b*")}
_MIDDLE = 127.5
_FAR = 3.5e38
"""Beyond every 32-bit float."""


@dataclass(frozen=True)
class PixelKind:
    """What a pixel of a file consists of.

    Attributes
    ----------
    names
        Of the channels, such as ``("R", "G", "B", "A")``.
    bits
        Of a channel, as stored.
    is_float
        Whether values are floats.
    is_plain
        Whether what is shown are the stored values themselves.
    """

    names: tuple[str, ...]
    bits: int
    is_float: bool
    is_plain: bool

    @property
    def depth(self) -> str:
        """The bits in words, such as ``"16 bit"`` or ``"32 bit float"``."""
        return f"{self.bits} bit float" if self.is_float else f"{self.bits} bit"


@dataclass(frozen=True)
class Appearance:
    """What is chosen once for a whole image.

    Attributes
    ----------
    ground
        Grey value on which transparent parts are drawn; None where nothing is transparent.
    low, high
        Values that are drawn black and white; None where bits are shown as they are.
    """

    ground: int | None = None
    low: float | None = None
    high: float | None = None


def pixel_kind(image: Any) -> PixelKind:
    """Return what a pixel of a libvips image, just loaded, consists of."""
    fields = image.get_fields()
    stored = int(image.get("bits-per-sample")) if "bits-per-sample" in fields else 0
    bits = stored if stored and "palette" not in fields else _BITS.get(image.format, 64)
    colours = image.bands - image.hasalpha()
    names = _NAMES.get(image.interpretation) or {1: ("grey",), 3: ("R", "G", "B")}.get(colours)
    if names is None or len(names) != colours:
        names = tuple(str(number + 1) for number in range(colours))
    is_plain = image.format == "uchar" and bits == 8 and not image.hasalpha()
    is_lab = image.interpretation in _LAB
    return PixelKind(
        names=(*names, "A") if image.hasalpha() else names,
        bits=bits,
        is_float=image.format in _FLOATS or is_lab,
        is_plain=is_plain and image.interpretation not in _CONVERTED,
    )


def find_appearance(load: Callable[[], Any]) -> Appearance:
    """Choose ground and range; reads every pixel where there is something to choose.

    Parameters
    ----------
    load
        Returns the image as loaded, afresh with every call.

    Raises
    ------
    pyvips.Error
        If the file is damaged.
    """
    image = load()
    found = Appearance()
    if has_range(image):
        low, high = _find_range(_colours(image))
        if image.format in _FLOATS and low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        found = Appearance(low=low, high=high if high > low else low + 1)
        image = load()
    if image.hasalpha():
        found = replace(found, ground=_find_ground(image, _eight_bits(_colours(image), found)))
    return found


def as_shown(image: Any, appearance: Appearance, name: str) -> Any:
    """Bring a libvips image of any kind to uint8 with 1 or 3 bands; lazy, nothing is decoded.

    Parameters
    ----------
    image
        As loaded.
    appearance
        Of `find_appearance`.
    name
        Of the file, for messages.

    Raises
    ------
    InvalidValueError
        If its channels cannot be shown.
    """
    colour = _eight_bits(_colours(image), appearance)
    if colour.bands not in (1, 3):
        raise InvalidValueError(
            f"{name} has {image.bands} channels, and only grey and colour images can be shown; "
            "convert it first."
        )
    colour = colour.copy(interpretation="b-w" if colour.bands == 1 else "srgb")
    if appearance.ground is None or not image.hasalpha():
        return colour
    alpha = image.extract_band(image.bands - 1)
    opacity = _opacity(alpha, image.format).linear(255, 0).rint().cast("uchar")
    whole = colour.bandjoin(opacity).flatten(background=[appearance.ground] * colour.bands)
    return whole.copy(interpretation=colour.interpretation)


def _colours(image: Any) -> Any:
    return image.extract_band(0, n=image.bands - 1) if image.hasalpha() else image


def has_range(image: Any) -> bool:
    """Return whether what is black and what is white follows from all values of the image."""
    return image.format not in _DIRECT and image.interpretation not in _CONVERTED


def _eight_bits(colour: Any, appearance: Appearance) -> Any:
    if colour.interpretation in _CONVERTED:
        return colour.colourspace("srgb")
    if colour.format == "uchar":
        return colour
    if appearance.low is None or appearance.high is None:
        return colour.cast("uchar", shift=True)
    scale = 255 / (appearance.high - appearance.low)
    drawn = colour.cast("double").linear(scale, -appearance.low * scale).rint()
    return _is_number(colour).ifthenelse(drawn, 0).cast("uchar")


def _is_number(colour: Any) -> Any:
    """Return where values are finite: the difference of any other to itself is no number."""
    return (colour - colour) == 0


def _opacity(alpha: Any, form: str) -> Any:
    """Return alpha from 0 to 1."""
    return alpha.linear(1 / _ALPHA_MOST.get(form, 255.0), 0)


def _find_range(colour: Any) -> tuple[float, float]:
    is_number = _is_number(colour)
    both = is_number.ifthenelse(colour, _FAR).bandjoin(is_number.ifthenelse(colour, -_FAR))
    rows = both.stats().tolist()[1:]  # the first row is of all bands; then minimum, maximum, ...
    low = min(row[0] for row in rows[: colour.bands])
    high = max(row[1] for row in rows[colour.bands :])
    return (low, high) if low <= high else (0.0, 1.0)


def _find_ground(image: Any, colour: Any) -> int | None:
    opacity = _opacity(image.extract_band(image.bands - 1), image.format)
    grey = colour if colour.bands == 1 else colour.colourspace("b-w").extract_band(0)
    rows = opacity.bandjoin(opacity * grey).stats().tolist()
    least, mean, drawn = rows[1][0], rows[1][4], rows[2][4]
    if least >= 1:
        return None
    return BLACK if drawn > _MIDDLE * mean else WHITE
