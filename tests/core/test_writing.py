"""Write blocks: what is kept, what is not, and what their statements return."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import select, text, update

from core.errors import ConstraintViolated, Contended, DeadlineExceeded, Overloaded
from core.writing import Transaction
from models.categories import Category
from models.shops import Shop
from tests import factories

RENAME = update(Shop).values(name="Changed")
NAME = select(Shop.name)


async def name_of(database, shop) -> str:
    async with database.of_tenant(shop.id).write() as transaction:
        return (await transaction.execute(NAME)).scalar_one()


async def run(database, shop, *work: Callable[[Transaction], Awaitable[object]], seconds: float = 10) -> None:
    """Do one thing after another in a write block."""
    async with database.of_tenant(shop.id, statement_timeout_seconds=seconds).write() as transaction:
        for each in work:
            await each(transaction)


async def fail(_: Transaction) -> None:
    raise ZeroDivisionError


def rename(transaction: Transaction) -> Awaitable[object]:
    return transaction.execute(RENAME)


async def in_use(database) -> int:
    await database.writes.settled()
    return database.writes.in_use


async def test_a_block_that_raises_keeps_nothing(own, shop):
    with pytest.raises(ZeroDivisionError):
        await run(own, shop, rename, fail)

    assert await name_of(own, shop) == shop.name
    assert await in_use(own) == 0


async def test_a_block_that_is_cancelled_between_two_statements_keeps_nothing(own, shop):
    async def write() -> None:
        async with own.of_tenant(shop.id).write() as transaction:
            await transaction.execute(RENAME)
            written.set()
            await asyncio.Event().wait()

    written = asyncio.Event()
    writing = asyncio.create_task(write())
    await written.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await in_use(own) == 0
    assert await name_of(own, shop) == shop.name


async def test_what_was_committed_stays_though_the_block_raises_after_it(own, shop):
    with pytest.raises(ZeroDivisionError):
        await run(own, shop, rename, Transaction.commit, fail)

    assert await name_of(own, shop) == "Changed"


async def test_a_savepoint_takes_back_what_was_refused_within_it_alone(own, shop):
    double = {"id": shop.id, "slug": "main", "name": "Second"}
    twice = text("INSERT INTO warehouse (shop_id, id, slug, name) VALUES (app_shop(), :id, :slug, :name)")
    async with own.of_tenant(shop.id).write() as transaction:
        await transaction.execute(RENAME)
        with pytest.raises(ConstraintViolated) as refused:
            async with transaction.savepoint():
                await transaction.execute(twice, double)
        await transaction.commit()

    assert (refused.value.kind, refused.value.constraint) == ("23505", "uq_warehouse_slug")
    assert await name_of(own, shop) == "Changed"


async def test_a_failed_block_cannot_be_committed(own, shop):
    async def divide(transaction: Transaction) -> None:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await transaction.execute(text("SELECT 1 / 0"))

    with pytest.raises(RuntimeError, match="leave the block"):
        await run(own, shop, divide, Transaction.commit)

    assert await in_use(own) == 0


async def test_a_statement_takes_no_longer_than_the_operation_may(own, shop):
    with pytest.raises(DeadlineExceeded):
        await run(own, shop, lambda transaction: transaction.execute(text("SELECT pg_sleep(10)")), seconds=0.05)

    assert await in_use(own) == 0


async def test_a_lost_connection_says_so_and_is_replaced(own, postgres, shop):
    watcher = await asyncpg.connect(postgres.app_url)

    async def lose(transaction: Transaction) -> None:
        await watcher.fetchval("SELECT pg_terminate_backend($1, 5000)", (await transaction.driver()).get_server_pid())

    with pytest.raises(Overloaded):
        await run(own, shop, lose, rename)
    await watcher.close()

    assert await in_use(own) == 0
    assert await name_of(own, shop) == shop.name


async def test_a_connection_that_knows_an_older_table_gives_way_to_another(own, postgres, shop):
    owner = await asyncpg.connect(postgres.owner_url)
    table = f"newer_{shop.id.hex}"
    await owner.execute(f"CREATE TABLE {table} (old int); GRANT SELECT ON {table} TO PUBLIC")
    read = text(f"SELECT * FROM {table}")  # noqa: S608 - the name is made here.
    await run(own, shop, lambda transaction: transaction.execute(read))
    await owner.execute(f"ALTER TABLE {table} ADD new int")

    with pytest.raises(Contended):
        await run(own, shop, lambda transaction: transaction.execute(read))
    async with own.of_tenant(shop.id).write() as transaction:
        assert await transaction.execute(read) == []
    await owner.execute(f"DROP TABLE {table}")
    await owner.close()


async def test_rows_know_one_from_many(own, shop):
    async with own.of_tenant(shop.id).write() as transaction:
        none = await transaction.execute(text("SELECT 1 WHERE false"))
        one = await transaction.execute(text("SELECT CAST(:given AS int) AS number"), {"given": 7})
        two = await transaction.execute(text("SELECT generate_series(1, 2)"))

    assert (none.first(), none.one_or_none(), none.scalar(), none.scalars()) == (None, None, None, [])
    assert (one.one().number, one.scalar(), one.scalar_one()) == (7, 7, 7)
    assert two.scalars() == [1, 2]
    for wrong in (none.one, none.scalar_one, two.one, two.scalar, two.one_or_none):
        with pytest.raises(ValueError, match="values to unpack"):
            wrong()


async def test_entities_hold_what_the_database_has_filled_in(own, shop):
    row = Category(shop_id=shop.id, id=shop.id, slug=factories.unique("category"), name="New", path=f"{shop.id.hex}/")
    async with own.of_tenant(shop.id).write() as transaction:
        await transaction.add(row)

    assert (row.version, row.description, row.parent_id) == (1, "", None)
    assert row.created_at is not None
