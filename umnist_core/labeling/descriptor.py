"""A descriptor of an export's tables, by the Data Package standard 2.0 (datapackage.org).

``datapackage.json`` names each CSV file, its bytes and hash, and each column with its type and
meaning, so that a program that knows the standard, and nothing of umnist, reads the tables as what
they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from umnist_core.labeling import codebook
from umnist_core.labeling.columns import Column

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"

DESCRIPTOR = "datapackage.json"

_TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean", "trueValues": ["True"], "falseValues": ["False"]},
    "ints": {"type": "array"},
}
"""Kind of a column -> how the standard calls it; a list stands in its cell as JSON."""


def descriptor(header: Mapping[str, Any], tables: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the descriptor of an export.

    Parameters
    ----------
    header
        What the export says of itself: ``study``, ``name``, ``exported_utc``, ``head_hash`` and
        ``versions``.
    tables
        Name of a table -> its CSV file.
    """
    return {
        "$schema": PROFILE,
        "name": f"umnist-{_slug(str(header['study']))}",
        "id": header["head_hash"],
        "title": header["name"],
        "description": "A human-baseline study; README.md says what else is here.",
        "created": header["exported_utc"],
        "version": header["versions"]["exported_with"]["umnist"],
        "resources": [_resource(name, data) for name, data in tables.items()],
    }


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]", "-", text.lower())


def _resource(name: str, data: bytes) -> dict[str, Any]:
    return {
        "$schema": RESOURCE_PROFILE,
        "name": name,
        "path": f"tables/{name}.csv",
        "type": "table",
        "description": codebook.ABOUT[name],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {
            "fields": [
                {"name": one.name, **_type_of(one), "description": one.meaning}
                for one in codebook.TABLES[name]
            ],
            "missingValues": [""],
        },
    }


def _type_of(column: Column) -> Mapping[str, Any]:
    """Return the type of a column; times of our clocks and of browsers are all UTC in ISO 8601."""
    return _TYPES[column.kind]
