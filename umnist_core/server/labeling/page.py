"""The annotator's page: one for all screens, with all that it says in the study's language."""

from __future__ import annotations

import json
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from umnist_core.labeling.language import ENGLISH, Language, shipped
from umnist_core.server.web.public import base_path
from umnist_core.server.web.replies import html_reply

_VAGUE = "refused.invalid"


def page_reply(request: Request, language: Language) -> Response:
    """Return the page; its sentences come with it, so the first screen waits for nothing."""
    sentences = dict(language.sentences)
    if language is shipped(ENGLISH):
        # The server speaks English itself, and says more closely what is not as it expects.
        del sentences[_VAGUE]
    words = {"language": language.tag, "sentences": sentences}
    fields = {
        "language": escape(language.tag),
        "direction": language.direction,
        "title": escape(language.say("page.title")),
        "no_script": escape(language.say("page.no_script")),
        # Nothing in a text may end the element that it stands in.
        "words": json.dumps(words, ensure_ascii=False).replace("<", "\\u003c"),
    }
    return html_reply("label/label.html", fields, base=base_path(request))
