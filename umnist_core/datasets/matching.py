"""Which image of a folder a table, an annotation file or a list means by a file's name.

A name means the image whose path it is, below one of the folders that a format knows; a row
of a table may also leave out folders. Where two images would do, the name is refused with
both; no image gets a label because its name is like another's.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from umnist_core.errors import DamagedFileError

_QUERY = re.compile(r"[?&](?:d|filepath|fileuri)=([^&]+)")
_UPLOAD = re.compile(r"[0-9a-f]{6,64}(?:-|__)(?=.)")
"""What Label Studio puts before the name of a file that was uploaded or fetched."""

_ELSEWHERE = re.compile(r"/|\.\./|[A-Za-z][A-Za-z0-9+.-]*:/")


class ImageIndex:
    """The images of a folder by their names.

    Parameters
    ----------
    splits
        Split of each path; paths have ``/`` and are relative to the folder.
    """

    def __init__(self, splits: Mapping[str, str | None]) -> None:
        self._splits = splits
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for path in splits:
            name = posixpath.basename(_composed(path))
            self._by_name[name].append(path)
            self._by_stem[posixpath.splitext(name)[0]].append(path)

    def find(
        self, name: str, where: str, *, split: str | None = None, bases: Sequence[str] = ()
    ) -> str | None:
        """Return the path of the image that a file name with its suffix means; None if none.

        Parameters
        ----------
        name
            As others write it: below some folder, with backslashes, encoded as in an address,
            or with the path of another machine.
        where
            What says it, for messages.
        split
            Only images of this split, or without one.
        bases
            Folders that the name may be relative to; the first has precedence.

        Raises
        ------
        DamagedFileError
            If it may mean two images.
        """
        found = self.find_upload(name, where, split=split, bases=bases)
        return None if found is None else found[0]

    def find_upload(
        self, name: str, where: str, *, split: str | None = None, bases: Sequence[str] = ()
    ) -> tuple[str, str] | None:
        """Return the image that a file name means, and the upload that it is a copy of.

        Takes what `find` takes. The second is the name of the upload's file, which may be one
        of several of that image's name; empty where the image has the name itself.

        Raises
        ------
        DamagedFileError
            As `find`.
        """
        if found := self.find_exact(name, split=split, bases=bases):
            return _only(found, name, where), ""
        for spelled in filter(_is_from_elsewhere, dict.fromkeys(_spellings(name))):
            if found := self._copied(spelled, split, bases):
                path = _only(found, name, where)
                last = posixpath.basename(spelled)
                return path, "" if last == posixpath.basename(_composed(path)) else last
        return None

    def find_exact(
        self, name: str, *, split: str | None = None, bases: Sequence[str] = ()
    ) -> list[str]:
        """Return all images that have a file name below one of the bases; as `find`."""
        for spelled in dict.fromkeys(_spellings(name)):
            found = _meant(self._in_split(self._by_name, spelled, split), spelled, bases)
            if found:
                return found
        return []

    def find_row(self, name: str, where: str, *, bases: Sequence[str] = ()) -> str | None:
        """Return the image that a row of a table means: without suffix or folders, or with.

        Raises
        ------
        DamagedFileError
            If it may mean two images.
        """
        found = self.find_stems(name, bases=bases)
        if not found:
            ends = self._in_split(self._by_stem, _composed(name), None, has_suffix=False)
            found = [
                one for one, full in ends.items() if f"/{full}".endswith(f"/{_composed(name)}")
            ]
        return _only(found, name, where) if found else self.find(name, where, bases=bases)

    def find_stems(self, stem: str, *, bases: Sequence[str] = ()) -> list[str]:
        """Return all images that a name without suffix may mean."""
        folder, last = posixpath.split(_composed(stem))
        # An upload's name is encoded, and has a number that the original had not.
        without = posixpath.join(folder, _UPLOAD.sub("", last, count=1))
        for spelled in dict.fromkeys([_composed(stem), unquote(stem), without, unquote(without)]):
            candidates = self._in_split(self._by_stem, spelled, None, has_suffix=False)
            if found := _meant(candidates, spelled, bases):
                return found
        return []

    def _in_split(
        self,
        by: Mapping[str, list[str]],
        spelled: str,
        split: str | None,
        *,
        has_suffix: bool = True,
    ) -> dict[str, str]:
        """Return candidates: how each would be spelled in full -> its path."""
        paths = by.get(posixpath.basename(spelled), [])
        chosen = [one for one in paths if split is None or self._splits[one] in (split, None)]
        full = {one: _composed(one) for one in chosen}
        return full if has_suffix else {one: posixpath.splitext(full[one])[0] for one in full}

    def _copied(self, spelled: str, split: str | None, bases: Sequence[str]) -> list[str]:
        """Return the images that a path of another machine, or of an upload, may have become."""
        folder, last = posixpath.split(spelled)
        for name in dict.fromkeys([last, _UPLOAD.sub("", last, count=1)]):
            full = f"/{folder}/{name}"
            candidates = self._in_split(self._by_name, name, split)
            found = [
                one
                for one, path in candidates.items()
                if any(full.endswith(f"/{inner}") for inner in _inner(path, bases))
            ]
            if found:
                return found
        return []


def _meant(candidates: Mapping[str, str], spelled: str, bases: Sequence[str]) -> list[str]:
    """Return the paths that a name is below the first of the bases, or else below any."""
    exact: list[str] = []
    for base in bases or ("",):
        wanted = posixpath.normpath(posixpath.join(base, spelled))
        exact += [one for one, full in candidates.items() if full == wanted]
        if exact and bases and base == bases[0]:
            break
    return [one for one in candidates if one in exact]


def _inner(path: str, bases: Sequence[str]) -> Iterator[str]:
    yield path
    yield from (path.removeprefix(f"{base}/") for base in bases if path.startswith(f"{base}/"))


def _only(found: Iterable[str], name: str, where: str) -> str:
    first, *others = found
    if others:
        raise DamagedFileError(
            f"{where} says {name.strip()[:120]!r}, expected one image of that name, found {first} "
            f"and {others[0]}; rename one of them, there and here."
        )
    return first


def _composed(text: str) -> str:
    """Return a name as most systems write it; others take letters and their accents apart."""
    return unicodedata.normalize("NFC", text)


def _spellings(name: str) -> Iterator[str]:
    """Yield how a name may be meant, the likeliest first."""
    text = _composed(name.strip())
    for one in (text, text.replace("\\", "/")):
        yield posixpath.normpath(one)
        if query := _QUERY.search(one):
            yield posixpath.normpath(unquote(query[1]))
        if "://" in one or one.startswith("/"):
            yield posixpath.normpath(unquote(one.partition("?")[0]))
        yield posixpath.normpath(unquote(one))


def _is_from_elsewhere(spelled: str) -> bool:
    """Return whether a name is no path below the folder, or one of Label Studio's uploads."""
    last = posixpath.basename(spelled)
    return bool(_ELSEWHERE.match(spelled) or _UPLOAD.match(last))
