"""What is asked for often is made again when a catalogue changes, before anybody asks for it."""

import asyncio

import pytest
from sqlalchemy import text

from core import shared_cache
from server import remaking
from tests import factories
from tests.api.caching import metric, process
from tests.api.catalogues import catalogue
from tests.api.mutating import write

LISTING = "query ($first: Int!) { products(first: $first, sort: NAME_ASC) { nodes { name } } }"
SHOP = "{ shop { name } }"
REMADE = "galleria_response_cache_remade_total"


@pytest.fixture(scope="module", autouse=True)
def patience():
    """Wait longer for Redis than a busy machine makes it take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_cache, "PATIENCE_SECONDS", 10)
        patch.setattr(shared_cache, "WAIT_SECONDS", 10)
        patch.setattr(shared_cache, "CLAIM_SECONDS", 10)
        patch.setattr(remaking, "PATIENCE_SECONDS", 10)
        yield


@pytest.fixture
async def made(database):
    return await catalogue(database, await factories.shop(database), 2)


@pytest.fixture
async def alone(settings):
    """A process that keeps answers by itself, and looks at the database when it has written."""
    async with process(settings, redis_url=None, response_cache_staleness_ms=60_000) as opened:
        yield opened


async def ask_often(ask, query, variables=None):
    for _ in range(1 + remaking.USES):
        answer = await ask(query, variables)
    return answer


async def rename(ask, made, name):
    await write(ask, "productUpdate", id=made.id_of("Product"), input={"name": name})


async def remade(process, result="made"):
    return await metric(process, REMADE, result=result)


async def until_remade(process, count, result="made"):
    async with asyncio.timeout(20):
        while await remade(process, result) < count:
            continue


def is_hit(answer):
    return answer.body["extensions"]["cache"]["hit"]


async def test_the_first_reader_after_a_write_finds_what_was_asked_for_often(alone, made):
    ask = alone.of(made)
    await ask_often(ask, LISTING, {"first": 1, "undeclared": 5})
    await ask(LISTING, {"first": 2})

    await rename(ask, made, "A new name")
    await until_remade(alone, 1)

    often, once = await ask(LISTING, {"first": 1}), await ask(LISTING, {"first": 2})
    assert often.data == {"products": {"nodes": [{"name": "A new name"}]}}
    assert is_hit(often)
    assert often.statements == 0
    assert not is_hit(once)
    assert await remade(alone) == 1


async def test_what_the_shop_itself_says_is_made_as_it_is_now(alone, made, database):
    ask = alone.of(made)
    await ask_often(ask, SHOP)
    async with database.of_tenant(made.shop.id).write() as transaction:
        await transaction.execute(text("UPDATE shop SET name = 'Renamed'"))
        await transaction.commit()
    await rename(ask, made, "A new name")
    await until_remade(alone, 1)
    answer = await ask(SHOP)
    assert answer.data == {"shop": {"name": "Renamed"}}
    assert is_hit(answer)


async def test_what_nobody_asks_for_any_longer_is_made_again_a_few_times_only(alone, made, monkeypatch):
    monkeypatch.setattr(remaking, "PAUSE_SECONDS", 0.0)
    ask = alone.of(made)
    for _ in range(5):
        await ask(LISTING, {"first": 1})
    for count in (1, 2):
        await rename(ask, made, f"Name {count}")
        await until_remade(alone, count)
    for name in "abc":
        await rename(ask, made, name)
    await ask_often(ask, LISTING, {"first": 2})
    await rename(ask, made, "The last")
    await until_remade(alone, 3)

    assert is_hit(await ask(LISTING, {"first": 2}))
    assert not is_hit(await ask(LISTING, {"first": 1}))


async def test_a_stream_of_writes_is_followed_at_intervals(alone, made):
    ask = alone.of(made)
    for _ in range(32):
        await ask(LISTING, {"first": 1})
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(10):
        await rename(ask, made, f"Name {number}")
    # One that comes too early is put off, not dropped: in the end the last state is there.
    await until_remade(alone, 2)
    lasted = loop.time() - began
    answer = await ask(LISTING, {"first": 1})
    assert answer.data == {"products": {"nodes": [{"name": "Name 9"}]}}
    assert is_hit(answer)
    assert await remade(alone) <= 2 + lasted / remaking.PAUSE_SECONDS


async def test_no_more_than_the_hottest_are_made_again(alone, made, monkeypatch):
    monkeypatch.setattr(remaking, "ANSWERS_AT_MOST", 2)
    ask = alone.of(made)
    for first in (1, 2, 3):
        for _ in range(4 - first):
            await ask_often(ask, LISTING, {"first": first})
    await rename(ask, made, "A new name")
    await until_remade(alone, 2)
    assert [is_hit(await ask(LISTING, {"first": first})) for first in (1, 2, 3)] == [True, True, False]


async def test_processes_that_share_redis_make_it_once(settings, made):
    async with (
        process(settings, response_cache_staleness_ms=60_000) as one,
        process(settings, response_cache_staleness_ms=60_000) as other,
    ):
        for each in (one, other):
            await ask_often(each.of(made), LISTING, {"first": 1})
        await rename(one.of(made), made, "A new name")

        async def count():
            return [await remade(each, result) for each in (one, other) for result in ("made", "found")]

        async with asyncio.timeout(20):
            while sum(await count()) < 2:
                continue
        assert await remade(one) + await remade(other) == 1
        for each in (one, other):
            answer = await each.of(made)(LISTING, {"first": 1})
            assert answer.data == {"products": {"nodes": [{"name": "A new name"}]}}
            assert is_hit(answer)


async def test_while_the_database_is_busy_it_is_left_to_the_readers(settings, made, monkeypatch):
    monkeypatch.setattr(remaking, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(remaking.Kitchen, "is_quiet", False)
    async with process(settings, redis_url=None, response_cache_staleness_ms=60_000) as busy:
        ask = busy.of(made)
        await ask_often(ask, LISTING, {"first": 1})
        await rename(ask, made, "A new name")
        await until_remade(busy, 1, "busy")
        assert not is_hit(await ask(LISTING, {"first": 1}))
        assert await remade(busy) == 0
