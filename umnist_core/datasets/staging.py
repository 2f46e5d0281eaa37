"""A folder in the making: nothing gets its name before it is whole.

Every file is first written into a hidden folder beside the others and then renamed,
which is atomic within one file system. Each split has such a folder of its own, which
goes away when the split is finished. Tables are forced to the disc; images
are not, because that would cost as much as drawing them. After a power cut an image may
therefore be short or empty; the next run compares the checksum of each with the one that
was noted when it was made, and makes those anew that differ.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from umnist_core.errors import WriteError

UNFINISHED = ".unfinished-"
"""What the names of such folders begin with."""


class Staging:
    """Writes whole files into a folder.

    Parameters
    ----------
    root
        The folder, absolute.
    split
        What is written to it.
    """

    def __init__(self, root: Path, split: str) -> None:
        self.root = root
        self.folder = root / f"{UNFINISHED}{split}"
        self.checksums = root / f"{UNFINISHED}{split}.sha256"

    def begin(self) -> bool:
        """Make the folder where files are written, and clear what a killed run left in it.

        Returns
        -------
        bool
            Whether a run before this one noted the checksums of what it made.

        Raises
        ------
        WriteError
            If it cannot be made.
        """
        goes_on = self.checksums.is_dir()
        with said_as_write_error(self.root):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.checksums.mkdir(exist_ok=True)
        return goes_on

    def end(self) -> None:
        """Remove that folder, and the checksums, which the table of truth has now."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.checksums, ignore_errors=True)

    def write_checksums(self, first: int, checksums: Mapping[str, str]) -> None:
        """Note the SHA-256 of images, in hex, by id; ``first`` is the index of the first.

        Raises
        ------
        WriteError
            If it cannot be noted.
        """
        text = "".join(f"{sha} {name}\n" for name, sha in checksums.items())
        self.write(self.checksums / str(first), text.encode())

    def read_checksums(self, first: int, names: Sequence[str]) -> list[str | None]:
        """Return what `write_checksums` noted of images; None of those that it did not."""
        try:
            lines = (self.checksums / str(first)).read_text("ascii", "replace").splitlines()
        except OSError:
            lines = []
        noted = {name: sha for sha, _, name in (line.partition(" ") for line in lines)}
        return [noted.get(name) for name in names]

    @contextmanager
    def new_file(self, path: Path, *, durable: bool = False) -> Iterator[Path]:
        """Give the path of a new file, which is renamed to ``path`` when the block ends well.

        Parameters
        ----------
        path
            Where the file goes; an existing one is replaced.
        durable
            Whether to wait until it is on the disc.

        Raises
        ------
        WriteError
            If it cannot be written; what was at ``path`` is unchanged.
        """
        temporary = self.folder / f"{path.name}.{uuid.uuid4().hex}"
        with said_as_write_error(path):
            try:
                yield temporary
                if durable:
                    _wait_for_disc(temporary)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def write(self, path: Path, data: bytes, *, durable: bool = False) -> None:
        """Write a whole file; as `new_file`."""
        with self.new_file(path, durable=durable) as temporary:
            temporary.write_bytes(data)


@contextmanager
def said_as_write_error(path: Path) -> Iterator[None]:
    """Turn the system's errors into one sentence about ``path``."""
    try:
        yield
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(
            f"{path} could not be written ({error.strerror or error}); what is whole stays. Make "
            "room or choose another folder; the same command goes on from there."
        ) from error


def _wait_for_disc(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
