"""Who listens to a shop, and who has its turn to tell what was heard."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

from resolvers.feeds import Event, Feed
from resolvers.live import Topic, subject_of
from server.live.shared import Shared
from server.live.subscription import is_cancelled

AT_ONCE: Final = 8
"""Messages that are made at the same time; more would take the connections that queries need."""


class Turns:
    """Lets those who have something to tell do so, some at a time, each one message after the other."""

    def __init__(self) -> None:
        self._waiting: deque[Shared] = deque()
        self._running: set[asyncio.Task[None]] = set()

    def add(self, shared: Shared) -> None:
        """Let one have its turn when those before had theirs."""
        if shared.is_queued:
            return
        shared.is_queued = True
        self._waiting.append(shared)
        if len(self._running) < AT_ONCE:
            self._running.add(asyncio.get_running_loop().create_task(self._run()))

    async def close(self) -> None:
        """End what is under way."""
        self._waiting.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._serve()
        finally:
            # At once, before anybody can be added: whoever came between the last look and a callback would wait for
            # ever.
            self._running -= {asyncio.current_task()}

    async def _serve(self) -> None:
        while self._waiting:
            shared = self._waiting.popleft()
            try:
                await shared.turn()
            except asyncio.CancelledError as error:
                if is_cancelled():
                    raise
                # Something that it waited for was cancelled, which is no reason to stop telling others.
                shared.break_off(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, others have their turn, and nobody misses one.
                shared.break_off(error)
            if shared.has_work:
                self._waiting.append(shared)
            else:
                shared.is_queued = False


class Listening:
    """All subscriptions of a shop, found by what they are about.

    Args:
        feed: The events of the shop.
        turns: Of the process.

    Attributes:
        heard: The sequence up to which events were handed over.
    """

    def __init__(self, feed: Feed, turns: Turns) -> None:
        self.heard = feed.position
        self._shared: dict[bytes, Shared] = {}
        self._by_subject: dict[tuple[Topic, Hashable], dict[Shared, None]] = {}
        self._turns = turns
        self._end: Callable[[], None] = feed.subscribe(self._hear, on_reset=self._reset)

    def __len__(self) -> int:
        return len(self._shared)

    def find(self, identity: bytes) -> Shared | None:
        """Return those who get the same messages."""
        return self._shared.get(identity)

    def add(self, shared: Shared) -> None:
        """Let some who get the same messages hear."""
        self._shared[shared.execution.identity] = shared
        for key in _keys(shared):
            self._by_subject.setdefault(key, {})[shared] = None

    def remove(self, shared: Shared) -> None:
        """Let them hear no more."""
        del self._shared[shared.execution.identity]
        for key in _keys(shared):
            others = self._by_subject[key]
            del others[shared]
            if not others:
                del self._by_subject[key]

    def close(self) -> None:
        """Listen no more."""
        self._end()

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            for topic in Topic:
                subject = subject_of(topic, event)
                if subject is not None:
                    self._hand_over(event, self._by_subject.get((topic, subject), ()))
                    self._hand_over(event, self._by_subject.get((topic, None), ()))
        self.heard = events[-1].sequence

    def _hand_over(self, event: Event, interested: Iterable[Shared]) -> None:
        for shared in tuple(interested):
            try:
                is_wanted = shared.execution.source.wants(event)
            except Exception as error:  # noqa: BLE001 - the others want to hear too.
                shared.break_off(error)
                continue
            if is_wanted:
                shared.push(event)
                self._turns.add(shared)

    def _reset(self, position: int) -> None:
        """Begin again behind a sequence, since what comes next does not follow what was heard."""
        self.heard = position
        for shared in tuple(self._shared.values()):
            shared.reset(position)


def _keys(shared: Shared) -> list[tuple[Topic, Hashable]]:
    source = shared.execution.source
    return [(source.topic, each) for each in (source.subjects if source.subjects is not None else (None,))]
