"""A widget's channel: what is asked last comes first, what is given up does not, none too long."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from tests.browser.conftest import wait_until
from umnist_core.notebook import channel
from umnist_core.notebook.answers import Answer, Answers, Ask
from umnist_core.notebook.channel import MESSAGE_MAX_BYTES, Channel, messages_of
from umnist_core.server.tiles import DearError


class ToldAnswers(Answers):
    """Answers with the address, when it is let; what is dear says so; tells what was begun."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = threading.Semaphore(0)
        self.begun: list[str] = []
        self.started: list[Future[Answer]] = []

    def start(self, ask: Ask) -> Future[Answer]:
        """Begin what never ends by itself."""
        self.started.append(Future())
        return self.started[-1]

    def answer(self, ask: Ask, *, may_be_dear: bool) -> Answer:
        """Answer with the path."""
        if "dear" in ask.path and not may_be_dear:
            raise DearError
        self.begun.append(ask.path)
        self.may_go.acquire()
        return Answer(200, "text/plain", ask.path.encode())


class Talk:
    """A channel and what came out of it."""

    def __init__(self) -> None:
        self.answers = ToldAnswers()
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self.channel = Channel(
            self.answers, lambda told, parts: self.messages.append((told, parts))
        )

    def ask(self, *paths: str, first: int = 0, drops: tuple[int, ...] = ()) -> None:
        """Ask for addresses, and give up numbers."""
        asks = [{"n": first + place, "address": path} for place, path in enumerate(paths)]
        self.channel.take({"kind": "asks", "view": "v", "asks": asks, "drops": list(drops)})

    @property
    def bodies(self) -> list[str]:
        """What was answered, in the order in which it came."""
        return [part.decode() for _, parts in self.messages for part in parts]


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Return a channel with one thread."""
    monkeypatch.setattr(channel, "IDLE_S", 0.1)
    found = Talk()
    found.channel._quick.threads = 1
    return found


def test_the_newest_batch_is_answered_first(talk: Talk) -> None:
    """In a batch the first goes first, as the viewer wants it."""
    talk.ask("/first")
    wait_until(lambda: talk.answers.begun == ["/first"], "Nothing was begun.")
    talk.ask("/old-1", "/old-2", first=1)
    talk.ask("/new-1", "/new-2", first=3)
    talk.answers.may_go.release(5)
    wait_until(lambda: len(talk.bodies) == 5, "Not all was answered.")
    assert talk.answers.begun == ["/first", "/new-1", "/new-2", "/old-1", "/old-2"]


def test_what_was_given_up_is_neither_made_nor_sent(talk: Talk) -> None:
    """Neither what waits nor what is being made; and a wait for a model is ended."""
    talk.ask("/first", "/inference/jobs/1")
    wait_until(lambda: talk.answers.begun == ["/first"], "Nothing was begun.")
    talk.ask("/second", "/third", first=2, drops=(0, 1))
    talk.ask(drops=(2,))
    talk.answers.may_go.release(3)
    wait_until(lambda: talk.bodies == ["/third"], "The third was not answered alone.")
    assert talk.answers.begun == ["/first", "/third"]
    assert talk.answers.started[0].cancelled()


def test_what_takes_long_keeps_nobody_waiting(talk: Talk) -> None:
    """A dear image is drawn beside, and that it is being worked on is said meanwhile."""
    talk.ask("/dear")
    wait_until(lambda: talk.answers.begun == ["/dear"], "Nothing was begun.")
    talk.ask("/quick", first=1)
    wait_until(lambda: "/quick" in talk.answers.begun, "The dear image is in the way.")
    told = {"kind": "working", "keys": [("v", 0), ("v", 1)]}
    wait_until(lambda: (told, []) in talk.messages, "Nothing is said of the work.")
    talk.answers.may_go.release(2)
    wait_until(lambda: sorted(talk.bodies) == ["/dear", "/quick"], "Not all was answered.")


def test_a_closed_channel_sends_nothing(talk: Talk) -> None:
    """What was under way is dropped, and what is asked afterwards is not begun."""
    talk.ask("/first")
    wait_until(lambda: talk.answers.begun == ["/first"], "Nothing was begun.")
    talk.channel.close()
    talk.ask("/second", first=1)
    talk.answers.may_go.release(2)
    wait_until(lambda: talk.channel._quick.running == 0, "A thread is left.")
    assert (talk.bodies, talk.answers.begun) == ([], ["/first"])


def test_messages_are_bounded_and_nothing_is_lost() -> None:
    """Many answers share a message; one that is too long goes out in parts, in order."""
    long = bytes(range(256)) * (MESSAGE_MAX_BYTES // 256) * 2 + b"end"
    bodies = [b"a" * (MESSAGE_MAX_BYTES // 3)] * 4 + [long, b""]
    answered = [(("v", n), Answer(200, "image/png", body)) for n, body in enumerate(bodies)]
    messages = messages_of(answered)
    assert max(sum(map(len, parts)) for _, parts in messages) <= MESSAGE_MAX_BYTES < 10e6
    found: dict[int, bytes] = {}
    for told, parts in messages:
        for one, part in zip(told["answers"], parts, strict=True):
            found[one["n"]] = found.get(one["n"], b"") + part
    assert [found[n] for n in range(len(bodies))] == bodies
    last = {one["n"]: one["rest"] for told, _ in messages for one in told["answers"]}
    assert set(last.values()) == {False}
    assert len(messages) < len(bodies) + 1
