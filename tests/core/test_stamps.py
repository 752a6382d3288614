"""Stamps: never older than their bound, read once for all, and never one that a write has overtaken."""

import asyncio
import uuid

import pytest

from core import stamps as module
from core.stamps import Stamp, Stamps


class Source:
    """Tells a stamp when it is let."""

    def __init__(self):
        self.value = "1"
        self.seconds = None
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.error = None

    async def __call__(self, _tenant):
        self.calls += 1
        seen = self.value
        self.asked.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return Stamp(seen, self.seconds)


class Timer:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def stamps(source, timer, changes):
    return Stamps(source, bound_seconds=1, on_change=changes.append, timer=timer)


TENANT = uuid.uuid4()


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_stamp_is_read_once_and_known_until_its_bound(stamps, source, timer):
    assert stamps.known(TENANT) is None
    assert await stamps.current(TENANT) == "1"
    timer.now += 0.49
    assert stamps.known(TENANT) == "1"
    assert source.calls == 1
    source.value = "2"
    timer.now += 0.52
    assert stamps.known(TENANT) is None
    assert await stamps.current(TENANT) == "2"


async def test_a_stamp_that_is_used_is_read_again_before_its_bound(stamps, source, timer):
    await stamps.current(TENANT)
    source.value = "2"
    timer.now += 0.6
    assert stamps.known(TENANT) == "1"
    await settled()
    assert stamps.known(TENANT) == "2"
    assert source.calls == 2


async def test_the_bound_counts_from_the_beginning_of_the_reading(stamps, source, timer):
    source.gate.clear()
    reading = asyncio.create_task(stamps.current(TENANT))
    await source.asked.wait()
    timer.now += 0.9
    source.gate.set()
    assert await reading == "1"
    assert stamps.known(TENANT) == "1"
    timer.now += 0.2
    assert stamps.known(TENANT) is None


async def test_who_comes_late_does_not_share_a_reading_that_is_too_old(stamps, source, timer):
    source.gate.clear()
    first = asyncio.create_task(stamps.current(TENANT))
    await source.asked.wait()
    source.value = "2"
    timer.now += 1
    second = asyncio.create_task(stamps.current(TENANT))
    await settled()
    source.gate.set()
    assert (await first, await second) == ("1", "2")
    assert stamps.known(TENANT) == "2"


async def test_who_asks_at_the_same_time_shares_a_reading(stamps, source):
    assert await asyncio.gather(*(stamps.current(TENANT) for _ in range(20))) == ["1"] * 20
    assert source.calls == 1


async def test_without_a_bound_everybody_reads(source, timer):
    stamps = Stamps(source, bound_seconds=0, timer=timer)
    await stamps.current(TENANT)
    source.value = "2"
    assert await stamps.current(TENANT) == "2"


async def test_what_is_forgotten_is_read_again(stamps, source):
    await stamps.current(TENANT)
    source.value = "2"
    stamps.forget(TENANT)
    assert await stamps.current(TENANT) == "2"


async def test_a_reading_that_a_write_overtakes_is_not_believed(stamps, source):
    source.gate.clear()
    before = asyncio.create_task(stamps.current(TENANT))
    await source.asked.wait()
    source.value = "2"
    stamps.forget(TENANT)
    after = asyncio.create_task(stamps.current(TENANT))
    await settled()
    source.gate.set()
    assert (await before, await after) == ("1", "2")
    assert stamps.known(TENANT) == "2"


async def test_time_alone_ends_a_stamp(stamps, source, timer):
    source.seconds = 0.25
    await stamps.current(TENANT)
    timer.now += 0.24
    assert stamps.known(TENANT) == "1"
    timer.now += 0.01
    assert stamps.known(TENANT) is None


async def test_a_change_is_told(stamps, source, timer, changes):
    await stamps.current(TENANT)
    stamps.forget(TENANT)
    await stamps.current(TENANT)
    timer.now += 2
    await stamps.current(TENANT)
    assert len(changes) == 2  # The first time, and once it was forgotten: nobody knows what it was before.
    source.value = "2"
    timer.now += 2
    await stamps.current(TENANT)
    assert len(changes) == 3


async def test_a_failure_is_told_to_those_who_wait_and_is_not_remembered(stamps, source):
    source.error = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        await stamps.current(TENANT)
    source.error = None
    assert await stamps.current(TENANT) == "1"


async def test_a_failure_beside_is_told_to_nobody(stamps, source, timer):
    await stamps.current(TENANT)
    source.error = OSError("gone")
    timer.now += 0.6
    assert stamps.known(TENANT) == "1"
    await settled()
    source.error = None
    timer.now += 0.6
    assert await stamps.current(TENANT) == "1"


async def test_a_caller_who_leaves_does_not_end_the_reading_of_others(stamps, source):
    source.gate.clear()
    leaving, staying = (asyncio.create_task(stamps.current(TENANT)) for _ in range(2))
    await source.asked.wait()
    leaving.cancel()
    await settled()
    source.gate.set()
    assert await staying == "1"


async def test_the_tenants_remembered_are_bounded(stamps, monkeypatch):
    monkeypatch.setattr(module, "TENANTS", 3)
    tenants = [uuid.uuid4() for _ in range(5)]
    for each in tenants:
        await stamps.current(each)
    assert [stamps.known(each) for each in tenants] == [None, None, "1", "1", "1"]
