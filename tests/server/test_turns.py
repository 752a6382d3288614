"""Whoever has something to tell has his turn, whenever he comes."""

import asyncio
from typing import Any, cast

import pytest

from server.live import listening
from server.live.listening import Turns
from server.live.shared import Shared


class Teller:
    """Tells once, and does something at the end of its turn."""

    def __init__(self, then: Any = None) -> None:
        self.is_queued = self.has_work = False
        self.told = asyncio.Event()
        self._then = then

    async def turn(self) -> None:
        self.told.set()
        if self._then is not None:
            self._then()


async def test_who_comes_in_the_moment_in_which_the_last_turn_ends_has_his_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "AT_ONCE", 1)
    turns, late = Turns(), Teller()

    def add(teller: Teller) -> None:
        turns.add(cast("Shared", teller))

    # The task that gives turns has ended by then, and nobody has been told so yet.
    add(Teller(then=lambda: asyncio.get_running_loop().call_soon(add, late)))
    async with asyncio.timeout(20):
        await late.told.wait()
    await turns.close()
