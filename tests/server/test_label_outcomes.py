"""What the page is told while it waits, and when a part is over; stopping by oneself."""

from __future__ import annotations

from tests.labeling.making import new_key
from tests.server.conftest import Lab
from tests.server.people import answer_body


def test_third_browser_waits_for_two_images_that_nobody_has_answered(lab: Lab) -> None:
    """It is told what for, and then that the quota is full; it never gets a code."""
    study = lab.study(stimuli=2, images_per_annotator=2, pools=("unguided",), practice=0)
    with lab.person() as first, lab.person() as third:
        first.join(lab.link(study))
        third.join(lab.link(study))
        state, waiting = first.begin(), third.begin()
        assert state["phase"] == "trial"
        assert (waiting["phase"], waiting["code"], waiting["outcome"]) == ("held", None, None)
        assert waiting["held"] == {"places": 2, "open": 2}
        while state["phase"] == "trial":
            state = first.answer(state).json()["state"]
        assert state["outcome"] == "complete"
        waiting = third.state()
        assert (waiting["phase"], waiting["code"]) == ("done", None)
        assert (waiting["outcome"], waiting["progress"]["done"]) == ("quota_full", 0)


def test_stopping_by_oneself_over_http(lab: Lab) -> None:
    """The state after it is that of the second time, and answers are refused with it."""
    study = lab.study(practice=0)
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.answer(person.begin()).json()["state"]
        body = answer_body(state["trial"]["assignment"])
        for _ in range(2):
            stopped = person.send("withdraw", {"key": new_key()}).json()["state"]
            assert (stopped["phase"], stopped["outcome"]) == ("done", "withdrawn")
            assert stopped["code"] is not None
        refused = person.send("answers", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "withdrawn")
        assert refused.json()["state"]["outcome"] == "withdrawn"
        assert person.send("withdraw", {}).status_code == 422


def test_changes_left_are_told_and_the_last_is_refused_with_the_state(lab: Lab) -> None:
    """The page can say so before it happens."""
    study = lab.study(practice=0, allow_change=True)
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.answer(person.begin()).json()["state"]
        while left := state["previous"]["changes_left"]:
            body = answer_body(state["previous"]["assignment"])
            state = person.send("answers", body).json()["state"]
            assert state["previous"]["changes_left"] == left - 1
        refused = person.send("answers", answer_body(state["previous"]["assignment"]))
        assert (refused.status_code, refused.json()["code"]) == (409, "changed_enough")
        assert refused.json()["state"]["phase"] == "trial"
