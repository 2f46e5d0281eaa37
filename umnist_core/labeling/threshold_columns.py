"""The table of thresholds, of adaptive studies: its columns."""

from __future__ import annotations

from umnist_core.labeling.columns import Column

_CREDIBLE = "95 % credible interval of threshold_px, px"

THRESHOLDS = (
    Column("study", "text", "Id of the study."),
    Column("annotator", "text", "Opaque id of a person; no name is known."),
    Column("pool", "text", "unguided or guided; a person is in one of them for good."),
    Column("origin", "text", "Whose data: invited, simulated or own, as in the table annotators."),
    Column("trials", "int", "Answers that the threshold rests on, those that came late included."),
    Column("right", "int", "How many of them are right."),
    Column(
        "threshold_px",
        "float",
        "Side of digits, canvas px, at which half of what lies between guessing and lapsing is "
        "reached: the geometric mean of what the answers leave possible.",
    ),
    Column("threshold_low_px", "float", f"Lower end of the {_CREDIBLE}."),
    Column("threshold_high_px", "float", f"Upper end of the {_CREDIBLE}."),
    Column("slope", "float", "Of the psychometric function, logits for each factor of e in size."),
    Column("note", "text", "What is to be known first, such as a threshold beyond what was shown."),
)
