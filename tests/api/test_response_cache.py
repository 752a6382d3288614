"""Kept answers: as fresh as they are bounded to be, the same as executed ones, and nobody else's."""

import asyncio
import dataclasses
import hashlib
import time

import pytest
from sqlalchemy import func, text, update

from core import shared_cache
from models import listings
from schema.build import build
from schema.policies import Open, policy_of
from server.graphql import http
from tests import factories
from tests.api.caching import READS, Process, hits, process, query_of, query_of_all, read
from tests.api.catalogues import catalogue
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

NAMES = "{ products(first: 5, sort: NAME_ASC) { nodes { name } } }"
STALENESS_SECONDS = 0.4


@pytest.fixture(scope="module", autouse=True)
def patience():
    """Wait longer for Redis than a busy machine makes it take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_cache, "PATIENCE_SECONDS", 10)
        yield


@pytest.fixture(scope="module")
async def writer(settings):
    """A process that would not look at the database for a long time, and has to know what it writes itself."""
    async with process(settings, response_cache_staleness_ms=60_000) as opened:
        yield opened


@pytest.fixture(scope="module")
async def neighbour(settings):
    """Another process that shares Redis with the writer, and would not look at the database for a long time."""
    async with process(settings, response_cache_staleness_ms=60_000) as opened:
        yield opened


@pytest.fixture(scope="module")
async def loner(settings):
    """A process that shares nothing but the database."""
    staleness = int(STALENESS_SECONDS * 1000)
    async with process(settings, redis_url=None, response_cache_staleness_ms=staleness) as opened:
        yield opened


@pytest.fixture(scope="module")
def executing(client, settings):
    """A process that keeps no answers."""
    return Process(client, settings)


@pytest.fixture
async def made(database):
    return await catalogue(database, await factories.shop(database), 2)


def renamed(database, made):
    """Write behind the back of all processes, as an import does."""
    return write_statements(database, made, RENAMED)


async def write_statements(database, made, statements):
    async with database.of_tenant(made.shop.id).write() as transaction:
        for statement in statements.split(";"):
            await transaction.execute(text(statement))
        await transaction.commit()


async def until(condition, *, seconds=5):
    """Ask again until something is so, and return how long that took."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await condition():
            continue
    return time.monotonic() - started


def cache_of(answer):
    return answer.body["extensions"]["cache"]


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


async def test_what_one_process_has_made_another_finds(writer, neighbour, made):
    query = query_of("product", made)
    first = await writer.of(made)(query)
    second = await neighbour.of(made)(query)
    assert (cache_of(first)["hit"], cache_of(second)["hit"]) == (False, True)
    assert first.data == second.data
    assert second.statements == 0


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
    execute = http.execute
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def held(*arguments, **named):
        result = await execute(*arguments, **named)
        begun.set()
        await may_go_on.wait()
        return result

    async with process(settings, response_cache_staleness_ms=0) as strict:
        ask = strict.of(made)
        monkeypatch.setattr(http, "execute", held)
        old = asyncio.create_task(ask(NAMES))
        await begun.wait()
        monkeypatch.setattr(http, "execute", execute)
        await write_statements(database, made, "UPDATE product SET name = 'New'")
        assert {node["name"] for node in (await ask(NAMES)).data["products"]["nodes"]} == {"New"}
        may_go_on.set()
        assert {node["name"] for node in (await old).data["products"]["nodes"]} == {"Product 0", "Product 1"}
        # The old answer was stored last, and is not found by anybody who asks now.
        assert {node["name"] for node in (await ask(NAMES)).data["products"]["nodes"]} == {"New"}


async def test_fifty_who_ask_at_once_are_answered_by_one_execution(settings, made, monkeypatch):
    calls = 0
    execute = http.execute

    async def counted(*arguments, **named):
        nonlocal calls
        calls += 1
        return await execute(*arguments, **named)

    monkeypatch.setattr(http, "execute", counted)
    async with process(settings) as single:
        answers = await asyncio.gather(*(single.of(made)(NAMES) for _ in range(50)))
    assert calls == 1
    assert len({str(answer.data) for answer in answers}) == 1
    assert sum(not cache_of(answer)["hit"] for answer in answers) == 1


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


async def test_staff_who_may_see_drafts_are_answered_anew_and_shoppers_never_with_theirs(writer, made, database):
    await factories.sellable(database, made.shop, name="A draft", status="DRAFT")
    ask = writer.of(made)
    as_staff = await ask(NAMES, role="owner")
    as_shopper = await ask(NAMES)
    assert "A draft" in {node["name"] for node in as_staff.data["products"]["nodes"]}
    assert "A draft" not in {node["name"] for node in as_shopper.data["products"]["nodes"]}
    again = await ask(NAMES, role="owner")
    assert "cache" not in as_staff.body["extensions"]
    assert "cache" not in again.body["extensions"]
    assert again.statements > 0
    assert cache_of(await ask(NAMES))["hit"]


async def test_a_customer_shares_the_answers_of_shoppers(writer, made):
    ask = writer.of(made)
    await ask(NAMES)
    assert cache_of(await ask(NAMES, role="customer"))["hit"]


async def test_a_shop_never_gets_the_answer_of_another(writer, made, database):
    other = await catalogue(database, await factories.shop(database), 3)
    query = "{ shop { slug } products(first: 5) { totalCount } }"
    for each in (made, other):
        for _ in range(2):
            answer = await writer.of(each)(query)
            assert answer.data == {"shop": {"slug": each.shop.slug}, "products": {"totalCount": each.size}}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("{ product(slug: 5) { name } }", id="invalid"),
        pytest.param("{ product { name } }", id="refused"),
        pytest.param("{ products(first: 2) { nodes { translations { value } } } }", id="not for shoppers"),
        pytest.param("{ warehouses { nodes { name } } }", id="root not for shoppers"),
        pytest.param("{ __typename }", id="of no row"),
        pytest.param("{ __schema { description } }", id="introspection"),
        pytest.param("{ products(first: 2) { totalCount } __schema { description } }", id="introspection beside"),
    ],
)
async def test_what_must_not_be_kept_is_not(writer, made, query):
    ask = writer.of(made)
    for _ in range(2):
        answer = await ask(query)
        assert "cache" not in answer.body.get("extensions", {})


async def test_an_answer_with_an_error_is_given_to_nobody_else(writer, made):
    ask = writer.of(made)
    before = await hits(writer)
    for _ in range(2):
        assert (await ask('{ products(first: 2, channel: "nowhere") { totalCount } }')).codes == ["BAD_USER_INPUT"]
    after = await hits(writer)
    assert after["process", "miss"] == before["process", "miss"] + 2
    assert after.get(("process", "hit")) == before.get(("process", "hit"))


async def test_variables_are_told_apart_and_their_order_is_not(writer, made):
    ask = writer.of(made)
    query = """query ($first: Int, $sort: ProductSort! = NAME_ASC) {
        products(first: $first, sort: $sort) { nodes { name } }
    }"""
    assert len((await ask(query, {"first": 1})).data["products"]["nodes"]) == 1
    assert len((await ask(query, {"first": 2})).data["products"]["nodes"]) == 2
    await ask(query, {"first": 2, "sort": "NAME_DESC"})
    assert cache_of(await ask(query, {"sort": "NAME_DESC", "first": 2, "unused": 1}))["hit"]


async def test_operations_of_one_document_are_told_apart(writer, made):
    ask = writer.of(made)
    query = "query A { shop { name } } query B { shop { slug } }"
    answers = []
    for name in ("A", "B", "A"):
        body = {"query": query, "operationName": name}
        headers = {"Galleria-Shop": made.shop.slug}
        answers.append((await writer.client.post("/graphql", json=body, headers=headers)).json())
    assert [list(answer["data"]["shop"]) for answer in answers] == [["name"], ["slug"], ["name"]]
    assert answers[2]["extensions"]["cache"]["hit"]
    assert ask.shop.slug == made.shop.slug


async def test_channel_and_locale_are_told_apart(writer, made):
    ask = writer.of(made)
    query = "query ($id: ID, $locale: String) { product(id: $id, locale: $locale) { name } }"
    variables = {"id": made.id_of("Product")}
    assert (await ask(query, variables)).data == {"product": {"name": "Product 0"}}
    assert (await ask(query, variables | {"locale": "de"})).data == {"product": {"name": "Auf Deutsch"}}


async def test_a_hit_costs_one_point(writer, made):
    ask = writer.of(made)
    costs = [(await ask(NAMES)).body["extensions"]["cost"] for _ in range(2)]
    assert costs[0]["requestedQueryCost"] == costs[1]["requestedQueryCost"] > 1
    assert costs[0]["actualQueryCost"] > 1
    assert costs[1]["actualQueryCost"] == 1


async def test_what_is_hit_and_missed_is_counted(writer, made):
    before = await hits(writer)
    for _ in range(3):
        await writer.of(made)(NAMES)
    after = await hits(writer)
    changed = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    assert changed == {("process", "miss"): 1, ("shared", "miss"): 1, ("process", "hit"): 2}


async def persisted(process, made, query, **headers):
    """Send a query by GET as a client with persisted documents does."""
    sha256 = hashlib.sha256(query.encode()).hexdigest()
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{sha256}"}}}}'
    headers = {"Galleria-Shop": made.shop.slug, **headers}
    parameters = {"extensions": extensions}
    answer = await process.client.get("/graphql", params=parameters, headers=headers)
    if "PERSISTED_QUERY_NOT_FOUND" in answer.text:
        asking = {**headers, "GraphQL-Require-Preflight": "1"}
        await process.client.get("/graphql", params={**parameters, "query": query}, headers=asking)
        answer = await process.client.get("/graphql", params=parameters, headers=headers)
    return answer


async def test_a_persisted_query_by_get_may_be_kept_outside(writer, made):
    answer = await persisted(writer, made, NAMES)
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["age"] == "0"
    assert answer.headers["vary"] == "accept, authorization, galleria-shop"
    assert answer.json().keys() == {"data"}
    same = await persisted(writer, made, NAMES, **{"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == answer.headers["etag"]
    assert same.headers["cache-control"].startswith("public, max-age=6")


async def test_a_change_gives_another_tag(writer, made):
    tag = (await persisted(writer, made, NAMES)).headers["etag"]
    arguments = ARGUMENTS["productUpdate"](made)
    await writer.of(made)(operation("productUpdate", "__typename", arguments), arguments, role="owner")
    answer = await persisted(writer, made, NAMES, **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


async def test_what_lasts_less_may_be_kept_outside_for_less(settings, made):
    async with process(settings, http_max_age_seconds=3_600) as generous:
        short = await persisted(generous, made, "{ products(first: 1) { nodes { availability { quantity } } } }")
        long = await persisted(generous, made, NAMES)
    assert 54 <= int(short.headers["cache-control"].removeprefix("public, max-age=")) <= 60
    assert 3_240 <= int(long.headers["cache-control"].removeprefix("public, max-age=")) <= 3_600


async def test_what_somebody_signed_in_gets_is_kept_by_nobody_outside(writer, made):
    token = writer.of(made).token("customer")
    answer = await persisted(writer, made, NAMES, Authorization=f"Bearer {token}")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "age" not in answer.headers


async def test_a_query_text_by_get_is_kept_by_nobody_outside(writer, made):
    headers = {"Galleria-Shop": made.shop.slug, "GraphQL-Require-Preflight": "1"}
    answer = await writer.client.get("/graphql", params={"query": NAMES}, headers=headers)
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_an_answer_by_post_is_kept_by_nobody_outside(writer, made):
    answer = await writer.of(made)(NAMES)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_the_age_grows(settings, made):
    async with process(settings) as single:
        await persisted(single, made, NAMES)

        async def is_older():
            return int((await persisted(single, made, NAMES)).headers["age"]) >= 1

        await until(is_older)
        answer = await persisted(single, made, NAMES)
    assert answer.headers["cache-control"] == f"public, max-age={60 + int(answer.headers['age'])}"


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


async def test_a_request_that_comes_again_is_told_from_others_by_what_decides(writer, made):
    query = "{ products(first: 1) { nodes { name } } }"
    for _ in range(3):
        same = await writer.of(made)(query)
    asks_more = await writer.of(made)(query, **{"Galleria-Cost-Dry-Run": "1"})
    executed = await writer.of(made)(query, **{"Galleria-Executor": "reference"})
    staff = await writer.of(made)(query, role="owner")

    assert same.body["extensions"]["cache"]["hit"]
    assert "data" not in asks_more.body
    assert executed.data == same.data
    assert "cache" not in staff.body["extensions"]
    assert same.statements == 0


async def test_a_request_that_comes_again_is_charged_again(writer, made):
    query = "{ products(first: 1) { nodes { slug } } }"
    left = []
    for _ in range(4):
        answer = await writer.of(made)(query)
        left.append(answer.body["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"])

    assert answer.body["extensions"]["cost"]["actualQueryCost"] == 1
    assert left[-1] <= left[1]
    assert answer.headers["ratelimit-policy"]
