"""Every screen of an annotator's in a language whose every sentence is marked, and in real ones."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import PHONE
from tests.browser.label_page import ASK_ALL, TOUCH, Annotator, LabelLab
from tests.browser.test_label_asking import ASKING, DEBRIEFING, look
from tests.browser.test_label_recruiting import LITTLE
from tests.labeling.making import TOLD
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.language import (
    ENGLISH,
    Language,
    Sentence,
    settings_of,
    shipped,
    template,
)
from umnist_core.labeling.self_study import self_values

OpenStudy = Callable[..., LabelLab]

OPEN, CLOSE = "⟦", "⟧"

NAME = "Digits in large images"

KEYS = ("Backspace", "Enter", "Esc", "Home")
"""What stands on keys of a keyboard."""

CODE = re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b")
"""Of completion."""

RECORD = """
  const known = new Set();
  const put = (text) => {
    if (text.trim() === "" || known.has(text)) return;
    known.add(text);
    window.saw(text);
  };
  const names = ["aria-label", "title", "placeholder", "alt", "aria-valuetext"];
  const look = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.parentElement?.closest("script, style, noscript")) put(node.data);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      for (const name of names) if (node.hasAttribute(name)) put(node.getAttribute(name));
      node.childNodes.forEach(look);
    }
  };
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      addedNodes.forEach(look);
      if (target.nodeType === Node.TEXT_NODE || addedNodes.length === 0) look(target);
    }
  }).observe(document, {
    ...{ subtree: true, childList: true, characterData: true },
    attributeFilter: names,
  });
"""
"""Tell of every text that is ever in the page, also of what is said to screen readers alone."""


def _mark(sentence: Sentence) -> Sentence:
    if not isinstance(sentence, str):
        return {form: str(_mark(text)) for form, text in sentence.items()}
    return "\n\n".join(f"{OPEN}{paragraph}{CLOSE}" for paragraph in sentence.split("\n\n"))


MARKED = Language(
    "en-XA", "Marked", {key: _mark(one) for key, one in shipped(ENGLISH).sentences.items()}
)


class Reader(Annotator):
    """Somebody who keeps every text of their pages, and finds buttons by keys of sentences."""

    seen: set[str]
    language: Language = MARKED

    @classmethod
    def of(cls, person: Annotator, language: Language = MARKED) -> Reader:
        """Let somebody keep what they see from now on."""
        person.__class__ = cls
        assert isinstance(person, Reader)
        person.seen = set()
        person.language = language
        person.context.expose_function("saw", person.keep)
        person.context.add_init_script(RECORD)
        return person

    def keep(self, text: str) -> None:
        """Keep a text; the page calls it."""
        self.seen.add(text)

    def go(self) -> None:
        """Open the invite link, without taking part yet."""
        self.page.goto(f"{self.lab.url}/join/{self.token}")

    def find(self, key: str) -> Locator:
        """Return the button that a sentence is on."""
        (name, *_) = re.split(r"\{", self.language.say(key))
        return self.page.get_by_role("button", name=name, exact=False).first

    def press(self, *keys: str) -> None:
        """Press buttons, one after another."""
        for key in keys:
            self.find(key).click()

    def wait_for_image(self, number: int) -> None:
        """Wait until a trial's image is fully drawn and its answer empty."""
        self.wait_for_screen("trial")
        count = self.language.say("progress.images").partition("{total}")[0]
        self.page.locator(".count", has_text=count.replace("{number}", str(number))).wait_for()
        self.wait_for_drawing()

    def open_dialogs(self, keys: str) -> None:
        """Open dialogs by keys and close each."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_selector("dialog")
            self.page.keyboard.press("Escape")
            self.page.wait_for_selector("dialog", state="detached")

    def answer_all(self) -> None:
        """Submit as often as something is missing, with all of it given in the end."""
        for keys in ("Enter", "9 9", "Enter", "1 Escape Enter", "ArrowRight Escape Enter"):
            for key in keys.split():
                self.page.keyboard.press(key)


def unmarked(texts: set[str], own: tuple[str, ...]) -> set[str]:
    """Return what is in no sentence of the language, without the study's own texts."""
    left = set()
    for text in texts:
        rest = _without_marked(text)
        for one in sorted((*own, *KEYS), key=len, reverse=True):
            rest = rest.replace(one, "")
        if re.search(r"[^\W\d_]{3,}", CODE.sub("", rest)):
            left.add(text)
    return left


def _without_marked(text: str) -> str:
    depth, rest = 0, []
    for letter in text:
        depth += letter == OPEN
        if depth == 0:
            rest.append(letter)
        depth -= letter == CLOSE
    return "".join(rest)


def keys_of(texts: set[str]) -> set[str]:
    """Return the keys of the sentences that stand in texts."""
    said = "\n".join(texts)
    found = set()
    for key, sentence in MARKED.sentences.items():
        forms = [sentence] if isinstance(sentence, str) else sentence.values()
        patterns = (re.sub(r"\\\{[a-z_]+\\\}", ".*?", re.escape(one)) for one in forms)
        if any(re.search(pattern, said) for pattern in patterns):
            found.add(key)
    return found


def all_said(person: Reader, *own: str) -> None:
    """See that everything that somebody has read was of the language or the study's own."""
    addresses = (person.lab.url, person.token, *re.findall(r"/join/\S+", "\n".join(person.seen)))
    texts = (NAME, *TOLD.values(), *own, *addresses)
    assert unmarked(person.seen, texts) == set()


SPOKEN = settings_of(MARKED)

OWN = (
    *("About you", "This stays with your answers.", "Looking back", "How did you search?"),
    *("Which hand?", "What with?", "How old?", "How tired?", "Anything else?"),
    *("left", "right", "mouse", "touch", "pad", "not", "the sum", "the count", "yes", "no"),
    *("What is asked for?", "Is there a prize for speed?", *DEBRIEFING.split("\n\n")),
    *("2026-17", "Lab of Examples", "Ada Example"),
)
"""Texts of the study that asks everything."""


def test_whole_way_says_nothing_but_what_is_in_the_file(open_study: OpenStudy) -> None:
    """From the link over questions, gate, practice, breaks and trouble until all is deleted."""
    lab = open_study(
        **{**ASK_ALL, **SPOKEN, "stimuli": 2, "images_per_annotator": 2},
        asking=Asking.from_dict({**ASKING, "break_seconds": 0}),
    )
    person = Reader.of(lab.person("guided"))
    _come_to_the_first_image(person)
    _meet_trouble(lab, person)
    person.wait_for_screen("break")
    person.press("action.go_on")
    person.wait_for_image(2)
    person.press("change.last")
    person.wait_for_image(1)
    person.press("change.leave")
    person.wait_for_image(2)
    person.answer_all()
    person.wait_for_screen("questions")
    person.press("questions.send")
    person.wait_for_screen("done")
    person.press("copy.copy", "outcome.withdraw", "withdraw.delete", "erase.sure")
    person.wait_for_screen("deleted")
    all_said(person, *OWN)
    assert {
        *("join.title", "declined.title", "consent.title", "questions.missing", "field.expected"),
        *("gate.title", "gate.left", "instructions.title", "practice.image", "feedback.name"),
        *("trial.image", "pause.title", "keys.title", "guide.size_range", "viewer.zoom_in"),
        *("entry.above", "form.most_digits", "form.digits_first", "form.confidence_first"),
        *("notice.late", "notice.offline", "refused.not_saved", "tabs.open", "tabs.continued"),
        *("break.done", "change.last", "debriefing.title", "outcome.complete.title"),
        *("withdraw.title_over", "erase.title", "deleted.title", "viewer.canvas", "page.title"),
    } <= keys_of(person.seen)


def _come_to_the_first_image(person: Reader) -> None:
    """Decline first, leave questions open, and fail at the gate once."""
    page = person.page
    person.go()
    person.press("join.take_part", "consent.decline", "action.back", "consent.agree")
    person.wait_for_screen("questions")
    person.press("questions.send")
    page.get_by_label("How old?").fill("17")
    page.get_by_label("3", exact=True).check()
    person.press("questions.send")
    page.get_by_label("How old?").fill("41")
    person.press("questions.send")
    for given in (("the count", "no"), ("the sum", "no")):
        person.press("instructions.to_gate")
        for option in given:
            page.get_by_label(option, exact=True).check()
        person.press("gate.check")
    person.wait_for_screen("practice")
    person.wait_for_drawing()
    person.open_dialogs("h?")
    person.answer_all()
    person.press("feedback.next")
    person.wait_for_image(1)


def _meet_trouble(lab: LabelLab, person: Reader) -> None:
    """See what is said of keys, dialogs, another tab and a server and a network that fail."""
    page = person.page
    person.open_dialogs("h?p")
    page.keyboard.press("Enter")
    person.type("28")
    page.keyboard.press("d")
    person.type("123456")
    page.keyboard.press("Escape")
    second = Reader(lab, person.token, person.context)
    second.seen = person.seen
    second.page.goto(f"{lab.url}/label/{lab.study}")
    second.press("tabs.go_on")
    second.wait_for_image(1)
    person.press("tabs.go_on")
    person.wait_for_image(1)
    second.page.close()
    person.context.set_offline(True)
    page.locator(".notices").get_by_text(str(MARKED.sentences["notice.offline"])).wait_for()
    person.context.set_offline(False)
    lab.trouble.refused["/answers"] = (503, {"error": "The disk is full.", "code": "not_saved"})
    person.answer_all()
    person.find("notice.send_now").wait_for()
    lab.trouble.refused.clear()
    person.find("notice.send_now").evaluate("(button) => button.click()")


def test_links_and_devices_that_do_not_do_say_it_in_the_language(open_study: OpenStudy) -> None:
    """A placeholder that was not filled in, a phone, the way back to the site, an ended link."""
    lab = open_study(**{**LITTLE, **SPOKEN})
    phone = Reader.of(lab.person(**TOUCH))
    token = lab.service.open_link(lab.study).token
    phone.page.goto(f"{lab.url}/join/{token}?PROLIFIC_PID=%7B%7BPID%7D%7D")
    phone.press("join.take_part")
    phone.wait_for_screen("no-id")
    phone.page.goto(f"{lab.url}/join/{token}?PROLIFIC_PID=pid00001")
    phone.press("join.take_part")
    phone.wait_for_screen("device")
    phone.press("device.look_again", "device.end")
    phone.wait_for_screen("done")
    desk = Reader.of(lab.person())
    desk.go()
    (row,) = (one for one in lab.service.invites(lab.study) if one.token == desk.token)
    desk.press("join.take_part", "consent.agree", "instructions.begin")
    desk.wait_for_image(1)
    desk.answer(3)
    desk.wait_for_image(2)
    desk.answer(4)
    desk.wait_for_screen("done")
    desk.press("leave.stay")
    lab.service.revoke(lab.study, row.invite)
    desk.go()
    desk.press("join.take_part")
    desk.page.get_by_text(str(MARKED.sentences["refused.revoked.link"])).wait_for()
    seen = phone.seen | desk.seen
    phone.seen = seen
    all_said(
        phone, "Prolific", "C1DONE", "S0RRY", "PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "{{PID}}"
    )
    assert {
        *("join.incomplete", "join.again_site", "refused.no_id.unfilled", "device.title"),
        *("device.small", "outcome.screened_out.title", "consent.link_ids", "leave.countdown"),
        *("leave.back", "refused.revoked.link"),
    } <= keys_of(seen)


def test_waiting_stopping_and_a_study_of_oneself_say_it_in_the_language(
    open_study: OpenStudy,
) -> None:
    """Images that others have, a pause of the study, the end before the last image."""
    little = {"stimuli": 2, "images_per_annotator": 2, "labels_per_image": 1, "practice": 0}
    lab = open_study(**{**little, **SPOKEN, "pools": ("unguided",)})
    first, second = Reader.of(lab.person()), Reader.of(lab.person())
    for person, screen in ((first, "trial"), (second, "held")):
        person.go()
        person.press("join.take_part", "consent.agree", "instructions.begin")
        person.wait_for_screen(screen)
    first.wait_for_image(1)
    lab.service.pause(lab.study)
    first.answer(3)
    first.wait_for_screen("paused")
    lab.service.resume(lab.study)
    first.wait_for_image(2)
    first.answer(4)
    first.wait_for_screen("done")
    second.wait_for_screen("done")
    own = {**self_values("unguided"), **SPOKEN, "trial_feedback": True, "labels_per_image": 1}
    alone = open_study(**{**own, "stimuli": 2, "images_per_annotator": 2}).person("unguided")
    person = Reader.of(alone)
    person.page.goto(f"{person.lab.url}/join/{person.token}#go")
    person.wait_for_image(1)
    person.answer(27)
    person.press("feedback.next")
    person.wait_for_image(2)
    person.press("tool.pause", "action.stop", "withdraw.stop")
    person.wait_for_screen("done")
    for one in (first, second, person):
        all_said(one, own["name"])
    assert {
        *("held.title", "held.places", "held.open", "paused.title", "outcome.quota_full.title"),
        *("summary.right", "summary.left", "summary.label", "withdraw.title", "withdraw.self"),
        *("feedback.wrong_sum", "study.self"),
    } <= keys_of(first.seen | second.seen | person.seen)


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [
        (shipped("de"), PHONE, "dark"),
        (shipped("de"), (1024, 768), "light"),
        (shipped("fr"), PHONE, "light"),
        (template("ar"), PHONE, "light"),
    ],
    ids=lambda one: getattr(one, "tag", None),
)
def test_long_words_fit_and_the_page_says_its_language(
    open_study: OpenStudy, language: Language, size: tuple[int, int], theme: str
) -> None:
    """Nothing is wider than the screen, axe finds nothing, and numbers are the language's."""
    lab = open_study(
        **{**ASK_ALL, **settings_of(language), "stimuli": 2, "images_per_annotator": 2},
        asking=Asking.from_dict({**ASKING, "break_seconds": 0}),
    )
    context = {**TOUCH, "size": size} if size == PHONE else {"size": size}
    person = Reader.of(lab.person("guided", **context, color_scheme=theme), language)
    shot = f"{language.tag}-{size[0]}"
    person.go()
    person.press("join.take_part")
    person.wait_for_screen("consent")
    html = person.page.locator("html")
    assert html.get_attribute("lang") == language.tag
    assert html.get_attribute("dir") == language.direction
    look(person, f"{shot}-consent")
    person.press("consent.agree")
    person.wait_for_screen("questions")
    person.press("questions.send")
    look(person, f"{shot}-questions")
    person.page.get_by_label("3", exact=True).check()
    person.press("questions.send")
    person.wait_for_screen("instructions")
    image = {"de": "2.048 px", "fr": "2\u202f048 px"}.get(language.tag, "2,048 px")
    assert image in person.page.locator(".facts").inner_text()
    look(person, f"{shot}-instructions")
    _come_to_trials(person, shot)
    look(person, f"{shot}-trial")
    for key in "?p":
        person.page.keyboard.press(key)
        person.page.wait_for_selector("dialog")
        look(person, f"{shot}-{'keys' if key == '?' else 'pause'}")
        person.page.keyboard.press("Escape")
        person.page.wait_for_selector("dialog", state="detached")
    _take_back_everything(person, shot)


def _come_to_trials(person: Reader, shot: str) -> None:
    """Answer the gate and practise."""
    person.press("instructions.to_gate")
    for option in ("the sum", "no"):
        person.page.get_by_label(option, exact=True).check()
    person.press("gate.check")
    person.wait_for_screen("practice")
    person.wait_for_drawing()
    person.answer_all()
    person.find("feedback.next").wait_for()
    look(person, f"{shot}-feedback")
    person.press("feedback.next")
    person.wait_for_image(1)


def _take_back_everything(person: Reader, shot: str) -> None:
    """Answer an image, and stop at the break with all deleted."""
    person.answer_all()
    person.wait_for_screen("break")
    look(person, f"{shot}-break")
    person.press("action.stop")
    look(person, f"{shot}-stop")
    person.press("withdraw.delete")
    look(person, f"{shot}-erase")
    person.press("erase.sure")
    person.wait_for_screen("deleted")
    look(person, f"{shot}-deleted")
