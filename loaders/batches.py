"""Reads that several wait for: made once, together, and kept for the operation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiodataloader import DataLoader

Read = Callable[[list[Any]], Awaitable[Sequence[Any]]]
"""Takes keys without repetition; returns one result a key, in their order."""


class Batch:
    """The results of one relation with one scope and one set of arguments, within one operation.

    Results that were read stay; a read that failed is made again when it is asked for again.
    """

    __slots__ = ("_gathered", "_loader", "_on_their_way", "_read", "_results", "_task")

    def __init__(self, read: Read, *, absent: Any) -> None:
        """Describe the reads.

        Args:
            read: Asks the database.
            absent: The result of the key None, for which nothing is asked.
        """
        self._read = read
        self._results: dict[Any, Any] = {None: absent}
        self._on_their_way: dict[Any, asyncio.Task[None]] = {}
        self._gathered: list[Any] = []
        self._task: asyncio.Task[None] | None = None
        self._loader: DataLoader[Any, Any] | None = None

    def load(self, key: Any) -> "asyncio.Future[Any]":
        """Return a future of the result of one key, the same for all who ask for it."""
        if self._loader is None:
            self._loader = DataLoader(self._load_gathered)
        return self._loader.load(key)

    async def load_list(self, keys: Sequence[Any], *, alone: bool) -> list[Any]:
        """Return the results of keys, in their order.

        Args:
            keys: They may repeat.
            alone: Nobody else asks within the operation, so there is nobody to wait for.
        """
        results = self._results
        missing = [key for key in dict.fromkeys(keys) if key not in results]
        if missing and alone:
            results.update(zip(missing, await self._read(missing), strict=True))
        elif missing:
            await self._gather(missing)
        return [results[key] for key in keys]

    async def _load_gathered(self, keys: list[Any]) -> list[Any]:
        return await self.load_list(keys, alone=False)

    async def _gather(self, keys: list[Any]) -> None:
        """Wait for keys, read together with what others ask for within this turn of the event loop."""
        new = [key for key in keys if key not in self._on_their_way]
        if new:
            if self._task is None:
                self._task = asyncio.create_task(self._read_gathered())
            self._gathered += new
            self._on_their_way.update(dict.fromkeys(new, self._task))
        for task in {self._on_their_way[key]: None for key in keys}:
            # One who waits may be cancelled; the others still want the rows.
            await asyncio.shield(task)

    async def _read_gathered(self) -> None:
        # A task begins in the next turn of the event loop: who asks from now on is of another batch.
        keys, self._gathered, self._task = self._gathered, [], None
        try:
            self._results.update(zip(keys, await self._read(keys), strict=True))
        finally:
            for key in keys:
                del self._on_their_way[key]
