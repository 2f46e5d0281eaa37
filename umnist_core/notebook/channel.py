"""A widget's channel as what a viewer loads its tiles through: asks come in, answers go out.

Asks have numbers of their own. The newest batch is answered first, what was given up is not
answered at all, and answers go out together as far as they are ready, in messages under 10 MB.
Drawing is done in threads, so the kernel goes on with what it has to do; what takes long in one
thread waits for nobody else's, as in the app's server. While something is being worked on, that
is said twice a second, so that whoever waits knows a slow image from a busy kernel.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from umnist_core.notebook.answers import Answer, Answers, Ask
from umnist_core.server.tiles import DearError

MESSAGE_MAX_BYTES = 8 * 2**20
"""Under 10 MB, which is what servers of notebooks take; a longer answer goes out in parts."""

WORKING_S = 0.4
"""So often what is being worked on is said."""

IDLE_S = 60.0
"""Threads that had nothing to do for so long end; the next ask starts others."""

Send = Callable[[dict[str, Any], list[bytes]], None]
"""Sends a message with its buffers."""


@dataclass(eq=False)
class _Asked:
    """An ask under way."""

    key: tuple[str, int]
    ask: Ask
    context: contextvars.Context
    is_dropped: bool = False
    future: Future[Answer] | None = None


@dataclass
class _Lane:
    """What waits for some threads: batches, the newest last."""

    threads: int
    batches: list[deque[_Asked]] = field(default_factory=list)
    running: int = 0


class Channel:
    """Answers what comes over one widget's channel; thread-safe.

    Parameters
    ----------
    answers
        What makes the answers.
    send
        Sends a message to the browser; called by one thread at a time.
    """

    def __init__(self, answers: Answers, send: Send) -> None:
        self._answers = answers
        self._send = send
        self._changed = threading.Condition()
        self._open: dict[tuple[str, int], _Asked] = {}
        self._quick = _Lane(max(2, min(4, os.cpu_count() or 1)))
        self._dear = _Lane(1)
        self._ready: deque[tuple[_Asked, Answer]] = deque()
        self._is_sender_running = False
        self._is_closed = False

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a message of the browser's: ``view``, ``asks`` and ``drops``; returns at once."""
        view = str(message.get("view", ""))
        context = contextvars.copy_context()
        batch: deque[_Asked] = deque()
        waiting: list[_Asked] = []
        for one in message.get("asks", ()):
            path, _, query = str(one["address"]).partition("?")
            ask = Ask(str(one.get("method", "GET")), path, query, str(one.get("body", "")))
            asked = _Asked((view, int(one["n"])), ask, context)
            (waiting if self._answers.is_waiting(ask) else batch).append(asked)
        with self._changed:
            if self._is_closed:
                return
            for number in message.get("drops", ()):
                self._drop((view, int(number)))
            for asked in (*batch, *waiting):
                self._open[asked.key] = asked
            if batch:
                self._put(self._quick, batch)
            self._start_sender()
        for asked in waiting:
            self._begin(asked)

    def close(self) -> None:
        """Answer nothing any more."""
        with self._changed:
            self._is_closed = True
            for key in tuple(self._open):
                self._drop(key)
            self._changed.notify_all()

    # -- under the lock ---------------------------------------------------------------

    def _drop(self, key: tuple[str, int]) -> None:
        if (asked := self._open.pop(key, None)) is not None:
            asked.is_dropped = True
            if asked.future is not None:
                asked.future.cancel()

    def _put(self, lane: _Lane, batch: deque[_Asked]) -> None:
        lane.batches.append(batch)
        waiting = sum(map(len, lane.batches))
        while lane.running < min(lane.threads, waiting):
            lane.running += 1
            threading.Thread(target=self._work, args=(lane,), daemon=True).start()
        self._changed.notify_all()

    def _start_sender(self) -> None:
        if not self._is_sender_running and self._open:
            self._is_sender_running = True
            threading.Thread(target=self._send_ready, daemon=True).start()

    def _next(self, lane: _Lane) -> _Asked | None:
        """Return the first ask of the newest batch that nobody has given up."""
        while lane.batches:
            batch = lane.batches[-1]
            while batch:
                asked = batch.popleft()
                if not asked.is_dropped:
                    return asked
            lane.batches.pop()
        return None

    # -- threads ----------------------------------------------------------------------

    def _work(self, lane: _Lane) -> None:
        while True:
            with self._changed:
                asked = self._next(lane)
                is_new = True
                while asked is None and is_new and not self._is_closed:
                    is_new = self._changed.wait(IDLE_S)
                    asked = self._next(lane)
                if asked is None:
                    lane.running -= 1
                    return
            try:
                answer = self._answers.answer(asked.ask, may_be_dear=lane is self._dear)
            except DearError:
                with self._changed:
                    self._put(self._dear, deque([asked]))
                continue
            self._done(asked, answer)

    def _begin(self, asked: _Asked) -> None:
        future = asked.future = self._answers.start(asked.ask)

        def done(ended: Future[Answer]) -> None:
            try:
                answer = ended.result()
            except CancelledError:
                return
            except Exception as error:
                answer = Answer(500, "text/plain; charset=utf-8", str(error).encode())
            self._done(asked, answer)

        future.add_done_callback(done)

    def _done(self, asked: _Asked, answer: Answer) -> None:
        with self._changed:
            self._ready.append((asked, answer))
            self._changed.notify_all()

    def _send_ready(self) -> None:
        """Send what is ready until nothing is open any more."""
        said = time.monotonic()
        while True:
            with self._changed:
                if not self._ready:
                    self._changed.wait(max(said + WORKING_S - time.monotonic(), 0.01))
                batch = self._take_ready()
                keys = list(self._open)
                if not keys and not batch:
                    self._is_sender_running = False
                    return
                waiting = next(iter(self._open.values()), None)
            if batch:
                for message, buffers in messages_of([(one.key, told) for one, told in batch]):
                    batch[0][0].context.copy().run(self._send, message, buffers)
            elif waiting is not None and time.monotonic() - said >= WORKING_S:
                said = time.monotonic()
                waiting.context.copy().run(self._send, {"kind": "working", "keys": keys}, [])

    def _take_ready(self) -> list[tuple[_Asked, Answer]]:
        batch = []
        while self._ready:
            asked, answer = self._ready.popleft()
            if not asked.is_dropped:
                self._open.pop(asked.key, None)
                batch.append((asked, answer))
        return batch


def messages_of(
    answered: Sequence[tuple[tuple[str, int], Answer]],
) -> list[tuple[dict[str, Any], list[bytes]]]:
    """Return answers as messages with buffers, each of at most `MESSAGE_MAX_BYTES`.

    Parameters
    ----------
    answered
        View and number of each ask, and its answer; one that is too long is cut in parts, and
        ``rest`` says whether more of it follows.
    """
    messages: list[tuple[dict[str, Any], list[bytes]]] = []
    room = 0
    for (view, number), answer in answered:
        body = answer.body
        starts = range(0, max(len(body), 1), MESSAGE_MAX_BYTES)
        for start in starts:
            part = body[start : start + MESSAGE_MAX_BYTES]
            if not messages or len(part) > room:
                messages.append(({"kind": "answers", "answers": []}, []))
                room = MESSAGE_MAX_BYTES
            head, buffers = messages[-1]
            told = {"view": view, "n": number, "status": answer.status, "type": answer.media_type}
            head["answers"].append(told | {"rest": start != starts[-1]})
            buffers.append(part)
            room -= len(part)
    return messages
