"""Models by name: what the command line, checkpoints and pages call them.

A new model is a file with a config dataclass and a class under `register_model`, and an
entry of `catalogue`; modules are imported only when one of their models is asked for.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.models.base import Model
from umnist_core.models.catalogue import CATALOGUE

M = TypeVar("M", bound=type[Model])

_FILES = {name: one.module for name, one in CATALOGUE.items()}
"""Model name -> module of this package that registers it."""

_entries: dict[str, Entry] = {}


@dataclass(frozen=True)
class Entry:
    """A registered model: its class, and the dataclass of its settings."""

    name: str
    model: type[Model]
    config: type


def register_model(name: str, config: type) -> Callable[[M], M]:
    """Register a model under a name; its class is called with one ``config``."""

    def register(model: M) -> M:
        _entries[name] = Entry(name, model, config)
        return model

    return register


def model_names() -> list[str]:
    """Return all names, sorted, without importing a model."""
    return sorted(_FILES)


def get_entry(name: str) -> Entry:
    """Return a registered model.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    if name not in _FILES:
        raise NotFoundError(f"The models are {', '.join(model_names())}; got {name[:60]!r}.")
    importlib.import_module(f"umnist_core.models.{_FILES[name]}")
    return _entries[name]


def create_model(name: str, settings: Mapping[str, Any] | None = None) -> Model:
    """Make a model with fresh weights.

    Parameters
    ----------
    name
        One of `model_names`.
    settings
        Fields of its config dataclass that replace the defaults.

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidValueError
        If a setting is unknown or not allowed.
    """
    entry = get_entry(name)
    fields = {one.name for one in dataclasses.fields(entry.config)}
    if unknown := sorted(set(settings or {}) - fields):
        raise InvalidValueError(
            f"{name} has no setting {unknown[0]!r}; its settings are {', '.join(sorted(fields))}."
        )
    return entry.model(entry.config(**(settings or {})))
