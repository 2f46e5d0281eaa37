"""The annotator's page comes in the language of its study, and refusals say which they are."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.server.conftest import Lab
from umnist_core.labeling.language import settings_of, shipped, template


def words_of(reply: httpx.Response) -> tuple[str, str, dict[str, Any]]:
    """Return the language that a page says it is in, its direction, and its sentences."""
    html = re.search(r'<html lang="([^"]*)" dir="([^"]*)">', reply.text)
    told = re.search(r'<script type="application/json" id="umnist-words">(.*)</script>', reply.text)
    assert html
    assert told
    words = json.loads(told[1])
    assert words["language"] == html[1]
    return html[1], html[2], words["sentences"]


def test_page_and_link_come_in_the_language_of_the_study(lab: Lab) -> None:
    """Before anybody has joined, too; title and the sentence for no script are in it."""
    study = lab.study(language="de")
    token = lab.link(study)
    with lab.person() as person:
        for path in (f"/join/{token}", f"/label/{study}"):
            reply = person.http.get(path)
            assert words_of(reply) == ("de", "ltr", dict(shipped("de").sentences))
            assert "<title>Studie</title>" in reply.text
            assert f"<p>{shipped('de').say('page.no_script')}</p>" in reply.text


@pytest.mark.parametrize("path", ["/join/nothing-of-ours-that-is-long", "/label/s0123456789ab"])
def test_page_of_nothing_is_in_english(lab: Lab, path: str) -> None:
    """With all that it may have to say."""
    with lab.person() as person:
        tag, direction, sentences = words_of(person.http.get(path))
    assert (tag, direction) == ("en", "ltr")
    # What a server says of something invalid is closer than a sentence for all of it.
    assert set(shipped("en").sentences) - set(sentences) == {"refused.invalid"}


def test_sentences_of_a_lab_are_text_wherever_they_stand(lab: Lab) -> None:
    """Nothing in them is taken for a part of the page."""
    own = settings_of(template("ar"))
    spoiled = '</script><img src="x">&amp;'
    own["words"]["sentences"] |= {"page.title": spoiled, "join.title": spoiled}
    study = lab.study(**own)
    with lab.person() as person:
        reply = person.http.get(f"/label/{study}")
    tag, direction, sentences = words_of(reply)
    assert (tag, direction) == ("ar", "rtl")
    assert sentences["join.title"] == spoiled
    assert "<img" not in reply.text
    assert "&lt;img src=&quot;x&quot;&gt;&amp;amp;" in reply.text


def test_refusals_say_which_they_are_in_any_language(lab: Lab) -> None:
    """The sentence is English, for programs and logs; page and values make the language's of it."""
    study = lab.study(language="fr")
    token = lab.link(study)
    with lab.person() as person:
        person.join(token)
        (invite,) = lab.service.invites(study)
        lab.service.revoke(study, invite.invite)
        told = person.http.post(f"/join/{token}", json={}).json()
    assert (told["code"], told["said"]) == ("revoked", "revoked.link")
    assert told["error"].startswith("This link has been ended")
    assert f"refused.{told['said']}" in shipped("fr").sentences
