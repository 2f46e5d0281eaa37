"""No answer is lost: lost networks, lost replies, killed servers, second tabs, refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Dialog

from tests.browser.conftest import PROJECT, wait_until
from tests.browser.label_page import Annotator, LabelLab, Trouble, label_spec
from tests.browser.label_server import open_disk
from umnist_core.bench.ports import free_port
from umnist_core.labeling.freeze import create_study

OpenStudy = Callable[..., LabelLab]

NO_DATABASE = "Object.defineProperty(window, 'indexedDB', { get: () => undefined });"
NO_LOCKS = "Object.defineProperty(navigator, 'locks', { get: () => undefined });"


def at_work(lab: LabelLab, **more: Any) -> Annotator:
    """Return somebody who is at the first image."""
    person = lab.person(**more)
    person.come_to_trials()
    return person


def test_saved_is_only_said_when_it_is(open_study: OpenStudy) -> None:
    """Until the server has answered, it says that it is saving, and the image stays."""
    lab = open_study(practice=0)
    person = at_work(lab)
    lab.trouble.delays_s["/answers"] = 2
    person.answer(7)
    wait_until(lambda: person.saving() == "Saving…", "It does not say that it is saving.")
    assert lab.given() == []
    assert person.page.locator(".count").inner_text() == "1 of 3"
    person.answer(9)
    person.wait_for_image(2)
    assert person.saving() == "Saved"
    assert lab.given() == [7], "Nothing can be changed while it is under way."


def test_lost_network_loses_nothing(open_study: OpenStudy) -> None:
    """One goes on with the image that is loaded, then waits, and all of it arrives, once."""
    lab = open_study(practice=0)
    person = at_work(lab)
    wait_until(lambda: is_warm(person), "The next image was not fetched ahead.")
    person.context.set_offline(True)
    person.wait_for_notice("No connection.")
    person.answer(7)
    person.wait_for_notice("1 answer not sent yet.")
    person.wait_for_image(2)
    assert "Saved" not in person.saving()
    person.answer(8)
    person.wait_for_screen("waiting")
    person.wait_for_notice("2 answers not sent yet.")
    assert lab.given() == []
    person.context.set_offline(False)
    person.wait_for_image(3)
    person.wait_until_sent()
    person.answer(9)
    person.wait_for_screen("done")
    assert sorted(lab.given()) == [7, 8, 9]
    queued = {body["answer"]: body["response"]["queued_ms"] for body in lab.trouble.answers()}
    assert queued[9] == 0 < min(queued[7], queued[8])


def is_warm(person: Annotator) -> bool:
    """Return whether one image is here whole, all 16 tiles of its finest level."""
    fetched = "performance.getEntriesByType('resource').filter((one) => one.responseEnd > 0)"
    finest = f"{fetched}.filter(({{ name }}) => name.includes('_files/11/')).length"
    return int(person.page.evaluate(finest)) >= 16


def test_unsent_answer_survives_a_reload(open_study: OpenStudy) -> None:
    """It is sent by the next visit, and its image is not asked about again."""
    lab = open_study(practice=0)
    person = at_work(lab)
    person.page.on("dialog", Dialog.accept)
    lab.trouble.refused["/answers"] = (503, {"error": "The disk is full.", "code": "full"})
    person.answer(7)
    person.wait_for_notice("The disk is full.")
    person.wait_for_image(2)
    person.page.reload()
    person.wait_for_image(2)
    person.wait_for_notice("1 answer not sent yet.")
    person.send_now(lab.trouble.refused)
    person.wait_until_sent()
    assert lab.given() == [7]
    person.answer(8)
    person.wait_for_image(3)
    assert lab.given() == [7, 8]


def test_lost_reply_doubles_nothing(open_study: OpenStudy) -> None:
    """The same answer is sent again under the same key, and counts once."""
    lab = open_study(practice=0)
    person = at_work(lab)
    lab.trouble.unheard.add("/answers")
    person.answer(7)
    person.wait_for_notice("The reply was lost.")
    assert lab.given() == [7]
    person.send_now(lab.trouble.unheard)
    person.wait_until_sent()
    assert lab.given() == [7]
    assert len({body["key"] for body in lab.trouble.answers()}) == 1 < len(lab.trouble.answers())


def test_200_of_a_network_that_wants_a_login_is_not_taken_for_saved(open_study: OpenStudy) -> None:
    """A page of somebody else's is no acknowledgement."""
    lab = open_study(practice=0)
    person = at_work(lab)
    lab.trouble.portals.add("/answers")
    person.answer(7)
    person.wait_for_notice("Something other than the study's server answered.")
    assert "Saved" not in person.saving()
    person.send_now(lab.trouble.portals)
    person.wait_until_sent()
    assert lab.given() == [7]


def test_closing_the_tab_is_warned_of_while_something_is_unsent(open_study: OpenStudy) -> None:
    """And not before or after."""
    lab = open_study(practice=0)
    person = at_work(lab)
    warned: list[str] = []

    def listen(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.dismiss()

    person.page.on("dialog", listen)
    lab.trouble.refused["/answers"] = (500, {"error": "Something broke.", "code": "broken"})
    person.answer(7)
    person.wait_for_notice("1 answer not sent yet.")
    person.page.close(run_before_unload=True)
    wait_until(lambda: person.page.title() and warned, "Nothing warned.")
    person.send_now(lab.trouble.refused)
    person.wait_until_sent()
    with person.page.expect_event("close"):
        person.page.close(run_before_unload=True)
    assert warned == ["beforeunload"]


def test_refused_answer_stays_to_be_seen(open_study: OpenStudy) -> None:
    """With the server's sentence, after a reload too, until it is taken or removed."""
    lab = open_study(practice=0)
    person = at_work(lab)
    sentence = "The answer is no whole number."
    lab.trouble.refused["/answers"] = (422, {"error": sentence, "code": "odd"})
    person.answer(7)
    person.wait_for_notice(f"Your answer 7 to image 1 was not taken. {sentence}")
    person.wait_for_image(1)
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.press_button("Copy")
    wait_until(
        lambda: '"answer":7' in str(person.page.evaluate("navigator.clipboard.readText()")),
        "It was not copied.",
    )
    person.page.reload()
    person.wait_for_notice(sentence)
    lab.trouble.refused.clear()
    person.press_button("Send again")
    person.wait_for_image(2)
    person.wait_until_sent()
    assert lab.given() == [7]


def test_closed_study_keeps_the_answer_visible(open_study: OpenStudy) -> None:
    """The answer that came too late is told of and not dropped."""
    lab = open_study(practice=0)
    person = at_work(lab)
    lab.service.close(lab.study)
    person.answer(7)
    person.wait_for_screen("done")
    person.wait_for_notice("Your answer 7 to image 1 was not taken.")
    assert person.button("Copy").is_visible()


def test_person_whose_link_is_revoked_is_told_and_the_answer_is_kept(
    open_study: OpenStudy,
) -> None:
    """Nothing can be sent any more, and nothing is thrown away."""
    lab = open_study(practice=0)
    person = at_work(lab)
    (invite,) = (row for row in lab.service.invites(lab.study) if row.token == person.token)
    lab.service.revoke(lab.study, invite.invite)
    person.answer(7)
    person.wait_for_screen("trouble")
    assert "You cannot go on here" in person.page.locator("main").inner_text()
    person.wait_for_notice("1 answer not sent yet.")
    assert lab.given() == []


def test_paused_study_goes_on_by_itself(open_study: OpenStudy) -> None:
    """The answer that was under way is kept, and the next image comes when it goes on."""
    lab = open_study(practice=0)
    person = at_work(lab)
    lab.service.pause(lab.study)
    person.answer(7)
    person.wait_for_screen("paused")
    assert "what you have answered is saved" in person.page.locator("main").inner_text()
    lab.service.resume(lab.study)
    person.wait_for_image(2)
    assert lab.given() == [7]


@pytest.mark.parametrize("before", [None, NO_LOCKS], ids=["locks", "no locks"])
def test_one_tab_at_a_time(open_study: OpenStudy, before: str | None) -> None:
    """A second tab says so and may take over, with what was typed; the first then says so."""
    lab = open_study(practice=0)
    first = at_work(lab, before=before)
    first.type("12")
    second = Annotator(lab, first.token, first.context)
    first.page.wait_for_timeout(2500)  # until the draft is kept
    second.page.goto(f"{lab.url}/label/{lab.study}")
    second.page.get_by_text("open in another tab").wait_for()
    second.press_button("Go on here")
    second.wait_for_image(1)
    assert second.chosen() == "12"
    first.page.get_by_text("continued in another tab").wait_for()
    second.page.keyboard.press("Enter")
    second.wait_for_image(2)
    second.page.wait_for_timeout(1500)  # longer than a tab that is only reloaded takes
    assert first.page.get_by_text("continued in another tab").is_visible()
    first.press_button("Go on here")
    first.wait_for_image(2)
    first.answer(8)
    first.wait_for_image(3)
    assert lab.given() == [12, 8]
    assert second.complaints == []


def test_closed_tab_makes_room_for_the_next(open_study: OpenStudy) -> None:
    """A tab that waits goes on by itself when the one at work is closed."""
    lab = open_study(practice=0)
    first = at_work(lab)
    second = Annotator(lab, first.token, first.context)
    second.page.goto(f"{lab.url}/label/{lab.study}")
    second.page.get_by_text("open in another tab").wait_for()
    first.page.close()
    second.wait_for_image(1)


def test_image_answered_on_another_device_is_explained(open_study: OpenStudy) -> None:
    """The first answer stands; the page says so and moves on."""
    lab = open_study(practice=0)
    here = at_work(lab)
    there = lab.person()
    there.token = here.token
    there.open_link()
    there.wait_for_image(1)
    there.answer(5)
    there.wait_for_image(2)
    here.answer(6)
    here.wait_for_notice("Your answer 6 to image 1 was not taken.")
    here.wait_for_image(2)
    here.press_button("Understood")
    here.wait_until_sent()
    assert lab.given() == [5]


@pytest.mark.parametrize("before", [None, NO_DATABASE], ids=["database", "no database"])
def test_what_is_entered_and_unsent_survives_with_and_without_a_database(
    open_study: OpenStudy, before: str | None
) -> None:
    """Where IndexedDB is switched off, localStorage keeps drafts and answers."""
    lab = open_study(practice=0)
    person = at_work(lab, before=before)
    person.page.on("dialog", Dialog.accept)
    person.type("14")
    person.page.reload()
    person.wait_for_image(1)
    assert person.chosen() == "14"
    lab.trouble.refused["/answers"] = (500, {"error": "Something broke.", "code": "broken"})
    person.page.keyboard.press("Enter")
    person.wait_for_notice("kept in this browser")
    person.page.reload()
    person.wait_for_notice("1 answer not sent yet.")
    person.send_now(lab.trouble.refused)
    person.wait_until_sent()
    assert lab.given() == [14]


def test_browser_that_keeps_nothing_says_so(open_study: OpenStudy) -> None:
    """Then the tab must stay open, and the answer is sent all the same."""
    no_storage = "Object.defineProperty(window, 'localStorage', { get: () => { throw 1; } });"
    lab = open_study(practice=0)
    person = at_work(lab, before=NO_DATABASE + no_storage)
    lab.trouble.refused["/answers"] = (500, {"error": "Something broke.", "code": "broken"})
    person.answer(14)
    person.wait_for_notice("leave this tab open until it is sent")
    person.send_now(lab.trouble.refused)
    person.wait_until_sent()
    assert lab.given() == [14]


def test_image_that_did_not_load_is_loaded_when_there_is_a_connection_again(
    open_study: OpenStudy,
) -> None:
    """It says so; no answer can be given to what was not seen; then it goes on by itself."""
    lab = open_study(practice=0)
    lab.trouble.refused[".png"] = (500, {"error": "The disk is gone."})
    person = lab.person()
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin")
    person.page.locator(".failure", has_text="Part of the image did not load.").wait_for()
    person.answer(7)
    person.page.locator(".hint", has_text="The image is still loading.").wait_for()
    lab.trouble.refused.clear()
    person.page.evaluate("dispatchEvent(new Event('online'))")
    person.wait_for_image(1)
    person.page.keyboard.press("Enter")
    person.wait_for_image(2)
    assert lab.given() == [7]
    assert person.complaints, "OpenSeadragon complains of each tile."
    person.complaints = [one for one in person.complaints if "failed to load" not in one]


def test_code_is_copied_where_there_is_no_clipboard_too(open_study: OpenStudy) -> None:
    """Over plain HTTP browsers offer none to scripts."""
    no_clipboard = "Object.defineProperty(navigator, 'clipboard', { get: () => undefined });"
    lab = open_study(practice=0, images_per_annotator=1)
    person = at_work(lab, before=no_clipboard)
    person.answer(7)
    person.wait_for_screen("done")
    person.press_button("Copy")
    person.button("Copied").wait_for()


def test_step_that_fails_can_be_repeated(open_study: OpenStudy) -> None:
    """Consent and the beginning keep their key, and say what went wrong."""
    lab = open_study(practice=0)
    person = lab.person()
    person.open_link()
    lab.trouble.unheard.add("/consent")
    person.press_button("I agree and take part")
    person.page.get_by_role("alert").filter(has_text="The reply was lost.").wait_for()
    lab.trouble.unheard.clear()
    person.press_button("I agree and take part")
    person.wait_for_screen("instructions")
    keys = [body["key"] for path, body in lab.trouble.posts if path.endswith("/consent")]
    assert len(keys) == 2
    assert len(set(keys)) == 1


class DiskServer:
    """A label server in a process of its own, on a SQLite store, that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        module = "tests.browser.label_server"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(self.folder), str(self.port)],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "The server did not start.")

    def kill(self) -> None:
        """End it without a warning."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/join/nobody", timeout=60).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def disk_lab(browser: Browser, folder: Path) -> Iterator[tuple[LabelLab, DiskServer]]:
    """Yield a study on disk, served by a process that can be killed."""
    service = open_disk(folder)
    study = create_study(service, label_spec(practice=0), jobs=1)
    server = DiskServer(folder)
    server.start()
    try:
        with ExitStack() as people:
            yield LabelLab(browser, service, study, server.url, Trouble(), people), server
    finally:
        server.kill()


def test_server_killed_in_the_middle_of_an_answer_loses_none(
    browser: Browser, tmp_path: Path
) -> None:
    """It is killed under the answer, and the page goes on by itself when it is back."""
    with disk_lab(browser, tmp_path) as (lab, server):
        person = at_work(lab)
        wait_until(lambda: is_warm(person), "The next image was not fetched ahead.")
        server.kill()
        person.answer(7)
        person.wait_for_notice("The server did not answer.")
        person.wait_for_image(2)
        person.answer(8)
        person.wait_for_screen("waiting")
        server.start()
        person.wait_for_image(3)
        person.wait_until_sent()
        assert sorted(
            open_disk(tmp_path).state(lab.study).assignments[one].given[0].answer
            for one in answered(lab, tmp_path)
        ) == [7, 8]


def answered(lab: LabelLab, folder: Path) -> list[str]:
    """Return the assignments that have an answer on disk."""
    assignments = open_disk(folder).state(lab.study).assignments
    return [name for name, one in assignments.items() if one.given]
