"""The tables that come out of a study: each column's kind, meaning, unit and clock zero.

A new column is described here first; `umnist_core.labeling.columns.table_of` makes frames of
what is described and nothing else. What a browser measured is described where it is recorded
(`umnist_core.labeling.recorded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from umnist_core.labeling import recorded
from umnist_core.labeling.columns import Column, edges_of
from umnist_core.labeling.threshold_columns import THRESHOLDS
from umnist_core.scenes import count_shapes
from umnist_core.scoring.looking import (
    LEAST_DWELL_MS,
    LEAST_SHARE_IN_VIEW,
    LEGIBLE_PX,
    SENSITIVITY_PX,
    dwell_column,
)


def _measured() -> Iterator[Column]:
    """Yield a column for each field that a browser measures, in the words of the record."""
    for one in recorded.fields_of(recorded.Response):
        if one.kind.column:
            yield Column(one.name, one.kind.column, one.text)
        if one.name == "first_drawn_ms":
            words = "response_ms of the first answer; the same if none changed."
            yield Column("first_response_ms", "float", words)


_STUDY = Column("study", "text", "Id of the study.")
_LABEL_KEY = Column(
    "label_key", "text", "Id of the showing of an image to a person; joins answers, digits, traces."
)
_POOL = Column("pool", "text", "unguided or guided; a person is in one of them for good.")
_ANNOTATOR = Column("annotator", "text", "Opaque id of a person; no name is known.")
_ORIGIN = Column(
    "origin",
    "text",
    "Whose data: invited, a person who was invited; simulated, of a simulation; own, of the "
    "study's makers themselves.",
)
_STIMULUS = Column("stimulus", "text", "Opaque id of an image, the same in both pools.")
_KIND = Column(
    "kind", "text", "label: the person's first look at the image; repeat: shown a second time."
)
_TRUTH = Column(
    "truth", "int", "True sum of the digits, 0 to 27; empty in a study of images without truth."
)
_N_DIGITS = Column("n_digits", "float", "Digits in the image; empty where only the sum is known.")
_SMALLEST = Column(
    "smallest_side_px",
    "float",
    "Side of the smallest digit's square, canvas px; empty where only the sum is known.",
)
_INK = Column(
    "ink_share",
    "float",
    "Share of the canvas that the digits' ink covers, 0 to 1; empty where only the sum is known.",
)

_CELL = Column(
    "cell",
    "text",
    "Levels of the study's factors that the image has, as NAME=LEVEL with spaces between; in an "
    "adaptive study factor=SIZE/28 of its digits; empty in others.",
)

_LAST = "Where an answer was changed, of the last one."

ANSWERS = (
    _STUDY,
    _LABEL_KEY,
    _POOL,
    _ANNOTATOR,
    _ORIGIN,
    _STIMULUS,
    Column("position", "int", "Place of the image in the person's order, 1 for the first."),
    _KIND,
    Column(
        "counted",
        "bool",
        "Whether figures use it: a label that fills a place of the study, or a repeat of one. "
        "False is surplus, kept but come late, when no place of its image was free that nobody at "
        "work needed.",
    ),
    Column("answer", "int", f"The sum that was given, 0 to 27; of boxes, any. {_LAST}"),
    _TRUTH,
    Column("correct", "bool", "Whether answer equals truth; empty where that is not known."),
    Column("first_answer", "int", "The sum that was given first, 0 to 27; of boxes, any."),
    Column("changes", "int", "Times that the answer was changed after it had been sent."),
    Column("answers", "ints", "All sums that were given, in order; the last is answer."),
    Column("confidence", "float", recorded.explained()["confidence"]),
    Column(
        "digits_reported",
        "ints",
        "The digits that the person named, in any order, or drew boxes around; empty where they "
        "were not asked for or given.",
    ),
    *_measured(),
    Column(
        "assigned_utc",
        "text",
        "When the image was reserved for the person, by the server's clock; ISO 8601, UTC.",
    ),
    Column(
        "received_utc",
        "text",
        f"When the server had the answer on disk, by its clock; ISO 8601, UTC. {_LAST}",
    ),
    Column("seq", "int", f"Number of the answer's event in the log. {_LAST}"),
    Column("seqs", "ints", "Numbers of the events of all answers, in order; the last is seq."),
    _N_DIGITS,
    _SMALLEST,
    _INK,
    _CELL,
    Column("canvas_height_px", "int", "Height of the image, canvas px."),
    Column("canvas_width_px", "int", "Width of the image, canvas px."),
    Column("screen_width_px", "float", "Width of the screen, CSS px; empty if not told."),
    Column("screen_height_px", "float", "Height of the screen, CSS px; empty if not told."),
    Column("window_width_px", "float", "Width of the browser's window, CSS px; empty if not told."),
    Column(
        "window_height_px", "float", "Height of the browser's window, CSS px; empty if not told."
    ),
    Column("device_px_per_css_px", "float", "Device px for each CSS px; empty if not told."),
    Column("touch", "text", "yes or no: whether the device can be touched; empty if not told."),
    Column("theme", "text", "light or dark, as the browser asks for; empty if not told."),
    Column("reduced_motion", "text", "yes or no, as the browser asks for; empty if not told."),
    Column("drawer", "text", "What drew the image in the browser; empty if not told."),
    Column(
        "user_agent",
        "text",
        "The browser's own name, cut to 400 characters, without signs at its front that a "
        "spreadsheet takes for a formula; empty if not told.",
    ),
    Column("app", "text", "Version of umnist that took the answer in."),
)

JUDGED = (
    Column(
        "effort",
        "text",
        "seen: every digit was legible on the person's screen; guessed: right, although a digit "
        "never was; missed: wrong by leaving out nothing but digits that never were, which is "
        "effort and not error; mixed: wrong otherwise, and a digit never was. Empty without a "
        f"trace, or where only the sum is known. Legible: {LEGIBLE_PX:g} CSS px a side for "
        f"{LEAST_DWELL_MS:g} ms.",
    ),
    Column(
        "excluded",
        "bool",
        "Whether the person is excluded by a rule; annotators has which, and when the rules were "
        "chosen.",
    ),
)
"""Of answers, from traces and rules of exclusion."""

_OF_LABEL = (_LABEL_KEY, _POOL, _ANNOTATOR, _STIMULUS, _KIND)


DIGITS = (
    *_OF_LABEL,
    Column("digit_index", "int", "Number of the digit within its image, 0 for the first."),
    Column("digit_class", "int", "Which digit it is, 0 to 9."),
    Column("side_px", "float", "Side of the digit's square, canvas px."),
    *edges_of("square"),
)
"""Of the truth; `LOOKS` are worked out from the trace and put beside."""

_ON_SCREEN = (
    f"on screen means that at least {LEAST_SHARE_IN_VIEW:.0%} of the square is in view of a "
    "visible page"
)

LOOKS = (
    Column(
        "largest_screen_px",
        "float",
        "Largest side that the digit's square had on screen over all of the person's loads of the "
        f"image, CSS px, 0 if it never was; {_ON_SCREEN}. Empty without a trace.",
    ),
    Column(
        "dwell_ms",
        "float",
        f"Time that the digit was on screen at {LEGIBLE_PX:g} CSS px a side or more, ms; "
        f"{_ON_SCREEN}. Empty without a trace.",
    ),
    *(
        Column(
            dwell_column(size),
            "float",
            f"As dwell_ms, at {size:g} CSS px a side or more, ms.",
        )
        for size in SENSITIVITY_PX
    ),
    Column(
        "effort",
        "text",
        "legible: the digit was legible, as of effort in answers; guessed: it never was, and was "
        "named (of digits that were asked for), or the sum is right all the same; unseen: it never "
        "was. Empty without a trace.",
    ),
)

BOXES = (
    *_OF_LABEL,
    Column("box_index", "int", "Number of the box within its answer, 0 for the first drawn."),
    Column("box_label", "int", "Which digit the person said it is, 0 to 9."),
    *edges_of("box"),
)

ANNOTATORS = (
    _STUDY,
    _ANNOTATOR,
    _POOL,
    _ORIGIN,
    Column("joined_utc", "text", "When the person first opened the link; ISO 8601, UTC."),
    Column(
        "last_utc", "text", "When the person's last answer came, else joined_utc; ISO 8601, UTC."
    ),
    Column(
        "phase",
        "text",
        "consent, instructions, practice, trial, held, paused or done: where the person stands; "
        "held: every image that is left is with others.",
    ),
    Column(
        "outcome",
        "text",
        "How the person's part ended: complete, every image answered; quota_full, no place left "
        "for this person; screened_out, the device or the answers about the instructions did not "
        "fit; ended_early, the study was closed or the link ended; withdrawn, by the person. Empty "
        "while it goes on.",
    ),
    Column(
        "has_code",
        "bool",
        "Whether the person gets a completion code: the part has ended and an image was answered.",
    ),
    Column("answered", "int", "Images with an answer, repeats and surplus included."),
    Column("labels", "int", "Answers that count as labels of the study."),
    Column("repeats", "int", "Answers to images shown a second time."),
    Column("surplus", "int", "Answers that came too late to count."),
    Column("practised", "int", "Practice images answered."),
    Column("consent_version", "int", "Text of consent that the person last agreed to; 0 for none."),
    Column(
        "consent_sha256",
        "text",
        "SHA-256 of that text, hexadecimal, which is in texts/; empty for none.",
    ),
    Column("gate_tries", "int", "How often the questions on the instructions were answered."),
    Column("breaks", "int", "Breaks after which the person went on."),
    Column("practised_right", "int", "Practice images answered right the first time."),
    Column("revoked", "bool", "Whether the person's link was ended by a researcher."),
)

CONDUCT = (
    Column("median_s", "float", "Time for an image, hidden time left out, median over images, s."),
    Column(
        "deepest_zoom",
        "float",
        "Closest zoom held for 200 ms, CSS px for each canvas px, median over images.",
    ),
    Column(
        "median_closer",
        "float",
        "The same over the zoom at which the whole image fits, median over images; empty where the "
        "smallest digits are legible at that.",
    ),
    Column(
        "median_seen",
        "float",
        "Share of the image's area that was on screen for 200 ms at a zoom at which the smallest "
        "digit that there may be is legible, 0 to 1, median over images.",
    ),
    Column("untraced", "float", "Share of answers without any view of the image, 0 to 1."),
    Column("most_common_share", "float", "Share of the most common answer, 0 to 1."),
    Column("longest_run", "float", "Most answers of the same sum one after the other."),
    Column("entropy_bits", "float", "Entropy of the answers, bits; 0 where all are alike."),
    Column(
        "median_hidden",
        "float",
        "Share of an image's time with the page hidden or paused, 0 to 1, median over images.",
    ),
    Column("screen_px", "float", "Shorter side of the smallest screen that was used, CSS px."),
    Column(
        "flags",
        "text",
        "Names of the rules of exclusion that catch the person, with a space between; empty if "
        "none does.",
    ),
    Column("excluded", "bool", "Whether any rule catches the person."),
    Column(
        "exclusion_rules",
        "text",
        "fixed_before: the rules are in the study's first event; chosen_after: it has none, and "
        "the defaults are taken.",
    ),
)
"""Of people, without right and wrong; empty while there is no answer or no trace."""

STIMULI = (
    _STUDY,
    _STIMULUS,
    _TRUTH,
    _N_DIGITS,
    _SMALLEST,
    _INK,
    _CELL,
    Column("digits", "ints", "The digits, in the order of digit_index; empty where not known."),
    Column("cells", "float", "Cells of the checkerboard; empty where not known."),
    *(
        Column(name, "float", f"{name.capitalize()} of the noise; empty where not known.")
        for name in count_shapes(())
    ),
    Column("canvas_height_px", "int", "Height of the image, canvas px."),
    Column("canvas_width_px", "int", "Width of the image, canvas px."),
    Column("file", "text", "Name of the frozen image."),
    Column("sha256", "text", "SHA-256 of the frozen image, hexadecimal."),
    Column(
        "pixels_sha256",
        "text",
        "SHA-256 of the image's size and its px in grey, hexadecimal; joins models' answers. Empty "
        "in studies made before it was recorded.",
    ),
    Column(
        "source",
        "text",
        "What it was made of, as JSON: preset, seed, split, index; or image, split, path.",
    ),
    Column("labels_unguided", "int", "Counted labels from the unguided pool."),
    Column("labels_guided", "int", "Counted labels from the guided pool."),
)

TRACES = (
    _LABEL_KEY,
    Column("seq", "int", "Number of the answer's event in the log."),
    Column("part", "int", "Load of the page within the answer, 0 for the first."),
    Column("t_ms", "float", "Begin of the view, ms since the part's first fully drawn view."),
    Column("end_ms", "float", "End of the view, ms since the part's first fully drawn view."),
    Column("x_px", "float", "Column of the view's centre, canvas px."),
    Column("y_px", "float", "Row of the view's centre, canvas px."),
    Column("zoom", "float", "CSS px for each canvas px."),
    Column("pane_width_px", "float", "Width of the viewer, CSS px."),
    Column("pane_height_px", "float", "Height of the viewer, CSS px."),
    Column("visible", "bool", "Whether the image could be seen; not while the page was hidden."),
)

QUESTIONS = (
    _STUDY,
    _ANNOTATOR,
    _POOL,
    _ORIGIN,
    Column("page", "text", "Page that the question was on: before-1 and so on, after-1 and so on."),
    Column("question", "text", "Name of the question; the codebook of an export has its words."),
    Column("question_kind", "text", "choice, many, number, scale or text."),
    Column(
        "answer",
        "text",
        "The answer as words; of many, the options that were ticked, as a JSON list. Empty where "
        "the question was left out.",
    ),
    Column("value", "float", "The answer to a number or a scale; empty for others."),
    Column("sent_utc", "text", "When the page came to the server; ISO 8601, UTC."),
    Column("seq", "int", "Number of the page's event in the log."),
)

_OVER_PEOPLE = "95 %, Student's t over people; empty with one."

SEARCH = (
    _POOL,
    Column("time_s", "float", "Time for which the page was visible, s since the first view."),
    Column("annotators", "int", "People whose searches are averaged."),
    Column("labels", "int", "Their first answers that have a trace and known digits."),
    Column("answered_share", "float", "Share of these answers that were given by then, 0 to 1."),
    Column(
        "area_share",
        "float",
        "Mean over people of the share of the image, 0 to 1, that had been in view for "
        f"{LEAST_DWELL_MS:g} ms at a zoom at which its smallest digit is {LEGIBLE_PX:g} CSS px.",
    ),
    Column("area_low", "float", f"Lower end of area_share's interval, {_OVER_PEOPLE}"),
    Column("area_high", "float", f"Upper end of area_share's interval, {_OVER_PEOPLE}"),
    Column(
        "digits_share",
        "float",
        "Mean over people of the share of the image's digits, 0 to 1, that had been legible for "
        f"{LEAST_DWELL_MS:g} ms.",
    ),
    Column("digits_low", "float", f"Lower end of digits_share's interval, {_OVER_PEOPLE}"),
    Column("digits_high", "float", f"Upper end of digits_share's interval, {_OVER_PEOPLE}"),
)

TABLES: Mapping[str, tuple[Column, ...]] = {
    "answers": (*ANSWERS, *JUDGED),
    "digits": (*DIGITS, *LOOKS),
    "boxes": BOXES,
    "annotators": (*ANNOTATORS, *CONDUCT),
    "questions": QUESTIONS,
    "stimuli": STIMULI,
    "traces": TRACES,
    "search": SEARCH,
    "thresholds": THRESHOLDS,
}
"""Name -> columns, in order."""

ABOUT: Mapping[str, str] = {
    "answers": "One row for each image that a person has answered.",
    "digits": "One row for each digit of each answered image; none where only sums are known.",
    "boxes": "One row for each box that a person drew; none where they were not asked for.",
    "annotators": "One row for each person who joined and was not erased.",
    "questions": "One row for each question on a page that a person has sent.",
    "stimuli": "One row for each image of the study; practice images are not among them.",
    "traces": "One row for each view of an image: what was on screen, from when until when.",
    "search": "One row for each pool and moment: what people had seen close up by then.",
    "thresholds": "One row for each person who answered, where sizes follow from answers.",
}


def codebook() -> dict[str, Any]:
    """Return every table and column with its meaning, as JSON-serialisable values."""
    return {
        name: {
            "about": ABOUT[name],
            "columns": [
                {"name": one.name, "kind": one.kind, "meaning": one.meaning} for one in columns
            ],
        }
        for name, columns in TABLES.items()
    }


def codebook_text() -> str:
    """Return the same as Markdown, a table for each table."""
    lines = [
        "# Codebook",
        "",
        "Lengths on the image are in canvas px, lengths on the screen in CSS px, times in ms from "
        "the zero that each column names. Empty cells mean that a value is not known. A column of "
        "kind ints has a list of whole numbers in each cell, in CSV as JSON.",
    ]
    for name, columns in TABLES.items():
        lines += [
            "",
            f"## {name}",
            "",
            ABOUT[name],
            "",
            "| column | kind | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| {one.name} | {one.kind} | {one.meaning} |" for one in columns]
    return "\n".join(lines) + "\n"
