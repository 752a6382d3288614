"""Whoever follows a shop hears of each event once and in order, whatever gets lost on the way."""

import asyncio
import gc

import pytest

from core.bus import Nudge
from core.database import Database
from core.errors import Overloaded
from resolvers import feeds as feeds_module
from resolvers import outbox_reading
from resolvers.feeds import Feed, Feeds
from tests import factories
from tests.resolvers.feeding import (
    TIMEOUT_SECONDS,
    Heard,
    announce,
    forget,
    gated,
    number,
    relay,
    set_back,
    settled,
    stored,
)

SECONDS = (feeds_module.LOOK_SECONDS, feeds_module.POLL_SECONDS)
"""As they are, before a test changes them."""


async def test_a_feed_begins_where_the_shop_is(database, feeds, shop):
    await announce(database, shop, 3)
    last = await number(database, shop)
    feed = await feeds.follow(shop.id)
    assert (feed.position, feed.oldest, feed.shop_id) == (last, 1, shop.id)


async def test_all_subscribers_hear_the_same_events_of_one_reading(database, bus, feeds, feed, shop):
    subscribers = [Heard() for _ in range(50)]
    for subscriber in subscribers:
        feed.subscribe(subscriber)
    before, reads = feed.position, feeds.statistics.reads
    last = await relay(database, bus, shop, 3)
    for subscriber in subscribers:
        await subscriber.reaches(last)
        assert subscriber.ids == await stored(database, shop, before)
    assert (feeds.statistics.reads, feeds.statistics.handed_out) == (reads + 1, 3)
    assert feed.position == last


async def test_an_event_says_what_has_happened(database, bus, feed, shop):
    heard = Heard()
    feed.subscribe(heard)
    await announce(
        database, shop, 1, type="stock.changed", aggregate="variant", payload={"after": 3}, actor="staff:ada"
    )
    await heard.reaches(await relay(database, bus, shop))
    [event] = heard.events
    assert (event.type, event.aggregate, event.payload, event.actor) == (
        "stock.changed",
        "variant",
        {"after": 3},
        "staff:ada",
    )
    assert event.created_at.tzinfo is not None


async def test_what_was_changed_by_the_application_is_heard(database, bus, feed, shop):
    heard = Heard()
    feed.subscribe(heard)
    row = await factories.category(database, shop)
    await heard.reaches(await relay(database, bus, shop))
    assert [(event.type, event.aggregate_id) for event in heard.events] == [("category.created", row.id)]


async def test_many_events_come_in_pages(database, bus, feed, shop, monkeypatch):
    monkeypatch.setattr(feeds_module, "PAGE_EVENTS", 10)
    heard, before = Heard(), feed.position
    feed.subscribe(heard)
    await heard.reaches(await relay(database, bus, shop, 25))
    assert heard.pages == [10, 10, 5]
    assert heard.ids == await stored(database, shop, before)


async def test_a_page_has_500_events():
    assert feeds_module.PAGE_EVENTS == 500


async def test_a_shop_hears_nothing_of_another(database, bus, feeds, feed, shop):
    foreign = await factories.shop(database)
    foreign_feed, foreign_heard, heard = await feeds.follow(foreign.id), Heard(), Heard()
    foreign_feed.subscribe(foreign_heard)
    feed.subscribe(heard)
    await foreign_heard.reaches(await relay(database, bus, foreign, 2))
    await heard.reaches(await relay(database, bus, shop, 1))
    assert len(heard.events) == 1


async def test_a_nudge_of_what_is_known_reads_nothing(bus, feeds, feed, shop):
    reads = feeds.statistics.reads
    await bus.publish([Nudge(shop.id, feed.position), Nudge(shop.id, 1)])
    await settled(feed)
    assert feeds.statistics.reads == reads


async def test_a_nudge_of_what_there_is_not_reads_once(bus, feeds, feed, shop):
    reads, position = feeds.statistics.reads, feed.position
    await bus.publish([Nudge(shop.id, 2**70)])
    await settled(feed)
    assert (feeds.statistics.reads, feed.position) == (reads + 1, position)


async def test_a_subscriber_that_fails_does_not_keep_others_from_hearing(database, bus, feed, shop):
    troubles, heard = [], Heard()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, trouble: troubles.append(trouble["exception"]))
    feed.subscribe(lambda events: events.no_such_thing)
    feed.subscribe(heard)
    await heard.reaches(await relay(database, bus, shop, 1))
    await heard.reaches(await relay(database, bus, shop, 1))
    loop.set_exception_handler(None)
    assert [type(trouble) for trouble in troubles] == [AttributeError, AttributeError]


async def test_who_joins_or_ends_while_others_hear_is_neither_behind_nor_told(database, bus, feed, shop):
    joined, ended, last_of_all = Heard(), Heard(), Heard()
    positions = []

    def turn(_):
        if not positions:
            positions.append(feed.position)
            feed.subscribe(joined)
            end()

    feed.subscribe(turn)
    end = feed.subscribe(ended)
    feed.subscribe(last_of_all)
    first = await relay(database, bus, shop, 2)
    await last_of_all.reaches(first)
    assert (positions, joined.events, ended.events) == ([first], [], [])
    last = await relay(database, bus, shop, 2)
    await joined.reaches(last)
    assert joined.ids == await stored(database, shop, first)
    end()
    assert ended.events == []


async def join(feeds, shop):
    """Follow and subscribe in one step; return what was heard, and after which position."""
    feed, heard = await feeds.follow(shop.id), Heard()
    position = feed.position
    feed.subscribe(heard)
    return feed, heard, position


async def relay_on(database, bus, shop):
    for each in range(60):
        await relay(database, bus, shop, each % 5 + 1)


async def test_joiners_miss_nothing_while_events_are_relayed(database, bus, feeds, shop):
    joined = []
    relaying = asyncio.create_task(relay_on(database, bus, shop))
    while not relaying.done():
        if len(joined) == 25:
            # All leave, so that the next ones find no feed.
            for feed, _, _ in joined:
                feeds.leave(feed)
            joined.clear()
        joined += await asyncio.gather(*(join(feeds, shop) for _ in range(5)))
    last = await relay(database, bus, shop, 1)
    for _, heard, position in joined:
        await heard.reaches(last)
        assert heard.ids == await stored(database, shop, position)


async def test_who_leaves_last_leaves_nothing(bus, feeds, shop):
    for _ in range(1_000):
        feed = await feeds.follow(shop.id)
        feed.subscribe(Heard())
        feeds.leave(feed)
    await asyncio.wait([feed._reading])
    del feed
    assert (len(feeds), len(bus._listeners), feeds.subscribers, feeds._looking) == (0, 0, 0, None)
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, Feed | Heard)] == []
    assert [task for task in asyncio.all_tasks() if "Feed" in repr(task)] == []


async def test_what_is_closed_is_over_for_all_who_follow(database, bus, feeds, feed, shop):
    other, heard = await factories.shop(database), Heard()
    await feeds.follow(shop.id)
    await feeds.follow(other.id)
    feed.subscribe(heard)
    feeds.close()
    await relay(database, bus, shop, 1)
    feeds.leave(feed)
    assert (len(feeds), len(bus._listeners), feeds._looking, heard.events) == (0, 0, None, [])


async def test_a_feed_lasts_until_all_have_left(database, bus, feeds, feed, shop):
    assert await feeds.follow(shop.id) is feed
    feeds.leave(feed)
    heard = Heard()
    feed.subscribe(heard)
    await heard.reaches(await relay(database, bus, shop, 1))
    assert (len(feeds), feeds.subscribers) == (1, 1)


async def test_many_who_follow_at_once_share_one_reading(feeds, shop):
    found = await asyncio.gather(*(feeds.follow(shop.id) for _ in range(100)))
    assert len(set(map(id, found))) == 1
    await settled(found[0])
    # One for the position, one more since listening began, and one where that took until the next look.
    assert feeds.statistics.reads in {2, 3}


async def test_who_gives_up_following_leaves_nothing(feeds, shop):
    tasks = [asyncio.create_task(feeds.follow(shop.id)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (len(feeds), feeds._looking) == (0, None)


async def test_a_nudge_that_is_lost_is_made_up_for(database, feeds, shop, monkeypatch):
    monkeypatch.setattr(feeds_module, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(feeds_module, "LOOK_SECONDS", 0.05)
    await number(database, shop)
    feed, heard = await feeds.follow(shop.id), Heard()
    feed.subscribe(heard)
    await announce(database, shop, 2)
    await heard.reaches(await number(database, shop))
    assert (len(heard.events), feeds.statistics.polls) == (2, 0)


def test_lost_nudges_are_noticed_within_five_seconds():
    assert SECONDS == (5, 0.25)


async def test_what_expires_is_noticed(postgres, feed, shop):
    await forget(postgres, shop, 1)
    feed.look()
    await settled(feed)
    assert feed.oldest == 2


async def test_after_a_database_was_restored_new_events_are_heard(postgres, database, bus, feed, shop):
    heard = Heard()
    last = await relay(database, bus, shop, 5)
    await settled(feed)
    assert feed.position == last
    await set_back(postgres, shop, last - 4)
    feed.subscribe(heard)
    feed.look()
    await settled(feed)
    await relay(database, bus, shop, 2)
    await heard.reaches(last - 2)
    assert heard.sequences == [last - 3, last - 2]


@pytest.fixture
async def gate(postgres):
    async with gated(postgres.app_url) as made:
        yield made


@pytest.fixture
async def far_feeds(gate, bus, monkeypatch):
    """Feeds that read through a gate, with what they report."""
    monkeypatch.setattr(outbox_reading, "SHORTEST_PAUSE_SECONDS", 0.02)
    reports = []
    far = await Database.connect(gate.url, acquire_timeout_seconds=1)
    made = Feeds(far, bus, report=reports.append)
    yield made, reports
    made.close()
    await far.close()


async def test_however_many_nudges_come_while_it_reads_it_reads_once_more(database, gate, far_feeds, bus, shop):
    feeds, _ = far_feeds
    feed, heard = await feeds.follow(shop.id), Heard()
    # Once, so that its statements are prepared.
    await relay(database, bus, shop, 1)
    await settled(feed)
    feed.subscribe(heard)
    before, reads = feed.position, feeds.statistics.reads
    gate.hold()
    await relay(database, bus, shop, 1)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await gate.is_held.wait()
    for _ in range(20):
        last = await relay(database, bus, shop, 1)
        feed.look()
    assert feeds.statistics.reads == reads + 1
    gate.is_open.set()
    await heard.reaches(last)
    await settled(feed)
    assert heard.pages == [1, 20]
    assert heard.ids == await stored(database, shop, before)
    assert feeds.statistics.reads == reads + 2


async def test_a_database_that_is_away_is_waited_for_and_nobody_hears_of_it(database, gate, far_feeds, bus, shop):
    feeds, reports = far_feeds
    await number(database, shop)
    feed, heard = await feeds.follow(shop.id), Heard()
    feed.subscribe(heard)
    await settled(feed)
    before = feed.position
    gate.cut()
    last = await relay(database, bus, shop, 3)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await gate.is_refused.wait()
        gate.is_refused.clear()
        await gate.is_refused.wait()
    assert heard.events == []
    last = await relay(database, bus, shop, 3)
    gate.mend()
    await heard.reaches(last)
    assert heard.ids == await stored(database, shop, before)
    assert [type(report) for report in reports] == [Overloaded, type(None)]
    assert feeds.statistics.failures >= 2


async def test_a_database_that_hangs_holds_nobody_for_ever(database, gate, far_feeds, bus, shop):
    feeds, reports = far_feeds
    await number(database, shop)
    feed, heard = await feeds.follow(shop.id), Heard()
    feed.subscribe(heard)
    await settled(feed)
    before, told = feed.position, asyncio.Event()
    feeds._reader._report = lambda error: (reports.append(error), told.set())
    gate.hold()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(outbox_reading, "STATEMENT_SECONDS", 0.1)
        last = await relay(database, bus, shop, 2)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await told.wait()
    gate.is_open.set()
    await heard.reaches(last)
    assert heard.ids == await stored(database, shop, before)
    assert [type(report) for report in reports] == [Overloaded, type(None)]


async def test_who_follows_while_the_database_is_away_is_told_and_leaves_nothing(gate, far_feeds, bus, shop):
    feeds, _ = far_feeds
    gate.cut()
    outcomes = await asyncio.gather(*(feeds.follow(shop.id) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Overloaded] * 3
    assert (len(feeds), len(bus._listeners)) == (0, 0)
    gate.mend()
    assert (await feeds.follow(shop.id)).shop_id == shop.id
