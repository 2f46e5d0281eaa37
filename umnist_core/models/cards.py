"""Cards of trained models, and where checkpoints lie; nothing here needs torch.

The card says what made the weights and what they reach, so no figure travels without its
origin. It is JSON beside the weights file, under the same name.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError, TooLargeError
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json
from umnist_core.paths import expand_home, is_debris, read_file
from umnist_core.settings import Settings, load_settings

SHIPPED = Path(__file__).resolve().parent / "shipped"
"""The checkpoints that come with the package."""

WEIGHTS_SUFFIX = ".safetensors"

RUN_FILE = f"best{WEIGHTS_SUFFIX}"
"""What a training run leaves in its folder."""

CARD_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Card:
    """What a checkpoint is, where it comes from and what it reaches.

    Attributes
    ----------
    model
        Name in the registry.
    config
        Settings of the model; `save_checkpoint` takes them from the model itself.
    data
        What it was trained on: preset, overrides, split, seeds, counts, digits.
    commit
        Of this repository, when it was trained; empty if unknown.
    figures
        What it reaches: name -> figures, with intervals and what they were measured on.
    hardware
        Processor or accelerator, cores, memory.
    seconds
        Time that the training took.
    command
        The command line that does it again.
    versions
        Package -> version.
    notes
        Honest remarks: what falls short, what differs from the paper.
    sha256
        Of the weights file; `save_checkpoint` fills it in.
    measured
        What was measured afterwards, on other images: name -> ``command`` and ``summary``;
        `keep_measured` adds to it.
    """

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    hardware: str = ""
    seconds: float = 0.0
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sha256: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)


CARD_TYPES: dict[str, tuple[type, ...]] = {
    "model": (str,),
    "config": (dict,),
    "data": (dict,),
    "commit": (str,),
    "figures": (dict,),
    "hardware": (str,),
    "seconds": (int, float),
    "command": (str,),
    "versions": (dict,),
    "notes": (list,),
    "sha256": (str,),
    "measured": (dict,),
}
"""Field of a card -> what JSON may hold there."""

_OPTIONAL = {"measured"}
"""Fields that cards of earlier versions do not have."""


def card_path(path: Path) -> Path:
    """Return where the card of a weights file lies: beside it, ending in ``.json``."""
    return path.with_suffix(".json")


def load_card(path: Path) -> Card:
    """Read the card of a weights file.

    Parameters
    ----------
    path
        The weights file, not the card.

    Raises
    ------
    MissingFileError
        If there is no card.
    DamagedFileError
        If it is no card.
    TooLargeError
        If it is larger than a card can be.
    """
    place = card_path(path)
    if not place.is_file():
        raise MissingFileError(
            f"Expected the card {place.name} beside {path}, found none; copy both files."
        )
    if place.stat().st_size > CARD_MAX_BYTES:
        raise TooLargeError(
            f"Expected a card of at most {CARD_MAX_BYTES} bytes; {place} has "
            f"{place.stat().st_size}."
        )
    try:
        found = parse_json(read_file(place))
    except OSError as error:
        raise MissingFileError(
            f"Expected a card that can be read at {place}, found {error.strerror or error}; "
            "correct its permissions."
        ) from error
    except ValueError as error:
        raise DamagedFileError(
            f"{place} is no card of a checkpoint (not JSON); get both files again."
        ) from error
    return _make_card(found, place)


def _make_card(found: Any, place: Path) -> Card:
    named = set(found) if isinstance(found, dict) else set()
    if wrong_ones := (named ^ set(CARD_TYPES)) - (_OPTIONAL - named):
        wrong = sorted(wrong_ones)[0]
        raise DamagedFileError(
            f"{place} is no card of a checkpoint of this version: {wrong[:40]!r} is missing or "
            "unknown; get both files again."
        )
    for name, types in CARD_TYPES.items():
        if name in named and not isinstance(found[name], types):
            raise DamagedFileError(
                f"{place} is no card of a checkpoint: {name!r} is a "
                f"{type(found[name]).__name__}; get both files again."
            )
    return Card(**{**found, "notes": tuple(map(str, found["notes"]))})


def card_text(card: Card) -> str:
    """Return a card as it stands in its file."""
    return json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False) + "\n"


def keep_measured(path: Path, name: str, command: str, summary: Mapping[str, Any]) -> None:
    """Put figures onto the card of a checkpoint, in the place of earlier ones of the same name.

    Parameters
    ----------
    path
        The weights file; it is not touched.
    name
        What was measured, such as a variant of the images.
    command
        The command line that measures it again.
    summary
        The figures, as JSON may hold them.

    Raises
    ------
    MissingFileError, DamagedFileError, TooLargeError
        As `load_card`.
    WriteError
        If the card cannot be written.
    """
    card = load_card(path)
    measured = {**card.measured, name: {"command": command, "summary": summary}}
    text = card_text(dataclasses.replace(card, measured=measured))
    write_whole(card_path(path), text.encode())


def find_own_checkpoints(folder: Path) -> dict[str, Path]:
    """Return the checkpoints of a person's folder: name -> weights file, sorted by name.

    Parameters
    ----------
    folder
        With files ``NAME.safetensors``, and folders of training runs with
        ``NAME/best.safetensors``; a file goes before a folder of the same name. It need not
        exist.
    """
    runs = {place.parent.name: place for place in folder.glob(f"*/{RUN_FILE}")}
    files = {place.stem: place for place in folder.glob(f"*{WEIGHTS_SUFFIX}") if place.is_file()}
    return {name: place for name, place in sorted((runs | files).items()) if not is_debris(name)}


def find_shipped_checkpoints() -> dict[str, Path]:
    """Return the checkpoints that come with umnist: name -> weights file, sorted by name."""
    return {place.stem: place for place in sorted(SHIPPED.glob(f"*{WEIGHTS_SUFFIX}"))}


def find_checkpoints(settings: Settings | None = None) -> dict[str, Path]:
    """Return all checkpoints that have a name: the shipped ones, then the user's own.

    Parameters
    ----------
    settings
        Whose ``checkpoints_dir`` is looked into; the environment's when None. A name that is
        shipped means the shipped one.
    """
    shipped = find_shipped_checkpoints()
    own = find_own_checkpoints((settings or load_settings()).checkpoints_dir)
    return shipped | {name: place for name, place in own.items() if name not in shipped}


def get_checkpoint(name: str, settings: Settings | None = None) -> Path:
    """Return the weights file that a person means by a name or a path.

    Raises
    ------
    NotFoundError
        If no checkpoint has that name, and there is no such file.
    InvalidValueError
        If the name is none that a file can have.
    """
    known = find_checkpoints(settings)
    if name in known:
        return known[name]
    path = expand_home(name)
    if path.is_file():
        return path
    raise NotFoundError(
        f"Expected a file or the name of a checkpoint ({', '.join(known) or 'none'}); got "
        f"{name[:200]!r}."
    )
