"""One run of an action for all who ask for the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """Actions that are under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Result]] = {}

    async def run(self, key: Key, action: Callable[[], Awaitable[Result]]) -> Result:
        """Run an action, or wait for the run of the same key that is under way.

        Cancelling one caller leaves the run to the others. A failure is raised to each of them.
        """
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(_awaited(action))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def _land(self, key: Key, done: "asyncio.Task[Result]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            # Marks the failure as seen, or asyncio would log it when every caller has gone away.
            done.exception()


async def _awaited(action: Callable[[], Awaitable[Result]]) -> Result:
    return await action()
