"""Settings from the environment; the only module that reads environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from umnist_core.errors import InvalidValueError
from umnist_core.paths import expand_home
from umnist_core.public_address import (
    Network,
    PublicAddress,
    parse_networks,
    parse_public_address,
)

_ABOVE = Path(__file__).resolve().parents[1]
"""The clone, or the folder of all packages where a wheel was installed."""

_LABELING = "labeling_data"


@dataclass(frozen=True)
class Settings:
    """Where things are and how much of this machine may be used."""

    digits_dir: Path | None
    """Folder named by ``UMNIST_DIGITS``; None when it is not set."""

    data_dir: Path
    """The user's data folder (``UMNIST_DATA`` or the platform's own), for downloaded digits."""

    checkpoints_dir: Path
    """Folder with the user's own checkpoints (``UMNIST_CHECKPOINTS``); ``checkpoints`` of
    ``data_dir`` by default. It need not exist."""

    tile_cache_mib: int
    """Memory for encoded tiles and rendered pyramids, in MiB (``UMNIST_CACHE_MIB``)."""

    max_file_mib: int
    """Largest image file that is opened or uploaded, in MiB (``UMNIST_MAX_FILE_MIB``)."""

    max_file_mpx: int
    """Largest image that is opened, in millions of pixels (``UMNIST_MAX_FILE_MPX``)."""

    labeling_dir: Path
    """Where a running lab writes (``UMNIST_LABELING``); ``labeling_data`` of the clone, or of
    ``data_dir`` where umnist was installed without one."""

    database_url: str
    """Store of studies as an SQLAlchemy address (``UMNIST_DATABASE_URL``); SQLite there."""

    is_shared: bool
    """Whether others than this machine's own users can reach the app (``UMNIST_SHARE=1``)."""

    public_hosts: tuple[str, ...] = ()
    """Host names of a shared app, with commas between (``UMNIST_PUBLIC_HOSTS``); none: any."""

    public_address: PublicAddress | None = None
    """Where people open the app, as a proxy makes it (``UMNIST_BASE_URL``); None: as they came."""

    trusted_proxies: tuple[Network, ...] = ()
    """IP addresses and networks whose ``X-Forwarded-`` headers are believed, with commas between
    (``UMNIST_TRUSTED_PROXIES``)."""

    inference_memory: str = ""
    """Most memory of a process that runs models, such as ``4GB`` (``UMNIST_INFERENCE_MEMORY``);
    empty for no limit."""


def load_settings(environment: dict[str, str] | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    environment
        Variables to read instead of the process's own, for tests.

    Raises
    ------
    InvalidValueError
        If a limit is not a whole number of 1 or more, an address is none, or a folder lies in a
        home that is not known.
    """
    env = dict(os.environ) if environment is None else environment
    digits = env.get("UMNIST_DIGITS")
    data = _folder(env, "UMNIST_DATA", _own_folder)
    above = _ABOVE if is_clone() else data
    labeling = _folder(env, "UMNIST_LABELING", lambda: above / _LABELING)
    base_url = env.get("UMNIST_BASE_URL")
    return Settings(
        digits_dir=_folder(env, "UMNIST_DIGITS", Path) if digits else None,
        data_dir=data,
        checkpoints_dir=_folder(env, "UMNIST_CHECKPOINTS", lambda: data / "checkpoints"),
        tile_cache_mib=_whole_number(env, "UMNIST_CACHE_MIB", 512),
        max_file_mib=_whole_number(env, "UMNIST_MAX_FILE_MIB", 2048),
        max_file_mpx=_whole_number(env, "UMNIST_MAX_FILE_MPX", 20_000),
        labeling_dir=labeling,
        database_url=env.get("UMNIST_DATABASE_URL")
        or f"sqlite:///{labeling.absolute() / 'umnist.sqlite'}",
        is_shared=env.get("UMNIST_SHARE") == "1",
        public_hosts=_texts(env, "UMNIST_PUBLIC_HOSTS"),
        public_address=parse_public_address(base_url) if base_url else None,
        trusted_proxies=parse_networks(_texts(env, "UMNIST_TRUSTED_PROXIES")),
        inference_memory=env.get("UMNIST_INFERENCE_MEMORY", ""),
    )


def _texts(env: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, (text.strip() for text in env.get(name, "").split(","))))


def is_clone() -> bool:
    """Return whether umnist runs from a clone; a wheel's folder belongs to its installer."""
    return all((_ABOVE / name).is_file() for name in ("app.py", "pyproject.toml"))


def find_stray_studies() -> Path | None:
    """Return the folder of studies that an earlier version kept among packages; None for none."""
    folder = _ABOVE / _LABELING
    return folder if not is_clone() and (folder / "umnist.sqlite").is_file() else None


def _folder(env: dict[str, str], name: str, default: Callable[[], Path]) -> Path:
    chosen = env.get(name)
    try:
        return expand_home(chosen) if chosen else default()
    except InvalidValueError as error:
        raise InvalidValueError(f"{error} Or set {name} to another folder.") from error


def _own_folder() -> Path:
    import platformdirs  # bare images of PyTorch lack it, and name their folders

    try:
        return Path(platformdirs.user_data_dir("umnist"))
    except RuntimeError as error:  # no HOME, and a user that the system does not know
        raise InvalidValueError(
            "Expected a home folder for what umnist keeps, found that this user has none."
        ) from error


def _whole_number(env: dict[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not re.fullmatch("0*[1-9][0-9]{0,11}", text):
        raise InvalidValueError(
            f"{name} is a whole number of 1 or more; got {text!r:.40}; correct or unset it."
        )
    return int(text)
