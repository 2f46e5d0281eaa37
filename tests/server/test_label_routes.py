"""The annotator's interface over HTTP: a whole way through a study, and each refusal."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.labeling.making import new_key, small_spec, write_sums
from tests.server.conftest import Lab
from tests.server.people import answer_body
from umnist_core.errors import StoreError
from umnist_core.labeling.digit_ranges import digit_ranges
from umnist_core.labeling.log import Claims, Event
from umnist_core.server.assets import STATIC_DIR, static_version


@pytest.mark.parametrize("pool", ["unguided", "guided"])
def test_person_goes_from_link_to_completion_code(lab: Lab, pool: str) -> None:
    """Every phase follows the one before, and every answer that was said to be saved is kept."""
    study = lab.study()
    with lab.person() as person:
        assert person.join(lab.link(study, pool)).json() == {"to": f"/label/{study}"}
        state = person.state()
        assert (state["phase"], state["guide"] is None) == ("consent", pool == "unguided")
        assert person.send("consent", {"key": new_key()}).json()["state"]["phase"] == "instructions"
        state = person.begin()
        answered: list[str] = []
        while state["phase"] == "trial":
            assert state["progress"]["done"] == len(answered)
            assert state["trial"]["number"] == len(answered) + 1
            answered.append(state["trial"]["assignment"])
            saved = person.answer(state).json()
            assert (saved["saved"], saved["counted"]) == (True, True)
            state = saved["state"]
        assert (state["phase"], state["outcome"]) == ("done", "complete")
        assert len(state["code"]) == 9
    kept = lab.service.state(study).assignments
    assert [one for one in answered if kept[one].given] == answered
    assert len(answered) == 3


@pytest.mark.parametrize(
    ("changes", "sizes_px", "counts"),
    [
        ({"overrides": {"canvas": "512", "factor": "0.5..4"}}, (14, 112), (3, 5)),
        ({"overrides": {"canvas": "300", "factor": "1..50", "digits": "4"}}, (28, 300), (4, 4)),
        ({"overrides": {}}, (14, 2100), (3, 5)),
        ({"overrides": {}, "preset": "paper"}, (14, 2128), (3, 5)),
        (
            {
                "overrides": {"canvas": "512"},
                "factors": {"factor": ["0.5..1", "2..4"], "digits": ["1", "6"], "zoom": ["1", "2"]},
                "stimuli": 8,
                "images_per_annotator": 8,
            },
            (14, 112),
            (1, 6),
        ),
        ({"folder": "somewhere"}, (14, 2128), (3, 5)),
    ],
)
def test_guide_tells_the_sizes_and_counts_that_the_images_are_drawn_from(
    changes: dict[str, Any], sizes_px: tuple[int, int], counts: tuple[int, int]
) -> None:
    """A study of other images than the paper's tells no wrong sizes."""
    assert digit_ranges(small_spec(**changes), (4000, 4000)) == (sizes_px, counts)


@pytest.mark.parametrize("sides_px", [(300, 300), (300, 5000), (2000, 2000), (3999, 4000)])
def test_guide_tells_nothing_of_the_digits_in_a_folder_of_other_images(
    sides_px: tuple[int, int],
) -> None:
    """They may be of any number and size, and the paper's are not true of them."""
    assert digit_ranges(small_spec(folder="somewhere"), sides_px) is None


@pytest.mark.parametrize(
    ("sizes", "digits_px", "image_px"),
    [
        ((), [14, 112], 512),
        (((300, 300), (300, 300)), None, 300),
        (((5000, 400), (300, 900)), None, 5000),
        (((4000, 4000), (4000, 4000)), [14, 2128], 4000),
    ],
)
def test_guide_tells_how_large_the_images_of_the_study_are(
    lab: Lab,
    tmp_path: Path,
    sizes: Sequence[tuple[int, int]],
    digits_px: list[int] | None,
    image_px: int,
) -> None:
    """Before the first is shown; and of a folder no more than is known of its digits."""
    own: dict[str, Any] = {}
    if sizes:
        own = {"folder": str(write_sums(tmp_path / "own", *sizes)), "overrides": {}}
    study = lab.study(stimuli=2, images_per_annotator=2, practice=0, **own)
    with lab.person() as person:
        person.join(lab.link(study, "guided"))
        guide = person.state()["guide"]
    assert (guide["sizes_px"], guide["image_px"]) == (digits_px, image_px)
    with lab.person() as person:
        person.join(lab.link(study, "unguided"))
        assert person.state()["guide"] is None


def test_next_image_is_reserved_while_one_is_open(lab: Lab) -> None:
    """What was next is the open image after the answer."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        following = state["next"]
        assert person.answer(state).json()["state"]["trial"] == following


def test_unguided_practice_says_right_or_not_yet_and_nothing_else(lab: Lab) -> None:
    """No sum, no digits, no boxes in the reply, whatever the answer and however often."""
    study = lab.study()
    truth = lab.service.state(study).practice[0]
    with lab.person() as person:
        person.join(lab.link(study, "unguided"))
        person.send("consent", {"key": new_key()})
        state = person.send("begin", {"key": new_key()}).json()["state"]
        for answer in ((truth.label + 1) % 28, truth.label, truth.label):
            body = {"key": new_key(), "practice": state["practice"]["id"], "answer": answer}
            reply = person.send("practice", body).json()
            assert set(reply) == {"feedback", "state"}
            assert reply["feedback"] == {"correct": answer == truth.label}


def test_guided_practice_answer_is_met_with_the_right_one(lab: Lab) -> None:
    """Sum, digits and their boxes, which lie in the image."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study, "guided"))
        person.send("consent", {"key": new_key()})
        state = person.send("begin", {"key": new_key()}).json()["state"]
        body = {"key": new_key(), "practice": state["practice"]["id"], "answer": 27}
        feedback = person.send("practice", body).json()["feedback"]
    image = state["practice"]["image"]
    truth = lab.service.state(study).practice[0]
    assert (feedback["answer"], feedback["sum"]) == (27, truth.label)
    assert sum(digit["label"] for digit in feedback["digits"]) == truth.label
    for digit, true in zip(feedback["digits"], truth.digits, strict=True):
        box = digit["box"]
        assert (box["x"], box["y"]) == (true["col"], true["row"])
        assert box["width"] == digit["side"] == true["side_px"]
        assert box["x"] + box["width"] <= image["width"]


def test_same_key_again_changes_nothing(lab: Lab) -> None:
    """Sent twice, and ten times at once, it is one answer with one result."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        body = answer_body(person.begin()["trial"]["assignment"])
        with concurrent.futures.ThreadPoolExecutor(10) as threads:
            answers = list(threads.map(lambda _: person.send("answers", body), range(10)))
        assert {one.status_code for one in answers} == {200}
        assert {(one.json()["saved"], one.json()["key"]) for one in answers} == {
            (True, body["key"])
        }
    assert len(lab.service.state(study).assignments[body["assignment"]].given) == 1


def test_second_tab_is_told_that_the_image_has_its_answer(lab: Lab) -> None:
    """409, with the state from which the tab can move on."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        person.answer(state, 4)
        again = person.answer(state, 5)
        assert (again.status_code, again.json()["code"]) == (409, "already_answered")
        assert again.json()["state"]["trial"] == state["next"]


def test_last_answer_can_be_changed_where_the_study_allows_it(lab: Lab) -> None:
    """Both are kept, and the state shows the last."""
    study = lab.study(allow_change=True)
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        after = person.answer(state, 4).json()["state"]
        assert after["previous"]["answer"] == 4
        body = answer_body(after["previous"]["assignment"], 5)
        assert person.send("answers", body).json()["state"]["previous"]["answer"] == 5
    given = lab.service.state(study).assignments[body["assignment"]].given
    assert [one.answer for one in given] == [4, 5]


def test_open_link_makes_new_people_and_knows_who_comes_back(lab: Lab) -> None:
    """Two browsers are two people in different pools; the same browser is the same one."""
    study = lab.study()
    token = lab.open_link(study)
    with lab.person() as first, lab.person() as second:
        for person in (first, second, first):
            assert person.join(token).status_code == 200
        assert len(lab.service.state(study).annotators) == 2
        link = first.state()["link"]
        with lab.person() as elsewhere:
            elsewhere.join(link.removeprefix("/join/"))
            first.begin()
            assert elsewhere.state()["phase"] == "trial"
    pools = {one.pool for one in lab.service.state(study).annotators.values()}
    assert pools == {"guided", "unguided"}


def test_browser_that_came_by_its_own_link_is_known_to_the_open_one(lab: Lab) -> None:
    """Nobody becomes two people by opening both."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        person.join(lab.open_link(study))
    assert len(lab.service.state(study).annotators) == 1


def test_join_refuses_links_that_do_not_hold(lab: Lab) -> None:
    """Each with its reason."""
    study = lab.study()
    ended, late = lab.service.invite(study, 2)
    lab.service.revoke(study, ended.invite)
    (short,) = lab.service.invite(study, days=-1)
    with lab.person() as person:
        found = {
            name: person.join(token)
            for name, token in [
                ("unknown", "no-such-link"),
                ("revoked", ended.token),
                ("expired", short.token),
            ]
        }
        lab.service.close(study)
        found["closed"] = person.join(late.token)
    assert {name: one.json()["code"] for name, one in found.items()} == {
        name: name for name in found
    }
    assert [one.status_code for one in found.values()] == [404, 410, 410, 410]


def test_browser_without_a_cookie_is_told_to_open_its_link(lab: Lab) -> None:
    """For every address of the interface."""
    study = lab.study()
    with lab.person() as person:
        person.study = study
        answers = [person.http.get(f"/label/{study}/api/state")]
        answers += [person.send(name, {}) for name in ("consent", "begin", "practice", "answers")]
        answers.append(person.http.get(f"/label/{study}/tiles/a.b.dzi"))
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(401, "no_session")}


def test_ended_link_ends_the_session(lab: Lab) -> None:
    """410, and what was sent before stays."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        lab.service.revoke(study, lab.service.invites(study)[0].invite)
        answer = person.answer(state)
        assert (answer.status_code, answer.json()["code"]) == (410, "revoked")


def test_closed_study_takes_no_answer(lab: Lab) -> None:
    """409, so that the browser keeps it and says so."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        lab.service.close(study)
        answer = person.answer(state)
        assert (answer.status_code, answer.json()["code"]) == (409, "closed")
        assert (person.state()["phase"], person.state()["outcome"]) == ("done", "ended_early")


def test_answer_to_another_persons_image_is_refused(lab: Lab) -> None:
    """403, and nothing is kept."""
    study = lab.study()
    with lab.person() as one, lab.person() as other:
        one.join(lab.link(study))
        other.join(lab.link(study))
        other.begin()
        answer = other.answer(one.begin())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours")


def test_alive_says_nothing_and_keeps_the_image(lab: Lab) -> None:
    """204, for an image that is the person's and quietly for any other."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        for assignment in (state["trial"]["assignment"], "somebody-elses"):
            answer = person.send("alive", {"assignment": assignment})
            assert (answer.status_code, answer.content) == (204, b"")


class _FullDisk:
    """Makes a log refuse some kinds of events, as a disk without room does."""

    def __init__(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refused: set[str] = set()
        self._append = lab.service.log.append
        monkeypatch.setattr(lab.service.log, "append", self._append_or_refuse)

    def _append_or_refuse(
        self, events: Sequence[Event], claims: Claims, attachments: Mapping[int, str]
    ) -> None:
        if self.refused & {event.kind for event in events}:
            raise StoreError("The disk is full; nothing was kept. Make room.")
        self._append(events, claims, attachments)


def test_answer_that_cannot_be_written_is_to_be_sent_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the seconds to wait; when there is room, the same post is taken once."""
    study, disk = lab.study(), _FullDisk(lab, monkeypatch)
    with lab.person() as person:
        person.join(lab.link(study))
        body = answer_body(person.begin()["trial"]["assignment"])
        disk.refused = {"answered"}
        refused = person.send("answers", body)
        assert (refused.status_code, refused.json()["code"]) == (503, "not_saved")
        assert int(refused.headers["retry-after"]) >= 1
        disk.refused = set()
        assert person.send("answers", body).json()["saved"]
    assert len(lab.service.state(study).assignments[body["assignment"]].given) == 1


def test_answer_is_said_to_be_saved_even_if_nothing_new_can_be_reserved(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with what is reserved; after that 503, and never a completion code."""
    study, disk = lab.study(), _FullDisk(lab, monkeypatch)
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.begin()
        disk.refused = {"assigned"}
        saved = person.answer(state).json()
        assert (saved["saved"], saved["state"]["trial"]) == (True, state["next"])
        body = answer_body(state["next"]["assignment"])
        assert person.send("answers", body).status_code == 503
        assert person.http.get(f"/label/{study}/api/state").status_code == 503
        disk.refused = set()
        again = person.send("answers", body).json()
        assert (again["saved"], again["state"]["phase"]) == (True, "trial")


@pytest.mark.parametrize("path", ["/join/some-token", "/label/some-study"])
def test_pages_are_the_same_for_everybody_and_change_nothing(lab: Lab, path: str) -> None:
    """Chat programs open links to preview them: only a post joins."""
    page = httpx.get(f"{lab.url}{path}", timeout=60)
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    assert f"/assets/{static_version()}/" in page.text
    assert "/assets/VERSION/" not in page.text
    assert (STATIC_DIR / "label" / "label.html").read_text() != page.text


def test_every_answer_carries_the_headers_that_keep_it_safe(lab: Lab) -> None:
    """JSON is not kept, framed or guessed at, and nobody learns where a person came from."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        person.state()
        person.send("consent", {"key": "?"})
        person.http.get("/label/no/such/address")
        for answer in person.received:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            assert "access-control-allow-origin" not in answer.headers


def test_other_methods_are_told_what_the_address_takes(lab: Lab) -> None:
    """HEAD is GET without content; OPTIONS says what there is; the rest is refused."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        path = f"/label/{study}/api/state"
        head = person.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
        options = person.http.options(path)
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        for method, where in (("POST", path), ("PUT", path), ("GET", f"{path[:-5]}answers")):
            refused = person.http.request(method, where)
            assert (refused.status_code, refused.json()["code"]) == (405, "wrong_method")
            assert refused.headers["allow"].endswith("OPTIONS")
