"""Whatever breaks while events are told: those whom it concerns know, and nobody else is kept waiting."""

import asyncio

import pytest

from core.bus import BEGUN
from resolvers.context import Actor, ActorKind, Permission
from resolvers.past_events import PastEvents
from server.entrance import Caller
from server.live import listening, shared
from server.live.execution import Execution
from server.live.hub import Hub
from tests import factories
from tests.api.live.hubs import EVENTS, Collected, living, staff
from tests.api.live.test_hub_resuming import SEQUENCES, numbers
from tests.resolvers.feeding import announce, forget, number, set_back


@pytest.fixture
async def live(database, shop):
    async with living(database, shop) as made:
        await made.relay()
        yield made


@pytest.fixture
async def troubles():
    """What was reported of errors that nobody thought of."""
    found = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context["exception"]))
    yield found
    # Each keeps alive what it came by.
    found.clear()


def failing(real, *errors):
    """Do what is done anyway, but raise the errors first, one a call."""
    left = list(errors)

    async def call(self, *args, **kwargs):
        if left:
            raise left.pop(0)
        return await real(self, *args, **kwargs)

    return call


async def test_a_shop_that_everybody_leaves_keeps_no_other_waiting(live, database, shop, monkeypatch):
    monkeypatch.setattr(listening, "AT_ONCE", 1)
    monkeypatch.setattr(shared, "PENDING_AT_MOST", 2)
    other = await factories.shop(database)
    await number(database, other)
    leaving = await live.subscribe(SEQUENCES, staff())
    staying = await live.subscribe(SEQUENCES, staff(), shop=other)
    past, is_reading = leaving.subscription.feed._past, asyncio.Event()
    read = PastEvents._read

    async def held(self, block):
        if self is past:
            is_reading.set()
            await asyncio.Event().wait()
        return await read(self, block)

    monkeypatch.setattr(PastEvents, "_read", held)
    await announce(database, shop, 6)
    await live.relay()
    async with asyncio.timeout(20):
        await is_reading.wait()
    await announce(database, other, 1)
    first = await live.relay(other)
    leaving.subscription.close()
    await staying.has(1)
    await announce(database, other, 1)
    await live.relay(other)
    await staying.has(2)
    assert staying.sequences == [first, first + 1]


@pytest.mark.parametrize("error", [asyncio.CancelledError, TypeError], ids=["cancelled", "unexpected"])
@pytest.mark.parametrize("is_late", [False, True], ids=["live", "catching up"])
async def test_who_cannot_be_told_knows_and_goes_on(live, monkeypatch, troubles, error, is_late):
    database, shop = live.database, live.shop
    await announce(database, shop, 3)
    last = await live.relay()
    monkeypatch.setattr(Execution, "_executed", failing(Execution._executed, error()))
    heard = await live.subscribe(SEQUENCES, staff(), after=str(last - 1 if is_late else last))
    if not is_late:
        await announce(database, shop, 1)
        await live.relay()
    [failure] = await heard.is_over()
    assert failure.code == "INTERNAL"
    assert len(troubles) == 1
    again = await live.subscribe(SEQUENCES, staff(), after=failure.extensions["sequence"])
    await again.has(1)
    await announce(database, shop, 1)
    await live.relay()
    await again.has(2)
    assert again.sequences == numbers(int(failure.extensions["sequence"]) + 1, again.sequences[-1])


async def test_an_event_that_cannot_be_judged_ends_those_alone_who_judge_it(live, database, shop, troubles):
    judging = await live.subscribe(EVENTS, staff(), types=["PRODUCT_UPDATED"])
    others = [await live.subscribe(SEQUENCES, staff(role)) for role in ("owner", "support")]
    source = judging.subscription.shared.execution.source

    def judge(event):
        raise ValueError(event)

    # There is no event that the API lets anybody make which cannot be judged.
    object.__setattr__(source, "wants", judge)
    await announce(database, shop, 4)
    last = await live.relay()
    for each in others:
        await each.has(4)
        assert each.sequences == numbers(last - 3, last)
    assert [each.code for each in await judging.is_over()] == ["INTERNAL"]
    assert len(troubles) == 1


async def test_rights_that_change_while_a_gap_is_told_lose_no_gap(live, database, shop, postgres):
    await announce(database, shop, 5)
    last = await live.relay()
    await forget(postgres, shop, last)
    caller = Caller(shop, staff())
    fewer = Actor(ActorKind.STAFF, "tester", frozenset({Permission.CATALOGUE_READ}))
    live.door.changes[caller] = Caller(shop, fewer)
    heard = await live.subscribe(SEQUENCES, subscriber=Collected(caller), after="0")
    await heard.has(1)
    await announce(database, shop, 1)
    await live.relay()
    await heard.has(2)
    assert heard.sequences == [last, last + 1]


async def test_who_cannot_be_led_elsewhere_knows(live, database, shop, monkeypatch, troubles):
    caller = Caller(shop, staff())
    fewer = Actor(ActorKind.STAFF, "tester", frozenset({Permission.CATALOGUE_READ}))
    heard = await live.subscribe(SEQUENCES, subscriber=Collected(caller))
    live.door.changes[caller] = Caller(shop, fewer)
    monkeypatch.setattr(Hub, "_open", failing(Hub._open, TypeError("no such thing")))
    await announce(database, shop, 1)
    await live.relay()
    assert [each.code for each in await heard.is_over()] == ["INTERNAL"]
    assert len(troubles) == 1


async def test_nothing_is_left_of_a_subscription_that_cannot_begin(live, monkeypatch):
    feed_count = len(live.feeds)
    monkeypatch.setattr(Hub, "_execution", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await live.subscribe(SEQUENCES, staff())
    assert (len(live.hub), live.hub.executions, len(live.feeds)) == (0, 0, feed_count)


async def test_after_a_database_is_set_back_nothing_new_is_missed(live, database, shop, postgres):
    """As after a fail-over to a replica that had not got everything: sequences are given once more."""
    await announce(database, shop, 10)
    last = await live.relay()
    heard = await live.subscribe(SEQUENCES, staff())
    await announce(database, shop, 3)
    await live.relay()
    await heard.has(3)
    await set_back(postgres, shop, last)
    heard.subscription.feed.hear(BEGUN)
    [failure] = await heard.is_over()
    assert (failure.code, failure.extensions["sequence"]) == ("OVERLOADED", str(last))
    await announce(database, shop, 2, type="product.created")
    await live.relay()
    again = await live.subscribe(EVENTS, staff(), after=str(last))
    assert [(each["sequence"], each["type"]) for each in await again.has(2)] == [
        (str(last + further), "PRODUCT_CREATED") for further in (1, 2)
    ]


async def test_events_that_expire_before_they_are_read_are_told_as_a_gap(live, database, shop, postgres):
    await announce(database, shop, 2)
    first = await live.relay()
    heard = await live.subscribe(SEQUENCES, staff())
    await announce(database, shop, 4)
    last = await number(database, shop)
    await forget(postgres, shop, first + 2)
    heard.subscription.feed.hear(last)
    [failure] = await heard.is_over()
    assert (heard.sequences, failure.extensions["sequence"]) == ([], str(first))
    again = await live.subscribe(EVENTS, staff(), after=str(first))
    gap, *_ = await again.has(1)
    assert (gap["__typename"], gap["from"], gap["to"]) == ("Gap", str(first + 1), str(last))


async def test_variables_that_the_document_does_not_have_part_nobody(live):
    for number_ in range(5):
        await live.subscribe(SEQUENCES, staff(), trace=number_)
    assert live.hub.executions == 1
