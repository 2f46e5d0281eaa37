"""The figures of each epoch: as CSV, and for TensorBoard where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from umnist_core.files import write_whole
from umnist_core.spreadsheets import csv_text

METRICS_FILE = "metrics.csv"
TENSORBOARD_FOLDER = "tensorboard"

Row = dict[str, Any]


class MetricsWriter:
    """Writes the rows of a run.

    Parameters
    ----------
    out
        Folder of the run.
    rows
        Of the epochs before, when a run is resumed.
    """

    def __init__(self, out: Path, rows: list[Row]) -> None:
        self._path = out / METRICS_FILE
        self._board: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # the usual PyTorch images lack it
            return
        # What a killed process wrote of later epochs is to disappear.
        self._board = SummaryWriter(str(out / TENSORBOARD_FOLDER), purge_step=len(rows) + 1)

    def write(self, rows: list[Row]) -> None:
        """Write all rows as CSV, whole, and add the last to TensorBoard's."""
        write_whole(self._path, csv_text(list(rows[-1]), rows).encode())
        if self._board is None:
            return
        for name, value in rows[-1].items():
            if name != "epoch":
                self._board.add_scalar(name, value, rows[-1]["epoch"])
        self._board.flush()

    def close(self) -> None:
        """End TensorBoard's file."""
        if self._board is not None:
            self._board.close()
