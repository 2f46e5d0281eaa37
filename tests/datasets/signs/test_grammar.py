"""Lines of annotations: what is read of each kind of junk, and what is told of the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.datasets.signs.making import BOX, box_of, line, sign
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.signs.grammar import (
    SIGN_NAMES,
    TYPES,
    VISIBILITIES,
    Sign,
    SignedImage,
    is_annotation_text,
    parse_annotations,
)

NAME = "1277105802Image000024.jpg"
PRIORITY = Sign("VISIBLE", "INFORMATION", "PRIORITY_ROAD", 580.5, 679.25, 616.5, 718.75)
CORNERS = (616.5, 718.75, 580.5, 679.25)


def _parse(text: str) -> SignedImage:
    (image,) = parse_annotations(text, "annotations.txt").images
    return image


def test_lower_right_corner_comes_first() -> None:
    """The box has the upper left corner, and a width and height above 0."""
    image = _parse(line(NAME, sign("PRIORITY_ROAD", corners=CORNERS, kind="INFORMATION")))
    assert image == SignedImage(NAME, (PRIORITY,))
    assert image.boxes == (DrawnBox("PRIORITY_ROAD", 580.5, 679.25, 36, 39.5, "VISIBLE"),)


def test_upper_left_corner_first_is_the_same_box() -> None:
    """A file that somebody wrote the other way round shows no box of negative width."""
    swapped = (*CORNERS[2:], *CORNERS[:2])
    (box,) = _parse(line(NAME, sign("STOP", corners=swapped))).boxes
    assert (box.x, box.y, box.width, box.height) == (580.5, 679.25, 36, 39.5)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("123.5l", 123.5),
        ("478.4376a0", 478.4376),
        ("318.3432b0", 318.3432),
        ("318.3432 ", 318.3432),
        ("42", 42.0),
        (".5", 0.5),
        ("7.", 7.0),
        ("+12.5", 12.5),
        ("12e3", 12.0),
    ],
)
def test_letters_behind_and_inside_numbers_are_left_out(written: str, number: float) -> None:
    """The number is what stands before the first of them, with nothing told of it."""
    found = parse_annotations(line(NAME, sign(corners=(900, 900, written, 80))), "a")
    assert found.damage == ()
    assert found.images[0].signs[0].x0 == number


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(end: str) -> None:
    """CRLF leaves nothing in the last name, and no empty line between."""
    text = end.join([line("a.jpg", sign("80_SIGN")), line("b.jpg"), ""])
    found = parse_annotations(text, "a")
    assert [one.name for one in found.images] == ["a.jpg", "b.jpg"]
    assert found.images[0].signs[0].name == "80_SIGN"
    assert found.damage == ()


def test_blanks_and_a_byte_order_mark_are_no_part_of_a_word() -> None:
    """Leading blanks stand before every part of the real files but the first."""
    text = f"  {NAME} :  VISIBLE ,  616.5, 718.75 , 580.5,679.25,  INFORMATION,  PRIORITY_ROAD ; "
    assert _parse(text) == SignedImage(NAME, (PRIORITY,))
    assert is_annotation_text(f"\ufeff{text}")


def test_boxes_outside_of_the_image_are_clipped_to_it() -> None:
    """To 1280 x 960 px; the area by which the largest is found stays as it is written."""
    image = _parse(line(NAME, sign(corners=("1290.5", "970", "1270", "-10"))))
    assert image.boxes == (DrawnBox("50_SIGN", 1270, 0, 10, 960, "VISIBLE"),)
    assert image.signs[0].area == 20.5 * 980


def test_box_wholly_outside_is_told_and_its_sign_kept() -> None:
    """The sign counts for the class, and nothing is drawn."""
    found = parse_annotations(line(NAME, sign(corners=(1400, 90, 1300, 80))), "a")
    assert found.images[0].is_whole
    assert found.images[0].boxes == ()
    assert found.damage == (
        "a, line 1: expected a box that lies in 1280 x 960 px, found 50_SIGN at x 1300 to 1400, "
        "y 80 to 90; the sign is kept without one.",
    )


def test_misc_signs_are_skipped_and_counted() -> None:
    """Bare, with a blank, or with empty parts behind; they are no signs."""
    image = _parse(line(NAME, "MISC_SIGNS", sign(), " MISC_SIGNS ", "MISC_SIGNS,,,"))
    assert (len(image.signs), image.misc, image.is_whole) == (1, 3, True)


@pytest.mark.parametrize("word", VISIBILITIES)
def test_every_word_of_visibility_is_known(word: str) -> None:
    """It goes with the box, so that a viewer can say it."""
    (box,) = _parse(line(NAME, sign(visibility=word))).boxes
    assert box.note == word


@pytest.mark.parametrize("name", SIGN_NAMES)
def test_every_class_of_signs_is_read(name: str) -> None:
    """Twenty of them, URDBL and OTHER among them."""
    assert _parse(line(NAME, sign(name))).signs[0].name == name
    assert len(SIGN_NAMES) == 20


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_signs_is_read(kind: str) -> None:
    """OTHER is a type and a name."""
    assert _parse(line(NAME, sign(kind=kind))).signs[0].type == kind


def test_names_of_files_may_have_folders() -> None:
    """With the slashes of any system."""
    assert _parse(line("Set1Part0/a.jpg")).name == "Set1Part0/a.jpg"
    assert _parse(line("p1\\a.jpg")).name == "p1/a.jpg"


LOST: dict[str, tuple[str, str, int]] = {
    "no colon": ("a.jpg VISIBLE", "expected FILE:SIGN;SIGN;, found 'a.jpg VISIBLE'; the line", -1),
    "no name": (": VISIBLE, 1", "expected FILE:SIGN;SIGN;", -1),
    "NUL in a name": ("a\0.jpg:", "expected FILE:SIGN;SIGN;", -1),
    "six parts": (line("a.jpg", "VISIBLE, 9, 9, 1, 1, STOP", sign()), "7 parts", 1),
    "eight parts": (line("a.jpg", sign() + ", X"), "7 parts", 0),
    "cut sign": (line("a.jpg", sign()) + "VISIBLE, 616.9", "7 parts", 1),
    "strange visibility": (line("a.jpg", sign(visibility="HIDDEN")), "as the first word", 0),
    "words as corners": (line("a.jpg", sign(corners=("l", 1, 2, 3))), "four numbers", 0),
    "no number": (line("a.jpg", sign(corners=("", 1, 2, 3))), "four numbers", 0),
    "not a number": (line("a.jpg", sign(corners=("nan", 1, 2, 3))), "four numbers", 0),
    "infinite corner": (line("a.jpg", sign(corners=("inf", 1, 2, 3))), "four numbers", 0),
    "corner without end": (line("a.jpg", sign(corners=("9" * 400, 1, 2, 3))), "four numbers", 0),
    "no name of a sign": (line("a.jpg", sign("")), "TYPE and NAME", 0),
    "no type": (line("a.jpg", sign(kind="")), "TYPE and NAME", 0),
}


@pytest.mark.parametrize("case", LOST)
def test_what_cannot_be_read_is_one_sentence_with_its_line(case: str) -> None:
    """The rest of the line is kept, and the image has no class any more."""
    broken, said, kept = LOST[case]
    found = parse_annotations("\n".join([line("x.jpg"), broken, line("y.jpg", sign())]), "Set1/a")
    (sentence,) = found.damage
    assert sentence.startswith("Set1/a, line 2: expected")
    assert said in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 300
    others = [one for one in found.images if one.name not in ("x.jpg", "y.jpg")]
    if kept < 0:
        assert others == []
    else:
        assert [(len(one.signs), one.is_whole) for one in others] == [(kept, False)]
        assert f"a.jpg is kept with {kept} of" in sentence


def test_second_line_of_an_image_is_told_and_the_first_kept() -> None:
    """Both lines are named."""
    found = parse_annotations(f"{line('a.jpg', sign('STOP'))}\n\n{line('a.jpg')}", "a")
    assert len(found.images[0].signs) == 1
    assert found.damage == (
        "a, line 3: expected one line for each image, found 'a.jpg' that line 1 has, too; the "
        "first is kept.",
    )


@pytest.mark.parametrize(
    ("lines", "is_one"),
    [
        ([line("a.jpg", sign())], True),
        ([line("a.jpg", "MISC_SIGNS")], True),
        ([line("a.jpg"), line("b.jpg")], True),
        (["", "junk", line("a.png", sign(visibility="SIDE_ROAD"))], True),
        (["images/a.jpg 10,20,30,40,3"], False),
        (["a.jpg: a photograph of a dog"], False),
        (["0 0.5 0.5 0.1 0.1"], False),
        ([], False),
    ],
)
def test_text_is_told_from_other_annotations(lines: Sequence[str], is_one: bool) -> None:
    """Other tools call theirs annotations.txt, too."""
    assert is_annotation_text("\n".join(lines)) is is_one


def test_making_writes_what_the_real_files_have() -> None:
    """A sign of the documentation of others, as it stands there."""
    assert line("Image000004.jpg", "MISC_SIGNS", sign("PRIORITY_ROAD", "VISIBLE", BOX)) == (
        "Image000004.jpg:MISC_SIGNS;VISIBLE, 616.957210, 718.303048, 580.957210, 679.303048, "
        "PROHIBITORY, PRIORITY_ROAD;"
    )
    assert box_of(20) == (120, 120, 100, 100)
