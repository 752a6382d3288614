"""Making answers again where that cannot be done, and what is remembered for it."""

import asyncio
import contextlib
import uuid

from structlog.testing import capture_logs

from core.cache import Cache, Key, Memory
from core.database import Database
from core.stamps import Stamp, Stamps
from engine.documents import DocumentStore
from schema.build import build
from schema.lifetimes import seconds_of
from server import remaking
from server.catalogue_versions import CatalogueVersions, audience_of
from server.remaking import Kitchen, NotedResponses, Recipes, Remaking
from server.tenancy import ShopDirectory

QUERY = "query ($first: Int) { products(first: $first) { totalCount } }"
NOWHERE = "postgresql://galleria_app:nothing@127.0.0.1:1/nothing"


def kitchen_of(read):
    """Return a kitchen whose database is away, and which reads the state of a shop in some way."""
    database = Database.of(NOWHERE)
    store = DocumentStore(build())
    responses = NotedResponses(
        schema=store.schema,
        cache=Cache(Memory(1_000_000)),
        stamps=Stamps(read(database), bound_seconds=60),
        seconds_of=seconds_of,
        audience_of=audience_of,
        generation=b"",
        recipes=Recipes(),
    )
    return Kitchen(
        database=database, directory=ShopDirectory(database), store=store, responses=responses, deadline_seconds=5
    )


def version_of(database):
    return CatalogueVersions(database, deadline_seconds=5).read


def always_new(_):
    async def read(_):
        return Stamp(str(uuid.uuid4()))

    return read


@contextlib.asynccontextmanager
async def job(kitchen):
    made = Remaking(kitchen)
    made.open()
    yield made
    await made.close()


async def use(kitchen, text=QUERY):
    """Keep an answer to a shop that nobody has, and ask for it often."""
    key = Key(uuid.uuid4(), text.encode())
    document = kitchen.store.get(text)
    kitchen.responses.recipes.note(key, document, document.operation(None), {"first": 1, "other": 2})

    async def make():
        return b"{}"

    for _ in range(1 + remaking.USES):
        await kitchen.responses.cache.get_or_make(key, "old", 60, make)
    return key


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (what is awaited happens inside)
            await asyncio.sleep(0)


async def test_a_database_that_is_away_is_no_error(monkeypatch):
    monkeypatch.setattr(remaking, "PAUSE_SECONDS", 0.0)
    for read, counts in ((version_of, {}), (always_new, {("failed",): 1})):
        kitchen = kitchen_of(read)
        key = await use(kitchen)
        async with job(kitchen) as made:
            with capture_logs() as logs:
                made.changed(key.tenant)
                await until(lambda made=made: not made._following)
        assert made.remade.counts == counts
        assert logs == []


async def test_what_goes_wrong_otherwise_is_logged_and_the_next_is_made(monkeypatch):
    monkeypatch.setattr(remaking, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(remaking, "warm", None)
    monkeypatch.setattr(remaking, "resolve_shop", None)
    kitchen = kitchen_of(always_new)
    key = await use(kitchen)
    async with job(kitchen) as made:
        with capture_logs() as logs:
            for count in (1, 2):
                for _ in range(remaking.USES):
                    kitchen.responses.cache.peek(key, "old")
                made.changed(key.tenant)
                await until(lambda count=count: made.remade.counts == {("failed",): count})
                await until(lambda: not made._following)
    assert [(each["log_level"], each["error"]) for each in logs] == [("warning", "TypeError")] * 2


async def test_a_document_that_has_left_the_store_is_given_up(monkeypatch):
    monkeypatch.setattr(remaking, "PAUSE_SECONDS", 0.0)
    kitchen = kitchen_of(always_new)
    key = await use(kitchen)
    kitchen.store._documents._records.clear()
    async with job(kitchen) as made:
        made.changed(key.tenant)
        await until(lambda: not made._following)
    assert kitchen.responses.recipes.get(key) is None
    assert not kitchen.responses.recipes.knows(key.tenant)


async def test_a_job_that_is_closed_drops_what_is_under_way():
    begun = asyncio.Event()

    def stuck(_):
        async def read(_):
            begun.set()
            await asyncio.Event().wait()

        return read

    kitchen = kitchen_of(stuck)
    key = await use(kitchen)
    made = Remaking(kitchen)
    made.changed(key.tenant)
    assert not made._following
    made.open()
    made.changed(key.tenant)
    await begun.wait()
    await made.close()
    await until(lambda: not made._following)
    made.changed(key.tenant)
    assert not made._following


async def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(remaking, "REQUESTS_KNOWN", 2)
    store, recipes, shop = DocumentStore(build()), Recipes(), uuid.uuid4()
    document = store.get(QUERY)
    operation = document.operation(None)
    keys = [Key(shop, bytes([number])) for number in range(3)]
    for key in (keys[0], keys[1], keys[0], keys[2]):
        recipes.note(key, document, operation, {"first": 1, "undeclared": 2})
    assert recipes.of(shop) == [keys[0], keys[2]]
    assert recipes.get(keys[0]).variables == b'{"first":1}'

    monkeypatch.setattr(remaking, "LONGEST_TEXT", len(QUERY) - 1)
    recipes.note(keys[1], document, operation, {})
    assert recipes.get(keys[1]) is None
