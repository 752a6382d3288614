"""Who resumes hears everything that he has missed, in order and once, whatever happens meanwhile."""

import asyncio
import itertools
import os
import random

import pytest
from sqlalchemy import update

from core.ids import encode_global_id
from models.inventory import StockLevel
from models.products import Product
from server.entrance import Caller
from server.live import listening, shared
from tests import factories
from tests.api.live.hubs import EVENTS, PRODUCT, STOCK, Collected, living, staff
from tests.resolvers.feeding import announce, forget, number

SEQUENCES = "subscription($after: BigInt) { events(after: $after) { ... on ShopEvent { sequence } ... on Gap { to } } }"


@pytest.fixture
async def live(database, shop):
    async with living(database, shop) as made:
        await made.relay()
        yield made


def numbers(first, last):
    return list(range(first, last + 1))


async def rename(live, product, count):
    """Change a product again and again."""
    for each in range(count):
        await live.change(update(Product).where(Product.id == product.id).values(name=f"Name {each}"))


async def test_what_was_missed_comes_first(live, database, shop):
    await announce(database, shop, 7)
    await live.relay()
    heard = await live.subscribe(SEQUENCES, staff(), after="3")
    await announce(database, shop, 2)
    last = await live.relay()
    await heard.until(lambda: heard.sequences and heard.sequences[-1] == last)
    assert heard.sequences == numbers(4, last)
    assert heard.subscription.sequence == last


async def test_nothing_comes_twice_to_who_has_heard_more_than_this_process(live, database, shop):
    first = await live.relay()
    behind = await live.subscribe(SEQUENCES, staff())
    await announce(database, shop, 3)
    # Another process has relayed, and brought two of them.
    await number(database, shop)
    ahead = await live.subscribe(SEQUENCES, staff(), after=str(first + 2))
    await live.relay()
    await behind.has(3)
    await ahead.has(1)
    assert (behind.sequences, ahead.sequences) == (numbers(first + 1, first + 3), [first + 3])


async def test_a_gap_is_told_and_the_present_state_follows(postgres, live, database, shop):
    _, variant = await factories.sellable(database, shop, on_hand=3)
    _, hidden = await factories.sellable(database, shop, status="DRAFT")
    _, second = await factories.sellable(database, shop, on_hand=5)
    last = await live.relay()
    await forget(postgres, shop, last - 1)
    ids = [encode_global_id("Variant", each.id) for each in (variant, hidden, second)]
    heard = await live.subscribe(STOCK, ids=ids, after="1")
    await heard.has(3)
    assert heard.messages[0] == {"__typename": "Gap", "sequence": "1", "from": "2", "to": str(last)}
    # Whoever is cut off in the middle comes back to the gap; the last message ends it.
    assert [(each["sequence"], each["isSnapshot"]) for each in heard.messages[1:]] == [("1", True), (str(last), True)]
    assert {each["variantId"]: each["variant"]["availability"]["quantity"] for each in heard.messages[1:]} == {
        ids[0]: 3,
        ids[2]: 5,
    }
    await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=1))
    assert (await live.relay()) == last + 1
    assert (await heard.has(4))[3]["sequence"] == str(last + 1)


async def test_a_gap_without_ids_stands_alone(postgres, live, database, shop):
    await announce(database, shop, 5)
    last = await live.relay()
    await forget(postgres, shop, last)
    heard = await live.subscribe(EVENTS, staff(), after="0")
    assert await heard.has(1) == [{"__typename": "Gap", "sequence": str(last), "from": "1", "to": str(last)}]
    kept = await live.subscribe(EVENTS, staff(), after=str(last))
    await announce(database, shop, 1)
    await live.relay()
    await kept.has(1)
    assert (kept.sequences, heard.sequences) == ([last + 1], [last, last + 1])


async def test_all_who_resume_at_the_same_place_share_the_reading(live, database, shop):
    product, _ = await factories.sellable(database, shop)
    first = await live.relay()
    await rename(live, product, 20)
    last = await live.relay()
    # A feed that is new reads its position.
    everybody = await asyncio.gather(*(live.subscribe(PRODUCT, after=str(first)) for _ in range(200)))
    await asyncio.gather(*(each.has(20) for each in everybody))
    assert {tuple(each.sequences) for each in everybody} == {tuple(numbers(first + 1, last))}
    # An opening each, then for all events together which may be heard of, and the messages.
    assert live.door.opened == 200 + 2
    assert live.feeds.statistics.reads <= 4


async def test_who_comes_back_after_all_had_gone_finds_what_was_made(live, database, shop):
    await factories.sellable(database, shop)
    first = await live.relay()
    heard = await live.subscribe(SEQUENCES, staff())
    await announce(database, shop, 5)
    last = await live.relay()
    await heard.has(5)
    heard.subscription.close()
    assert live.hub.executions == 0
    opened = live.door.opened
    again = await live.subscribe(SEQUENCES, staff(), after=str(first))
    await again.has(5)
    assert again.sequences == numbers(first + 1, last)
    assert live.door.opened == opened + 1


async def test_events_that_come_faster_than_they_are_told_are_read_again(live, database, shop, monkeypatch):
    monkeypatch.setattr(shared, "PENDING_AT_MOST", 3)
    first = await live.relay()
    everybody = [await live.subscribe(SEQUENCES, staff(role)) for role in ("owner", "support")]
    for _ in range(3):
        await announce(database, shop, 40)
        last = await live.relay()
    for heard in everybody:
        await heard.until(lambda heard=heard: heard.sequences and heard.sequences[-1] == last)
        assert heard.sequences == numbers(first + 1, last)


@pytest.mark.parametrize("seed", range(int(os.environ.get("GALLERIA_SEEDS", "6"))))
async def test_whatever_happens_each_event_arrives_once_in_order(live, database, shop, monkeypatch, seed):
    """Events are relayed while subscribers come, go, and come back where they were."""
    chance = random.Random(seed)  # noqa: S311  (no secret)
    monkeypatch.setattr(shared, "PENDING_AT_MOST", chance.choice([1, 3, 1_000]))
    monkeypatch.setattr(shared, "SENT_AT_ONCE", chance.choice([1, 2, 200]))
    monkeypatch.setattr(listening, "AT_ONCE", chance.choice([1, 8]))
    await announce(database, shop, 5)
    start = await live.relay()
    is_over = asyncio.Event()

    async def write():
        for _ in range(25):
            await announce(database, shop, chance.randint(1, 12))
            await live.relay()
            await asyncio.sleep(chance.choice([0, 0, 0.005]))
        is_over.set()

    async def listen(role, begins_at):
        """Listen with interruptions, and return all that has arrived."""
        arrived, cursor = [], begins_at
        while not is_over.is_set():
            heard = await live.subscribe(SEQUENCES, staff(role), after=str(cursor))
            await asyncio.wait([asyncio.ensure_future(is_over.wait())], timeout=chance.choice([0, 0.002, 0.03]))
            heard.subscription.close()
            # What a client has read may be less than what it was sent.
            read = chance.randint(0, len(heard.sequences)) if chance.random() < 0.3 else len(heard.sequences)
            arrived += heard.sequences[:read]
            is_all = read == len(heard.sequences)
            cursor = heard.subscription.sequence if is_all else (arrived[-1] if arrived else begins_at)
            assert not arrived or cursor >= arrived[-1]
        heard = await live.subscribe(SEQUENCES, staff(role), after=str(cursor))
        last = await live.relay()
        await heard.until(lambda: cursor == last or (heard.sequences and heard.sequences[-1] == last))
        return begins_at, arrived + heard.sequences, last

    roles = itertools.cycle(["owner", "support", "catalogue"])
    listeners = [listen(role, chance.randint(0, start)) for role, _ in zip(roles, range(12), strict=False)]
    _, *outcomes = await asyncio.gather(write(), *listeners)
    for begins_at, arrived, last in outcomes:
        assert arrived == numbers(begins_at + 1, last)


async def test_who_comes_in_the_moment_in_which_a_turn_ends_has_one(monkeypatch):
    monkeypatch.setattr(listening, "AT_ONCE", 1)
    turns, told = listening.Turns(), asyncio.Event()

    class Told:
        is_queued = has_work = False

        async def turn(self):
            told.set()

    class Last(Told):
        async def turn(self):
            asyncio.get_running_loop().call_soon(turns.add, Told())

    turns.add(Last())
    async with asyncio.timeout(10):
        await told.wait()
    await turns.close()


async def test_thousands_that_resume_at_once_are_served_in_seconds(live, database, shop):
    product, _ = await factories.sellable(database, shop)
    first = await live.relay()
    await rename(live, product, 5)
    await live.relay()
    async with asyncio.timeout(10):
        everybody = [await live.subscribe(PRODUCT, after=str(first)) for _ in range(2_000)]
        await asyncio.gather(*(each.has(5) for each in everybody))


async def test_a_subscription_that_is_closed_while_it_catches_up_hears_no_more(live, database, shop):
    await announce(database, shop, 30)
    await live.relay()

    class Leaving(Collected):
        def deliver(self, sequence, payload):
            super().deliver(sequence, payload)
            if len(self.results) == 3:
                self.subscription.close()

    leaving = await live.subscribe(SEQUENCES, subscriber=Leaving(Caller(shop, staff())), after="0")
    staying = await live.subscribe(SEQUENCES, staff(), after="0")
    await staying.has(30)
    assert len(leaving.results) == 3
