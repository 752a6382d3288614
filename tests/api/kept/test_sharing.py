"""Kept answers are shared by all who are shown the same, and given to nobody else."""

import asyncio

import pytest

from server.graphql import operating
from tests import factories
from tests.api.caching import NAMES, cache_of, hits, process, query_of
from tests.api.catalogues import catalogue


async def test_what_one_process_has_made_another_finds(writer, neighbour, made):
    query = query_of("product", made)
    first = await writer.of(made)(query)
    second = await neighbour.of(made)(query)
    assert (cache_of(first)["hit"], cache_of(second)["hit"]) == (False, True)
    assert first.data == second.data
    assert second.statements == 0


async def test_fifty_who_ask_at_once_are_answered_by_one_execution(settings, made, monkeypatch):
    calls = 0
    execute = operating.execute

    async def counted(*arguments, **named):
        nonlocal calls
        calls += 1
        return await execute(*arguments, **named)

    monkeypatch.setattr(operating, "execute", counted)
    async with process(settings) as single:
        answers = await asyncio.gather(*(single.of(made)(NAMES) for _ in range(50)))
    assert calls == 1
    assert len({str(answer.data) for answer in answers}) == 1
    assert sum(not cache_of(answer)["hit"] for answer in answers) == 1


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


async def test_an_answer_with_an_error_is_given_to_nobody_else(settings, made):
    async with process(settings) as single:
        for _ in range(2):
            answer = await single.of(made)('{ products(first: 2, channel: "nowhere") { totalCount } }')
            assert answer.codes == ["BAD_USER_INPUT"]
        assert await hits(single) == {("process", "miss"): 2, ("shared", "miss"): 2}


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


async def test_what_is_hit_and_missed_is_counted(settings, made):
    async with process(settings) as single:
        for _ in range(3):
            await single.of(made)(NAMES)
        assert await hits(single) == {("process", "miss"): 1, ("shared", "miss"): 1, ("process", "hit"): 2}


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
