"""Who catches up gets exactly what it missed, and shares the reading with all who catch up too."""

import asyncio

import pytest

from resolvers import past_events
from resolvers.feeds import EventsExpired
from tests.resolvers.feeding import forget, relay, settled, stored


async def test_it_brings_what_is_above_one_and_up_to_the_other(database, bus, feed, shop):
    await relay(database, bus, shop, 10)
    await settled(feed)
    ids = await stored(database, shop, 0)
    for after, until in ((0, feed.position), (3, 7), (4, 5), (5, 5), (7, 3), (2**70, 2**71)):
        found = [event async for page in feed.between(after, until) for event in page]
        assert [event.id for event in found] == ids[after : max(after, until)]
    assert [event.id async for page in feed.between(-1, 2) for event in page] == ids[:2]


async def test_it_brings_pages_of_blocks(database, bus, feed, shop):
    await relay(database, bus, shop, 350)
    await settled(feed)
    pages = [[event.sequence for event in page] async for page in feed.between(50, 320)]
    assert [len(page) for page in pages] == [50, 100, 100, 20]
    assert [sequence for page in pages for sequence in page] == list(range(51, 321))


async def test_many_who_catch_up_at_once_share_the_readings(database, bus, feeds, feed, shop):
    await relay(database, bus, shop, 250)
    await settled(feed)
    reads = feeds.statistics.reads

    async def catch_up(after):
        return [event.sequence async for page in feed.between(after, 210) for event in page]

    found = await asyncio.gather(*(catch_up(after) for after in range(200)))
    assert found == [list(range(after + 1, 211)) for after in range(200)]
    assert feeds.statistics.reads == reads + 3


async def test_a_block_that_has_grown_is_read_again(database, bus, feed, shop):
    for _ in range(3):
        last = await relay(database, bus, shop, 40)
        await settled(feed)
        found = [event.sequence async for page in feed.between(0, last) for event in page]
        assert found == list(range(1, last + 1))


async def test_what_has_not_come_yet_is_not_waited_for(feed):
    found = [event.sequence async for page in feed.between(0, feed.position + 100) for event in page]
    assert found == list(range(1, feed.position + 1))


async def test_what_has_expired_is_told(postgres, database, bus, feed, shop):
    await relay(database, bus, shop, 5)
    await settled(feed)
    await forget(postgres, shop, 3)
    with pytest.raises(EventsExpired, match="after 2 are no longer kept"):
        await anext(feed.between(2, 5))
    assert [event.sequence async for page in feed.between(3, 5) for event in page] == [4, 5]


async def test_of_blocks_few_are_kept_and_not_for_long(database, bus, feed, shop):
    await relay(database, bus, shop, 650)
    await settled(feed)
    assert len([page async for page in feed.between(0, feed.position)]) == 7
    assert len(feed._past._blocks) == past_events.BLOCKS
    feed.look()
    assert len(feed._past._blocks) == 0
