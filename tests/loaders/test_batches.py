"""Reads of a relation: made once, together, and each waiter for itself."""

import asyncio

import pytest

from loaders.batches import Batch


class Reads:
    """A source of results that remembers what it was asked, and can be held up or broken."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.failing: set[int] = set()

    async def __call__(self, keys: list[int]) -> list[str]:
        self.asked.append(list(keys))
        self.begun.set()
        await self.gate.wait()
        if self.failing & set(keys):
            raise ConnectionError("lost")
        return [f"row {key}" for key in keys]


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def batch(reads) -> Batch:
    return Batch(reads, absent="nothing")


@pytest.mark.parametrize("alone", [True, False])
async def test_a_level_is_one_read_of_each_key_once(batch, reads, alone):
    found = await batch.load_list([2, 1, None, 2], alone=alone)

    assert found == ["row 2", "row 1", "nothing", "row 2"]
    assert reads.asked == [[2, 1]]


@pytest.mark.parametrize("alone", [True, False])
async def test_keys_that_are_all_none_are_not_asked_for(batch, reads, alone):
    assert await batch.load_list([None, None], alone=alone) == ["nothing", "nothing"]
    assert await batch.load_list([], alone=alone) == []
    assert reads.asked == []


async def test_levels_of_one_turn_of_the_loop_are_one_read(batch, reads):
    found = await asyncio.gather(
        batch.load_list([1, 2], alone=False), batch.load_list([2, 3], alone=False), batch.load_list([3], alone=False)
    )

    assert found == [["row 1", "row 2"], ["row 2", "row 3"], ["row 3"]]
    assert reads.asked == [[1, 2, 3]]


async def test_a_level_that_is_alone_is_read_before_anything_else_runs(batch):
    level = batch.load_list([1], alone=True)
    with pytest.raises(StopIteration) as ended:
        level.send(None)

    assert ended.value.value == ["row 1"]


async def test_what_was_read_is_kept_for_levels_and_objects(batch, reads):
    await batch.load_list([1, 2], alone=True)

    assert await batch.load(1) == "row 1"
    assert await batch.load_list([2, 3], alone=False) == ["row 2", "row 3"]
    assert await batch.load_list([3], alone=True) == ["row 3"]
    assert reads.asked == [[1, 2], [3]]


async def test_objects_are_read_together(batch, reads):
    assert await asyncio.gather(batch.load(1), batch.load(2), batch.load(1)) == ["row 1", "row 2", "row 1"]
    assert reads.asked == [[1, 2]]


async def test_a_key_on_its_way_is_waited_for(batch, reads):
    reads.gate.clear()
    first = asyncio.create_task(batch.load_list([1, 2], alone=False))
    await reads.begun.wait()
    second = asyncio.create_task(batch.load_list([2, 3], alone=False))
    third = batch.load(1)
    reads.gate.set()

    assert await first == ["row 1", "row 2"]
    assert await second == ["row 2", "row 3"]
    assert await third == "row 1"
    assert reads.asked == [[1, 2], [3]]


async def test_a_failing_read_fails_its_own_waiters_and_is_made_again(batch, reads):
    reads.failing = {1}
    reads.gate.clear()
    first = asyncio.create_task(batch.load_list([1, 2], alone=False))
    await reads.begun.wait()
    joined = asyncio.create_task(batch.load_list([2], alone=False))
    other = asyncio.create_task(batch.load_list([3], alone=False))
    reads.gate.set()

    outcomes = await asyncio.gather(first, joined, other, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError, list]
    reads.failing = set()
    assert await batch.load_list([1, 2, 3], alone=False) == ["row 1", "row 2", "row 3"]
    assert reads.asked == [[1, 2], [3], [1, 2]]


async def test_a_failing_read_of_objects_is_made_again(batch, reads):
    reads.failing = {1}
    with pytest.raises(ConnectionError):
        await batch.load(1)
    reads.failing = set()

    assert await batch.load(1) == "row 1"


async def test_the_cancellation_of_one_waiter_does_not_reach_the_others(batch, reads):
    reads.gate.clear()
    waiters = [asyncio.create_task(batch.load_list([1], alone=False)) for _ in range(3)]
    await reads.begun.wait()
    waiters[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiters[0]
    reads.gate.set()

    assert await asyncio.gather(*waiters[1:]) == [["row 1"], ["row 1"]]
    assert reads.asked == [[1]]
