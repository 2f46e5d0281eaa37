"""Kinds of values that commands take: paths that can be, numbers that are finite, counts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from umnist_core.datasets.recipe import MAX_COUNT
from umnist_core.errors import InvalidValueError
from umnist_core.paths import check_file, check_name

JOBS = click.IntRange(1, 1024)
"""Processes or threads of one machine."""

COUNT = click.IntRange(1, MAX_COUNT)
"""Of images."""


class GivenPath(click.Path):
    """A path that a file or folder can have; a `pathlib.Path`.

    Parameters
    ----------
    never_waits
        Whether to refuse pipes and devices, for what is read by others than `open_file`.
    options
        As of click.
    """

    def __init__(self, *, never_waits: bool = False, **options: Any) -> None:
        super().__init__(**options, path_type=Path)
        self._never_waits = never_waits

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or have click say what is wrong with it."""
        try:
            check_name(value)
            path = Path(value)
            is_folder = self.dir_okay and path.is_dir()
            if self._never_waits and path.exists() and not is_folder:
                check_file(path)
        except InvalidValueError as error:
            self.fail(str(error), param, ctx)
        except OSError as error:
            self.fail(f"expected a file at {value}, found {error.strerror}.", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number of a range, and no NaN, which is in every range for click."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or have click say what is wrong with it."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"expected a number, found {str(value)[:40]!r}.", param, ctx)
        return found
