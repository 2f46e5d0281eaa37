"""Figures as JSON can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd


def plain_value(value: Any) -> Any:
    """Return a value as what JSON can hold; None for a number that is not finite."""
    if isinstance(value, pd.DataFrame):
        if value.index.name is not None:  # confusion: rows are a dimension, not a number
            return [plain_value(row) for row in value.to_numpy().tolist()]
        names = [str(name) for name in value.columns]
        rows = value.itertuples(index=False, name=None)
        return [dict(zip(names, map(plain_value, row), strict=True)) for row in rows]
    if is_dataclass(value):
        return {field.name: plain_value(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value
