"""Parameters: what is allowed, and what is said when it is not."""

from __future__ import annotations

import pytest

from umnist_core.errors import InvalidValueError
from umnist_core.scenes import PARAMETERS, PRESETS, Span, get_preset, parse_parameter


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("shape_pairs", "3", Span(3, 3)),
        ("digits", "3..5", Span(3, 5)),
        ("rotation", "-10..10", Span(-10, 10)),
        ("rotation", "-12.5", Span(-12.5, -12.5)),
        ("factor", "0.5..75", Span(0.5, 75)),
        ("scale_distribution", "uniform", "uniform"),
        ("label", "balanced", "balanced"),
        ("label", "27", 27),
        ("canvas", " 4000 ", 4000),
    ],
)
def test_parameter_text_is_read(name: str, text: str, value: object) -> None:
    """Each kind of parameter has one text form."""
    assert parse_parameter(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("shape_pair", "3", "shape_pairs"),  # an unknown name lists the known ones
        ("shape_pairs", "-1", "from 0 to 50"),
        ("shape_pairs", "2.5", "a whole number"),
        ("shape_pairs", "5..3", "5..3"),
        ("rotation", "nan", "nan"),
        ("rotation", "1e999", "1e999"),
        ("rotation", "", "a number"),
        ("rotation", "1..2..3", "1..2..3"),
        ("factor", "0.7", "0.5 or a whole number"),
        ("factor", "1.5", "0.5 or a whole number"),
        ("scale_distribution", "gauss", "v-shaped, uniform, fixed"),
        ("label", "3..4", "balanced, free or a whole number"),
        ("label", "-1", "-1"),
        ("canvas", "1000000000", "200000"),
        ("canvas", "100..200", "a whole number from 28 to 200000; got"),
    ],
)
def test_wrong_parameter_is_refused_in_one_sentence_that_names_the_allowed(
    name: str, text: str, said: str
) -> None:
    """The message says what is allowed and what was found."""
    with pytest.raises(InvalidValueError) as caught:
        parse_parameter(name, text)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "overrides",
    [
        {"scale_distribution": "fixed"},
        {"canvas": "28", "factor": "2..3"},
        {"label": "27", "digits": "1..2"},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(overrides: dict[str, str]) -> None:
    """A combination without any image is an error before anything is drawn."""
    with pytest.raises(InvalidValueError):
        get_preset("released").with_overrides(overrides)


def test_text_form_of_every_preset_reads_back_as_itself() -> None:
    """What a scene's provenance stores is enough to plan it again."""
    for preset in PRESETS.values():
        assert preset.with_overrides(preset.to_text()) == preset


def test_every_parameter_is_documented() -> None:
    """Every field of the planner's parameters has an entry with its meaning, and the reverse."""
    fields = set(get_preset("released").to_text()) | {"shape_pairs", "noise_seed"}
    assert fields == set(PARAMETERS)
    assert all(parameter.meaning for parameter in PARAMETERS.values())


def test_unknown_preset_names_the_known() -> None:
    """A wrong preset lists the presets."""
    with pytest.raises(InvalidValueError, match="released, released-clean, paper"):
        get_preset("relaesed")
