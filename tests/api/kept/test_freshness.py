"""Kept answers are as fresh as they are bounded to be, and the same as executed ones."""

import asyncio
import dataclasses
import time

import pytest
from sqlalchemy import func, text, update

from models import listings
from schema.build import build
from schema.policies import Open, policy_of
from server.graphql import operating
from tests import factories
from tests.api.caching import (
    NAMES,
    READS,
    STALENESS_SECONDS,
    cache_of,
    process,
    query_of,
    query_of_all,
    read,
    until,
    write_statements,
)
from tests.api.isolation import MUTATIONS as ARGUMENTS
from tests.api.mutating import MUTATIONS, operation

RENAMED = (
    "UPDATE attribute SET name = name || '!'; UPDATE attribute_value SET name = name || '!'; "
    "UPDATE category SET name = name || '!'; UPDATE channel SET name = name || '!'; "
    "UPDATE collection SET name = name || '!'; UPDATE product SET name = name || '!'; "
    "UPDATE product_type SET name = name || '!'; UPDATE review SET title = title || '!' WHERE status = 'APPROVED'; "
    "UPDATE shop SET name = name || '!'; UPDATE variant SET name = name || '!'"
)
"""Something that each of the reads shows."""


def renamed(database, made):
    """Write behind the back of all processes, as an import does."""
    return write_statements(database, made, RENAMED)


def test_every_public_root_field_is_read():
    fields = build().query_type.fields
    assert READS.keys() == {name for name, field in fields.items() if policy_of(field) is Open.ANYONE}


async def test_a_second_answer_is_kept_and_equal(writer, made, executing):
    ask, uncached = writer.of(made), executing.of(made)
    for name in READS:
        query = query_of(name, made)
        first, second, executed = await ask(query), await ask(query), await uncached(query)
        assert (cache_of(first)["hit"], cache_of(second)["hit"]) == (False, True), name
        assert second.statements == 0
        assert first.data == second.data == executed.data, name


@pytest.mark.parametrize("name", sorted(MUTATIONS))
async def test_after_each_mutation_its_process_answers_as_if_nothing_were_kept(writer, made, executing, name):
    ask, uncached = writer.of(made), executing.of(made)
    query = query_of_all(made)
    await ask(query)
    assert cache_of(await ask(query))["hit"]
    arguments = ARGUMENTS[name](made)
    await ask(operation(name, "__typename", arguments), arguments, role="owner")
    assert (await ask(query)).data == (await uncached(query)).data


async def test_another_process_that_shares_redis_is_told_at_once(writer, neighbour, made, executing):
    ask, uncached = writer.of(made), executing.of(made)
    for name in ("productUpdate", "categoryUpdate", "channelUpdate", "attributeValueUpdate", "stockSet"):
        other = neighbour.of(made)
        before = await read(other, made)
        arguments = ARGUMENTS[name](made)
        await ask(operation(name, "__typename", arguments), arguments, role="owner")
        after = await read(uncached, made)
        assert after != before, name

        async def is_seen(other=other, after=after):
            return await read(other, made) == after

        await until(is_seen)


async def test_without_redis_every_read_is_as_fresh_as_the_bound(loner, made, executing, database):
    """The writer is another process that dies between its commit and telling the others, or never tells them."""
    ask, uncached = loner.of(made), executing.of(made)
    before = await read(ask, made)
    await renamed(database, made)
    written = time.monotonic()
    after = await read(uncached, made)
    assert all(after[name] != before[name] for name in READS)
    late = {}
    for name in READS:

        async def is_seen(name=name):
            asked = time.monotonic()
            is_new = (await ask(query_of(name, made))).data == after[name]
            if not is_new:
                late[name] = asked - written
            return is_new

        await until(is_seen)
    assert all(seconds < STALENESS_SECONDS for seconds in late.values())


async def test_with_a_bound_of_zero_nothing_is_ever_old(settings, made, executing, database):
    async with process(settings, response_cache_staleness_ms=0) as strict:
        ask, uncached = strict.of(made), executing.of(made)
        for renamings in (1, 2):
            await read(ask, made)
            await renamed(database, made)
            kept, executed = await read(ask, made), await read(uncached, made)
            # Without the cache, what is known of the shop itself may be some seconds old.
            assert kept.pop("shop")["shop"]["name"].count("!") == renamings
            executed.pop("shop")
            assert kept == executed


async def test_an_answer_read_while_a_write_is_under_way_is_not_taken_for_a_newer_one(settings, made, database):
    async with process(settings, response_cache_staleness_ms=0) as strict:
        ask = strict.of(made)
        async with database.of_tenant(made.shop.id).write() as transaction:
            await transaction.execute(text("UPDATE product SET name = 'New'"))
            during = await ask(NAMES)
            assert cache_of(await ask(NAMES))["hit"]
            await transaction.commit()
        after = await ask(NAMES)
        assert {node["name"] for node in during.data["products"]["nodes"]} == {"Product 0", "Product 1"}
        assert {node["name"] for node in after.data["products"]["nodes"]} == {"New"}


async def test_an_answer_that_is_overtaken_while_it_is_made_is_not_taken_for_a_newer_one(
    settings, made, database, monkeypatch
):
    """It is read, somebody commits, it is stored: it may not be found under the version of then."""
    execute = operating.execute
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def held(*arguments, **named):
        result = await execute(*arguments, **named)
        begun.set()
        await may_go_on.wait()
        return result

    async with process(settings, response_cache_staleness_ms=0) as strict:
        ask = strict.of(made)
        monkeypatch.setattr(operating, "execute", held)
        old = asyncio.create_task(ask(NAMES))
        await begun.wait()
        monkeypatch.setattr(operating, "execute", execute)
        await write_statements(database, made, "UPDATE product SET name = 'New'")
        assert {node["name"] for node in (await ask(NAMES)).data["products"]["nodes"]} == {"New"}
        may_go_on.set()
        assert {node["name"] for node in (await old).data["products"]["nodes"]} == {"Product 0", "Product 1"}
        # The old answer was stored last, and is not found by anybody who asks now.
        assert {node["name"] for node in (await ask(NAMES)).data["products"]["nodes"]} == {"New"}


async def test_the_time_when_a_product_begins_to_be_sold_ends_an_answer(settings, database):
    shop = await factories.shop(database)
    _, variant = await factories.sellable(database, shop, name="Soon")
    made = dataclasses.make_dataclass("Made", ["shop"])(shop)
    async with process(settings, response_cache_staleness_ms=60_000) as patient:
        ask = patient.of(made)
        await begin_selling(database, shop, variant, seconds=2)
        assert (await ask(NAMES)).data["products"]["nodes"] == []
        assert cache_of(await ask(NAMES))["hit"]

        async def is_sold():
            return (await ask(NAMES)).data["products"]["nodes"] == [{"name": "Soon"}]

        assert await until(is_sold) < 5
        assert cache_of(await ask(NAMES))["hit"]


async def begin_selling(database, shop, variant, *, seconds):
    async with database.of_tenant(shop.id).write() as transaction:
        soon = func.now() + text(f"interval '{seconds} second'")
        await transaction.execute(
            update(listings.Listing).where(listings.Listing.variant_id == variant.id).values(available_from=soon)
        )
        await transaction.execute(listings.refresh_product_listings, {"products": [variant.product_id]})
        await transaction.commit()


async def test_many_changes_are_merged_and_the_version_goes_on(settings, made, database, monkeypatch):
    monkeypatch.setattr("models.changes.MOST_ROWS", 3)
    async with process(settings, response_cache_staleness_ms=0) as strict:
        ask = strict.of(made)
        for number in range(8):
            await write_statements(database, made, f"UPDATE product SET name = 'Product {number}'")  # noqa: S608
            assert {node["name"] for node in (await ask(NAMES)).data["products"]["nodes"]} == {f"Product {number}"}
    async with database.of_tenant(made.shop.id).write() as transaction:
        rows = (await transaction.execute(text("SELECT count(*) FROM catalogue_change"))).scalar_one()
    assert rows <= 4
