"""Messages that are kept for a moment, and not for longer."""

import asyncio
from collections.abc import Sequence

import pytest

from server.live import payloads
from server.live.payloads import Made, Payload, Payloads


class Timer:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def make(places: Sequence[int]) -> Sequence[Made]:
    return [(Payload(each, b"{}", 1),) for each in places]


async def test_what_is_too_old_goes_when_something_new_comes() -> None:
    timer = Timer()
    kept = Payloads(timer)
    await kept.get(["a"], make)
    timer.now = payloads.LIFETIME_SECONDS
    await kept.get(["b"], make)
    assert len(kept) == 1
    assert (await kept.get(["b"], make))[1] == [True]
    assert (await kept.get(["a", "b"], make))[1] == [False, True]
    await kept.close()


async def test_what_is_too_old_goes_though_nothing_new_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "LIFETIME_SECONDS", 0.01)
    kept = Payloads()
    await kept.get(["a"], make)
    async with asyncio.timeout(5):
        while len(kept):  # noqa: ASYNC110  (nobody tells when something is dropped)
            await asyncio.sleep(0.005)
    await kept.close()
