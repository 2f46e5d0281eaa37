"""The boxes that people drew, as a table."""

from __future__ import annotations

import pandas as pd

from umnist_core.labeling import codebook
from umnist_core.labeling.boxes import shape_of_box
from umnist_core.labeling.columns import table_of
from umnist_core.labeling.results import FoldedStudy


def boxes_of(folded: FoldedStudy, answers: pd.DataFrame) -> pd.DataFrame:
    """Return the boxes that people drew, of the last answer to each image.

    Parameters
    ----------
    folded
        The study.
    answers
        Of `umnist_core.labeling.results.answers_of`: whose boxes.

    Returns
    -------
    DataFrame
        Columns of ``codebook.TABLES["boxes"]``; no rows where none were asked for.
    """
    names = ["label_key", "pool", "annotator", "stimulus", "kind"]
    rows = (
        {
            **dict(zip(names, label, strict=True)),
            **{"box_index": index, "box_label": one["label"]},
            **shape_of_box(one),
        }
        for *label, seq in answers[[*names, "seq"]].itertuples(index=False, name=None)
        for index, one in enumerate(folded.answers[seq].boxes or ())
    )
    return table_of(codebook.BOXES, rows)
