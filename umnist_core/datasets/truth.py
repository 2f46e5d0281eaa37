"""The truth about every image of a split, as one Parquet table with a row per image.

Boxes are half-open, in canvas px, row before column. The column ``scene`` holds the
whole scene as JSON, so that any image can be drawn again, alone and exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umnist_core.errors import DamagedFileError, NotFoundError
from umnist_core.paths import open_file
from umnist_core.scenes.scene import Scene
from umnist_core.scenes.shapes import SHAPES, count_shapes
from umnist_core.scenes.tasks import TASK_KINDS, Tasks

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 256
"""A reader of one row decompresses as many; a writer holds as many."""

CHECKSUM = "sha256"
"""Column with the checksum of each image file; tables of earlier versions have none."""

_COMPRESSION = "zstd"


def truth_path(root: Path, split: str) -> Path:
    """Return where the truth of a split lies."""
    return root / f"truth-{split}.parquet"


def truth_schema() -> pa.Schema:
    """Return the columns of the table; docs/datasets.md says what each means."""
    # Only data sets need it, and it takes a quarter of a second to load.
    import pyarrow as pa

    ink = ("ink_row0", "ink_col0", "ink_row1", "ink_col1")
    whole = ("glyph", "row", "col", "side_px", *ink)
    digit = [("label", pa.int8()), *((name, pa.int32()) for name in whole)]
    columns = {
        "id": pa.string(),
        "split": pa.string(),
        "index": pa.int64(),
        "seed": pa.int64(),
        "preset": pa.string(),
        "parameters": pa.string(),
        "label": pa.int16(),
        "height": pa.int32(),
        "width": pa.int32(),
        "digits": pa.list_(pa.struct([*digit, ("factor", pa.float64())])),
        "checkerboard": pa.int16(),
        "rotation_deg": pa.float64(),
        "shear_deg": pa.float64(),
        "zoom": pa.float64(),
        **{shape.plural: pa.int16() for shape in SHAPES.values()},
        "strokes": pa.int32(),
        "distractors": pa.int32(),
        **{
            name: pa.list_(pa.int8()) if name in kind.several else pa.int8()
            for kind in TASK_KINDS
            for name in kind.names()
        },
        "glyph_set": pa.string(),
        "glyph_checksum": pa.string(),
        "stand_in": pa.bool_(),
        "scene": pa.string(),
        CHECKSUM: pa.string(),
    }
    return pa.schema(list(columns.items()))


def truth_row(image_id: str, scene: Scene, checksum: str) -> dict[str, Any]:
    """Return the row of one planned image; ``checksum`` is the SHA-256 of its file, in hex."""
    source, board = scene.provenance, scene.checkerboard
    assert source is not None  # every planner says where its scene is from
    row: dict[str, Any] = {
        "id": image_id,
        "split": source.split,
        "index": source.index,
        "seed": source.seed,
        "preset": source.preset,
        "parameters": json.dumps(dict(source.parameters)),
        "label": scene.label,
        "height": scene.height,
        "width": scene.width,
        "digits": [_digit_row(digit) for digit in scene.digits],
        "checkerboard": 0 if board is None else board.size,
        **count_shapes(scene.shapes),
        "strokes": 0 if scene.strokes is None else len(scene.strokes.patches),
        "distractors": 0 if scene.added is None else len(scene.added.distractors),
        "glyph_set": scene.glyph_set,
        "glyph_checksum": scene.glyph_checksum,
        "stand_in": scene.stand_in,
        "scene": scene.to_json(),
        CHECKSUM: checksum,
    }
    if board is not None:
        row |= {name: getattr(board, name) for name in ("rotation_deg", "shear_deg", "zoom")}
    if not scene.asks_sum:
        row |= scene.tasks.to_dict()
    return row


def _digit_row(digit: Any) -> dict[str, Any]:
    ink = digit.ink_box
    return {
        "label": digit.label,
        "glyph": digit.glyph,
        "row": digit.row,
        "col": digit.col,
        "side_px": digit.side_px,
        "ink_row0": ink.row0,
        "ink_col0": ink.col0,
        "ink_row1": ink.row1,
        "ink_col1": ink.col1,
        "factor": digit.factor,
    }


def write_truth(path: Path, parts: Iterable[pa.Table]) -> None:
    """Write tables of rows, one after the other, in groups of equal size.

    Memory grows with a group and not with the table, and the bytes do not depend on how
    the rows were divided.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = truth_schema()
    # A scene is like no other, and so is a file: a dictionary of them would only cost time.
    repeated = [name for name in schema.names if name not in ("scene", CHECKSUM)]
    options = {"compression": _COMPRESSION, "use_dictionary": repeated, "write_statistics": False}
    # By files and not by names, which may be any bytes.
    with path.open("wb") as file, pq.ParquetWriter(file, schema, **options) as writer:
        waiting = schema.empty_table()
        for part in parts:
            waiting = pa.concat_tables([waiting, part])
            while len(waiting) >= ROWS_PER_GROUP:
                writer.write_table(waiting.slice(0, ROWS_PER_GROUP).combine_chunks())
                waiting = waiting.slice(ROWS_PER_GROUP)
        if len(waiting):
            writer.write_table(waiting.combine_chunks())


def iter_truth(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Yield some columns of each row, reading a group at a time.

    Raises
    ------
    DamagedFileError
        If the file is no such table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_file(path) as data, pq.ParquetFile(data) as file:
            for batch in file.iter_batches(ROWS_PER_GROUP, columns=columns):
                if batch.schema.names != columns:
                    raise _damaged(path, f"it lacks one of {', '.join(columns)}")
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def iter_checksums(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield id and checksum of each image; None where the table has no such column.

    Raises
    ------
    DamagedFileError
        If the file is no such table.
    """
    for row in iter_truth(path, ["id", CHECKSUM] if CHECKSUM in _columns(path) else ["id"]):
        yield row["id"], row.get(CHECKSUM)


def _columns(path: Path) -> frozenset[str]:
    """Return the columns of a table; those of earlier versions have fewer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_file(path) as data:
            return frozenset(pq.read_schema(data).names)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


class TruthTable:
    """The truth of a split, read an image at a time.

    Parameters
    ----------
    path
        The Parquet file.

    Attributes
    ----------
    labels
        Of each image, by id.
    tasks
        Of each image of which no sum is asked, as in Megapixel MNIST.
    checksums
        SHA-256 of each image file, in hex; empty in tables of earlier versions.

    Raises
    ------
    DamagedFileError
        If the file is no such table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.labels: dict[str, int] = {}
        self.tasks: dict[str, Tasks] = {}
        kinds = [kind for kind in TASK_KINDS if set(kind.names()) <= _columns(path)]
        names = [name for kind in kinds for name in kind.names()]
        for row in iter_truth(path, ["id", "label", *names]):
            self.labels[row["id"]] = row["label"]
            for kind in kinds:
                if row[kind.names()[0]] is not None:
                    self.tasks[row["id"]] = kind.from_dict(row)
        self.checksums = {name: one for name, one in iter_checksums(path) if one is not None}
        self._places = {image_id: place for place, image_id in enumerate(self.labels)}

    def get_scene(self, image_id: str) -> Scene:
        """Return the scene of an image.

        Raises
        ------
        NotFoundError
            If the table has no such image.
        DamagedFileError
            If the table or the scene in it is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if image_id not in self._places:
            raise NotFoundError(f"{self.path} has no image {image_id!r}; choose one that it has.")
        place = self._places[image_id]
        try:
            with open_file(self.path) as data, pq.ParquetFile(data) as file:
                for group in range(file.num_row_groups):
                    rows = file.metadata.row_group(group).num_rows
                    if place < rows:
                        text = file.read_row_group(group, columns=["scene"])["scene"][place]
                        return Scene.from_json(text.as_py())
                    place -= rows
        except (OSError, pa.ArrowException) as error:
            raise _damaged(self.path, str(error).splitlines()[0]) from error
        raise _damaged(self.path, "rows have gone missing")


def _damaged(path: Path, found: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: expected the table of truth that `umnist generate` writes, found something else "
        f"({found}); run the command in dataset.json again to restore it."
    )
