"""The panel beside a model: what it says, what it asks for, and that the newest always wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.look_page import (
    FIRST,
    SECOND,
    WEIGHTS,
    LookPage,
    LookServer,
    answer,
    attention_map,
    look_data,
    look_page,
    outcome,
    scene_address,
    show_scenes,
    value,
)
from umnist_core.errors import WorkerError

OpenWatch = Callable[..., LookPage]
RECORD = """
() => {
  window.said = [];
  const panel = document.querySelector(".umnist-watch");
  new MutationObserver(() => {
    const value = panel.querySelector(".outcome .value")?.textContent ?? null;
    if (value !== said.at(-1)) said.push(value);
  }).observe(panel, { childList: true, subtree: true, characterData: true });
}
"""


@pytest.fixture
def open_watch(browser: Browser, look_at: LookServer) -> Iterator[OpenWatch]:
    """Return a function that opens the page; ``more`` goes into the panel's data."""
    with ExitStack() as pages:

        def open_page(
            context: dict[str, Any] | None = None,
            more: dict[str, Any] | None = None,
            **choice: Any,
        ) -> LookPage:
            data = look_data(look_at, **choice)
            data["watch"] |= more or {}
            return pages.enter_context(look_page(browser, look_at, data, **(context or {})))

        yield open_page


def test_answer_stands_beside_the_truth(open_watch: OpenWatch) -> None:
    """The sum, how sure, whether it is right, a bar for each sum, time and memory."""
    look = open_watch()
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), tasks=[answer(18, 21)])
    look.predict()
    expect(value(look)).to_have_text("18")
    expect(look.panel.locator(".verdict")).to_have_text("Wrong: the sum is 21")
    bars = look.panel.locator(".column")
    expect(bars).to_have_count(28)
    expect(bars.nth(18)).to_have_attribute("title", "18: 62 %")
    assert look.panel.locator(".is-true .number").all_text_contents() == ["21"]
    heights = [bar.bounding_box() for bar in look.panel.locator(".fill").all()]
    tallest = max(range(28), key=lambda place: (heights[place] or {"height": 0})["height"])
    assert tallest == 18
    said = look.panel.inner_text()
    assert "Loaded in 0.3 s, read in 0.1 s, ran in 0.8 s on CPU, 2 threads; at most 612 MB" in said
    expect(look.panel.locator("> [role=status]")).to_have_text(
        f"{FIRST}: 18, wrong: the sum is 21."
    )


@pytest.mark.parametrize(
    ("task", "verdict"),
    [
        (answer(18, 18), "Right"),
        (answer(18, None), ""),
        (answer(3, 5, name="max", classes=10), "Wrong: it is 5"),
        (
            answer(1, 1, name="multi", classes=10, is_multi=True)
            | {"answer": [1, 3, 7], "truth": [1, 3, 9], "is_right": False},
            "Wrong: they are 1, 3, 9",
        ),
    ],
)
def test_verdict_names_the_right_answer(
    open_watch: OpenWatch, task: dict[str, Any], verdict: str
) -> None:
    """Right says so, wrong says what is right, and where nobody knows nothing is judged."""
    look = open_watch()
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), tasks=[task])
    look.predict()
    expect(look.panel.locator(".verdict")).to_have_text(verdict)
    expect(value(look)).to_have_text(", ".join(str(one) for one in task["answer"]))
    is_unknown = task["truth"] is None
    expect(look.panel.get_by_text("not known for this image")).to_have_count(int(is_unknown))


def test_confidence_says_whether_it_is_calibrated(open_watch: OpenWatch) -> None:
    """What is not, is called so; what is, is no plain probability, and is never certainty."""
    look = open_watch()
    look.predict()
    sure = look.panel.locator(".sure")
    expect(sure).to_have_text("62 % sure, not calibrated")
    look.models.outcomes[FIRST] = outcome(
        attention_map(WEIGHTS[::-1]), confidence=0.99997, is_calibrated=True
    )
    look.predict()
    expect(sure).to_have_text("99.9 % sure")
    expect(sure).to_have_attribute("title", re.compile("so many are right"))


def test_several_tasks_have_their_own_probabilities(open_watch: OpenWatch) -> None:
    """The confidence is that of the first alone; where several may be right none is said."""
    look = open_watch()
    tasks = [answer(3, None, name=name, classes=10) for name in ("majority", "max")]
    tasks.append(answer(1, None, name="multi", classes=10, is_multi=True))
    look.models.outcomes[FIRST] = outcome(
        attention_map(WEIGHTS), tasks=tasks, confidence=0.8, is_calibrated=True
    )
    look.predict()
    assert look.panel.locator(".sure").all_inner_texts() == ["80 % sure", "62 %"]


def test_model_without_attention_says_why(open_watch: OpenWatch) -> None:
    """The answer is there, over the image is nothing, and one sentence says why."""
    look = open_watch()
    look.models.outcomes[FIRST] = outcome(None)
    look.page.get_by_role("button", name="Predict").click()
    expect(value(look)).to_have_text("18")
    expect(look.panel).to_contain_text("No attention: This model weighs all places alike.")
    expect(look.page.locator(".heat-bar")).to_be_hidden()


def test_progress_is_told_and_cancelled(open_watch: OpenWatch) -> None:
    """What takes long says how far it is; Cancel stops it there too, and the old answer stays."""
    look = open_watch(
        more={"checkpoints": [{"key": FIRST, "title": FIRST, "model": "ips_megapixel"}]}
    )
    look.predict()
    look.models.held.add(None)
    look.models.steps = 14
    button = look.page.get_by_role("button", name="Predict")
    button.focus()
    look.page.keyboard.press("Enter")
    progress = look.panel.locator(".progress").first
    expect(progress).to_contain_text("Round 1 of 14")
    expect(progress.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "0")
    cancel = look.page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    look.page.keyboard.press("Enter")
    wait_until(lambda: look.models.cancelled, "The model was not told.")
    expect(progress).to_be_hidden()
    expect(button).to_be_focused()
    expect(value(look)).to_have_text("18")
    look.models.held.clear()
    look.page.wait_for_timeout(500)
    expect(progress).to_be_hidden()


def test_cancelling_before_the_server_answered_stops_it_there_too(open_watch: OpenWatch) -> None:
    """A request that was on its way when it was cancelled does not go on unseen."""
    look = open_watch()
    look.models.held.add(None)
    held: list[tuple[Route, Any]] = []
    look.page.route("**/inference/jobs", lambda route: held.append((route, route.fetch())))
    look.page.get_by_role("button", name="Predict").click()
    wait_until(lambda: look.page.evaluate("true") and held, "Nothing was asked for.")
    look.page.get_by_role("button", name="Cancel").click()
    expect(look.page.get_by_role("button", name="Predict")).to_be_visible()
    route, response = held[0]
    route.fulfill(response=response)
    wait_until(
        lambda: look.page.evaluate("true") and look.models.cancelled, "The model was not told."
    )


def test_quick_answer_shows_no_progress(open_watch: OpenWatch) -> None:
    """Below 0.3 s nothing flashes."""
    look = open_watch()
    look.page.evaluate(
        """() => {
             window.flashed = 0;
             const one = document.querySelector(".umnist-answer .progress");
             new MutationObserver(() => (flashed += one.hidden ? 0 : 1))
               .observe(one, { attributes: true, attributeFilter: ["hidden"] });
           }"""
    )
    # A busy machine may take longer, and then it is right to show it.
    times = look.page.evaluate(
        """async () => {
             const begun = performance.now();
             document.querySelector(".umnist-answer .main").click();
             while (!document.querySelector(".outcome .value"))
               await new Promise(requestAnimationFrame);
             return performance.now() - begun;
           }"""
    )
    assert look.page.evaluate("flashed") == 0 or times > 300


def test_queue_is_told(open_watch: OpenWatch, look_at: LookServer) -> None:
    """Who waits for another one's request reads how many are before."""
    look = open_watch()
    look.predict()
    look.models.held.add(7)
    other = {
        "viewer": "other",
        "slot": "a",
        "turn": 1,
        "checkpoint": FIRST,
        "device": "cpu",
        "image": scene_address(7),
    }
    job = httpx.post(f"{look_at.origin}/inference/jobs", json=other, timeout=60).json()
    look.page.get_by_role("button", name="Predict").click()
    expect(look.panel.locator(".state").first).to_have_text(
        re.compile(r"^1 before you, about \d+(\.\d)? s$")
    )
    httpx.delete(f"{look_at.origin}/inference/jobs/{job['id']}")
    expect(look.panel.locator(".progress").first).to_be_hidden()


def test_failure_is_one_sentence(open_watch: OpenWatch) -> None:
    """The model's own sentence stands there, is read aloud, and goes with the next answer."""
    look = open_watch()
    sentence = "Expected enough memory for the model, found too little; choose a smaller image."
    look.models.failures[FIRST] = WorkerError(sentence, "out_of_memory")
    look.page.get_by_role("button", name="Predict").click()
    expect(look.panel.get_by_role("alert")).to_have_text(sentence)
    look.models.failures.clear()
    look.predict()
    expect(look.panel.get_by_role("alert")).to_have_count(0)


def test_refusal_of_the_server_is_told(open_watch: OpenWatch) -> None:
    """An unknown checkpoint is answered with the server's sentence, which is not hidden."""
    look = open_watch(
        more={"checkpoints": [{"key": "gone", "title": "gone", "model": "x"}]},
        checkpoint="gone",
    )
    look.page.get_by_role("button", name="Predict").click()
    expect(look.panel.get_by_role("alert")).to_contain_text("choose one of the list")
    assert "404" in look.complaints.pop()


def test_server_that_is_gone_is_told(open_watch: OpenWatch) -> None:
    """No answer at all ends in a sentence that says what to do."""
    look = open_watch()
    look.page.route("**/inference/jobs", lambda route: route.abort())
    look.page.get_by_role("button", name="Predict").click()
    expect(look.panel.get_by_role("alert")).to_have_text(
        "The server did not answer; predict again when it is back."
    )
    assert "Failed to load" in look.complaints.pop()


def test_nothing_can_be_predicted_says_why(open_watch: OpenWatch) -> None:
    """Without torch the sentence stands there; the button does nothing, and can be read."""
    sentence = "Models need torch, which this installation lacks; get it."
    look = open_watch(more={"sentence": sentence})
    expect(look.panel.locator("> .failure")).to_have_text(sentence)
    expect(look.page.get_by_role("button", name="Predict")).to_be_disabled()
    ink, paper = look.panel.evaluate(
        """(panel) => {
          const ground = document.createElement("i");
          ground.style.color = "var(--paper)";
          panel.append(ground);
          const button = document.querySelector(".umnist-answer .main");
          return [button, ground].map((one) => getComputedStyle(one).color);
        }"""
    )
    assert ink != paper


def test_prediction_follows_the_picture(open_watch: OpenWatch) -> None:
    """After the first, every change of the picture is predicted; before it none is."""
    look = open_watch()
    look.models.values.update({1: 11, 2: 22})
    show_scenes(look, 1)
    look.page.wait_for_timeout(500)
    assert look.models.asked == []
    look.predict()
    expect(value(look)).to_have_text("11")
    show_scenes(look, 2)
    expect(value(look)).to_have_text("22")
    look.panel.get_by_label("Again after every change").uncheck()
    show_scenes(look, 1)
    expect(look.panel).to_contain_text("This was of another picture or model. Predict again.")
    expect(value(look)).to_have_text("22")
    assert look.page.evaluate("channel.looks") is None, "It was drawn over another image."
    assert look.models.asked == [(FIRST, 1), (FIRST, 2)]


def test_quick_changes_leave_the_newest_pending_alone(open_watch: OpenWatch) -> None:
    """While one is under way, of many changes only the last is asked for."""
    look = open_watch()
    look.predict()
    look.models.held.update(range(20))
    look.models.values.update({index: index for index in range(20)})
    show_scenes(look, *range(1, 13))
    wait_until(lambda: (FIRST, 12) in look.models.asked, "The newest was not asked for.")
    assert look.models.asked == [(FIRST, None), (FIRST, 1), (FIRST, 12)]
    assert len(look.models.cancelled) == 1, "The older one still runs."
    look.models.held.clear()
    expect(value(look)).to_have_text("12")


def test_old_overlay_stays_dimmed_until_the_new_is_there(open_watch: OpenWatch) -> None:
    """Under other noise the heat does not vanish while the same digits are predicted anew."""
    look = open_watch()
    look.models.values.update({1: 18})
    show_scenes(look, 1)
    look.predict()
    expect(look.page.locator("canvas.heat")).to_be_visible()
    look.models.held.add(1)
    show_scenes(look, 1, noise_seed=5)
    expect(look.panel.locator(".outcome").first).to_have_class("outcome stale")
    expect(look.page.locator("canvas.heat")).to_be_visible()
    expect(look.page.locator(".looks")).to_have_class("looks stale")
    expect(value(look)).to_have_text("18")
    look.models.held.clear()
    expect(look.panel.locator(".outcome").first).to_have_class("outcome")
    expect(look.page.locator(".looks")).to_have_class("looks")


def test_nothing_of_one_scene_lies_over_another(open_watch: OpenWatch) -> None:
    """At Next while it predicts, heat and marks go with the image that they are of."""
    look = open_watch()
    look.models.values.update({1: 18, 2: 7})
    show_scenes(look, 1)
    look.predict()
    expect(look.page.locator("canvas.heat")).to_be_visible()
    look.models.held.add(2)
    show_scenes(look, 2)
    expect(look.page.locator("canvas.heat:visible")).to_have_count(0)
    expect(look.page.locator(".looks > *")).to_have_count(0)
    look.models.held.clear()
    expect(look.page.locator("canvas.heat")).to_be_visible()
    expect(value(look)).to_have_text("7")


@pytest.mark.parametrize("late", ["the request's answer", "the result"])
def test_late_answers_never_replace_newer_ones(open_watch: OpenWatch, late: str) -> None:
    """Whichever answer to the first request comes after the second is done, it is dropped."""
    look = open_watch()
    look.predict()
    look.models.values.update({1: 11, 2: 22})
    look.page.evaluate(RECORD)
    held: list[tuple[Route, Any]] = []
    first: list[str] = []

    def hold(route: Route) -> None:
        request = route.request
        is_post = request.method == "POST"
        if is_post and "index=1" in (request.post_data or ""):
            response = route.fetch()
            first.append(response.json()["id"])
            if late == "the request's answer":
                held.append((route, response))
            else:
                route.fulfill(response=response)
        elif first and f"{first[0]}?after" in request.url:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    look.page.route("**/inference/jobs**", hold)
    show_scenes(look, 1)
    wait_until(lambda: look.page.evaluate("true") and held, "Nothing was held back.")
    show_scenes(look, 2)
    expect(value(look)).to_have_text("22")
    for route, response in held:
        route.fulfill(response=response)
    look.page.wait_for_timeout(700)
    said = look.page.evaluate("said")
    assert "11" not in said
    assert said[-1] == "22"
    assert look.page.evaluate("channel.looks[0].title") == f"{FIRST}: 22"


def test_choice_is_reported_and_followed(open_watch: OpenWatch) -> None:
    """The page learns of each choice once; another model is predicted at once, after the first."""
    look = open_watch()
    look.models.outcomes[SECOND] = outcome(attention_map(WEIGHTS), tasks=[answer(5)])
    look.predict()
    look.panel.get_by_label("Model").select_option(SECOND)
    expect(value(look)).to_have_text("5")
    look.panel.get_by_label("Beside it").select_option(FIRST)
    expect(look.panel.locator(".outcome:visible .value")).to_have_text(["5", "18"])
    assert look.page.evaluate("choices") == [
        {"checkpoint": SECOND, "device": "cpu", "beside": None, "follow": True},
        {"checkpoint": SECOND, "device": "cpu", "beside": FIRST, "follow": True},
    ]
    # The page repeats what it was told a while ago, which changes nothing; then it has its own.
    look.page.evaluate("watch.update({...watchData})")
    expect(look.panel.get_by_label("Model")).to_have_value(SECOND)
    look.page.evaluate(
        "([key]) => watch.update({...watchData, choice: {...watchData.choice, checkpoint: key,"
        " follow: false}})",
        [FIRST],
    )
    expect(look.panel.get_by_label("Model")).to_have_value(FIRST)
    expect(look.panel.get_by_label("Again after every change")).not_to_be_checked()


def test_people_stand_beside_the_model(open_watch: OpenWatch) -> None:
    """Where people looked is the other pane's heat, with its own values."""
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+"
        "Av4N70a4AAAAAElFTkSuQmCC"
    )
    heat = {"src": pixel, "opacity": 0.6, "title": "Time on screen", "unit": "s", "max": 40}
    people = {"title": "Where people looked", "heat": heat, "answers": 12, "dwell": "none"}
    look = open_watch(more={"people": people})
    look.page.route(
        "**/dwell/**", lambda route: route.fulfill(json={"similarity": 0.41, "correlation": 0.3})
    )
    look.predict()
    look.panel.get_by_label("Beside it").select_option("people")
    expect(look.page.locator(".pane .title")).to_have_text([f"{FIRST}: 18", "Where people looked"])
    look.show_value_at(1550, 1150, "40 s", 1)
    look.show_value_at(1550, 1150, "0", 0)


def test_leaving_cancels_what_runs(open_watch: OpenWatch) -> None:
    """Nothing is computed for a page that is gone, and nothing is left over the image."""
    look = open_watch()
    look.predict()
    look.models.held.add(None)
    look.page.get_by_role("button", name="Predict").click()
    wait_until(lambda: len(look.models.asked) == 2, "The second request did not begin.")
    look.page.evaluate("watch.destroy()")
    wait_until(lambda: look.models.cancelled, "The model still runs.")
    assert look.page.evaluate("channel.looks") is None
    expect(look.page.locator(".heat-bar")).to_be_hidden()


def test_phone_has_room_and_targets(open_watch: OpenWatch) -> None:
    """At 390 px nothing is cut off, fingers hit every control, the viewer has half the height."""
    look = open_watch(
        {"viewport": {"width": PHONE[0], "height": PHONE[1]}, "has_touch": True, "is_mobile": True},
        beside=SECOND,
    )
    rounds = [attention_map(WEIGHTS)]
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), rounds=rounds)
    look.predict()
    expect(look.panel.locator(".places button").first).to_be_visible()
    assert look.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    viewer = look.page.locator(".umnist-viewer").bounding_box()
    assert viewer is not None
    assert viewer["height"] >= 0.5 * PHONE[1]
    for control in look.panel.locator("button:visible, select:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40, control.inner_text()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
