"""Settings: what the environment may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from umnist_core.errors import InvalidValueError
from umnist_core.settings import load_settings


def test_empty_environment_has_sensible_settings() -> None:
    """Nothing needs to be set."""
    settings = load_settings({})
    assert settings.digits_dir is None
    assert settings.data_dir.name == "umnist"
    assert settings.tile_cache_mib >= 64


def test_folders_and_limits_come_from_the_environment() -> None:
    """A home folder may be written as a tilde."""
    settings = load_settings({"UMNIST_DIGITS": "~/digits", "UMNIST_MAX_FILE_MPX": "5"})
    assert settings.digits_dir == Path.home() / "digits"
    assert settings.max_file_mpx == 5


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "many", "\u0661"])
def test_limit_that_is_no_whole_number_is_refused_by_name(text: str) -> None:
    """The sentence names the variable and what was found."""
    with pytest.raises(InvalidValueError, match="UMNIST_CACHE_MIB"):
        load_settings({"UMNIST_CACHE_MIB": text})


@pytest.mark.parametrize(
    "name", ["UMNIST_DATA", "UMNIST_LABELING", "UMNIST_DIGITS", "UMNIST_CHECKPOINTS"]
)
def test_folder_in_a_home_that_is_not_known_is_refused_by_name(name: str) -> None:
    """The sentence names the variable that chooses another."""
    with pytest.raises(InvalidValueError, match=f"set {name} to"):
        load_settings({name: "~no-such-user/umnist"})


@pytest.mark.parametrize("text", ["9" * 5000, "1" + 400 * "0"])
def test_limit_without_end_is_refused_by_name(text: str) -> None:
    """Python reads no number so long."""
    with pytest.raises(InvalidValueError, match="UMNIST_CACHE_MIB"):
        load_settings({"UMNIST_CACHE_MIB": text})
