"""Which plural forms a language has for whole numbers: the categories of Unicode's CLDR.

A test compares them with what a browser's engine chooses (``Intl.PluralRules``).
"""

from __future__ import annotations

_FORMS = {
    "other": "bo dz id ig ii ja jv kea km ko lkt lo ms my nqo sah ses sg su th to vi wo yo yue zh",
    "one two other": "he iu naq sat se sma smi smj smn sms",
    "one few other": "bs cs hr mo ro sh sk sr lt",
    "one few many": "be pl ru uk",
    "one two few other": "br dsb gd gv hsb sl",
    "one two few many other": "ga mt",
    "zero one other": "ksh lag lv prg",
    "zero one two few many other": "ar ars cy kw",
}
"""Languages by their forms; all others have one and other."""

_BY_LANGUAGE = {tag: tuple(forms.split()) for forms, tags in _FORMS.items() for tag in tags.split()}


def forms_of(tag: str) -> tuple[str, ...]:
    """Return the plural forms of a language: those for 0 to 1,000, and ``other``."""
    forms = _BY_LANGUAGE.get(tag.partition("-")[0], ("one", "other"))
    return forms if "other" in forms else (*forms, "other")
