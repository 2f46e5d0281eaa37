"""Every error that umnist raises on purpose.

Each class also subclasses the builtin that it refines, so code that knows nothing
of umnist can still catch ``ValueError`` or ``FileNotFoundError``. A message is one
sentence that says what was expected, what was found and what to do; the command
line and the web routes show it as it stands.
"""

from __future__ import annotations

from typing import Any


class UmnistError(Exception):
    """Base of every error that umnist raises on purpose."""

    def __str__(self) -> str:
        """Return the sentence as a text; the name of a file in it may be none."""
        return super().__str__().encode(errors="backslashreplace").decode()


class InvalidValueError(UmnistError, ValueError):
    """A parameter or an argument is outside its allowed values."""


class NotFoundError(UmnistError, LookupError):
    """Something that was asked for by name or number does not exist."""


class MissingFileError(UmnistError, FileNotFoundError):
    """A file or folder that is needed is not there."""


class DamagedFileError(UmnistError, ValueError):
    """A file is truncated, mislabelled or not of the kind that its name says."""


class TooLargeError(UmnistError, ValueError):
    """An input is larger, in bytes or pixels, than the limit that protects this machine."""


class OutOfMemoryError(UmnistError, MemoryError):
    """A computation needs more memory than this machine or its GPU has free."""


class DeviceLostError(UmnistError, RuntimeError):
    """A device that computed does so no more, for this process or for all."""


class PlacementError(UmnistError, RuntimeError):
    """The digits of a scene cannot be placed without overlap."""


class GlyphMismatchError(UmnistError, ValueError):
    """A scene was planned on another glyph set than the one it is to be drawn with."""


class NetworkError(UmnistError, OSError):
    """Nothing could be fetched from the network."""


class WriteError(UmnistError, OSError):
    """A file could not be written whole; what was there before is unchanged."""


class ConflictError(UmnistError, FileExistsError):
    """Where something is to be written, something else already is; it is left alone."""


class RefusedError(UmnistError, PermissionError):
    """Someone asks for what is not theirs, or for what a study does not allow now.

    Parameters
    ----------
    message
        The sentence for people.
    code
        One word that programs tell the reasons apart by, such as ``"closed"``.
    said
        Key of a sentence that says more closely what is refused; the code when empty.
    values
        What stands in its places.
    """

    def __init__(self, message: str, code: str = "refused", said: str = "", **values: Any) -> None:
        super().__init__(message)
        self.code = code
        self.said = said or code
        self.values = values


class BusyError(UmnistError, RuntimeError):
    """Something has as much to do as it takes on at once; try again later."""


class WorkerError(UmnistError, RuntimeError):
    """A model could not answer, or the process that runs it ended.

    Parameters
    ----------
    message
        The sentence for people.
    code
        One word that programs tell the reasons apart by, such as ``"out_of_memory"``.
    """

    def __init__(self, message: str, code: str = "trouble") -> None:
        super().__init__(message)
        self.code = code


class StoreError(UmnistError, OSError):
    """The store of studies could not be read or written; nothing of the change was kept."""


class SequenceError(StoreError):
    """Other events came in first; read them and decide again."""


class ClaimError(StoreError):
    """The store refused a change because it claims what is taken."""
