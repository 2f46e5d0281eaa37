"""What is recorded with an answer: its clocks, the trace, and where it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESK, TestServer, wait_until
from tests.browser.label_page import SIDE_PX, Annotator, LabelLab
from umnist_core.server.assets import static_version

OpenStudy = Callable[..., LabelLab]

PLACE = "(x, isAtRest = true) => ({ view: { x, y: 5, zoom: 0.5 }, size: SIZE, isAtRest })"


@pytest.fixture(scope="module")
def modules(browser: Browser, running_server: TestServer) -> Iterator[Callable[[str], Any]]:
    """Yield a function that runs JavaScript with the page's modules in scope."""
    context = browser.new_context()
    page = context.new_page()
    base = f"{running_server.origin}/umnist/{static_version()}/label"
    page.goto(f"{base}/base.css")  # anything of the same origin

    def run(script: str) -> Any:
        names = ("clock", "trace", "attempt", "entry", "state")
        imports = "".join(f"const {n} = await import('{base}/{n}.js');" for n in names)
        given = f"const SIZE = {{ width: 800, height: 600 }}; const place = {PLACE};"
        return page.evaluate(f"async () => {{ {imports} {given} {script} }}")

    yield run
    context.close()


def test_clock_divides_all_time_into_active_idle_and_hidden(
    modules: Callable[[str], Any],
) -> None:
    """Active until 10 s after the last input, hidden whatever the input; the sum is all of it."""
    spent = modules("""
        const one = new clock.ResponseClock(1000, false);
        one.touch(4000);              // 3 s active
        one.setHidden(true, 20_000);  // 10 s active, 6 s idle
        one.touch(22_000);
        one.setHidden(false, 25_000); // 5 s hidden
        return [one.read(40_000), one.read(40_000)]; // active to 32 s, 8 s idle
    """)
    expected = {"active_ms": 20_000, "idle_ms": 14_000, "hidden_ms": 5000}
    assert spent == [expected, expected]
    assert sum(expected.values()) == 40_000 - 1000


def test_clock_never_runs_backwards(modules: Callable[[str], Any]) -> None:
    """An event whose time lies before what was read adds nothing and takes nothing."""
    assert modules("""
        const one = new clock.ResponseClock(0, false);
        one.read(5000);
        one.touch(4000);
        return one.read(5000);
    """) == {"active_ms": 5000, "idle_ms": 0, "hidden_ms": 0}


def test_trace_takes_five_samples_a_second_and_every_rest(modules: Callable[[str], Any]) -> None:
    """Of a movement one each 200 ms, where it ends at once, and nothing that is no change."""
    samples = modules("""
        const one = new trace.Trace(place(0), true);
        for (let t = 10; t <= 1000; t += 10) one.move(place(t, false), t);
        one.move(place(1005), 1005);
        one.move(place(1005), 5000);
        one.setVisible(false, 6000);
        return one.part(7000);
    """)
    assert [sample["t"] for sample in samples["samples"]] == [
        *(0, 200, 400, 600, 800, 1000),
        *(1005, 6000),
    ]
    assert [sample["visible"] for sample in samples["samples"][-2:]] == [True, False]
    assert samples["end_ms"] == 7000
    assert "thinned" not in samples


def test_long_trace_is_thinned_and_says_so(modules: Callable[[str], Any]) -> None:
    """At most 4,000 samples, in order, over the whole time, with every change of visibility."""
    response = modules("""
        let now = 0;
        const one = new attempt.Attempt("a", null, () => now);
        one.drawn(place(0));
        for (now = 200; now <= 2_000_000; now += 200) {
            if (now === 300_200) one.setCovered(true);
            if (now === 300_400) one.setCovered(false);
            one.move(place(now));
        }
        return one.submission("key", {}).response;
    """)
    (part,) = response["parts"]
    times = [sample["t"] for sample in part["samples"]]
    assert 1000 < len(times) <= 4000
    assert times == sorted(times)
    assert (times[0], times[-1], part["thinned"]) == (0, 2_000_000, True)
    assert {sample["t"] for sample in part["samples"] if not sample["visible"]} >= {300_200}


def test_parts_add_up_across_reloads(modules: Callable[[str], Any]) -> None:
    """What lies between two loads is not counted, and each part begins at its own zero."""
    response = modules("""
        let now = 0;
        const first = new attempt.Attempt("a", null, () => now);
        now = 300;
        first.drawn(place(1));
        now = 5300;
        first.entered = { answer: 7, edits: 1, confidence: null, digits: null };
        const kept = JSON.parse(JSON.stringify(first.draft()));
        now = 90_000;
        const second = new attempt.Attempt("a", kept, () => now);
        now = 90_250;
        second.drawn(place(2));
        second.setHidden(true);
        now = 92_250;
        return second.submission("key", {});
    """)
    record = response["response"]
    assert (response["answer"], record["edits"]) == (7, 1)
    assert [part["end_ms"] for part in record["parts"]] == [5000, 2000]
    assert [part["samples"][0]["t"] for part in record["parts"]] == [0, 0]
    assert record["response_ms"] == 7000
    assert (record["active_ms"], record["idle_ms"], record["hidden_ms"]) == (5000, 0, 2000)
    assert record["first_drawn_ms"] == 250


@pytest.mark.parametrize(
    ("steps", "edits"),
    [
        ("type('2'); one.type('7')", 0),
        ("choose(5); one.choose(5)", 0),
        ("choose(5); one.choose(6)", 1),
        ("type('2'); one.clear(); one.type('3')", 1),
        ("choose(5); one.type('2'); one.type('7')", 1),
        ("type('3'); one.type('1')", 0),
    ],
)
def test_edits_count_what_was_cleared_or_replaced(
    modules: Callable[[str], Any], steps: str, edits: int
) -> None:
    """Going on from 2 to 27 is no edit, nor is a figure that is refused."""
    assert (
        modules(f"const one = new entry.NumberEntry(0, 27); one.{steps}; return one.edits") == edits
    )


def test_record_of_an_answer_says_what_was_done(open_study: OpenStudy) -> None:
    """Whole view first, then what was zoomed to; a part for each load; the pause hidden."""
    lab = open_study(practice=0)
    person = lab.person(color_scheme="dark")
    person.come_to_trials()
    page = person.page
    page.keyboard.press("+")
    page.keyboard.press("+")
    wait_for_rest(page)
    page.keyboard.press("p")
    page.wait_for_timeout(1500)
    page.keyboard.press("Enter")
    page.locator("dialog").wait_for(state="detached")
    person.type("14")
    page.reload()
    person.wait_for_image(1)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    person.wait_for_image(2)
    (body,) = lab.trouble.answers()
    record = body["response"]
    first, second = record["parts"]
    pane = page.locator(".umnist-viewer .pane").bounding_box()
    assert pane is not None
    whole = first["samples"][0]
    assert (whole["t"], whole["x"], whole["y"]) == (0, SIDE_PX / 2, SIDE_PX / 2)
    assert (whole["w"], whole["h"]) == (pane["width"], pane["height"])
    assert whole["zoom"] * SIDE_PX == pytest.approx(pane["height"] - 20, abs=0.5)
    zoomed = next(one for one in reversed(first["samples"]) if one["visible"])
    assert zoomed["zoom"] == 1
    hidden = next(one for one in first["samples"] if not one["visible"])
    again = next(one for one in first["samples"] if one["visible"] and one["t"] > hidden["t"])
    assert again["t"] - hidden["t"] >= 1500, "The pause."
    assert record["hidden_ms"] >= 1500
    parts_ms = record["active_ms"] + record["idle_ms"] + record["hidden_ms"]
    assert record["response_ms"] == pytest.approx(parts_ms, abs=0.2)
    assert record["response_ms"] == pytest.approx(first["end_ms"] + second["end_ms"], abs=1)
    assert second["end_ms"] >= 300
    assert record["first_drawn_ms"] > 0
    assert record["queued_ms"] == 0
    device = {"window": list(DESK), "theme": "dark", "touch": False, "drawer": "canvas"}
    assert record["device"].items() >= device.items()


def test_hidden_tab_is_counted_as_hidden(open_study: OpenStudy) -> None:
    """The browser's own word for it, by a page that says so."""
    hide = (
        "let hidden = false;"
        "Object.defineProperty(document, 'visibilityState',"
        " { get: () => hidden ? 'hidden' : 'visible' });"
        "window.hide = (value) => { hidden = value;"
        " document.dispatchEvent(new Event('visibilitychange')); };"
    )
    lab = open_study(practice=0)
    person = lab.person(before=hide)
    person.come_to_trials()
    person.page.evaluate("hide(true)")
    person.page.wait_for_timeout(1200)
    person.page.evaluate("hide(false)")
    person.answer(7)
    person.wait_for_image(2)
    record = lab.trouble.answers()[0]["response"]
    assert 1200 <= record["hidden_ms"] < record["response_ms"]
    shown = [sample["visible"] for sample in record["parts"][0]["samples"]]
    assert shown == [True, False, True]


def test_clock_starts_when_the_image_is_drawn_and_not_before(open_study: OpenStudy) -> None:
    """The time that slow tiles take is in `first_drawn_ms` and not in `response_ms`."""
    lab = open_study(practice=0)
    lab.trouble.delays_s[".png"] = 0.8
    person = lab.person()
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin")
    person.page.locator(".pad").wait_for()
    person.answer(7)
    person.page.locator(".hint", has_text="The image is still loading.").wait_for()
    person.wait_for_image(1)
    lab.trouble.delays_s.clear()
    person.page.keyboard.press("Enter")
    person.wait_for_image(2)
    record = lab.trouble.answers()[0]["response"]
    assert record["first_drawn_ms"] >= 800
    assert record["parts"][0]["samples"][0]["t"] == 0


def test_next_image_is_fetched_while_the_present_one_is_worked_on(open_study: OpenStudy) -> None:
    """All that its first view needs, so that it is there at once when its turn comes."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    page = person.page
    # The first view of 2,048 px in some 850 is drawn from the level of 1,024.
    wait_until(lambda: coarse(person) == {1: 4, 2: 4}, f"Found {coarse(person)}.")
    person.answer(7)
    person.wait_for_image(2)
    sources = "performance.getEntriesByType('resource').filter((e) => e.name.includes('/10/'))"
    again = page.evaluate(f"{sources}.slice(8).map((e) => e.transferSize)")
    assert set(again[:4]) <= {0}, "It comes from the browser's cache."


def coarse(person: Annotator) -> dict[int, int]:
    """Return how many tiles of level 10 were fetched of the first image, the second ..."""
    names = person.page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    images: dict[str, set[str]] = {}
    for name in names:
        if "/10/" in name:
            images.setdefault(name.split("_files")[0], set()).add(name)
    return {number: len(tiles) for number, tiles in enumerate(images.values(), 1)}


def wait_for_rest(page: Page) -> None:
    """Wait until a movement of the image has ended."""
    page.wait_for_timeout(900)
